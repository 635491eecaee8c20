# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hostile host's root tries on the controller, and what it gets."""

from __future__ import annotations

import json
import re

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import crl, files, krl
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.desk import Desk
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.enrollment import Status
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.refused import Refused
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.verification import (
    judge_again,
    kept_bundle,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import schema
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.packages import sa
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.pins import NAMES
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import EventKind
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.ledger_reader import everything_in
from ansible_collections.hardbound.identity.tests.support.site import arguments
from cryptography import x509

LIAR = "liar.corp.example"


def codes(enrollment):
    return [each.code for each in enrollment.refused]


def fail(site, **changes):
    """A host that shows all that is right and holds no TPM that could answer."""
    enrollment = site.enrollment(**changes)
    enrollment.judge(site.shown(enrollment))
    assert enrollment.challenges() and enrollment.refused == []
    enrollment.accept({"cards": [{"name": forge.CARD, "answer": "AAAA", "failure": ""}]})
    enrollment.close()
    return enrollment


def another_card(site):
    """Root's own card, into whose file the old card's attestation key was put."""
    old = site.host.card
    new = forge.ForgedCard(site.host.root)
    new.ak_key = old.ak_key
    new.indices[Role.POLICY] = forge.ForgedIndex(new.model.policy_data)
    site.host.cards = [new]
    site.held = {"certificates": {}, "ak_certificate": "", "attestations": {}}


def test_a_card_of_roots_own_under_the_old_name_and_attestation_key(site):
    site.enrol()
    another_card(site)
    assert codes(site.enrol()) == ["CARD_CHANGED"]
    assert [bool(each.revoked_at) for each in site.ledger.certificates()] == [False] * 3
    goes = card_of_before(site)
    assert site.enrol(replace_cards=[goes]).refused == []
    kinds = [each.kind for each in site.ledger.events()]
    assert kinds.count(EventKind.CARD_REPLACED) == 1
    site.host.card.parent = forge.ForgedCard(site.host.root).parent
    assert codes(site.enrol()) == ["CARD_CHANGED"]


def card_of_before(site):
    """What an administrator copies out of the message that refuses another card."""
    sentence = site.enrol().refused[0].sentence
    return re.search(r"card of before is ([^:;]*)", sentence)[1]


def test_a_replacement_that_is_left_standing_lets_root_swap_nothing_more(site):
    site.enrol()
    another_card(site)
    goes = card_of_before(site)
    assert site.enrol(replace_cards=[goes]).status is Status.RENEWED
    for _each in range(2):
        another_card(site)
        assert codes(site.enrol(replace_cards=[goes])) == ["CARD_CHANGED"]
    assert [each.kind for each in site.ledger.events()].count(EventKind.CARD_REPLACED) == 1


def test_a_replacement_is_used_up_by_a_run_that_has_no_use_for_it(site):
    """An administrator expects another card, and there is none: root may not come with one after that run."""
    site.enrol()
    goes = f"{forge.CARD}={site.ledger.cards()[forge.HOST, forge.CARD].pins.fingerprint}"
    site.enrol(check=True, replace_cards=[goes])
    idle = site.enrol(replace_cards=[goes])
    assert idle.status is Status.UNCHANGED and f"{goes}, which is there as it was" in idle.warnings[-1]
    another_card(site)
    assert codes(site.enrol(replace_cards=[goes])) == ["CARD_CHANGED"]
    assert [each.detail for each in site.ledger.events() if each.kind is EventKind.REPLACEMENT_LAPSED] == [goes[-32:]]


def test_a_replacement_outlives_a_run_in_which_the_new_card_did_not_answer(site):
    site.enrol()
    another_card(site)
    goes = card_of_before(site)
    assert codes(fail(site, replace_cards=[goes])) == ["CHALLENGE_ANSWER"]
    assert site.enrol(replace_cards=[goes]).status is Status.RENEWED


def test_a_card_that_was_enrolled_before_names_were_asked_for_shows_them_at_its_next_visit(site):
    """Once, though nothing is to be issued: the attestation key has answered for itself. Nobody swaps the card then."""
    site.enrol()
    unasked = dict.fromkeys(NAMES)
    site.ledger.writing(lambda connection: connection.execute(sa.update(schema.cards).values(**unasked)))
    site.ledger.writing(lambda connection: connection.execute(sa.delete(schema.hosts)))
    site.enrol(check=True)
    assert not any(site.ledger.cards()[forge.HOST, forge.CARD].pins.names().values())
    assert site.enrol().status is Status.UNCHANGED
    known = site.ledger.known(forge.HOST, "", "")
    assert None not in known.cards[forge.CARD].pins.names().values() and known.root == site.host.root.name.hex()
    another_card(site)
    assert codes(site.enrol()) == ["CARD_CHANGED"]
    site.host.ek_key = forge.ecc_key()
    assert codes(site.enrol(host=LIAR)) == ["ROOT_SERVES_OTHER_HOST"]


@pytest.mark.parametrize("value", [forge.CARD, f"{forge.CARD}=", f"={'0' * 32}", f"{forge.CARD}={'0' * 31}g"])
def test_a_card_is_replaced_by_its_fingerprint_alone(site, value):
    with pytest.raises(InputError, match=r"replace_cards holds .* take it from the message"):
        site.enrollment(replace_cards=[value])
    with pytest.raises(InputError, match="replace_ek is 'True', which is no fingerprint"):
        site.enrollment(replace_ek="True")


def test_a_failed_proof_leaves_nothing_that_is_valid_or_seen(site):
    enrollment = fail(site)
    assert codes(enrollment) == ["CHALLENGE_ANSWER"]
    [card] = enrollment.cards()
    assert card["certificates"] == [] and card["ssh_certificates"] == [] and enrollment.evidence == ""
    assert "CERTIFICATE" not in json.dumps([enrollment.cards(), enrollment.before(), enrollment.after()])
    signed = site.ledger.certificates()
    assert len(signed) == 3 and {each.serial for each in enrollment.withdrawn} == {each.serial for each in signed}
    desk = Desk(site.issuer._authority, site.ledger)
    desk.publish()
    listed = x509.load_der_x509_crl(desk.authority.folder.crl("issuing").read_bytes())
    assert {each.serial_number for each in listed} == {int(each.serial, 16) for each in signed}
    assert crl.revoked_ssh_keys(site.ledger, desk.authority.identifier) == krl.build(0, 0, [], [])


def test_a_list_that_can_not_be_written_is_a_warning(site, monkeypatch):
    """With the ledger in a database, the CA's folder may be read-only."""
    enrollment = site.enrollment()
    enrollment.judge(site.shown(enrollment))
    enrollment.accept({"cards": []})
    desk = Desk(site.issuer._authority, site.ledger)

    def read_only(*_arguments):
        raise StateError("the folder is read-only", "mount it otherwise")

    monkeypatch.setattr(files, "write", read_only)
    desk.end(enrollment)
    assert "list is not written: the folder is read-only" in enrollment.warnings[-1]
    assert all(each.revoked_at for each in site.ledger.certificates())


@pytest.mark.parametrize("end", ["is killed", "answers wrongly", "answers rightly"])
def test_who_reads_the_ledger_gets_no_certificate_before_its_challenge_is_answered(site, end):
    changes = {"key_ssh_profile": "ssh_user", "card_ssh_principals": ["alice"], "card_owner": "alice"}
    enrollment = site.enrollment(**changes)
    enrollment.judge(site.shown(enrollment))
    [progress] = enrollment.progress.values()
    bodies = [each.certificate.body for each in progress.issued]
    secrets = [body[-24:] for body in bodies]  # The end of a signature: no certificate is one without.
    assert len(bodies) == 4
    if end != "is killed":
        enrollment.accept(site.answered(enrollment) if end == "answers rightly" else {"cards": []})
        enrollment.close()
    found = list(everything_in(site.ledger))
    seen = [any(secret in data for data in found) for secret in secrets]
    assert seen == [end == "answers rightly"] * 4


def test_what_a_killed_run_has_left_is_listed_by_the_next_of_any_host(site):
    killed = site.enrollment(host=LIAR)
    killed.judge(site.shown(killed))
    left = {int(each.serial, 16) for each in site.ledger.certificates(LIAR)}
    desk = Desk(site.issuer._authority, site.ledger)
    desk.end(site.enrollment())
    assert not [each for each in site.ledger.certificates() if each.revoked_at]  # It may still go on.
    site.watch.turn(minutes=21)
    desk.end(site.enrollment(check=True))
    assert not [each for each in site.ledger.certificates() if each.revoked_at]
    desk.end(site.enrollment())
    listed = x509.load_der_x509_crl(desk.authority.folder.crl("issuing").read_bytes())
    assert len(left) == 3 and {each.serial_number for each in listed} == left
    killed.accept(site.answered(killed))
    assert codes(killed) == ["CHALLENGE_EXPIRED"] and killed.cards()[0]["certificates"] == []
    assert site.enrol(host=LIAR).status is Status.ENROLLED


@pytest.mark.parametrize("end", ["silent", "answers wrongly"])
def test_a_host_that_failed_once_is_enrolled_when_it_answers(site, end):
    enrollment = site.enrollment()
    enrollment.judge(site.shown(enrollment))
    if end == "silent":
        enrollment.give_up(Refused.of_silence("the connection broke."))
    else:
        enrollment.accept({"cards": []})
    enrollment.close()
    assert enrollment.cards()[0]["certificates"] == [] and all(each.revoked_at for each in site.ledger.certificates())
    assert site.enrol().status is Status.ENROLLED
    live = [each for each in site.ledger.certificates() if not each.revoked_at]
    assert len(live) == 3 and all(each.activated_at for each in live)


def test_a_host_that_shows_anothers_tpm_locks_nobody_out(site):
    """EK, certificate, attestation key, card and keys are public; only an answer is not."""
    assert codes(fail(site, host=LIAR)) == ["CHALLENGE_ANSWER"]
    assert site.enrol().status is Status.ENROLLED
    assert set(codes(site.enrol(host=LIAR))) >= {"EK_SERVES_OTHER_HOST"}


def test_a_claim_that_is_still_out_locks_nobody_out_and_comes_to_nothing(site):
    claim = site.enrollment(host=LIAR)
    claim.judge(site.shown(claim))
    assert claim.challenges()
    assert site.enrol().status is Status.ENROLLED
    claim.accept(site.answered(claim))  # Were it to have the same TPM, it would still be too late.
    assert codes(claim) == ["EK_SERVES_OTHER_HOST"] and claim.cards()[0]["certificates"] == []
    claim.close()
    assert all(each.revoked_at for each in site.ledger.certificates(LIAR))


def test_one_tpm_under_two_names_whichever_ek_it_shows(site):
    site.enrol()
    site.host.ek_key = forge.ecc_key()
    assert codes(site.enrol(host=LIAR)) == ["ROOT_SERVES_OTHER_HOST"]
    pins = site.ledger.cards()[forge.HOST, forge.CARD].pins
    fingerprints = [site.ledger.known(host, "", "").fingerprint for host in (LIAR, forge.HOST)]
    replaces = {"replace_ek": fingerprints[0], "replace_cards": [f"{forge.CARD}={pins.fingerprint}"]}
    assert codes(site.enrol(host=LIAR, **replaces)) == ["ROOT_SERVES_OTHER_HOST"]
    replaces["replace_ek"] = fingerprints[1]
    assert codes(site.enrol(host=LIAR, **replaces)) == ["ROOT_SERVES_OTHER_HOST"]
    assert site.enrol().refused == []


def test_a_bundle_convinces_whoever_has_the_cas_certificate(site, tmp_path):
    enrollment = site.enrol()
    bundle = kept_bundle(site.ledger, enrollment.evidence)
    ca = str(site.issuer._authority.folder.path)
    verdict = judge_again(bundle, ca)
    assert verdict.accepted and verdict.host == forge.HOST and list(verdict.cards) == [forge.CARD]
    root = tmp_path / "root.cer"
    root.write_bytes(site.issuer._authority.folder.certificate("root").read_bytes())
    assert judge_again(bundle, str(root)).accepted
    assert [each.code.name for each in judge_again(bundle).findings] == ["BUNDLE_UNSIGNED"]
    assert all(each.evidence == enrollment.evidence for each in site.ledger.certificates())


# A host's words.

SAYS = {
    "diff is a list": {"diff": [1]},
    "diff holds nonsense": {"diff": {"before": [[["x"] * 9] * 9] * 9, "after": 5}},
    "warnings are a number": {"warnings": 5},
    "warnings are numbers": {"warnings": [1, None, {"a": 1}]},
    "cards are numbers": {"cards": [1, 2]},
    "a name is a list": {"cards": [{"name": ["corp"]}]},
    "a name is a card": {"cards": [{"name": {}, "changed": []}]},
    "certificates are a list": {"cards": [{"name": forge.CARD, "certificates": [1], "signatures": 7}]},
    "escrow is a list": {"cards": [{"name": forge.CARD, "pin_escrow": ["x"], "admin_key_escrow": 5}]},
    "everything is nothing": {"cards": None, "diff": None, "warnings": None},
}


@pytest.mark.parametrize("name", SAYS)
def test_what_a_host_says_beside_the_evidence_harms_nothing(site, name):
    enrollment = site.enrollment()
    enrollment.judge({**site.shown(enrollment), **SAYS[name]})
    enrollment.accept(site.answered(enrollment))
    enrollment.close()
    assert enrollment.refused == [] and json.dumps([enrollment.cards(), enrollment.warnings, enrollment.answer.before])


@pytest.mark.parametrize("answer", [None, 5, [], {"cards": {}}, {"cards": [{"name": [], "answer": 5}]}, "x"])
def test_any_second_answer_is_a_refusal(site, answer):
    enrollment = site.enrollment()
    enrollment.judge(site.shown(enrollment))
    enrollment.accept(answer)
    assert codes(enrollment) == ["CHALLENGE_ANSWER"]


def test_a_hosts_words_reach_nobody_with_control_characters(site):
    enrollment = site.enrollment()
    evil = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\r\x9b31m"
    shown = {**site.shown(enrollment), "warnings": [evil], "diff": {"before": {evil: evil}, "after": evil}}
    enrollment.judge(shown)
    enrollment.accept({"cards": [{"name": forge.CARD, "answer": "", "failure": evil * 1000}]})
    told = [enrollment.warnings, [each.line for each in enrollment.refused], enrollment.answer.before]
    text = "".join(json.dumps(told, ensure_ascii=False).split("\\n"))
    assert not [each for each in text if not each.isprintable()] and "\\u" not in json.dumps(told)
    assert len(enrollment.refused[0].sentence) < 3000


def test_a_fault_of_the_host_is_never_called_one_of_the_inventory(site):
    for said in SAYS.values():
        enrollment = site.enrollment()
        enrollment.judge({"evidence": None, **said})
        assert codes(enrollment) == ["EVIDENCE_MALFORMED"]
    assert arguments()
