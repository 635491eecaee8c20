# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another CA issues: what it is asked for and when, and which of its answers reach a card."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import shlex
import ssl

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import tlv
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import ssh
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.authority import public_der
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.desk import Desk
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.enrollment import Status
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.refused import Refused
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.retirement import Retirement
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import EXTERNAL
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.refusal import RefusalCode
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.ledger_reader import everything_in
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

PLACE = f"{forge.HOST}.{forge.CARD}.authentication"


class Elsewhere:
    """A site whose keys another CA certifies, and that CA."""

    def __init__(self, site, folder):
        self.site, self.folder = site, folder
        self.ca = forge.Authority("Other")
        (folder / "ca.pem").write_bytes(self.ca.certificate.public_bytes(Encoding.PEM))
        self.requests = folder / "requests"
        self.requests.mkdir()
        self.command, self.revoke_command = [], []
        self.desk = Desk(site.issuer._authority, site.ledger)
        self.signer = site.host.card.keys[0].private

    @property
    def request(self):
        return self.requests / f"{PLACE}.csr"

    @property
    def answer(self):
        return self.requests / f"{PLACE}.pem"

    def enrollment(self, check=False, **changes):
        places = {"certificates": str(self.folder / "ca.pem"), "requests": str(self.requests)}
        commands = {"command": self.command, "revoke_command": self.revoke_command}
        external = {"name": "Other", **places, **commands, "profiles": []}
        return self.site.enrollment(check=check, **{"external_ca": external, **changes})

    def shown(self, enrollment):
        """The first visit: the key signs what it is asked to sign, and what is needed."""
        shown = self.site.shown(enrollment)
        [question] = enrollment.questions()
        [asked] = question["requests"]
        subject, attributes = (base64.b64decode(asked[name]) for name in ("subject", "attributes"))
        spki = public_der(self.site.host.card.keys[0].private.public_key())
        info = tlv.encode(0x30, b"\x02\x01\x00", subject, spki, attributes)
        signature = self.signer.sign(info, ec.ECDSA(hashes.SHA256())) if self.signer else b""
        shown["cards"][0]["signatures"] = {"authentication": base64.b64encode(signature).decode()}
        return shown

    def enrol(self, **changes):
        enrollment = self.enrollment(**changes)
        enrollment.judge(self.shown(enrollment))
        while enrollment.challenges():
            enrollment.accept(self.site.answered(enrollment))
        self.desk.end(enrollment)
        return enrollment

    def silent(self, after=0):
        """A host that answers so many challenges, and no more."""
        enrollment = self.enrollment()
        enrollment.judge(self.shown(enrollment))
        for _time in range(after):
            enrollment.accept(self.site.answered(enrollment))
        [progress] = enrollment.progress.values()
        bodies = [each.certificate.body for each in progress.issued]
        enrollment.give_up(Refused.of_silence("It is silent."))
        return enrollment, bodies

    def has_revoke(self, also="true"):
        """Has a command that notes what it was given."""
        place = shlex.quote(str(self.folder))
        notes = f"cat >> {place}/revoked.pem; echo {{serial}} {{reason}} >> {place}/revoked"
        self.revoke_command = ["sh", "-c", f"{also} && {{ {notes}; }}"]

    def told(self):
        path = self.folder / "revoked"
        return path.read_text().split("\n")[:-1] if path.exists() else []

    def certify(self, key=None, extensions=None, subject=None, days=(-1, 30), ca=None, number=None):
        """Returns that CA's answer to the request, but for what is changed."""
        request = x509.load_pem_x509_csr(self.request.read_bytes())
        asked = [(each.value, each.critical) for each in request.extensions]
        start, end = (self.site.watch() + datetime.timedelta(days=each) for each in days)
        wanted = asked if extensions is None else extensions(asked)
        made = (ca or self.ca).issue(key or request.public_key(), subject or request.subject, wanted, start, end)
        return made.public_bytes(Encoding.PEM)

    def certificates(self):
        return [each for each in self.site.ledger.certificates() if each.label == "authentication"]


@pytest.fixture
def elsewhere(site, tmp_path):
    return Elsewhere(site, tmp_path)


def codes(enrollment):
    return [each.code for each in enrollment.refused]


