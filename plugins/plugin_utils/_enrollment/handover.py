# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is due to what a TPM has answered for: signed, sealed, handed over, and only then counted.

Until a host's TPM has opened the challenge, what it showed is a claim. Its certificates are in this process alone, and
leave it sealed, for the ledger, too; its keys and Names are pinned to nothing; and what was signed in vain is revoked.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ...module_utils._encoding.challenge import Challenge
from ...module_utils._encoding.evidence import Document
from ...module_utils._encoding.payload import Payload
from ...module_utils._errors import HardboundError
from .._attestation.finding import Report
from .._attestation.issued import check_ak_certificate, check_certificate, check_ssh_certificate
from .._attestation.pending import PendingChallenge
from .._attestation.seal import seal
from .._attestation.trust import Trust, parse_certificates
from .._attestation.verifier import Verdict
from .._ca.issuer import Issuer
from .._ledger.ledger import Ledger
from .._ledger.pins import Admission
from .._ledger.record import SSH_USER, CertificatePlace, EventKind, IssuedCertificate
from .answers import SecondAnswer
from .errands import Errands
from .progress import Progress
from .refused import Refused
from .wanted import WantedHost


class Handover:
    """Hands certificates over to one host's cards."""

    def __init__(self, wanted: WantedHost, issuer: Issuer, ledger: Ledger, errands: Errands) -> None:
        self._wanted = wanted
        self._issuer = issuer
        self._ledger = ledger
        self._errands = errands
        self._bundle: Document = {}
        self._admission: t.Optional[Admission] = None
        self.replaced: t.List[IssuedCertificate] = []
        """What was revoked, because what the host has answered for replaces it."""
        self.evidence = ""
        """Digest of the bundle that the host's answer was kept in."""

    # What goes out.

    def issue(self, verdict: Verdict, bundle: Document, cards: t.Iterable[Progress]) -> None:
        """Signs what is due for the cards, and seals it."""
        due = [each for each in cards if each.is_due]
        if not due or verdict.ek is None:
            return
        wanted = self._wanted
        claims = {each.card.name: verdict.cards[each.card.name].claim for each in due}
        source = "inventory" if wanted.ek else "first use"
        self._bundle = bundle
        ek = verdict.ek.fingerprint
        self._admission = Admission(wanted.host, ek, verdict.root, claims, source, wanted.replacement)
        for progress in due:
            try:
                self._ledger.examine(self._admission.of_card(progress.card.name))
                self._issue_card(progress)
            except HardboundError as error:
                progress.fail(error)

    def _issue_card(self, progress: Progress) -> None:
        progress.issued = self._issuer.issue_all([order for order in progress.orders if not order.external])
        if progress.issued[0].certificate.activated_at:
            self._errands.run(progress)
        self._challenge(progress)

    def _challenge(self, progress: Progress) -> None:
        """Seals what was issued for the card, if it lacks any of it, so that its TPM alone can open it."""
        host, name, verified, ek = self._wanted.host, progress.card.name, progress.verified, progress.ek
        lacks = any(each.certificate.label in progress.reasons for each in progress.issued)
        if verified is None or ek is None or not lacks:
            return
        report = Report(name)
        for issued in progress.issued:
            self._check(issued.certificate, progress, report)
        if report.findings:
            self._refuse(progress, report)
            return
        payload = self._payload([each.certificate for each in progress.issued])
        progress.challenge = self._ledger.open_challenge(host, name)
        progress.answered = False
        progress.pending = PendingChallenge(ek.public, verified.ak, host, name, payload.encode(), self._ledger.now())

    def _payload(self, issued: t.Sequence[IssuedCertificate]) -> Payload:
        certificates = [each for each in issued if each.kind != SSH_USER]
        bodies = {each.slot: each.body for each in certificates if not each.attests}
        attestations = {each.slot: each.body for each in certificates if each.attests}
        ak_certificate = bodies.pop("")
        return Payload(bodies, ak_certificate, attestations, self._issuer.certificate if attestations else b"")

    def _check(self, certificate: IssuedCertificate, progress: Progress, report: Report) -> None:
        """It may be that of an earlier enrolment, and is looked at as if it came from elsewhere."""
        verified = progress.verified
        if verified is None:
            return
        if certificate.kind == SSH_USER:
            check_ssh_certificate(certificate.body, verified.keys[certificate.slot], report)
        elif certificate.slot:
            check_certificate(certificate.body, verified.keys[certificate.slot], report)
        else:
            ours = Trust.of(parse_certificates(self._issuer.certificate), "our CA")
            revoked = self._ledger.find(certificate.serial).revoked_at is not None
            now = self._ledger.now()
            check_ak_certificate(certificate.body, verified.ak, ours, lambda serial: revoked, now, report)

    # What comes back.

    @staticmethod
    def challenges(cards: t.Iterable[Progress]) -> t.List[Challenge]:
        """Returns what the host has yet to open."""
        waiting = (each.pending for each in cards if not each.answered)
        return [pending.challenge for pending in waiting if pending is not None]

    def accept(self, answers: t.Mapping[str, SecondAnswer], cards: t.Iterable[Progress]) -> None:
        """Makes count what the host's TPM has answered for."""
        right: t.List[Progress] = []
        for progress in cards:
            if progress.pending is not None and not progress.answered:
                progress.answered = True
                given = answers.get(progress.card.name, SecondAnswer())
                try:
                    if self._is_right(progress, progress.pending, given):
                        right.append(progress)
                except HardboundError as error:
                    progress.fail(error)
        self._settle(right)

    def _is_right(self, progress: Progress, pending: PendingChallenge, given: SecondAnswer) -> bool:
        host, name = self._wanted.host, progress.card.name
        self._ledger.spend_challenge(progress.challenge, host, name)
        report = Report(name)
        if pending.accept(host, name, given.answer, self._ledger.now(), report):
            return True
        self._refuse(progress, report, f" The host says: {given.failure}" if given.failure else "")
        return False

    def _settle(self, right: t.Sequence[Progress]) -> None:
        """Keeps one bundle for all cards that have answered, and settles each card by itself."""
        answers = [each.pending.proof(self._ledger.now()) for each in right if each.pending is not None]
        if not answers or self._admission is None:
            return
        bundle = seal(self._bundle, answers, self._issuer.evidence_signer(), self._issuer.certificate)
        for progress in right:
            try:
                self._settle_card(progress, self._admission.of_card(progress.card.name), bundle)
            except HardboundError as error:
                progress.fail(error)

    def _settle_card(self, progress: Progress, admission: Admission, bundle: bytes) -> None:
        answered = [each.certificate for each in progress.issued]
        self.evidence, replaced = self._ledger.settle(admission, bundle, answered)
        progress.proven = frozenset(each.serial for each in answered)
        self.replaced += replaced
        if progress.errands and self._errands.run(progress):
            self._challenge(progress)

    def give_up(self, refused: Refused, cards: t.Iterable[Progress]) -> None:
        """Notes that the host opened no challenge. What was told of new cards is still told."""
        for progress in cards:
            if progress.pending is not None and not progress.answered:
                progress.answered = True
                progress.refused.append(replace(refused, card=progress.card.name))

    def close(self, cards: t.Iterable[Progress]) -> t.List[IssuedCertificate]:
        """Withdraws what was signed and not answered for; returns it.

        :raises StateError: the ledger does not allow it
        """
        every = [each.certificate for progress in cards for each in progress.issued]
        waiting = [each.serial for each in every if not each.activated_at]
        proven = {serial for progress in cards for serial in progress.proven}
        return self._ledger.withdraw([serial for serial in waiting if serial not in proven])

    def _refuse(self, progress: Progress, report: Report, more: str = "") -> None:
        for finding in report.findings:
            place = CertificatePlace(self._wanted.host, progress.card.name)
            self._ledger.record(EventKind.REFUSED, place, finding.code.name, detail=finding.sentence)
            refused = Refused.of_finding(finding)
            progress.refused.append(replace(refused, sentence=refused.sentence + more))
