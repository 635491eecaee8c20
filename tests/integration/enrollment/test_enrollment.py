# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet is enrolled, renewed and retired by playbooks, as a user would run them."""

from __future__ import annotations

import base64
import contextlib
import json
import pathlib
import re
import subprocess
import time
from datetime import timedelta

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import clock
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import EventKind, RevocationReason
from ansible_collections.hardbound.identity.tests.support.fleet import EVERY, PASSPHRASE, PIN, PUK, family
from cryptography import x509
from cryptography.hazmat.primitives import serialization

pytestmark = pytest.mark.slow

VISITS = ["smartcard_evidence", "smartcard_activate"]


def on_card(fleet, host):
    [body] = fleet.record(host)["certificates"].values()
    return x509.load_der_x509_certificate(base64.b64decode(body))


def live(fleet, host):
    return [each for each in fleet.ledger().certificates(host) if not each.revoked_at]


def test_enrol_check_do_and_again(fleet):
    """Two visits, then one; check mode tells the truth and leaves nothing behind."""
    fleet.add("ws-001")
    fleet.add("ws-002")
    would = fleet.play("--check", "--diff")
    assert would.statuses() == {"ws-001": "enrolled", "ws-002": "enrolled"}, would.output
    assert "ad_smartcard_logon, user0@corp.example, 365 days" in would.output
    assert fleet.ledger().certificates() == [] and not list(fleet.folder.glob("ws-*/store/cards/*.json"))
    run = fleet.play()
    assert run.code == 0, run.output
    assert run.statuses() == {"ws-001": "enrolled", "ws-002": "enrolled"}
    assert run.visits == {"ws-001": VISITS, "ws-002": VISITS}
    assert "\nSUMMARY  enrolled 2  renewed 0  unchanged 0  refused 0\n" in run.output
    assert on_card(fleet, "ws-002").subject.rfc4514_string() == "CN=user1@corp.example"
    assert all(each.activated_at for each in fleet.ledger().certificates())
    for options in ((), ("--check",)):
        again = fleet.play(*options)
        assert again.statuses() == {"ws-001": "unchanged", "ws-002": "unchanged"}, again.output
        assert again.visits == {"ws-001": VISITS[:1], "ws-002": VISITS[:1]}
        assert "changed=1" not in again.output


@pytest.mark.parametrize("way", ["include_role", "import_role"])
def test_a_play_goes_on_after_the_role(fleet, way):
    """The role ends early where nothing follows from the enrolment. The play does not."""
    fleet.add("ws-001")
    role = {f"ansible.builtin.{way}": {"name": "hardbound.identity.smartcard_enrollment"}}
    play = {"hosts": "all", "gather_facts": False, "tasks": [role, {"ansible.builtin.debug": {"msg": "went on"}}]}
    playbook = fleet.folder / "play.yml"
    playbook.write_text(json.dumps([play]))
    run = fleet.play(playbook=str(playbook))
    assert run.code == 0 and '"msg": "went on"' in run.output, run.output
    assert run.statuses() == {"ws-001": "enrolled"}


def test_many_cards_and_keys_go_in_two_visits(fleet):
    fleet.add("ws-001", keys=[{"slot": "authentication"}, {"slot": "signature", "profile": "document_signing"}])
    [card] = fleet.inventory["ws-001"]["smartcard_enrollment_cards"]
    fleet.inventory["ws-001"]["smartcard_enrollment_cards"].append(
        {
            **card,
            "name": "second",
            "profile": "tls_client",
            "keys": [{"slot": "authentication", "algorithm": "rsa_2048"}],
        }
    )
    run = fleet.play()
    assert run.statuses() == {"ws-001": "enrolled"} and run.visits == {"ws-001": VISITS}, run.output
    profiles = {(each.card, each.label): each.profile for each in fleet.ledger().certificates() if each.slot}
    assert profiles == {
        ("corp", "authentication"): "ad_smartcard_logon",
        ("corp", "authentication attestation"): "key_attestation",
        ("corp", "signature"): "document_signing",
        ("corp", "signature attestation"): "key_attestation",
        ("second", "authentication"): "tls_client",
        ("second", "authentication attestation"): "key_attestation",
    }