def test_it_waits_for_the_answer_and_goes_on_with_it(elsewhere):
    foretold = elsewhere.enrollment(check=True)
    foretold.judge(elsewhere.shown(foretold))
    assert (foretold.status, foretold.changed) == (Status.PENDING, True) and not elsewhere.request.exists()
    first = elsewhere.enrol()
    assert (first.status, first.changed, first.refused) == (Status.PENDING, True, [])
    [pending] = first.cards()[0]["pending"]
    assert pending["request"] == str(elsewhere.request) and elsewhere.certificates() == []
    elsewhere.signer = None  # The PIN is not at hand any more.
    events = len(elsewhere.site.ledger.events())
    for check in (False, True):
        waits = elsewhere.enrollment(check=check)
        waits.judge(elsewhere.shown(waits))
        assert (waits.status, waits.changed, waits.challenges()) == (Status.PENDING, False, [])
    assert len(elsewhere.site.ledger.events()) == events
    elsewhere.answer.write_bytes(elsewhere.certify())
    assert elsewhere.enrol().status is Status.ENROLLED
    [certificate] = elsewhere.certificates()
    assert certificate.kind == EXTERNAL and certificate.activated_at
    again = elsewhere.enrol()
    assert (again.status, again.changed) == (Status.UNCHANGED, False)


def test_renewed_with_the_request_of_old(elsewhere):
    """When two thirds are over, the request waits again, and the answer of old is none."""
    elsewhere.enrol()
    elsewhere.signer = None
    elsewhere.answer.write_bytes(elsewhere.certify())
    elsewhere.enrol()
    elsewhere.site.watch.turn(days=25)
    waits = elsewhere.enrol()
    assert waits.status is Status.PENDING and waits.cards()[0]["certificates"][0]["outcome"] == "kept"
    elsewhere.answer.write_bytes(elsewhere.certify())
    assert elsewhere.enrol().status is Status.RENEWED
    assert [bool(each.revoked_at) for each in elsewhere.certificates()] == [False, False]


def test_another_name_takes_another_signature_and_replaces(elsewhere):
    elsewhere.enrol()
    elsewhere.answer.write_bytes(elsewhere.certify())
    elsewhere.enrol()
    signer, elsewhere.signer = elsewhere.signer, None
    unsigned = elsewhere.enrol(card_upn="other@corp.example")
    assert codes(unsigned) == ["REQUEST_UNSIGNED"] and not elsewhere.request.exists()
    elsewhere.signer = signer
    assert elsewhere.enrol(card_upn="other@corp.example").status is Status.PENDING
    assert not elsewhere.answer.exists()  # It was to another request.
    elsewhere.answer.write_bytes(elsewhere.certify())
    run = elsewhere.enrol(card_upn="other@corp.example")
    assert run.status is Status.RENEWED
    [old] = [each for each in elsewhere.certificates() if each.revoked_at]
    assert old.reason == "superseded" and f"revoke the certificate {old.number} of" in run.warnings[0]


def test_a_host_that_answers_no_challenge_gets_no_request_out(elsewhere):
    elsewhere.command = ["touch", str(elsewhere.folder / "asked")]
    enrollment = elsewhere.enrollment()
    enrollment.judge(elsewhere.shown(enrollment))
    enrollment.accept({"cards": [{"name": forge.CARD, "answer": "AAAA"}]})
    assert codes(enrollment) == ["CHALLENGE_ANSWER"] and enrollment.challenges() == []
    assert not elsewhere.request.exists() and not (elsewhere.folder / "asked").exists()


def test_a_request_that_another_key_signed(elsewhere):
    elsewhere.signer = ec.generate_private_key(ec.SECP256R1())
    assert codes(elsewhere.enrol()) == ["REQUEST_UNSIGNED"] and not elsewhere.request.exists()


def test_a_request_in_the_folder_that_says_something_else(elsewhere):
    """Whoever writes there can put no name into it: it is made anew, or refused."""
    elsewhere.enrol()
    key = ec.generate_private_key(ec.SECP256R1())
    forged = x509.CertificateSigningRequestBuilder().subject_name(forge.name("admin")).sign(key, hashes.SHA256())
    elsewhere.request.write_bytes(forged.public_bytes(Encoding.PEM))
    assert elsewhere.enrol().status is Status.PENDING
    assert x509.load_pem_x509_csr(elsewhere.request.read_bytes()).subject != forge.name("admin")
    elsewhere.request.write_bytes(forged.public_bytes(Encoding.PEM))
    elsewhere.signer = None
    assert codes(elsewhere.enrol()) == ["REQUEST_UNSIGNED"]


