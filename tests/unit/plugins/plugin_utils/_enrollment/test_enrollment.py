# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import sqlite3
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.finding import Code
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.online import Online
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.revocation import RevocationPolicy
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.trust import Trust
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import ssh
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Order
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.profile import Profile
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.enrollment import Enrollment, Status
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.wanted import WantedHost
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import database, schema
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.packages import sa
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import EventKind, RevocationReason
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.site import arguments
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def codes(enrollment):
    return [each.code for each in enrollment.refused]


def test_enrolled_then_left_alone(site):
    first = site.enrol()
    assert (first.status, first.changed, first.refused) == (Status.ENROLLED, True, [])
    events = len(site.ledger.events())
    second = site.enrol()
    assert (second.status, second.changed, second.challenges()) == (Status.UNCHANGED, False, [])
    assert len(site.ledger.events()) == events and second.evidence == ""
    assert second.before() == second.after()


def test_anchors_that_can_not_be_read_are_told(site, tmp_path, monkeypatch):
    """And the others count."""
    folder = tmp_path / "anchors"
    folder.mkdir()
    (folder / "a.pem").write_bytes(b"no certificate")
    (folder / "b.der").write_bytes(forge.der(site.host.authorities[0].certificate) + b"\n")
    policy = replace(site.host.policy(), trust=Trust.load(str(folder)))
    monkeypatch.setattr(site.host, "policy", lambda: policy)
    enrollment = site.enrol()
    assert enrollment.status is Status.ENROLLED
    assert [warning for warning in enrollment.warnings if "a.pem" in warning and "passed over" in warning]


def test_check_mode_foretells_and_records_nothing(site):
    foretold = site.enrollment(check=True)
    foretold.judge(site.shown(foretold))
    assert (foretold.status, foretold.changed, foretold.challenges()) == (Status.ENROLLED, True, [])
    assert site.ledger.events() == [] and site.ledger.certificates() == []
    site.enrol()
    unchanged = site.enrollment(check=True)
    unchanged.judge(site.shown(unchanged))
    assert (unchanged.status, unchanged.changed) == (Status.UNCHANGED, False)


def test_check_mode_of_a_host_without_cards(site):
    foretold = site.enrollment(check=True)
    shown = site.shown(foretold)
    shown["evidence"]["cards"], shown["cards"][0]["changed"] = [], True
    foretold.judge(shown)
    assert (foretold.status, foretold.changed, foretold.refused) == (Status.ENROLLED, True, [])
    assert foretold.after()[forge.CARD]["authentication"] == "ad_smartcard_logon, alice@corp.example, 365 days"


def test_check_mode_refuses_what_would_be_refused(site):
    site.host.card.ak_attributes = forge.AK & ~forge.A.RESTRICTED
    foretold = site.enrollment(check=True)
    foretold.judge(site.shown(foretold))
    assert codes(foretold) == ["AK_ATTRIBUTES"] and not foretold.changed and site.ledger.events() == []


@pytest.mark.parametrize(("days", "status"), [(240, Status.UNCHANGED), (250, Status.RENEWED)])
def test_renewed_when_two_thirds_are_over(site, days, status):
    """The AK's certificate lives 730 days, as those that attest keys do, so they stay."""
    site.enrol()
    site.watch.turn(days=days)
    assert site.enrol().status is status
    assert len(site.ledger.certificates()) == (3 if status is Status.UNCHANGED else 4)


def test_renewed_when_the_name_changes_and_the_old_one_is_revoked(site):
    site.enrol()
    assert site.enrol(card_upn="other@corp.example").status is Status.RENEWED
    revoked = [each for each in site.ledger.certificates() if each.revoked_at]
    assert [(each.label, each.reason) for each in revoked] == [("authentication", "superseded")]


def test_delivered_again_if_the_card_lost_it(site):
    site.enrol()
    site.held["certificates"] = {}
    again = site.enrol()
    assert again.status is Status.RENEWED and len(site.ledger.certificates()) == 3
    assert site.enrol().status is Status.UNCHANGED