def test_a_gids_card(fleet):
    """Its containers are slots like others, to the evidence, the ledger, and whoever looks at the card."""
    fleet.add("ws-001", card_edge="gids", generate=True, keys=[{"slot": "container_0"}])
    run = fleet.play()
    assert run.statuses() == {"ws-001": "enrolled"} and run.visits == {"ws-001": VISITS}, run.output
    assert [each.slot for each in fleet.ledger().certificates() if each.slot] == ["container_0"]
    record = fleet.record("ws-001")
    assert (record["edge"], record["generated"], list(record["certificates"])) == ("gids", True, [str(0xB081)])
    assert on_card(fleet, "ws-001").subject.rfc4514_string() == "CN=user0@corp.example"
    again = fleet.play()
    assert again.statuses() == {"ws-001": "unchanged"} and again.visits == {"ws-001": VISITS[:1]}, again.output


def test_renewal_visits_those_alone_who_have_something_due(fleet):
    for host in ("ws-001", "ws-002", "ws-003"):
        fleet.add(host)
    lie = fleet.lying("def tell(answer):\n    raise SystemExit(1)\n", "activate")
    assert fleet.play("--limit", "ws-001,ws-002").code == 0
    idle = fleet.play("--limit", "ws-001,ws-002", playbook="hardbound.identity.renew")
    assert idle.code == 0 and idle.visits == {} and "\nDUE  0 of 2 hosts\n" in idle.output, idle.output
    assert "Could not match" not in idle.output
    cut = fleet.play(playbook="hardbound.identity.renew", ansible_python_interpreter=lie)
    assert set(cut.visits) == {"ws-003"} and cut.statuses() == {"ws-003": "refused"}, cut.output
    assert "\n  due ws-003  it has no certificate of this CA in force\n" in cut.output
    run = fleet.play(playbook="hardbound.identity.renew")
    assert run.statuses() == {"ws-003": "enrolled"} and "SUMMARY  enrolled 1" in run.output, run.output
    assert re.search(r"\n  due ws-003  corp [a-z ]+: a run did not come to its end\n", run.output), run.output
    everybody = fleet.play(*EVERY, playbook="hardbound.identity.renew")
    assert set(everybody.statuses().values()) == {"unchanged"} and len(everybody.visits) == 3, everybody.output


def test_renewal_takes_no_pin_and_another_name_replaces(fleet):
    fleet.add("ws-001")
    assert fleet.play().code == 0
    first = on_card(fleet, "ws-001")
    [card] = fleet.inventory["ws-001"]["smartcard_enrollment_cards"]
    del card["pin"]
    shorter = {"based_on": "ad_smartcard_logon", "days": 30}
    fleet.variables["smartcard_enrollment_profiles"] = {"ad_smartcard_logon": shorter}
    would = fleet.play("--check", "--diff", *EVERY, playbook="hardbound.identity.renew")
    assert would.statuses() == {"ws-001": "renewed"} and on_card(fleet, "ws-001") == first
    assert '+            "authentication": "ad_smartcard_logon, user0@corp.example, 30 days"' in would.output
    run = fleet.play(*EVERY, playbook="hardbound.identity.renew")
    assert run.statuses() == {"ws-001": "renewed"} and run.visits == {"ws-001": VISITS}, run.output
    second = on_card(fleet, "ws-001")
    assert second.public_key().public_numbers() == first.public_key().public_numbers()
    assert second.serial_number != first.serial_number
    card["upn"] = "other@corp.example"
    assert fleet.play().statuses() == {"ws-001": "renewed"}
    serial = f"{on_card(fleet, 'ws-001').serial_number:040x}"
    assert [each.serial for each in live(fleet, "ws-001") if each.label == "authentication"] == [serial]


SECRETS = ("pin", "puk", "admin_key")


