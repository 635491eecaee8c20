# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that lie to the playbook. None gets a certificate, and each is refused by the check that is meant for it."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import Public
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import EK_FROM_INVENTORY
from ansible_collections.hardbound.identity.tests.support.fleet import EVERY, GUESS, TpmMaker, new_fleet
from cryptography import x509

pytestmark = pytest.mark.slow

STEAL = """\
import json
def tell(answer):
    with open({path!r}, "w") as file:
        json.dump(answer["evidence"], file)
"""
SHOW = """\
import json
def tell(answer):
    with open({path!r}) as file:
        stolen = json.load(file)
    answer["evidence"].update({{name: stolen[name] for name in {names!r}}})
"""

LIES = {
    "says_who_its_user_is": ("answer['evidence']['cards'][0]['upn'] = 'admin@corp.example'", "IDENTITY_FROM_HOST"),
    "renames_its_card": ("answer['evidence']['cards'][0]['name'] = 'other'", "EVIDENCE_SURPLUS"),
    "shows_no_evidence": ("answer['evidence'] = None", "EVIDENCE_MALFORMED"),
    "has_no_ek_certificate": ("answer['evidence']['certificates'] = []", "EK_CERTIFICATE_MISSING"),
    "hides_its_puk": ("answer['evidence']['cards'][0]['puk'] = False", "PUK_INDEX"),
    "claims_another_genesis": (
        "answer['evidence']['cards'][0]['genesis'] = 'AAs' + answer['evidence']['cards'][0]['genesis'][:2:-1][:43]",
        None,
    ),
    "swaps_statements": (
        "card = answer['evidence']['cards'][0]\n"
        "    card['indices']['pin']['attest'] = card['indices']['puk']['attest']\n"
        "    card['indices']['pin']['signature'] = card['indices']['puk']['signature']",
        "INDEX_NAME_MISMATCH",
    ),
}


@pytest.fixture(scope="module")
def liars():
    """A fleet in which each host tells one lie and the last one answers the challenge wrongly, and a run over it."""
    with new_fleet() as fleet:
        for name, (statement, _code) in LIES.items():
            fleet.add_liar(name, f"def tell(answer):\n    {statement}\n", "evidence")
        fleet.add_liar("guesses", GUESS, "activate")
        yield fleet, fleet.play()


@pytest.mark.parametrize("name", LIES)
def test_a_host_that_lies_about_itself(liars, name):
    fleet, run = liars
    code = LIES[name][1]
    assert run.results[name]["status"] == "refused" and run.visits[name] == ["smartcard_evidence"], run.output
    codes = [each["code"] for each in run.results[name]["refused"]]
    assert code is None or code in codes
    assert "Traceback" not in run.output and fleet.ledger().certificates(name) == []


def test_a_wrong_answer_activates_nothing(liars):
    """The TPM never opened the challenge; nobody sees a certificate, and what was signed is on the list."""
    fleet, run = liars
    result = run.results["guesses"]
    assert result["code"] == "CHALLENGE_ANSWER", run.output
    signed = fleet.ledger().certificates("guesses")
    assert [each.activated_at for each in signed] == [None] * 3
    assert "BEGIN CERTIFICATE" not in json.dumps(result) + run.output
    listed = x509.load_der_x509_crl((fleet.ca / "public/issuing.crl").read_bytes())
    assert {each.serial_number for each in listed} >= {int(each.serial, 16) for each in signed}


def stolen(fleet, host, more=""):
    """Returns a lie with which a host shows parts of another's evidence; its owner is refused meanwhile."""
    kept = str(fleet.folder / "stolen.json")
    fleet.play("--limit", host, ansible_python_interpreter=fleet.lying(STEAL.format(path=kept) + more, "evidence"))
    return lambda *names: fleet.lying(SHOW.format(path=kept, names=names), "evidence")


def test_replayed_evidence(fleet):
    fleet.add("ws-001")
    lie = stolen(fleet, "ws-001")("cards")
    run = fleet.play(ansible_python_interpreter=lie)
    assert run.results["ws-001"]["code"] == "NONCE_MISMATCH", run.output


def test_one_tpm_for_two_hosts(fleet):
    """A host that shows another host's TPM as its own, after that one was enrolled."""
    fleet.add("ws-001")
    assert fleet.play().code == 0
    fleet.add("ws-002")
    fleet.inventory["ws-002"]["smartcard_enrollment_tpm"] = fleet.tpms["ws-001"].tcti
    run = fleet.play("--forks", "1")  # Two stores don't take turns at one TPM.
    assert run.results["ws-001"]["status"] == "unchanged"
    assert run.results["ws-002"]["code"] == "EK_SERVES_OTHER_HOST", run.output