def test_taken_up_where_it_was_cut_off(site):
    cut = site.enrollment()
    cut.judge(site.shown(cut))
    assert [each.activated_at for each in site.ledger.certificates()] == [None] * 3
    taken_up = site.enrol()
    assert taken_up.status is Status.ENROLLED and len(site.ledger.certificates()) == 3
    assert all(each.activated_at for each in site.ledger.certificates())


def test_a_late_answer_activates_nothing(site):
    enrollment = site.enrollment()
    enrollment.judge(site.shown(enrollment))
    site.watch.turn(minutes=11)
    enrollment.accept(site.answered(enrollment))
    assert codes(enrollment) == ["CHALLENGE_EXPIRED"]
    assert all(each.activated_at is None for each in site.ledger.certificates())


def test_an_answer_counts_once(site):
    enrollment = site.enrollment()
    enrollment.judge(site.shown(enrollment))
    wrong = {"cards": [{"name": forge.CARD, "answer": "AAAA", "failure": "the TPM refused."}]}
    enrollment.accept(wrong)
    assert codes(enrollment) == ["CHALLENGE_ANSWER"] and "the TPM refused." in enrollment.refused[0].sentence
    assert enrollment.challenges() == []  # A host that answers wrongly for ever holds nobody.
    enrollment.accept(site.answered(enrollment))
    assert codes(enrollment) == ["CHALLENGE_ANSWER"]
    assert all(each.activated_at is None for each in site.ledger.certificates())


def test_a_refusal_is_recorded(site):
    site.host.card.indices[next(iter(site.host.card.indices))].contents = bytes(4) + (99).to_bytes(4, "big")
    assert codes(site.enrol()) == ["PIN_RETRIES"]
    [event] = site.ledger.events()
    assert (event.kind, event.code, event.card) == (EventKind.REFUSED, "PIN_RETRIES", forge.CARD)


@pytest.mark.parametrize(("what", "code"), [("puk", "PUK_INDEX"), ("admin", "ADMIN_KEY")])
def test_a_way_in_that_the_inventory_did_not_ask_for(site, what, code):
    """Whether the card is to have a PUK or an admin key is said without the secret, and looked for either way."""
    setattr(site.host.card, what, True)
    assert code in codes(site.enrol())
    setattr(site.host.card, what, False)
    assert code in codes(site.enrol(**{f"card_has_{'admin_key' if what == 'admin' else what}": True}))


def ssh_certificates(enrollment):
    return enrollment.cards()[0]["ssh_certificates"]


SSH = {"key_ssh_profile": "ssh_user", "card_ssh_principals": ["alice", "root"], "card_owner": "alice"}


def test_an_openssh_certificate_beside_the_one_on_the_card(site):
    """The owner gets it; it is renewed with the rest, and revoked with it."""
    foretold = site.enrollment(check=True, **SSH)
    foretold.judge(site.shown(foretold))
    assert foretold.after()[forge.CARD]["authentication ssh"] == "ssh_user, alice@corp.example, 30 days"
    first = site.enrol(**SSH)
    [told] = ssh_certificates(first)
    assert (told["owner"], told["file"]) == ("alice", f"{forge.CARD}-authentication-cert.pub")
    assert told["certificate"].startswith("ecdsa-sha2-nistp256-cert-v01@openssh.com ")
    again = site.enrol(**SSH)
    assert (again.status, again.changed) == (Status.UNCHANGED, False)
    assert ssh_certificates(again)[0]["certificate"] == told["certificate"]
    site.watch.turn(days=21)
    renewed = site.enrol(**SSH)
    assert renewed.status is Status.RENEWED and list(renewed.progress[forge.CARD].reasons) == ["authentication ssh"]
    assert ssh_certificates(renewed)[0]["certificate"] != told["certificate"]
    assert [bool(each.revoked_at) for each in site.ledger.certificates()] == [False] * 5
    site.enrol(**{**SSH, "card_ssh_principals": ["alice"]})
    superseded = [each.label for each in site.ledger.certificates() if each.revoked_at]
    assert sorted(superseded) == ["authentication", "authentication ssh", "authentication ssh"]


def test_an_openssh_certificate_goes_to_nobody_whose_tpm_did_not_answer(site):
    enrollment = site.enrollment(**SSH)
    enrollment.judge(site.shown(enrollment))
    enrollment.accept({"cards": [{"name": forge.CARD, "answer": "AAAA"}]})
    assert codes(enrollment) == ["CHALLENGE_ANSWER"] and ssh_certificates(enrollment) == []