def test_renewal_with_an_inventory_that_holds_no_secret(fleet):
    """Neither PIN nor PUK nor admin key: what the card has to have is said instead, and is still looked for."""
    key = "0123456789abcdef00112233445566778899aabbccddeeff"
    fleet.add("ws-001", admin_key=key, has_puk=True, has_admin_key=True)
    [card] = fleet.inventory["ws-001"]["smartcard_enrollment_cards"]
    puk = card.pop("puk")
    missing = fleet.play()
    assert "puk is missing, has_puk is true, and the card is yet to be made" in missing.output, missing.output
    assert missing.results["ws-001"]["code"] == "HOST_FAILED" and fleet.ledger().certificates() == []
    card["puk"] = puk
    assert fleet.play().statuses() == {"ws-001": "enrolled"}
    for secret in SECRETS:
        del card[secret]
    again = fleet.play(*EVERY, playbook="hardbound.identity.renew")
    assert again.statuses() == {"ws-001": "unchanged"}, again.output
    shorter = {"based_on": "ad_smartcard_logon", "days": 30}
    fleet.variables["smartcard_enrollment_profiles"] = {"ad_smartcard_logon": shorter}
    run = fleet.play(*EVERY, playbook="hardbound.identity.renew")
    assert run.statuses() == {"ws-001": "renewed"} and run.visits == {"ws-001": VISITS}, run.output
    for unsaid in ("has_puk", "has_admin_key"):  # A way in that nobody asked for stays a refusal.
        said = card.pop(unsaid)
        run = fleet.play(*EVERY, playbook="hardbound.identity.renew")
        assert run.statuses() == {"ws-001": "refused"} and f"say {unsaid}: true" in run.output, run.output
        card[unsaid] = said


def test_a_run_that_was_cut_off_is_taken_up(fleet):
    """The certificate was signed, and the host never answered: it is revoked, and the next run makes another."""
    fleet.add("ws-001")
    cut = fleet.play(ansible_python_interpreter=fleet.lying("def tell(answer):\n    raise SystemExit(1)\n", "activate"))
    assert cut.statuses() == {"ws-001": "refused"}, cut.output
    cut_off = fleet.ledger().certificates()
    assert len(cut_off) == 3 and not any(each.activated_at or not each.revoked_at for each in cut_off)
    run = fleet.play()
    assert run.statuses() == {"ws-001": "enrolled"} and run.visits == {"ws-001": VISITS}
    valid = [each for each in fleet.ledger().certificates() if not each.revoked_at]
    assert len(valid) == 3 and all(each.activated_at for each in valid)
    assert f"{on_card(fleet, 'ws-001').serial_number:040x}" in {each.serial for each in valid}


