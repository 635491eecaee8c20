# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that lie to the playbook. None gets a certificate, and each is refused by the check that is meant for it."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.tests.integration.enrollment.conftest import GUESS, TpmMaker, new_fleet

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
    """The TPM never opened the challenge; the certificate is of no use, and the ledger says so."""
    fleet, run = liars
    assert run.results["guesses"]["code"] == "CHALLENGE_ANSWER", run.output
    assert [each.activated_at for each in fleet.ledger().certificates("guesses")] == [None, None]


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
    fleet.variables.update(smartcard_enrollment_replace_ek=True, smartcard_enrollment_replace_cards=["corp"])
    assert fleet.play().statuses()["ws-001"] in ("enrolled", "renewed")


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


def test_a_software_tpm_of_anothers_making(fleet):
    """A TPM in software with an EK certificate by a CA that nobody named."""
    fleet.add("honest")
    fleet.add("ws-001", TpmMaker(fleet.folder / "stranger"))
    run = fleet.play("--limit", "ws-001")
    assert {each["code"] for each in run.results["ws-001"]["refused"]} <= {"EK_CHAIN_UNTRUSTED", "EK_CHAIN_SIGNATURE"}
    assert run.results["ws-001"]["status"] == "refused" and fleet.ledger().certificates() == []