def test_an_openssh_certificate_for_another_key_is_not_handed_out(site):
    """Somebody wrote into the ledger."""
    site.enrol(**SSH)
    site.held = {"certificates": {}, "ak_certificate": "", "attestations": {}}
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    at = site.watch()
    forged = ssh.UserCertificate(other, 1, "alice", ("root",), at, at).sign(ec.generate_private_key(ec.SECP256R1()))
    table = schema.certificates
    change = sa.update(table).where(table.c.kind == "ssh_user").values(body=forged)
    site.ledger.writing(lambda connection: connection.execute(change))
    assert codes(site.enrol(**SSH)) == ["CERTIFICATE_OTHER_KEY"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key_ssh_profile": "tls_client"}, "cards[0].keys[0].ssh_profile"),
        ({"card_ssh_principals": []}, "cards[0].ssh_principals"),
    ],
)
def test_what_is_no_openssh_certificate(site, change, field):
    with pytest.raises(InputError) as caught:
        site.enrollment(**{**SSH, **change})
    assert caught.value.field == field


def test_one_ek_serves_one_host(site):
    site.enrol()
    assert codes(site.enrol(host="ws-018")) == ["EK_SERVES_OTHER_HOST", "ROOT_SERVES_OTHER_HOST"]


def test_a_revoked_key_gets_nothing_more(site):
    site.enrol()
    [key] = [each for each in site.ledger.certificates() if each.label == "authentication"]
    site.ledger.revoke({"serial": key.serial}, RevocationReason.KEY_COMPROMISE, key.authority)
    assert codes(site.enrol()) == ["KEY_REVOKED"]


def test_a_card_with_a_revoked_key_is_told_with_what_it_tells_once(site):
    site.enrol()
    [key] = [each for each in site.ledger.certificates() if each.label == "authentication"]
    site.ledger.revoke({"serial": key.serial}, RevocationReason.KEY_COMPROMISE, key.authority)
    site.held["pin_escrow"] = "for the officer"
    [card] = site.enrol().cards()
    assert (card["status"], card["pin_escrow"], card["certificates"]) == ("refused", "for the officer", [])
    assert [each["code"] for each in card["refused"]] == ["KEY_REVOKED"]


def test_a_revoked_attestation_key_gets_nothing_more(site):
    site.enrol()
    [ak] = [each for each in site.ledger.certificates() if not each.slot]
    site.ledger.revoke({"serial": ak.serial}, RevocationReason.KEY_COMPROMISE, ak.authority)
    assert codes(site.enrol()) == ["KEY_REVOKED"]


def test_an_ak_certificate_of_another_ca_is_not_handed_out(site):
    """Somebody wrote into the ledger: what is handed out is looked at as if it came from elsewhere."""
    site.enrol()
    site.held = {"certificates": {}, "ak_certificate": "", "attestations": {}}
    stranger = forge.Authority("Corp")
    purposes = x509.ExtendedKeyUsage([x509.ObjectIdentifier("2.23.133.8.3")])
    key = site.host.card.ak_key.public_key()
    forged = stranger.issue(key, forge.name("AK"), [(purposes, False)], forge.NOW - forge.DAY, forge.NOW + forge.DAY)
    table = schema.certificates
    change = sa.update(table).where(table.c.slot == "").values(body=forge.der(forged))
    site.ledger.writing(lambda connection: connection.execute(change))
    assert codes(site.enrol()) == ["AK_CERTIFICATE_ISSUER"]


def ak_certificates(site):
    return [x509.load_der_x509_certificate(each.body) for each in site.ledger.certificates() if not each.slot]


def test_an_ak_certificate_names_the_tpm_of_the_ek_certificate(site):
    """And no computer: the names are those of an EK certificate that was verified, whatever the inventory says."""
    site.enrol()
    [ak] = ak_certificates(site)
    names = ak.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert list(ak.subject) == [] and names.critical
    assert [each.value for each in names.value] == [site.host.ek_certificate.tpm]