def test_two_runs_at_once_give_one_certificate(fleet):
    fleet.add("ws-001")
    fleet.write()
    first, second = fleet.begin(), fleet.begin()
    outputs = [process.communicate()[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], outputs
    assert len(fleet.ledger().certificates()) == 3  # the AK's, the key's, and what attests the key
    assert len(list((fleet.folder / "ws-001/store/cards").glob("*.json"))) == 1


RESTART = ("-e", '{"smartcard_enrollment_restart": true}')
REBOOTS = "would reboot the control node"
"""What ansible.builtin.reboot says when it is asked, on a connection that is this computer's own."""


def test_retire(fleet):
    fleet.add("ws-001")
    fleet.add("ws-002")
    assert fleet.play().code == 0
    options = ("-e", "smartcard_enrollment_hosts=ws-001")
    would = fleet.play("--check", "--diff", *options, playbook="hardbound.identity.retire")
    assert would.results["ws-001"]["status"] == "retired", would.output
    [serial] = [each.serial for each in live(fleet, "ws-001") if each.label == "authentication"]
    assert f'-        "corp authentication {serial}"' in would.output
    assert len(live(fleet, "ws-001")) == 3
    gone = fleet.play("-e", "smartcard_enrollment_hosts=ws-001", playbook="hardbound.identity.retire")
    assert gone.code == 0 and gone.statuses() == {"ws-001": "retired"}, gone.output
    assert gone.results["ws-001"]["tickets_until_restart"] is True and "which sign until the TPM is" in gone.output
    assert "retired ws-001  its cards are gone; restart it to end tickets" in gone.output
    assert live(fleet, "ws-001") == [] and len(live(fleet, "ws-002")) == 3
    assert not list((fleet.folder / "ws-001/store/cards").glob("*.json"))
    crl = x509.load_der_x509_crl((fleet.ca / "public/issuing.crl").read_bytes())
    assert len(list(crl)) == 3
    assert fleet.ledger().known("ws-001", "", "").eks == ()
    again = fleet.play("-e", "smartcard_enrollment_hosts=ws-001", playbook="hardbound.identity.retire")
    assert again.statuses() == {"ws-001": "unchanged"}, again.output
    nobody = fleet.play(playbook="hardbound.identity.retire")
    assert nobody.code != 0 and "nothing was revoked" in nobody.output and len(live(fleet, "ws-002")) == 3
    limited = fleet.play("--limit", "ws-002", *RESTART, playbook="hardbound.identity.retire")
    assert limited.code and REBOOTS in limited.output, limited.output
    assert limited.statuses() == {"ws-002": "retired"} and "refused ws-002  LATER_TASK_FAILED" in limited.output
    nothing = fleet.play("--limit", "ws-002", *RESTART, playbook="hardbound.identity.retire")
    assert nothing.code == 0 and nothing.statuses() == {"ws-002": "unchanged"}, nothing.output  # Nobody to restart for.
    assert live(fleet, "ws-002") == []
    assert fleet.play("--limit", "ws-001").results["ws-001"]["status"] == "enrolled"


def test_a_stolen_host_is_retired_without_its_answer(fleet):
    fleet.add("ws-001")
    assert fleet.play().code == 0
    fleet.inventory["ws-001"].update(ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=1)
    options = ("-e", "smartcard_enrollment_hosts=ws-001", "-e", "smartcard_enrollment_reason=key_compromise")
    run = fleet.play(*options, playbook="hardbound.identity.retire")
    assert run.code and "refused ws-001  HOST_UNREACHABLE" in run.output, run.output
    crl = x509.load_der_x509_crl((fleet.ca / "public/issuing.crl").read_bytes())
    assert live(fleet, "ws-001") == [] and len(list(crl)) == 3
    assert {each.reason for each in fleet.ledger().certificates("ws-001")} == {RevocationReason.KEY_COMPROMISE.value}


def test_a_revoked_card_is_refused(fleet):
    fleet.add("ws-001")
    assert fleet.play().code == 0
    [key] = [each for each in fleet.ledger().certificates() if each.label == "authentication"]
    fleet.ledger().revoke({"serial": key.serial}, RevocationReason.KEY_COMPROMISE, key.authority)
    run = fleet.play()
    assert run.code and run.results["ws-001"]["code"] == "KEY_REVOKED", run.output
    assert "refused ws-001  KEY_REVOKED" in run.output


REFUSED = {
    "no_anchor": ({"smartcard_enrollment_trust_anchors": "/etc/ssl/certs/ca-certificates.crt"}, "EK_CHAIN_UNTRUSTED"),
    "no_sid": ({"sid": None}, "INVENTORY_INVALID"),
    "no_upn": ({"upn": None}, "INVENTORY_INVALID"),
    "wrong_passphrase": ({"smartcard_enrollment_ca_passphrase": "incorrect-donkey-battery"}, "CONTROLLER_NOT_READY"),
    "no_ca": ({"smartcard_enrollment_ca": "/no/such/ca"}, "CONTROLLER_NOT_READY"),
    "no_tpm": ({"smartcard_enrollment_tpm": "swtpm:path=/no/such/socket"}, "HOST_FAILED"),
    "null_as_pin": ({"pin": None}, "INVENTORY_INVALID"),
    "pinned_elsewhere": ({"smartcard_enrollment_ek": "00" * 32}, "EK_NOT_PINNED"),
}


def test_what_is_refused_does_not_hold_the_others(fleet):
    """One clear line for each host that lacks something; the good host is enrolled."""
    fleet.add("good")
    for name, (changes, _unused) in REFUSED.items():
        fleet.add(name, **{key: value for key, value in changes.items() if not key.startswith("smartcard_")})
        fleet.inventory[name].update({key: value for key, value in changes.items() if key.startswith("smartcard_")})
    run = fleet.play("--forks", "4")
    assert run.code and "Traceback" not in run.output, run.output
    assert run.results.pop("good")["status"] == "enrolled"
    assert {host: result["code"] for host, result in run.results.items()} == {
        name: code for name, (_unused, code) in REFUSED.items()
    }
    for name, (_unused, code) in REFUSED.items():
        assert f"refused {name}  {code}  " in run.output
    assert {each.host for each in fleet.ledger().certificates()} == {"good"}
    made = {path.parts[-4] for path in fleet.folder.glob("*/store/cards/*.json")}
    assert made == {"good", "no_anchor", "pinned_elsewhere"}  # a TPM can only be judged by what it shows
    noted = {each.code for each in fleet.ledger().events() if each.kind is EventKind.REFUSED}
    assert {"EK_CHAIN_UNTRUSTED", "EK_NOT_PINNED"} <= noted


def test_secrets_go_nowhere(fleet):
    fleet.add("ws-001")
    run = fleet.play("-vvvv", "--diff")
    assert run.code == 0
    (fleet.folder / "inventory.yml").unlink()
    contents = [path.read_bytes() for path in fleet.folder.rglob("*") if path.is_file()]
    for secret in (PIN, PUK, PASSPHRASE):
        for form in (secret.encode(), secret.encode().hex().encode(), base64.b64encode(secret.encode())):
            assert form not in run.output.encode()
            assert not any(form in content for content in contents)


def called(pids):
    """Returns what processes were called with, and their environment, as root sees it."""
    for pid in pids:
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):  # It has ended meanwhile.
                yield pathlib.Path(f"/proc/{pid}/{name}").read_bytes()