def without(kind):
    return lambda asked: [each for each in asked if not isinstance(each[0], kind)]


def renamed(asked):
    names = x509.SubjectAlternativeName([x509.DNSName("dc1.corp.example")])
    return [*without(x509.SubjectAlternativeName)(asked), (names, False)]


def a_ca(asked):
    return [*without(x509.BasicConstraints)(asked), (x509.BasicConstraints(True, None), True)]


def another_sid(asked):
    sid = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.25.2"), b"0\x00")
    return [*without(x509.UnrecognizedExtension)(asked), (sid, False)]


WRONG = {
    "another key": ({"key": ec.generate_private_key(ec.SECP256R1()).public_key()}, "not the attested key"),
    "another CA": ({"ca": forge.Authority("Other")}, "none of the CA's certificates"),
    "over": ({"days": (-30, -1)}, "in force"),
    "not yet": ({"days": (1, 30)}, "in force"),
    "a CA": ({"extensions": a_ca}, "a CA certificate"),
    "another SID": ({"extensions": another_sid}, "SID"),
    "no SID": ({"extensions": without(x509.UnrecognizedExtension)}, "SID"),
    "other names": ({"extensions": renamed}, "alternative names"),
    "no usages": ({"extensions": without(x509.ExtendedKeyUsage)}, "extended key usage"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_reaches_no_card(elsewhere, name):
    """From the folder, and from the command; the right one is taken afterwards."""
    change, words = WRONG[name]
    elsewhere.enrol()
    elsewhere.answer.write_bytes(elsewhere.certify(**change))
    refused = elsewhere.enrol()
    assert codes(refused) == ["EXTERNAL_CERTIFICATE_WRONG"] and words in refused.refused[0].sentence
    wrong = elsewhere.folder / "wrong.pem"
    wrong.write_bytes(elsewhere.certify(**change))
    elsewhere.answer.unlink()
    elsewhere.command = ["cat", str(wrong)]
    refused = elsewhere.enrol()
    assert codes(refused) == ["EXTERNAL_CERTIFICATE_WRONG"] and not elsewhere.answer.exists()
    assert elsewhere.certificates() == []
    wrong.write_bytes(elsewhere.certify())
    assert elsewhere.enrol().status is Status.ENROLLED


def test_a_command_is_asked_once(elsewhere):
    """It gets the request, and prints whatever it likes before the certificate."""
    elsewhere.enrol()
    (elsewhere.folder / "good.pem").write_bytes(b"Certificate:\n  Data:\n" + elsewhere.certify())
    elsewhere.request.unlink()
    seen = elsewhere.folder / "seen"
    place = shlex.quote(str(elsewhere.folder))
    elsewhere.command = ["sh", "-c", f"cat >> {place}/seen; cat {place}/good.pem"]
    run = elsewhere.enrol()
    assert run.status is Status.ENROLLED and seen.read_bytes() == elsewhere.request.read_bytes()
    assert elsewhere.enrol().status is Status.UNCHANGED
    elsewhere.site.held["certificates"] = {}
    assert elsewhere.enrol().status is Status.RENEWED and len(elsewhere.certificates()) == 1
    assert seen.read_bytes() == elsewhere.request.read_bytes()


def test_a_ca_that_has_yet_to_decide_is_asked_again_by_the_next_run(elsewhere):
    """With the same request, which takes no PIN; what it printed meanwhile is no answer."""
    elsewhere.command = ["sh", "-c", "echo queued; exit 75"]
    assert elsewhere.enrol().status is Status.PENDING and not elsewhere.answer.exists()
    request = elsewhere.request.read_bytes()
    again = elsewhere.enrol()
    assert (again.status, again.refused) == (Status.PENDING, []) and elsewhere.request.read_bytes() == request
    (elsewhere.folder / "good.pem").write_bytes(elsewhere.certify())
    elsewhere.command = ["cat", str(elsewhere.folder / "good.pem")]
    assert elsewhere.enrol().status is Status.ENROLLED and len(elsewhere.certificates()) == 1
    assert elsewhere.enrol().status is Status.UNCHANGED


def test_a_command_that_ends_well_and_prints_nothing_has_not_answered(elsewhere):
    elsewhere.command = ["true"]
    assert [each.code for each in elsewhere.enrol().refused] == ["EXTERNAL_CERTIFICATE_WRONG"]


def test_an_answer_that_was_kept_when_the_run_died_is_not_asked_for_again(elsewhere):
    elsewhere.enrol()
    elsewhere.answer.write_bytes(elsewhere.certify())
    elsewhere.command = ["false"]
    assert elsewhere.enrol().status is Status.ENROLLED


def test_its_numbers_may_be_anybodys(elsewhere):
    """Two CAs count from 1; the ledger tells their certificates apart."""
    elsewhere.enrol()
    elsewhere.answer.write_bytes(elsewhere.certify())
    elsewhere.enrol()
    [certificate] = elsewhere.certificates()
    assert certificate.number == f"{x509.load_der_x509_certificate(certificate.body).serial_number:x}"
    assert len(certificate.serial) == 40 and certificate.serial != certificate.number


def test_what_is_retired_has_to_be_revoked_there(elsewhere, site):
    elsewhere.enrol()
    elsewhere.answer.write_bytes(elsewhere.certify())
    elsewhere.enrol()

    desk = elsewhere.desk
    retirement = Retirement(forge.HOST, [], desk, "key_compromise")
    revoked = retirement.revoke(False)
    [certificate] = elsewhere.certificates()
    assert certificate.revoked_at and {each["serial"] for each in revoked} > {certificate.number}
    assert [f"the certificate {certificate.number} of" in each for each in retirement.warnings] == [True]
    listed = {each.serial_number for each in x509.load_der_x509_crl(desk.authority.folder.crl("issuing").read_bytes())}
    assert int(certificate.number, 16) not in listed and len(listed) == 2
    key = x509.load_der_x509_certificate(certificate.body).public_key()
    assert ssh.public_blob(key) in desk.authority.folder.revoked_ssh_keys.read_bytes()
    assert codes(elsewhere.enrol()) == ["KEY_REVOKED"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"requests": "/no/such/folder"}, "external_ca.requests"),
        ({"profiles": ["nonsense"]}, "external_ca.profiles"),
        ({"name": ""}, "external_ca.name"),
        ({"certificates": __file__}, "external_ca.certificates"),
    ],
)
def test_what_is_no_other_ca(elsewhere, change, field):
    good = {"name": "Other", "certificates": str(elsewhere.folder / "ca.pem"), "requests": str(elsewhere.requests)}
    with pytest.raises(InputError) as caught:
        elsewhere.enrollment(external_ca={**good, "command": [], "revoke_command": [], "profiles": [], **change})
    assert caught.value.field == field


