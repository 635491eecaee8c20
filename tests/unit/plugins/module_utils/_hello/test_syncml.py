# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SyncML: its shape, and the commands of others that stay."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.csp import Tree, tenant_id
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import (
    NOT_CONFIGURED,
    PolicyState,
    Scope,
)
from ansible_collections.hardbound.identity.plugins.module_utils._hello.syncml import SyncMl
from ansible_collections.hardbound.identity.tests.support.hello_samples import RULES, TENANT

DEVICE = SyncMl(Tree(Scope.DEVICE, TENANT))
ROOT = "./Device/Vendor/MSFT/PassportForWork/"
OTHER_TENANT = "99999999-0000-4000-8000-123456789abc"

FOREIGN = f"""<?xml version="1.0" encoding="utf-8"?>
<!-- of others -->
<SyncML xmlns="SYNCML:SYNCML1.2">
  <SyncHdr><VerDTD>1.2</VerDTD></SyncHdr>
  <SyncBody>
    <Replace>
      <CmdID>7</CmdID>
      <Item>
        <Target><LocURI>./Device/Vendor/MSFT/Policy/Config/DeviceLock/MinDevicePasswordLength</LocURI></Target>
        <Meta><Format xmlns="syncml:metinf">int</Format></Meta>
        <Data>8</Data>
      </Item>
      <Item>
        <Target><LocURI>./Vendor/MSFT/PassportForWork/{{{TENANT.upper()}}}/Policies/PINComplexity/History</LocURI></Target>
        <Data>5</Data>
      </Item>
    </Replace>
    <Replace>
      <CmdID>8</CmdID>
      <Item>
        <Target><LocURI>{ROOT}{OTHER_TENANT}/Policies/PINComplexity/History</LocURI></Target>
        <Data>9</Data>
      </Item>
    </Replace>
  </SyncBody>
</SyncML>
""".encode()


def commands(document: bytes) -> list[tuple[str, str, str, str]]:
    """Command, id, LocURI and data of each item."""
    found = []
    for command in ElementTree.fromstring(document).iter():
        for item in command.findall("{*}Item"):
            number = command.findtext("{*}CmdID", "")
            uri = item.findtext("{*}Target/{*}LocURI", "")
            found.append((command.tag.rpartition("}")[2], number, uri, item.findtext("{*}Data", "")))
    return found


def test_the_tenant_comes_first_and_stands_without_braces() -> None:
    document = DEVICE.render(parse_settings({"pin_min_length": 8, "use_biometrics": "enabled"}), b"")
    assert commands(document) == [
        ("Add", "1", ROOT + TENANT, ""),
        ("Replace", "2", f"{ROOT}{TENANT}/Policies/PINComplexity/MinimumPINLength", "8"),
        ("Replace", "3", ROOT + "Biometrics/UseBiometrics", "true"),
    ]
    assert document.endswith(b"    <Final/>\n  </SyncBody>\n</SyncML>\n")


def test_what_is_below_no_tenant_adds_none() -> None:
    document = SyncMl(Tree(Scope.DEVICE)).render(parse_settings({"use_biometrics": "disabled"}), b"")
    assert commands(document) == [("Replace", "1", ROOT + "Biometrics/UseBiometrics", "false")]


def test_rules_are_one_line_of_character_data() -> None:
    desired = parse_settings({"device_unlock": {"group_a": ["pin"], "group_b": ["trusted_signal"], "rules": RULES}})
    (line,) = [line for line in DEVICE.render(desired, b"").decode().splitlines() if "<rule" in line]
    assert line.strip().startswith("<Data><![CDATA[<rule")


def test_commands_of_others_stay() -> None:
    assert DEVICE.read(FOREIGN) == parse_settings({"pin_history": 5})
    edited = DEVICE.render(parse_settings({"pin_history": 6}), FOREIGN)
    assert commands(edited) == [
        ("Replace", "7", "./Device/Vendor/MSFT/Policy/Config/DeviceLock/MinDevicePasswordLength", "8"),
        ("Replace", "7", f"{ROOT}{TENANT}/Policies/PINComplexity/History", "6"),
        ("Replace", "8", f"{ROOT}{OTHER_TENANT}/Policies/PINComplexity/History", "9"),
    ]
    assert b"<!-- of others -->" in edited
    assert b"<SyncHdr><VerDTD>1.2</VerDTD></SyncHdr>" in edited


def test_not_configured_deletes_and_the_deletion_is_read() -> None:
    document = DEVICE.render({"pin_history": NOT_CONFIGURED}, FOREIGN)
    assert ("Delete", "9", f"{ROOT}{TENANT}/Policies/PINComplexity/History", "") in commands(document)
    assert DEVICE.read(document) == {"pin_history": NOT_CONFIGURED}
    again = DEVICE.render(parse_settings({"pin_history": 1}), document)
    assert [each[0] for each in commands(again) if each[2].endswith(f"{TENANT}/Policies/PINComplexity/History")] == [
        "Replace"
    ]


HISTORY = f"{ROOT}{TENANT}/Policies/PINComplexity/History"


def message(body: str) -> bytes:
    return f'<SyncML xmlns="SYNCML:SYNCML1.2"><SyncBody>{body}<Final/></SyncBody></SyncML>'.encode()


