# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium on a display registers a card at a site that wants proof up to our CA's root, and signs in with it."""

from __future__ import annotations

import base64
import json
import pathlib

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.authority import CaFolder
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.machine.enrolling import new_ca
from ansible_collections.hardbound.identity.tests.machine.passkey_host import OUTFIT, Desk
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab, Outfit

pytest.importorskip("webauthn", reason="needs PyPI's webauthn: tests/requirements/pip-old.txt")

from ansible_collections.hardbound.identity.tests.support.relying_party import ORIGIN, RelyingParty
from webauthn.helpers.tpm.structs import TPM_MANUFACTURERS

pytestmark = [pytest.mark.extended, pytest.mark.filterwarnings("ignore::DeprecationWarning:fido2")]

TESTS = pathlib.Path(__file__).parents[1]
PROGRAMS = (TESTS / "machine/passkey_browser.py", TESTS / "support/devtools.py")
THIS_COMPUTER = "10.0.2.2"
"""As a machine's network sees who runs it."""
SITE = f"server {{{{ listen 127.0.0.1:80; location / {{{{ proxy_pass http://{THIS_COMPUTER}:{{port}}; }}}} }}}}\n"
POLICIES = "/etc/chromium/policies/managed"
POLICY = {"SecurityKeyPermitAttestation": ["localhost"]}
"""An administrator lets the site see what kind of security key it is."""
ON_DISPLAY = f"""
Xvfb -displayfd 3 -screen 0 1024x768x24 -fbdir . 3>display >xvfb.log 2>&1 & screen=$!
trap 'kill $screen' EXIT
until [ -s display ]; do kill -0 $screen; sleep 0.5; done
export DISPLAY=:$(cat display)
python3 passkey_browser.py {ORIGIN}/ {steps.PIN} Xvfb_screen0 register sign-in 2>browser.log ||
    {{ tail browser.log >&2; exit 1; }}
"""


@pytest.fixture
def outfit() -> Outfit:
    return OUTFIT


def test_chromium_registers_a_card_and_signs_in(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    # The site takes software TPMs too, which is its own decision.
    monkeypatch.setitem(TPM_MANUFACTURERS, "id:00001014", TPM_MANUFACTURERS["id:49465800"])
    ca = enrolled(lab)
    desk = Desk(lab)
    for program in PROGRAMS:
        lab.machine.run(f"cat >{program.name}", user="alice", given=program.read_text())
    with RelyingParty(json.loads(ca.metadata_statement.read_bytes()), ca.certificate("root").read_bytes()) as site:
        serve(lab, site.port)
        try:
            said = desk.script(ON_DISPLAY)
        finally:
            keep_pictures(lab, tmp_path)
        assert json.loads(said) == ["registered, format tpm", "signed in as alice"], said
        assert (len(site.passkeys), site.signed_in) == (1, 1)


def enrolled(lab: Lab) -> CaFolder:
    """Has alice's card certified, and its attestation key with it."""
    variables = new_ca(lab)
    variables["smartcard_enrollment_cards"][0]["passkeys"] = True
    lab.controller.variables.update(variables)
    run = lab.controller.play("hardbound.identity.enroll")
    assert run.code == 0 and run.result["status"] == "enrolled", run.output
    return CaFolder(pathlib.Path(variables["smartcard_enrollment_ca"]))


def serve(lab: Lab, port: int) -> None:
    """Has the machine's nginx show the site, and tells Chromium of the policy."""
    lab.machine.root("cat >/etc/nginx/sites-enabled/default", given=SITE.format(port=port))
    lab.machine.root("systemctl restart nginx")
    lab.machine.root(f"mkdir -p {POLICIES} && cat >{POLICIES}/site.json", given=json.dumps(POLICY))


def keep_pictures(lab: Lab, folder: pathlib.Path) -> None:
    for name in lab.machine.run("ls *.png || true", user="alice").stdout.split():
        (folder / name).write_bytes(base64.b64decode(lab.machine.run(f"base64 {name}", user="alice").stdout))
