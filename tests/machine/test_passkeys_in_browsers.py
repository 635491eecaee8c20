# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Browsers on a display: a card registers at a site that wants proof up to our CA's root, and signs in; and its PIN."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.authority import CaFolder
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.machine.enrolling import NAME, new_ca
from ansible_collections.hardbound.identity.tests.machine.passkey_host import OUTFIT, Desk
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab, Outfit

pytest.importorskip("webauthn", reason="needs PyPI's webauthn: tests/requirements/pip-old.txt")

from ansible_collections.hardbound.identity.tests.machine.passkey_display import LAY, Display
from ansible_collections.hardbound.identity.tests.support.relying_party import ANY, ATTESTED, RelyingParty
from webauthn.helpers.tpm.structs import TPM_MANUFACTURERS

pytestmark = [pytest.mark.extended, pytest.mark.filterwarnings("ignore::DeprecationWarning:fido2")]

THIS_COMPUTER = "10.0.2.2"
"""As a machine's network sees who runs it."""
SITE = """
server {{
  listen 127.0.0.1:80;
  server_name {name};
  location / {{ proxy_pass http://{host}:{port}; }}
}}
"""
POLICIES = "/etc/chromium/policies/managed"
POLICY = {"SecurityKeyPermitAttestation": [ATTESTED]}
"""An administrator lets the site see what kind of security key it is. Firefox asks its user."""
OTHER_PIN, WRONG_PIN = "08154711", "99999999"
READER = f"{NAME} 00 00"


class Words(t.NamedTuple):
    """What a browser says, as far as it can be read on a picture without doubt."""

    wrong: str
    blocked: str
    changed: str


class Case(t.NamedTuple):
    """A browser, and the site that it is tried with.

    Firefox takes none of the formats in which a TPM attests, so it is tried where the card shows its passkey's alone.
    """

    browser: str
    site: str
    format: str
    words: Words


CASES = (
    Case(
        "chromium",
        ATTESTED,
        "tpm",
        Words("Incorrect PIN", "locked because the wrong PIN was", "Your PIN was created"),
    ),
    Case("firefox", ANY, "packed", Words("incorrect PIN", "because the wrong PIN was provided", "Success!")),
)


@pytest.fixture
def outfit() -> Outfit:
    return OUTFIT


@pytest.fixture
def sites(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Dict[str, RelyingParty]]:
    """Sites that alice sees, by name. The CA of the first has certified her card."""
    # It takes software TPMs too, which is its own decision.
    monkeypatch.setitem(TPM_MANUFACTURERS, "id:00001014", TPM_MANUFACTURERS["id:49465800"])
    ca = enrolled(lab)
    statement, root = json.loads(ca.metadata_statement.read_bytes()), ca.certificate("root").read_bytes()
    with RelyingParty(statement, root, ATTESTED) as attested, RelyingParty(statement, root, ANY) as any_site:
        sites = {each.name: each for each in (attested, any_site)}
        serve(lab, sites.values())
        yield sites


def test_browsers_use_a_card_and_say_what_is_wrong_with_a_pin(
    lab: Lab, sites: t.Dict[str, RelyingParty], tmp_path: pathlib.Path
) -> None:
    desk = Desk(lab)
    for case in CASES:
        site = sites[case.site]
        with Display(lab.machine, case.browser, f"{site.origin}/", tmp_path) as display:
            registered(display, site, case.format)
            a_wrong_pin_costs_a_try(display, desk, case.words)
            a_new_pin(display, desk, case.words)
            blocked(display, desk, case.words)


def registered(display: Display, site: RelyingParty, kind: str) -> None:
    """The site believes what it is told of the passkey, and takes what is signed with it."""
    assert display.press("register", steps.PIN).said == f"registered, format {kind}"
    assert display.press("sign-in", steps.PIN).said == "signed in as alice"
    assert (len(site.passkeys), site.signed_in) == (1, 1)


def a_wrong_pin_costs_a_try(display: Display, desk: Desk, words: Words) -> None:
    before = desk.tries(READER)
    seen = display.press("sign-in", WRONG_PIN)
    assert words.wrong.lower() in seen.shown[-1].lower(), seen
    assert "signed in" not in seen.said
    assert desk.tries(READER) == (before[0] - 1, before[1] - 1) and before[0] == before[1]


def a_new_pin(display: Display, desk: Desk, words: Words) -> None:
    """It is changed in the browser, and is that of PC/SC too."""
    seen = display.change_pin(steps.PIN, OTHER_PIN)
    assert words.changed in seen.said, seen
    steps.sign(desk.machine, READER, pin=OTHER_PIN)
    assert display.press("sign-in", OTHER_PIN).said == "signed in as alice"


def blocked(display: Display, desk: Desk, words: Words) -> None:
    """Wrong PINs in the browser, until it says that the card is locked; then it is for PC/SC too, and the PUK helps."""
    tries = desk.tries(READER)[0]
    seen = display.press("sign-in", *[WRONG_PIN] * tries)
    assert words.blocked in seen.shown[-1], seen
    assert "signed in" not in seen.said
    assert desk.tries(READER) == (0, 0)
    unblock = f"--action unblock-pin --pin {steps.PUK} --new-pin {steps.PIN}"
    desk.machine.run(f"yubico-piv-tool --reader '{READER}' {unblock}", user="alice")
    assert display.press("sign-in", steps.PIN).said == "signed in as alice"


def enrolled(lab: Lab) -> CaFolder:
    """Has alice's card certified, and its attestation key with it."""
    variables = new_ca(lab)
    card = {"passkeys": True, "pin_retries": 3, "enterprise_attestation": [ATTESTED]}
    variables["smartcard_enrollment_cards"][0].update(card)
    lab.controller.variables.update(variables)
    run = lab.controller.play("hardbound.identity.enroll")
    assert run.code == 0 and run.result["status"] == "enrolled", run.output
    return CaFolder(pathlib.Path(variables["smartcard_enrollment_ca"]))


def serve(lab: Lab, sites: t.Iterable[RelyingParty]) -> None:
    """Has the machine's nginx show the sites, and tells Chromium of the policy."""
    servers = "".join(SITE.format(name=each.name, host=THIS_COMPUTER, port=each.port) for each in sites)
    files = {"/etc/nginx/sites-enabled/default": servers, f"{POLICIES}/site.json": json.dumps(POLICY)}
    lay = f"mkdir -p {POLICIES} && python3 -c '{LAY}' && systemctl restart nginx"
    lab.machine.root(lay, given=json.dumps(files))