def test_a_host_under_another_name(fleet):
    """The same TPM and the same card, the inventory calls it otherwise: retire the old name first."""
    fleet.add("ws-001")
    assert fleet.play().code == 0
    fleet.inventory = {"ws-999": fleet.inventory["ws-001"]}
    run = fleet.play()
    assert run.results["ws-999"]["code"] == "EK_SERVES_OTHER_HOST", run.output


def test_another_tpm_under_the_same_name(fleet):
    fleet.add("ws-001")
    assert fleet.play().code == 0
    fleet.add("new")
    fleet.inventory = {"ws-001": fleet.inventory["new"]}
    run = fleet.play()
    assert run.results["ws-001"]["code"] == "EK_CHANGED", run.output
    told = " ".join(each["sentence"] for each in run.results["ws-001"]["refused"])
    [tpm], [card] = set(re.findall("fingerprint ([0-9a-f]{32})", told)), set(re.findall("corp=[0-9a-f]{32}", told))
    fleet.variables.update(smartcard_enrollment_replace_ek=tpm, smartcard_enrollment_replace_cards=[card])
    assert fleet.play().statuses()["ws-001"] in ("enrolled", "renewed")
    fleet.add("third")
    fleet.inventory = {"ws-001": fleet.inventory["third"]}
    standing = fleet.play()  # Both values are still in the inventory.
    assert {"EK_CHANGED", "AK_CHANGED"} <= {each["code"] for each in standing.results["ws-001"]["refused"]}


def test_the_ek_certificate_of_another_host(fleet):
    fleet.add("ws-001")
    fleet.add("ws-002")
    lie = stolen(fleet, "ws-001")("certificates")
    run = fleet.play("--limit", "ws-002", ansible_python_interpreter=lie)
    assert run.results["ws-002"]["code"] == "EK_KEY_MISMATCH", run.output


def test_the_whole_ek_of_another_host_can_not_open_the_challenge(fleet):
    """Everything that is public was stolen, before its owner was ever enrolled; only the TPM can't be."""
    fleet.add("ws-001")
    fleet.add("ws-002")
    lie = stolen(fleet, "ws-001", '    answer["evidence"] = None\n')("certificates", "ek")
    run = fleet.play("--limit", "ws-002", ansible_python_interpreter=lie)
    assert run.results["ws-002"]["code"] == "CHALLENGE_ANSWER", run.output
    assert all(each.activated_at is None for each in fleet.ledger().certificates())
    assert fleet.play("--limit", "ws-001").results["ws-001"]["status"] == "enrolled"  # Nobody is locked out.


def test_a_software_tpm_of_anothers_making(fleet):
    """A TPM in software with an EK certificate by a CA that nobody named."""
    fleet.add("honest")
    fleet.add("ws-001", TpmMaker(fleet.folder / "stranger"))
    run = fleet.play("--limit", "ws-001")
    assert {each["code"] for each in run.results["ws-001"]["refused"]} <= {"EK_CHAIN_UNTRUSTED", "EK_CHAIN_SIGNATURE"}
    assert run.results["ws-001"]["status"] == "refused" and fleet.ledger().certificates() == []


def test_a_card_of_roots_own_with_the_old_attestation_key(fleet):
    """Root destroys the user's card, makes one with a PIN of his own, and puts the old key's blob into its file."""
    fleet.add("ws-001")
    assert fleet.play().code == 0
    [card] = fleet.inventory["ws-001"]["smartcard_enrollment_cards"]
    ak = fleet.record("ws-001")["ak"]
    place = {"store": str(fleet.folder / "ws-001/store"), "tpm": fleet.tpms["ws-001"].tcti, "name": "corp"}
    module = "hardbound.identity.virtual_smartcard"
    own = {"pin": "root-471", "puk": "root-081", "attestation": "aik_only", "keys": card["keys"]}
    fleet.tasks({module: {**place, "state": "absent"}}, {module: {**place, **own}})
    path = fleet.folder / "ws-001/store/cards/0000.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "ak": ak}))
    del card["pin"], card["puk"]
    card["has_puk"] = True
    run = fleet.play(*EVERY, playbook="hardbound.identity.renew")
    assert "CARD_CHANGED" in {each["code"] for each in run.results["ws-001"]["refused"]}, run.output
    certificates = fleet.ledger().certificates("ws-001")
    assert len(certificates) == 3 and not [each for each in certificates if each.revoked_at]