def test_an_ak_certificate_of_before_is_renewed_once_and_the_card_stays(site, monkeypatch):
    """That of an earlier release named the computer, and no TPM."""
    with monkeypatch.context() as before:
        before.setattr(Profile, "is_for_ak", False)
        before.setattr(Order, "tpm", property(lambda order: None, lambda order, tpm: None))
        site.enrol()
    [old] = ak_certificates(site)
    assert old.subject.rfc4514_string() == f"CN={forge.HOST}"
    again = site.enrol()
    assert (again.status, again.refused) == (Status.RENEWED, [])
    assert list(again.progress[forge.CARD].reasons) == [""]
    assert sorted(len(list(each.subject)) for each in ak_certificates(site)) == [0, 1]  # of the same second
    assert [each.reason for each in site.ledger.certificates() if each.revoked_at] == ["superseded"]
    assert site.enrol().status is Status.UNCHANGED


def test_names_come_from_the_inventory_alone(site):
    enrollment = site.enrollment()
    shown = site.shown(enrollment)
    shown["cards"][0]["upn"] = shown["upn"] = "admin@corp.example"
    enrollment.judge(shown)
    assert all("admin" not in each.identity for each in site.ledger.certificates())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([forge.CARD, "AAAA"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
FIXTURE = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture], "max_examples": 20}


@settings(**FIXTURE)
@given(evidence=JSON, cards=JSON)
def test_whatever_a_host_says_it_is_a_refusal(site, evidence, cards):
    enrollment = site.enrollment()
    enrollment.judge({"evidence": evidence, "cards": cards})
    assert enrollment.status is Status.REFUSED and enrollment.challenges() == []
    assert site.ledger.certificates() == []


@settings(**FIXTURE)
@given(held=JSON, data=st.data())
def test_a_lie_about_what_the_card_holds_costs_a_visit_and_no_more(site, held, data):
    site.enrol()
    enrollment = site.enrollment()
    shown = site.shown(enrollment)
    name = data.draw(st.sampled_from(["certificates", "ak_certificate", "attestations"]))
    shown["cards"][0][name] = held
    enrollment.judge(shown)
    assert enrollment.refused == [] and len(site.ledger.certificates()) == 3


@settings(**FIXTURE)
@given(answer=JSON)
def test_no_answer_but_the_right_one_activates(site, answer):
    enrollment = site.enrollment()
    enrollment.judge(site.shown(enrollment))
    enrollment.accept({"cards": [{"name": forge.CARD, "answer": answer, "failure": answer}]})
    assert enrollment.status is Status.REFUSED
    assert all(each.activated_at is None for each in site.ledger.certificates())


