# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands in a document of a Hello policy, it is read, or refused with an error of ours."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError
from ansible_collections.hardbound.identity.plugins.module_utils._hello import gpt_ini
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import setting_named
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings, view
from ansible_collections.hardbound.identity.plugins.module_utils._hello.extension_names import with_registry
from ansible_collections.hardbound.identity.plugins.module_utils._hello.gp_link import has_link, with_link
from ansible_collections.hardbound.identity.plugins.module_utils._hello.gpo_version import GpoVersion
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import Scope
from ansible_collections.hardbound.identity.tests.fuzz.mutation import feed
from ansible_collections.hardbound.identity.tests.support.data_files import POLICIES
from ansible_collections.hardbound.identity.tests.support.hello_samples import ALL, TENANT, WRITERS

DN = "CN={31B2F340-016D-11D2-945F-00C04FB984F9},CN=Policies,CN=System,DC=corp,DC=example"
GUIDS = (b"{35378EAC-683F-11D2-A89A-00C04FBBCFA2}", b"{D02B1F72-3407-48AE-BA88-E8213C6761F1}")
XML = (
    *(b"<", b">", b"&", b"&#0;", b"<![CDATA[", b"]]>", b"<!DOCTYPE a>", b"<!--", b"<?xml?>", b' xmlns="x"'),
    *(b"<Atomic>", b"</Atomic>", b"<Delete>", b"<Item/>", b"<Data/>", b"<LocURI/>", b"<Target/>", b"<SyncBody/>"),
    *(b"./Vendor/MSFT/PassportForWork", TENANT.encode(), b"{}", b"/", b"\xff\xfe", b"99999999999999999999"),
)
JSON = (
    *(b"{", b"}", b"[", b"]", b'"', b":", b",", b"null", b"true", b"-1", b"1e999", b"NaN", b'"\\ud800"', b"9" * 5000),
    *(b'"settings"', b'"children"', b'"value"', b'"settingInstance"', b'"omaSettings"', b"\xef\xbb\xbf", b"\x00"),
)
TOKENS = {
    "registry_pol": (b"[\0", b"]\0", b";\0", b"\0\0", b"\xff\xff\xff\xff", "**DeleteValues".encode("utf-16-le")),
    "syncml": XML,
    "graph_custom": JSON,
    "graph_catalog": JSON,
    "provisioning": XML,
    "linux": JSON,
    "himmelblau": (b"[global]", b"[", b"]", b"=", b"\n", b"\r", b"\x85", b"hello_pin_min_length", b"-", b"9" * 20),
}


Result = t.TypeVar("Result")


def outcome(act: t.Callable[[], Result]) -> Result | None:
    """What comes of it, None where it is refused in words."""
    try:
        return act()
    except HardboundError as error:
        assert ": " in str(error)
        return None


@pytest.mark.parametrize("title", WRITERS)
def test_a_document_of_a_target(title: str) -> None:
    writer = WRITERS[title]
    kind = title.partition(" ")[0]
    held = {name: state for name, state in ALL if writer.objection(setting_named(name), state) is None}
    seeds = [writer.render(dict([each]), b"") for each in held.items()] + [writer.render(held, b"")]
    seeds += [path.read_bytes() for path in POLICIES] if kind == "registry_pol" else []
    change = dict([next(iter(held.items()))])

    def take(document: bytes) -> None:
        model = outcome(lambda: writer.read(document))
        if model is None:
            return
        json.dumps(view(model))
        written = outcome(lambda: writer.render(change, document))
        if written is not None:
            again = outcome(lambda: writer.read(written))
            assert again is not None
            assert again.items() >= change.items()

    feed(title, seeds, take, tokens=TOKENS[kind])


def test_gpt_ini() -> None:
    seeds = [gpt_ini.with_version(None, GpoVersion(3, 1)), b"; x\r\n[Other]\r\nVersion=1\r\n[General]\r\ndisplayName=x"]
    seeds += ["[General]\r\nVersion=7\r\n".encode(each) for each in ("utf-16", "utf-8-sig", "utf-16-be")]
    marks = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")

    def take(document: bytes) -> None:
        gpt_ini.version(document)
        assert gpt_ini.version(gpt_ini.with_version(document, GpoVersion(8, 3))) == GpoVersion(8, 3)

    feed(
        "gpt.ini", seeds, take, tokens=(b"[General]", b"Version", b"=", b"\r\n", b"\n", b"9" * 5000, b'"', b"-", *marks)
    )


@pytest.mark.parametrize("scope", Scope)
def test_extension_names(scope: Scope) -> None:
    seeds = [b"", b"[%s%s]" % GUIDS, b"[%s][%s%s]" % (GUIDS[1], *GUIDS), b"[%s%s][%s]" % (*GUIDS, GUIDS[0].lower())]

    def take(document: bytes) -> None:
        written = outcome(lambda: with_registry(document.decode("latin-1"), scope))
        assert written is None or with_registry(written, scope) == written

    feed(f"extension names {scope}", seeds, take, tokens=(b"[", b"]", b"{", b"}", b" ", *GUIDS))


def test_links() -> None:
    seeds = [b"", b" ", f"[LDAP://{DN};0]".encode(), f"[LDAP://cn={{X}},DC=x;2][ldap://{DN};1]".encode()]

    def take(document: bytes) -> None:
        links = document.decode("latin-1")
        has_link(links, DN)
        written = outcome(lambda: with_link(links, DN))
        assert written is None or (has_link(written, DN) and with_link(written, DN) == written)

    feed("gPLink", seeds, take, tokens=(b"[LDAP://", b";", b"]", b"1", b"-1", b"9" * 5000, DN.encode()))


def test_what_a_task_says() -> None:
    seeds = [json.dumps(view({name: state})).encode() for name, state in ALL]
    words = (b'"state"', b'"enabled"', b'"rules"', b'"all"', b'"wifi"', b'"group_a"', b'"ssid"', b"0.5", b"\\u0000")

    def take(document: bytes) -> None:
        try:
            said = json.loads(document)
        except (ValueError, RecursionError):
            return
        if isinstance(said, dict):
            outcome(lambda: parse_settings(said))

    feed("settings", seeds, take, tokens=(*JSON, *words))