@pytest.mark.parametrize("given", [None, "of the owner"])
def test_an_authorisation_that_a_proof_needs_is_missed_before_a_card_is_made(fleet, given):
    """Else a first PIN, told once, would be lost with a run that can't end well."""
    fleet.add("ws-001")
    change = ["tpm2_changeauth", "-T", fleet.tpms["ws-001"].tcti, "-c", "e", "of the endorsement"]
    subprocess.run(change, check=True, capture_output=True)
    if given:
        fleet.variables["smartcard_enrollment_tpm_endorsement_auth"] = given
    run = fleet.play()
    words = "is not that of the TPM's endorsement hierarchy" if given else "is missing, and there is one of the TPM's"
    assert run.results["ws-001"]["code"] == "HOST_FAILED", run.output
    assert f"tpm_endorsement_auth {words}" in run.results["ws-001"]["msg"]
    assert not list((fleet.folder / "ws-001/store").glob("cards/*.json"))
    fleet.variables["smartcard_enrollment_tpm_endorsement_auth"] = "of the endorsement"
    assert fleet.play().statuses() == {"ws-001": "enrolled"}


def test_the_cas_keys_are_never_in_the_clear(fleet):
    """Neither on the host nor on the controller's disk; and no process is called with what opens them."""
    fleet.add("ws-001")
    fleet.write()
    run = fleet.begin("-vvvv")
    seen = b""
    while run.poll() is None:
        seen = b"".join(called(family(run.pid))) or seen
        assert not any(secret.encode() in seen for secret in (PASSPHRASE, PIN, PUK))
        time.sleep(0.05)
    output = run.communicate()[0].encode()
    assert run.returncode == 0 and seen, output
    files = [path.read_bytes() for path in fleet.folder.rglob("*") if path.is_file()]
    for path in (fleet.ca / "private").iterdir():
        locked = path.read_bytes()
        assert locked.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY")
        key = serialization.load_pem_private_key(locked, PASSPHRASE.encode())
        secret = key.private_numbers().private_value.to_bytes(32, "big")
        # Of base64, what holds wherever in a group of three bytes the secret begins.
        based = [base64.b64encode(bytes(shift) + secret)[4:-4] for shift in range(3)]
        for form in (secret, secret.hex().encode(), *based):
            assert form not in output and not any(form in content for content in files)


def test_the_certificate_verifies_with_openssl(fleet):
    fleet.add("ws-001")
    run = fleet.play()
    [card] = run.results["ws-001"]["cards"]
    (fleet.folder / "card.pem").write_text(card["certificates"][0]["certificate"])
    command = ["openssl", "verify", "-CAfile", str(fleet.ca / "public/ca.pem"), str(fleet.folder / "card.pem")]
    assert subprocess.run(command, capture_output=True, text=True, check=False).returncode == 0
    assert on_card(fleet, "ws-001") == x509.load_pem_x509_certificate(card["certificates"][0]["certificate"].encode())
    assert clock.validity(on_card(fleet, "ws-001"))[1] - clock.now() > timedelta(days=364)