NO_CERTIFICATE = "def tell(answer):\n    answer['evidence']['certificates'] = []\n"
"""What a TPM shows whose EK has none."""


def test_an_ek_without_certificate_enrols_where_the_inventory_names_it_and_profiles_allow_it(fleet):
    fleet.add("ws-001")
    fleet.add("ws-002")
    stolen(fleet, "ws-001", '    answer["evidence"] = None\n')
    shown = json.loads((fleet.folder / "stolen.json").read_text())["ek"]
    named = hashlib.sha256(Public.parse(base64.b64decode(shown)).spki()).hexdigest()
    fleet.variables["smartcard_enrollment_ek"] = named  # ws-002 is another TPM.
    lie = fleet.lying(NO_CERTIFICATE, "evidence")
    strict = fleet.play("--limit", "ws-001", ansible_python_interpreter=lie)
    assert strict.results["ws-001"]["code"] == "EK_CERTIFICATE_MISSING", strict.output
    fleet.variables["smartcard_enrollment_profiles"] = {
        name: {"based_on": name, "uncertified_ek": True} for name in ("ad_smartcard_logon", "attestation_key")
    }
    run = fleet.play(ansible_python_interpreter=lie)
    assert run.results["ws-001"]["status"] == "enrolled", run.output
    assert "EK_NOT_PINNED" in {each["code"] for each in run.results["ws-002"]["refused"]}, run.output
    issued = [x509.load_der_x509_certificate(each.body) for each in fleet.ledger().certificates()]
    found = [each.extensions.get_extension_for_class(x509.CertificatePolicies).value for each in issued]
    assert len(found) == 3
    assert all(EK_FROM_INVENTORY in [each.policy_identifier.dotted_string for each in value] for value in found)


def test_a_host_that_hangs_holds_up_nobody(fleet):
    fleet.add("ws-001")
    fleet.add_liar("hangs", "import time\ndef tell(answer):\n    time.sleep(600)\n", "evidence")
    fleet.variables["smartcard_enrollment_timeout"] = 20
    run = fleet.play()
    assert run.results["ws-001"]["status"] == "enrolled", run.output
    assert run.results["hangs"]["code"] == "HOST_UNREACHABLE" and "within 20 seconds" in run.output


def test_a_fleet_of_which_a_third_lies_hangs_or_shows_anothers_evidence(fleet):
    """The others are enrolled in the same run, and those of the third get nothing: each by itself, with a code."""
    honest = [f"ws-{number}" for number in range(6)]
    for host in honest:
        fleet.add(host)
    lie = stolen(fleet, "ws-0", '    answer["evidence"] = None\n')("certificates", "ek")
    fleet.add("thief")
    fleet.inventory["thief"]["ansible_python_interpreter"] = lie
    fleet.add_liar("liar", f"def tell(answer):\n    {LIES['hides_its_puk'][0]}\n", "evidence")
    fleet.add_liar("hangs", "import time\ndef tell(answer):\n    time.sleep(3600)\n", "evidence")
    fleet.variables["smartcard_enrollment_timeout"] = 120
    run = fleet.play()
    enrolled = {host for host, status in run.statuses().items() if status == "enrolled"}
    assert enrolled == set(honest) and "Traceback" not in run.output, run.output
    codes = {host: run.results[host]["code"] for host in ("liar", "hangs")}
    assert codes == {"liar": "PUK_INDEX", "hangs": "HOST_UNREACHABLE"}, run.output
    assert run.results["thief"]["status"] == "refused", run.output
    active = {each.host for each in fleet.ledger().certificates() if each.activated_at}
    assert active == set(honest)


WORDS = {
    "warnings": ("answer['warnings'] = 5", "enrolled", None),
    "diff": ("answer['diff'] = [1]", "enrolled", None),
    "cards": ("answer['cards'] = [{'name': ['corp']}, '\\x1b[2J']", "enrolled", None),
    "version": ("answer['evidence']['version'] = '\\x1b[2J\\x1b]0;owned\\x07'", "refused", "EVIDENCE_MALFORMED"),
}


@pytest.fixture(scope="module")
def talkers():
    """A fleet in which each host says one thing that is no word for it, and a run over it."""
    with new_fleet() as fleet:
        for name, (statement, *_outcome) in WORDS.items():
            fleet.add_liar(name, f"def tell(answer):\n    {statement}\n", "evidence")
        yield fleet.play()