def test_some_profiles_alone(elsewhere):
    good = {"name": "Other", "certificates": str(elsewhere.folder / "ca.pem"), "requests": str(elsewhere.requests)}
    commands = {"command": [], "revoke_command": []}
    enrollment = elsewhere.enrollment(external_ca={**good, **commands, "profiles": ["tls_client"]})
    assert enrollment.questions()[0]["requests"] == []


@pytest.fixture
def answering(elsewhere):
    """A CA that answers its command at once, with the request of the host's first run; nothing was issued yet."""
    elsewhere.enrol()
    good = elsewhere.folder / "good.pem"
    good.write_bytes(elsewhere.certify())
    elsewhere.command = ["cat", str(good)]
    return elsewhere


def everything(elsewhere):
    """All that lies in the ledger and in the folder of requests."""
    return [*everything_in(elsewhere.site.ledger), *(path.read_bytes() for path in elsewhere.requests.iterdir())]


@pytest.mark.parametrize("end", ["is killed", "is silent", "answers"])
def test_nobody_reads_another_cas_certificate_before_its_challenge_is_answered(answering, end):
    enrollment, bodies = answering.silent()
    assert [each.kind for each in answering.certificates()] == [EXTERNAL]
    pem = ssl.DER_cert_to_PEM_cert(bodies[-1]).encode()
    signature = (bodies[-1][-24:], pem.splitlines()[-2])  # No certificate is one without.
    if end == "answers":
        answering.enrol()
    elif end == "is silent":
        answering.desk.end(enrollment)
    found = everything(answering)
    assert [any(each in data for data in found) for each in signature] == [end == "answers", False]