def command(name: str, uri: str, data: str = "") -> str:
    value = f"<Data>{data}</Data>" if data else ""
    return f"<{name}><CmdID>1</CmdID><Item><Target><LocURI>{uri}</LocURI></Target>{value}</Item></{name}>"


@pytest.mark.parametrize(
    "deleted",
    [
        HISTORY,
        HISTORY.rpartition("/")[0],
        f"{ROOT}{TENANT}/Policies",
        f"{ROOT}{TENANT}",
        f"{ROOT}{{{TENANT.upper()}}}/",
        ROOT.rstrip("/"),
        "./Vendor/MSFT/PassportForWork",
    ],
)
def test_a_later_deletion_counts_also_that_of_a_node_above(deleted: str) -> None:
    document = message(command("Replace", HISTORY, "5") + command("Delete", deleted))
    assert DEVICE.read(document)["pin_history"] == NOT_CONFIGURED
    assert DEVICE.read(DEVICE.render(parse_settings({"pin_history": 5}), document))["pin_history"] != NOT_CONFIGURED
    earlier = message(command("Delete", deleted) + command("Replace", HISTORY, "5"))
    assert DEVICE.read(earlier)["pin_history"] == parse_settings({"pin_history": 5})["pin_history"]


@pytest.mark.parametrize(
    "deleted", [f"{ROOT}{OTHER_TENANT}", HISTORY + "2", HISTORY[:-1], "./User/Vendor/MSFT/PassportForWork"]
)
def test_a_deletion_of_another_node_undoes_nothing(deleted: str) -> None:
    document = message(command("Replace", HISTORY, "5") + command("Delete", deleted))
    assert DEVICE.read(document) == parse_settings({"pin_history": 5})


def test_what_stands_within_an_atomic_is_set_there() -> None:
    inside = command("Replace", HISTORY, "5") + command("Replace", HISTORY.replace("History", "Digits"), "1")
    document = message(f"<Atomic><CmdID>9</CmdID>{inside}</Atomic>")
    edited = DEVICE.render(parse_settings({"pin_history": 6, "pin_digits": "disallowed"}), document)
    atomic = ElementTree.fromstring(edited).find(".//{*}Atomic")
    assert atomic is not None
    assert [each.findtext(".//{*}Data") for each in atomic.findall("{*}Replace")] == ["6", "2"]
    assert len(commands(edited)) == 2


@pytest.mark.parametrize("frame", ["Atomic", "Sequence"])
def test_no_frame_is_left_empty(frame: str) -> None:
    for body in (f"<{frame}><CmdID>9</CmdID>%s</{frame}>", f"<Atomic><{frame}>%s</{frame}></Atomic>"):
        document = message(body % command("Replace", HISTORY, "5"))
        edited = DEVICE.render({"pin_history": NOT_CONFIGURED}, document)
        assert frame.encode() not in edited
        both = command("Replace", HISTORY, "5") + command("Replace", "./Device/Vendor/MSFT/Other", "1")
        kept = DEVICE.render({"pin_history": NOT_CONFIGURED}, message(body % both))
        assert frame.encode() in kept
        assert b"MSFT/Other" in kept


def test_an_option_that_is_off_is_written_only_where_it_stood() -> None:
    on = parse_settings({"use_hello": {"state": "enabled", "disable_post_logon_provisioning": True}})
    off = parse_settings({"use_hello": "enabled"})
    assert b"PostLogon" not in DEVICE.render(off, b"")
    document = DEVICE.render(on, b"")
    changed = DEVICE.render(off, document)
    assert b"PostLogon" in changed
    assert (DEVICE.read(document), DEVICE.read(changed)) == (on, off)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_or_utf_16_is_read(encoding: str) -> None:
    text = FOREIGN.decode().replace('encoding="utf-8"', f'encoding="{encoding.removesuffix("-sig")}"')
    assert DEVICE.read(text.encode(encoding)) == parse_settings({"pin_history": 5})


def test_without_a_tenant_two_of_them_contradict_each_other() -> None:
    with pytest.raises(StateError, match="twice"):
        SyncMl(Tree(Scope.DEVICE)).read(FOREIGN)


def test_without_a_tenant_nothing_below_one_is_written() -> None:
    with pytest.raises(InputError, match="tenant_id is missing"):
        SyncMl(Tree(Scope.DEVICE)).render(parse_settings({"pin_history": 1}), b"")


@pytest.mark.parametrize("text", ["corp.example", "2a1b3c4d", "{}", ""])
def test_a_tenant_is_a_guid(text: str) -> None:
    with pytest.raises(InputError, match="tenant_id"):
        tenant_id(text)


def test_a_value_out_of_range_is_unknown() -> None:
    [state] = list(DEVICE.read(FOREIGN.replace(b"<Data>5</Data>", b"<Data>500</Data>")).values())
    assert state.state is PolicyState.UNKNOWN


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (FOREIGN[:-20], "is no XML"),
        (b"<SyncML/>", "0 SyncBody elements"),
        (b"<Other/>", "root is Other"),
        (
            b'<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><SyncML>&b;</SyncML>',
            "declares a document type",
        ),
        (b'<!DOCTYPE s SYSTEM "file:///etc/passwd"><SyncML/>', "declares a document type"),
    ],
)
def test_a_damaged_or_hostile_document_is_refused(document: bytes, message: str) -> None:
    with pytest.raises(StateError, match=message):
        DEVICE.render(parse_settings({"pin_history": 1}), document)