def test_kept_evidence_is_verified_again_offline(fleet):
    """From the ledger and from a file; altered evidence is refused."""
    fleet.add("ws-001")
    evidence = fleet.play().results["ws-001"]["evidence"]
    bundle = fleet.folder / "bundle.json"
    bundle.write_bytes(fleet.ledger().evidence(evidence))
    altered = fleet.folder / "altered.json"
    assert b'"pin_retries":5' in bundle.read_bytes()
    altered.write_bytes(bundle.read_bytes().replace(b'"pin_retries":5', b'"pin_retries":3'))
    root = str(fleet.ca / "public/root.cer")
    module, anchors = "hardbound.identity.attestation_verify", str(fleet.maker.anchors)
    good, from_ledger, bad, nobodys = fleet.tasks(
        {module: {"path": str(bundle), "ca": root, "trust_anchors": anchors}},
        {module: {"evidence": evidence, "ca": str(fleet.ca), "trust_anchors": anchors}},
        {module: {"path": str(altered), "ca": root, "trust_anchors": anchors}},
        {module: {"path": str(bundle), "trust_anchors": anchors}},
    )
    assert good["accepted"] and good["host"] == "ws-001" and not good["failed"]
    assert from_ledger["accepted"] and from_ledger["cards"] == good["cards"]
    assert bad["failed"] and {each["code"] for each in bad["findings"]} == {"BUNDLE_UNSIGNED"}
    assert nobodys["failed"] and nobodys["code"] == "BUNDLE_UNSIGNED"
    filtered = f"{{{{ lookup('file', '{bundle}') | hardbound.identity.attestation_verify('{root}', '{anchors}') }}}}"
    [shown] = fleet.tasks({"ansible.builtin.debug": {"msg": filtered}})
    assert shown["msg"]["accepted"] is True


def test_audit_tells_what_drifted(fleet):
    fleet.add("ws-001")
    fleet.add("ws-002")
    fleet.add("ws-003")
    assert fleet.play().code == 0
    [card] = fleet.inventory["ws-001"]["smartcard_enrollment_cards"]
    card["pin_policy"] = {"minlen": 6}
    fleet.inventory["ws-002"]["smartcard_enrollment_cards"] = []
    del fleet.inventory["ws-003"]
    options = ("-e", f"enrollment_audit_path={fleet.folder}")
    would = fleet.play("--check", "--diff", "--tags", "json", *options, playbook="hardbound.identity.audit")
    assert '"assurance": "fixed"' in would.output and not list(fleet.folder.glob("audit.*")), would.output
    run = fleet.play(*options, playbook="hardbound.identity.audit")
    assert run.code == 0, run.output
    report = json.loads((fleet.folder / "audit.json").read_text())
    hosts = {each["host"]: each for each in report["hosts"]}
    [first] = hosts["ws-001"]["cards"]
    assert first["drift"] == ["pin_policy.minlen is 8, and the inventory wants 6."]
    assert (first["pin_tries_left"], first["pin_retries"], first["state"]) == (5, 5, "ready")
    [key] = first["slots"]
    assert (key["status"], key["assurance"], key["holder"]) == ("valid", "fixed", "user0@corp.example")
    assert hosts["ws-002"]["cards"][0]["drift"] == ["The host has the card corp, and the inventory does not name it."]
    assert hosts["ws-003"]["drift"][0].startswith("The inventory does not name this host")
    assert report["totals"]["hosts"] == 3 and report["totals"]["valid"] == 3
    assert "\nAUDIT  hosts 3  silent 1  cards 3  drift 3  not sealed 3  valid 3\n" in run.output, run.output
    assert "\n  drift ws-002  corp: The host has the card corp, and the inventory does not name it.\n" in run.output
    page = (fleet.folder / "audit.html").read_text()
    assert "user0@corp.example" in page and "does not name it" in page
    assert "corp,ready,not sealed," in (fleet.folder / "audit.csv").read_text()
    assert PIN not in page + json.dumps(report)


def test_the_role_that_makes_cards_alone(fleet):
    """From the inventory, twice, and gone again; no result shows the PIN."""
    fleet.add("ws-001")
    [wanted] = fleet.inventory["ws-001"].pop("smartcard_enrollment_cards")
    card = {name: wanted[name] for name in ("name", "pin", "puk", "keys")}
    variables = fleet.inventory["ws-001"]
    variables["virtual_smartcard_tpm"] = variables["smartcard_enrollment_tpm"]
    variables["virtual_smartcard_store"] = variables["smartcard_enrollment_store"]
    play = [{"hosts": "all", "gather_facts": False, "roles": ["hardbound.identity.virtual_smartcard"]}]
    playbook = fleet.folder / "cards.yml"
    playbook.write_text(json.dumps(play))
    variables["virtual_smartcard_restart"] = True
    gone = {"name": "corp", "state": "absent"}
    for cards, changed, restarts in (([card], 1, False), ([card], 0, False), ([gone], 1, True), ([gone], 0, False)):
        variables["virtual_smartcard_cards"] = cards
        run = fleet.play("-vvv", playbook=str(playbook))
        assert f"changed={changed} " in run.output, run.output
        assert (bool(run.code), REBOOTS in run.output) == (restarts, restarts), run.output
        assert PIN not in run.output and PUK not in run.output