@pytest.mark.parametrize("name", WORDS)
def test_a_host_whose_words_are_not_words(talkers, name):
    """Evidence of another shape is refused; what is said beside it is dropped, and decides nothing."""
    result = talkers.results[name]
    assert (result["status"], result.get("code")) == WORDS[name][1:], talkers.output
    signs = ("Traceback", "\\u001b", "\x1b]0;", "\x1b[2J")
    assert not [each for each in signs if each in talkers.output], talkers.output


PREPARED = """\
- hosts: all
  tasks:
    - ansible.builtin.import_role: {name: hardbound.identity.smartcard_enrollment}
"""
"""A play that gathers facts first, as the role tpm_host wants it."""
SAYS = """\
def tell(answer):
    answer.setdefault("ansible_facts", {{}}).update({facts!r})
"""


def facts_told(fleet, **facts):
    """A run in which the host says more of itself than it was asked."""
    playbook = fleet.folder / "prepared.yml"
    playbook.write_text(PREPARED)
    lie = fleet.lying(SAYS.format(facts=facts), "facts")
    return fleet.play(playbook=str(playbook), ansible_python_interpreter=lie)


@pytest.mark.parametrize("prefix", ["", "ansible_"])
@pytest.mark.parametrize("name", ["smartcard_enrollment_cards", "cards_of_the_site"])
def test_a_host_names_its_user_by_a_fact(fleet, name, prefix):
    """Ansible lets facts stand above the inventory, also those of which the enrolment's own variables are made."""
    fleet.add("ws-001")
    mine = fleet.inventory["ws-001"]["smartcard_enrollment_cards"]
    stolen = [{**mine[0], "upn": "admin@corp.example"}]
    fleet.inventory["ws-001"].update(
        cards_of_the_site=mine, smartcard_enrollment_cards="{{ cards_of_the_site }}" if "site" in name else mine
    )
    run = facts_told(fleet, **{name: stolen, prefix + name: stolen})
    assert run.results["ws-001"]["code"] == "INVENTORY_INVALID", run.output
    assert f"{name} is what the host says of itself" in run.output
    assert fleet.ledger().certificates("ws-001") == [] and run.visits["ws-001"] == ["setup"]


def test_a_host_has_the_controller_run_a_command_by_a_fact(fleet):
    """Nothing in the inventory names another CA, so the role's default is all that stands below the fact."""
    fleet.add("ws-001")
    requests, ran = fleet.folder / "requests", fleet.folder / "ran"
    requests.mkdir()
    ca = {"certificates": str(fleet.ca / "public/root.cer"), "requests": str(requests), "command": ["touch", str(ran)]}
    run = facts_told(fleet, smartcard_enrollment_external_ca=ca)
    assert not ran.exists() and run.results["ws-001"]["status"] == "refused", run.output
    assert "smartcard_enrollment_external_ca is what the host says of itself" in run.output


def test_facts_that_nothing_is_made_of_keep_nobody_out(fleet):
    """A name that the inventory has too, which the inventory means."""
    fleet.add("ws-001")
    fleet.inventory["ws-001"].update(hostname="ws-001", fqdn="ws-001.corp.example")
    fleet.inventory["ws-001"]["smartcard_enrollment_cards"][0]["common_name"] = "{{ fqdn }}"
    run = facts_told(fleet, ansible_fqdn="ws-001.corp.example", packages={"bash": "5"})
    assert run.results["ws-001"]["status"] == "enrolled", run.output


def test_a_host_chooses_where_the_audit_is_written(fleet):
    """It says so in the answer to the audit's own question, and the report goes by the variables of the first host."""
    fleet.add("ws-001")
    assert fleet.play().code == 0
    elsewhere, here = fleet.folder / "elsewhere", fleet.folder / "reports"
    for folder in (elsewhere, here):
        folder.mkdir()
    fleet.variables["enrollment_audit_path"] = str(here)
    said = {"enrollment_audit_path": str(elsewhere), "smartcard_enrollment_cards": []}
    lie = fleet.lying(SAYS.format(facts=said), "cards")
    run = fleet.play("-e", f"ansible_python_interpreter={lie}", playbook="hardbound.identity.audit")
    assert list(elsewhere.iterdir()) == [], run.output
    [host] = json.loads((here / "audit.json").read_text())["hosts"]
    assert host["drift"] == [] and [card["drift"] for card in host["cards"]] == [[]]