def test_what_another_ca_has_issued_in_vain_is_revoked_there_by_the_end_of_the_run(answering):
    answering.has_revoke()
    enrollment, _bodies = answering.silent()
    answering.desk.end(enrollment)
    [certificate] = answering.certificates()
    assert certificate.revoked_at and answering.told() == [f"{certificate.number} unspecified"]
    given = x509.load_pem_x509_certificate((answering.folder / "revoked.pem").read_bytes())
    assert f"{given.serial_number:x}" == certificate.number and enrollment.warnings == []
    (answering.folder / "good.pem").write_bytes(answering.certify())  # What was revoked is not handed out.
    assert answering.enrol().status is Status.ENROLLED and len(answering.told()) == 1
    assert {each.number: bool(each.activated_at) for each in answering.certificates()}[certificate.number] is False


def test_without_a_command_somebody_is_told_and_the_certificate_goes_to_no_card(answering):
    enrollment, _bodies = answering.silent()
    answering.desk.end(enrollment)
    [certificate] = answering.certificates()
    assert certificate.revoked_at
    assert enrollment.warnings == [
        f"Have the other CA revoke the certificate {certificate.number} of {forge.HOST} {forge.CARD} authentication: "
        "no list of ours names it."
    ]


def test_what_a_killed_run_had_from_another_ca_is_revoked_by_the_next_of_any_host(answering):
    answering.has_revoke()
    answering.silent()
    answering.site.watch.turn(minutes=21)
    answering.desk.end(answering.enrollment(check=True))
    assert answering.told() == [] and not answering.certificates()[0].revoked_at
    enrollment = answering.enrollment()
    enrollment.wanted = dataclasses.replace(enrollment.wanted, host="another")
    answering.desk.end(enrollment)
    [certificate] = answering.certificates()
    assert certificate.revoked_at and answering.told() == [f"{certificate.number} unspecified"]


def test_a_revocation_that_fails_is_told_and_tried_again(answering):
    answering.enrol()
    (answering.folder / "good.pem").write_bytes(answering.certify())
    answering.has_revoke(also="echo the CA is shut >&2 && exit 3")
    ca = answering.enrollment().wanted.external_ca
    retirement = Retirement(forge.HOST, [], answering.desk, "key_compromise", ca)
    retirement.revoke(False)
    [failure] = retirement.failures
    [certificate] = answering.certificates()
    assert failure.code is RefusalCode.EXTERNAL_CA_FAILED and "sh ended with 3: the CA is shut" in str(failure)
    assert f"the certificate {certificate.number} of {forge.HOST}" in str(failure) and certificate.revoked_at
    answering.has_revoke(also="exit 75")
    again = Retirement(forge.HOST, [], answering.desk, "key_compromise", answering.enrollment().wanted.external_ca)
    assert again.revoke(False) == [] and again.failures == []
    assert "Other has yet to revoke the certificate" in again.warnings[0] and answering.told() == []
    answering.has_revoke()
    for _time in range(2):
        last = Retirement(forge.HOST, [], answering.desk, "key_compromise", answering.enrollment().wanted.external_ca)
        last.revoke(False)
        assert (last.failures, last.warnings) == ([], [])
    assert answering.told() == [f"{certificate.number} keyCompromise"]


def test_what_a_third_ca_has_issued_is_not_asked_of_this_one(answering):
    answering.enrol()
    answering.ca = forge.Authority("Third")
    (answering.folder / "ca.pem").write_bytes(answering.ca.certificate.public_bytes(Encoding.PEM))
    answering.has_revoke()
    retirement = Retirement(forge.HOST, [], answering.desk, "key_compromise", answering.enrollment().wanted.external_ca)
    retirement.revoke(False)
    assert answering.told() == [] and "Have the other CA revoke" in retirement.warnings[0]


@pytest.mark.parametrize("changed", [False, True])
def test_an_answer_that_a_run_had_before_it_died_is_not_asked_for_again(answering, monkeypatch, changed):
    """It lies beside the request, closed to all but our CA; what somebody has changed there counts for nothing."""

    def dies(*_arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Issuer, "take", dies)
        answering.silent()
    [closed] = answering.requests.glob("*.closed")
    certificate = x509.load_pem_x509_certificate((answering.folder / "good.pem").read_bytes())
    assert certificate.signature[-24:] not in closed.read_bytes() and closed.stat().st_mode & 0o77 == 0
    if changed:
        closed.write_bytes(closed.read_bytes()[:-1])
    answering.command = ["false"]
    run = answering.enrol()
    assert run.status is (Status.REFUSED if changed else Status.ENROLLED)
    assert bool(list(answering.requests.glob("*.closed"))) == changed