BAD = [
    ({"card_upn": None}, r"cards\[0\].upn is missing, and profile ad_smartcard_logon needs it"),
    ({"card_sid": "S-1"}, r"cards\[0\].sid is 'S-1', which is no SID"),
    ({"card_keys": []}, r"cards\[0\].keys is empty"),
    ({"key_slot": "pocket"}, r"cards\[0\].keys\[0\].slot is 'pocket', which is no slot"),
    ({"key_algorithm": "ecc_p521"}, r"cards\[0\].keys\[0\].algorithm is 'ecc_p521', and"),
    ({"key_algorithm": "ecc_p521", "card_faces": ["pcsc", "pkcs11"]}, "algorithm is 'ecc_p521', and"),
    ({"profile": None}, r"cards\[0\].keys\[0\].profile is missing"),
    ({"profile": "no"}, "profile is 'no', which is no profile"),
    ({"profile": "ssh_user", "card_ssh_principals": ["a"]}, "which is not for a card's slot"),
    ({"profile": "attestation_key"}, "which is not for a card's slot"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_an_inventory_that_lacks_something(changes, message):
    with pytest.raises(InputError, match=message):
        WantedHost.parse(forge.HOST, arguments(**changes))


def test_faces_reach_the_host_and_say_which_keys_a_card_may_have():
    parsed = WantedHost.parse(forge.HOST, arguments(key_algorithm="ecc_p521", card_faces=["pkcs11"]))
    assert parsed.cards[0].task["faces"] == ["pkcs11"] and parsed.cards[0].keys[0].algorithm is KeyAlgorithm.ECC_P521
    assert "faces" not in WantedHost.parse(forge.HOST, arguments()).cards[0].task


def test_a_card_that_is_named_twice():
    values = arguments()
    values["cards"].append(copy.deepcopy(values["cards"][0]))
    with pytest.raises(InputError, match="cards names a card twice"):
        WantedHost.parse(forge.HOST, values)


def test_a_pin_is_in_no_representation():
    assert "secret-pin" not in repr(WantedHost.parse(forge.HOST, arguments(card_pin="secret-pin")))


def _lock(site, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    site.ledger.close()
    site.ledger = site.issuer._ledger = Ledger(site.issuer._authority.folder.ledger_url, site.watch)
    holder = sqlite3.connect(site.issuer._authority.folder.ledger, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    return holder


def test_a_ledger_that_others_hold_is_one_refusal(site, monkeypatch):
    holder = _lock(site, monkeypatch)
    enrollment = site.enrollment()
    enrollment.judge(site.shown(enrollment))
    assert codes(enrollment) == ["CONTROLLER_NOT_READY"]
    assert "was held by another process" in enrollment.refused[0].sentence
    holder.execute("ROLLBACK")
    assert site.enrol().status is Status.ENROLLED


@pytest.mark.parametrize(
    ("days", "message"),
    [(-2, "and the issuing CA becomes valid at .*: set the controller's clock"), (4000, "the issuing CA expired at")],
)
def test_a_clock_that_is_off_is_said_before_the_host_is_asked(site, days, message):
    site.watch.turn(days=days)
    with pytest.raises(StateError, match=message):
        site.enrollment()


def _until(site, **dates):
    for name, value in dates.items():
        setattr(site.host.ek_certificate, name, value)


def _listed(site):
    site.host.authorities = site.host.authorities[:1]
    site.host.ek_certificate.more.append((forge.crl_points("http://crl.maker.example/root.crl"), False))


UNFIT = {
    "expired": (lambda site: _until(site, not_after=forge.NOW - forge.DAY), {}, "EK_CHAIN_EXPIRED"),
    "not yet valid": (lambda site: _until(site, not_before=forge.NOW + forge.DAY), {}, "EK_CHAIN_NOT_YET_VALID"),
    "no anchor": (lambda site: None, {"trust": Trust(())}, "EK_CHAIN_UNTRUSTED"),
    "vendor out of reach": (_listed, {"revocation": RevocationPolicy.REQUIRED}, "EK_REVOCATION_UNKNOWN"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_is_unfit_is_refused_in_one_line_with_a_remedy(site, name):
    spoil, changes, code = UNFIT[name]
    spoil(site)
    enrollment = site.enrollment()
    enrollment._examination._policy = replace(site.host.policy(), **changes)
    enrollment.judge(site.shown(enrollment))
    assert codes(enrollment) == [code] and site.ledger.certificates() == []
    [refused] = enrollment.refused
    assert refused.sentence.endswith(f": {Code[code].remedy}.") and "\n" not in refused.line


def test_a_maker_out_of_reach_is_told_with_the_missing_certificate(site):
    """The TPM holds no EK certificate, and nobody answers where one might be."""
    asked = []
    online = Online("", asked.append)
    enrollment = Enrollment(
        WantedHost.parse(forge.HOST, arguments()), site.issuer, site.ledger, site.host.policy(), online
    )
    shown = site.shown(enrollment)
    shown["evidence"]["certificates"] = []
    enrollment.judge(shown)
    assert codes(enrollment) == ["EK_CERTIFICATE_MISSING"] and len(asked) == 2
    assert enrollment.warnings == [f"{url} did not answer, or not with what was asked for." for url in asked]


def test_a_list_out_of_reach_is_a_warning_where_the_policy_lets_that_pass(site):
    _listed(site)
    enrollment = site.enrol()
    assert enrollment.status is Status.ENROLLED and "can't be had" in enrollment.warnings[0]


def test_what_the_task_leaves_out_is_not_said_to_the_host(site):
    """Ansible's own check takes an option without a value for a wrong one where the option has choices."""
    [question] = site.enrollment(card_faces=None, card_owner=None).questions()
    assert not [name for name, value in question.items() if value is None] and "faces" not in question
