# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The enrolment of one host, as the controller goes through it: ask, judge, issue, challenge, accept.

The visits themselves are the caller's. Whatever a host says, it ends in certificates or in refusals.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import typing as t
from dataclasses import replace

from ...module_utils._card.key import slot_number
from ...module_utils._encoding.evidence import Document
from ...module_utils._encoding.fields import encoded
from ...module_utils._encoding.payload import Payload
from ...module_utils._errors import HardboundError
from .._attestation.bundle import verify_and_keep
from .._attestation.card import VerifiedCard
from .._attestation.ek import Policy
from .._attestation.finding import Report
from .._attestation.issued import check_ak_certificate, check_certificate, check_ssh_certificate
from .._attestation.online import Online
from .._attestation.pending import Pending
from .._attestation.request import new_nonce
from .._attestation.trust import Trust, parse_certificates
from .._attestation.verifier import Verdict
from .._ca.issuer import Issued, Issuer, Order, Outcome
from .._ca.oid import Assurance
from .._ca.profile import Kind
from .._ledger import clock
from .._ledger.ledger import Admission, Ledger
from .._ledger.record import OUTSIDE, SSH_USER, Certificate, EventKind, Place
from .outside import OutsideDesk, revoke_elsewhere
from .progress import Progress, Status
from .refused import Refused
from .wanted import Wanted, WantedCard


class Enrollment:
    """One host.

    :param issuer: of our CA
    :param ledger: where decisions are kept
    :param policy: whom the verifier trusts
    :param online: where certificates of EKs are that lie in no TPM
    :param check: check mode: nothing is issued and nothing recorded
    """

    def __init__(
        self, wanted: Wanted, issuer: Issuer, ledger: Ledger, policy: Policy, online: Online, check: bool = False
    ) -> None:
        self.wanted = wanted
        self.progress = {card.name: Progress(card) for card in wanted.cards}
        self.warnings: t.List[str] = []
        self.evidence = ""
        self._issuer = issuer
        self._ledger = ledger
        self._policy = policy
        self._online = online
        self._outside = OutsideDesk(wanted.outside_ca, issuer, ledger) if wanted.outside_ca else None
        self._check = check
        self._nonces = {card.name: new_nonce() for card in wanted.cards}
        for at, card in enumerate(wanted.cards):
            for key in card.keys:
                for profile in key.profiles[key.outside :]:
                    issuer.check_names(profile, card.identity, f"cards[{at}]")

    # ------------------------------------------------------------ first visit

    def questions(self) -> t.List[Document]:
        """Returns the cards that the host is asked for, each with its nonce."""
        return [
            {**card.task, "nonce": encoded(self._nonces[card.name]), "requests": list(self._requests_of(card))}
            for card in self.wanted.cards
        ]

    def _requests_of(self, card: WantedCard) -> t.Iterator[Document]:
        for key in card.keys:
            if key.outside and self._outside is not None:
                yield self._outside.question(Place(self.wanted.host, card.name, key.slot), key, card.identity)

    def judge(self, answer: t.Mapping[str, t.Any]) -> None:
        """Verifies what the host showed, and issues what is due.

        :param answer: the result of ``smartcard_evidence``
        :raises StateError: ledger, passphrase or clock don't allow it
        """
        held = _held(answer)
        for name, progress in self.progress.items():
            progress.take_over(held.get(name, {}))
        evidence = self._online.complete(answer.get("evidence"))
        request = self.wanted.request(self._requests(held, evidence))
        verdict, bundle = verify_and_keep(evidence, request, self._policy, self._ledger, self._ledger.now())
        self.warnings += [*self._online.troubles, *verdict.warnings]
        self._refuse(verdict)
        known = self._ledger.certificates(self.wanted.host)
        for name, verified in verdict.cards.items():
            if verdict.accepts(name):
                progress = self.progress[name]
                progress.ek, progress.verified = verdict.ek, verified
                self._compare(progress, verified, held.get(name, {}), known)
        self._plan_missing(verdict)
        if not self._check:
            self._issue(verdict, bundle)

    def _requests(self, held: t.Mapping[str, t.Any], evidence: t.Any) -> t.Iterator[t.Any]:
        """In check mode, cards and keys that the host has yet to make are not demanded."""
        shown = _shown(evidence)
        for card in self.wanted.cards:
            if not self._check:
                yield card.request(self._nonces[card.name])
            elif card.name in shown:
                yield card.request(self._nonces[card.name], shown[card.name])

    def _refuse(self, verdict: Verdict) -> None:
        for progress in self.progress.values():
            findings = [each for each in verdict.findings if each.card in ("", progress.card.name)]
            progress.refused += [Refused.of_finding(each) for each in findings]
        if self._check:
            return
        for finding in verdict.findings:
            place = Place(self.wanted.host, finding.card)
            self._ledger.record(EventKind.REFUSED, place, finding.code.name, detail=finding.sentence)

    def _plan_missing(self, verdict: Verdict) -> None:
        """Check mode: what will be issued for keys that are yet to be made."""
        for progress in self.progress.values():
            for key in progress.card.keys if not progress.refused else ():
                verified = verdict.cards.get(progress.card.name)
                if verified is None or key.slot not in verified.keys:
                    progress.reasons.update(dict.fromkeys(progress.labels(key), "the key is yet to be made"))
                    if key.outside and self._outside is not None and not self._outside.ca.command:
                        self._wait(progress, Place(self.wanted.host, progress.card.name, key.slot))

    def _compare(
        self, progress: Progress, verified: VerifiedCard, held: t.Mapping[str, t.Any], known: t.Sequence[Certificate]
    ) -> None:
        """Finds out what is due, and why."""
        progress.orders = list(self._orders(progress.card, verified))
        at = clock.stamp(self._ledger.now())
        progress.before = {
            each.label: each
            for each in known
            if each.card == progress.card.name and each.slot and each.activated_at and _is_live(each, at)
        }
        try:
            for order in progress.orders:
                reason = self._reason(order, held)
                if reason:
                    progress.reasons[order.label] = reason
            self._plan_errands(progress, held.get("signatures"))
        except HardboundError as error:
            self._fail(progress, error)

    def _plan_errands(self, progress: Progress, signatures: t.Any) -> None:
        """Finds out what another CA has to be asked for, and where nobody has answered yet."""
        given = signatures if isinstance(signatures, dict) else {}
        for order in progress.orders:
            slot = order.place.slot
            if self._outside is None or not order.outside or slot not in progress.reasons:
                continue
            if self._issuer.kept(order) is not None:
                continue
            errand = progress.errands[slot] = self._outside.errand(order, _octets(given.get(slot)), self._check)
            if self._outside.waits(order, errand) and (self._check or not errand.is_new):
                self._wait(progress, order.place)
                if not errand.is_new:
                    progress.idle.add(slot)

    def _wait(self, progress: Progress, place: Place) -> None:
        if self._outside is not None:
            ca = self._outside.ca
            paths = {"request": str(ca.request_path(place)), "answer": str(ca.answer_path(place))}
            progress.waiting.append({"slot": place.slot, **paths})

    def _orders(self, card: WantedCard, verified: VerifiedCard) -> t.Iterator[Order]:
        ak = verified.ak.spki()
        place = Place(self.wanted.host, card.name)
        yield Order(place, self.wanted.ak_profile, self.wanted.ak_identity, ak, Assurance.RESTRICTED)
        for slot, key in sorted(verified.keys.items()):
            place = Place(self.wanted.host, card.name, slot)
            wanted = card.key(slot)
            outside = self._outside.ca.name if wanted.outside and self._outside is not None else ""
            yield Order(place, wanted.profile, card.identity, key.spki, key.assurance, outside=outside)
            if wanted.ssh_profile is not None:
                yield Order(place, wanted.ssh_profile, card.identity, key.spki, key.assurance)

    def _reason(self, order: Order, held: t.Mapping[str, t.Any]) -> str:
        outcome, reason = self._issuer.preview(order)
        if outcome is not Outcome.KEPT:
            return reason
        certificate = self._issuer.current(order)
        if certificate is None or not certificate.activated_at:
            return "the host has not answered for it yet"
        if order.profile.kind is Kind.X509 and _digest(certificate.body) != _held_digest(held, order.place.slot):
            return "the card does not hold it"
        return ""

    def _issue(self, verdict: Verdict, bundle: Document) -> None:
        due = [each for each in self.progress.values() if each.is_due]
        if not due or verdict.ek is None:
            return
        kept = json.dumps(bundle, sort_keys=True).encode()
        aks = {each.card.name: verdict.cards[each.card.name].ak.name.hex() for each in due}
        wanted = self.wanted
        source = "inventory" if wanted.ek else "first use"
        admission = Admission(
            wanted.host, verdict.ek.fingerprint, aks, kept, source, wanted.replace_ek, wanted.replace_aks
        )
        try:
            self.evidence = self._ledger.admit(admission)
        except HardboundError as error:
            for each in due:
                self._fail(each, error)
            return
        for progress in due:
            try:
                self._issue_card(progress)
            except HardboundError as error:
                self._fail(progress, error)

    def _issue_card(self, progress: Progress) -> None:
        progress.orders = [replace(order, evidence=self.evidence) for order in progress.orders]
        progress.issued = self._issuer.issue_all([order for order in progress.orders if not order.outside])
        if progress.issued[0].certificate.activated_at:
            self._run_errands(progress)
        self._challenge(progress)

    def _run_errands(self, progress: Progress) -> bool:
        """Asks another CA; tells whether there is something new for the card.

        The AK's certificate was answered for by now: a TPM was shown to hold the AK, and so to speak of the keys.
        """
        before = len(progress.issued)
        progress.waiting = []
        for order in progress.orders:
            if self._outside is not None and order.outside and order.place.slot in progress.reasons:
                try:
                    issued = self._outside.run(order, progress.errands.pop(order.place.slot, None))
                except HardboundError as error:
                    self._fail(progress, error)
                    continue
                if issued is None:
                    self._wait(progress, order.place)
                else:
                    progress.issued.append(issued)
        return len(progress.issued) > before

    def _challenge(self, progress: Progress) -> None:
        """Seals what was issued for the card, if it lacks any of it, so that its TPM alone can open it."""
        host, name, verified, ek = self.wanted.host, progress.card.name, progress.verified, progress.ek
        lacks = any(each.certificate.label in progress.reasons for each in progress.issued)
        if verified is None or ek is None or not lacks:
            return
        report = Report(name)
        for issued in progress.issued:
            certificate = issued.certificate
            if certificate.kind == SSH_USER:
                check_ssh_certificate(certificate.body, verified.keys[certificate.slot], report)
            elif certificate.slot:
                check_certificate(certificate.body, verified.keys[certificate.slot], report)
            else:
                self._check_ak_certificate(certificate, verified, report)
        if report.findings:
            self._refuse_card(progress, report)
            return
        certificates = [each.certificate for each in progress.issued if each.certificate.kind != SSH_USER]
        bodies = {each.slot: each.body for each in certificates}
        payload = Payload({slot: body for slot, body in bodies.items() if slot}, bodies[""])
        now = self._ledger.now()
        progress.challenge = self._ledger.open_challenge(host, name).id
        progress.answered = False
        progress.pending = Pending(ek.public, verified.ak, host, name, payload.encode(), now)

    def _check_ak_certificate(self, certificate: Certificate, verified: VerifiedCard, report: Report) -> None:
        """It may be that of an earlier enrolment, and is looked at as if it came from elsewhere."""
        ours = Trust.of(parse_certificates(self._issuer.certificate), "our CA")
        revoked = self._ledger.find(certificate.serial).revoked_at is not None
        check_ak_certificate(certificate.body, verified.ak, ours, lambda serial: revoked, self._ledger.now(), report)

    # ------------------------------------------------------------ second visit

    def challenges(self) -> t.List[Document]:
        """Returns what the host has yet to open; nothing if no further visit is needed."""
        waiting = (each.pending for each in self.progress.values() if not each.answered)
        return [pending.challenge.document() for pending in waiting if pending is not None]

    def accept(self, answer: t.Mapping[str, t.Any]) -> None:
        """Records what the host has proved to hold.

        :param answer: the result of ``smartcard_activate``
        :raises StateError: if the ledger does not allow it
        """
        given = {each.get("name"): each for each in _objects(answer.get("cards"))}
        for name, progress in self.progress.items():
            if progress.pending is not None and not progress.answered:
                progress.answered = True
                try:
                    self._accept_card(progress, progress.pending, given.get(name, {}))
                except HardboundError as error:
                    self._fail(progress, error)

    def give_up(self, refused: Refused) -> None:
        """Notes that the host opened no challenge. What was told of new cards is still told."""
        for name, progress in self.progress.items():
            if progress.pending is not None and not progress.answered:
                progress.answered = True
                progress.refused.append(replace(refused, card=name))

    def _accept_card(self, progress: Progress, pending: Pending, given: t.Mapping[str, t.Any]) -> None:
        host, name = self.wanted.host, progress.card.name
        self._ledger.spend_challenge(progress.challenge, host, name)
        report = Report(name)
        if pending.accept(host, name, _octets(given.get("answer")), self._ledger.now(), report):
            replaced = self._ledger.activate(*(each.certificate.serial for each in progress.issued))
            self.warnings += [revoke_elsewhere(each) for each in replaced if each.kind == OUTSIDE]
            if progress.errands and self._run_errands(progress):
                self._challenge(progress)
            return
        failure = given.get("failure")
        self._refuse_card(
            progress, report, f" The host says: {failure}" if isinstance(failure, str) and failure else ""
        )

    def _refuse_card(self, progress: Progress, report: Report, more: str = "") -> None:
        for finding in report.findings:
            place = Place(self.wanted.host, progress.card.name)
            self._ledger.record(EventKind.REFUSED, place, finding.code.name, detail=finding.sentence)
            refused = Refused.of_finding(finding)
            progress.refused.append(replace(refused, sentence=refused.sentence + more))

    def _fail(self, progress: Progress, error: HardboundError) -> None:
        progress.refused.append(Refused.of_error(error, progress.card.name))

    # ------------------------------------------------------------ what came of it

    @property
    def refused(self) -> t.List[Refused]:
        """Returns every refusal once."""
        found = [each for progress in self.progress.values() for each in progress.refused]
        return list(dict.fromkeys(found))

    @property
    def status(self) -> Status:
        """The host's: the first in the order of :class:`Status` that one of its cards has."""
        found = {progress.status for progress in self.progress.values()}
        return next((status for status in Status if status in found), Status.UNCHANGED)

    @property
    def changed(self) -> bool:
        """Whether anything was done, or in check mode would be."""
        return any(each.adjusted or self._is_changed(each) for each in self.progress.values())

    def _is_changed(self, progress: Progress) -> bool:
        if self._check:
            return progress.is_due
        return bool(progress.issued)

    def cards(self) -> t.List[Document]:
        """Returns what a task returns of each card."""
        return [each.document(list(self._kept(each))) for each in self.progress.values()]

    def _kept(self, progress: Progress) -> t.Iterator[Issued]:
        """Certificates that the card has and keeps, where nothing was issued for it."""
        if progress.issued:
            return
        for order in progress.orders:
            keeps = order.label in progress.idle or not progress.reasons
            kept = self._issuer.current(order) if order.place.slot and keeps else None
            if kept is not None:
                yield Issued(kept, Outcome.KEPT)

    def before(self) -> Document:
        """Returns certificates as a diff shows them."""
        return {name: progress.lines_before() for name, progress in self.progress.items()}

    def after(self) -> Document:
        return {name: progress.lines_after() for name, progress in self.progress.items()}


def _is_live(certificate: Certificate, at: int) -> bool:
    return not certificate.revoked_at and certificate.not_after > at


# What a host says may be anything.


def _objects(value: t.Any) -> t.List[t.Dict[str, t.Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _held(answer: t.Mapping[str, t.Any]) -> t.Dict[str, t.Dict[str, t.Any]]:
    return {str(each.get("name")): each for each in _objects(answer.get("cards"))}


def _shown(evidence: t.Any) -> t.Dict[str, t.Set[str]]:
    """Returns the slots that the evidence shows of each card."""
    cards = _objects(evidence.get("cards")) if isinstance(evidence, dict) else []
    return {str(card.get("name")): {str(key.get("slot")) for key in _objects(card.get("keys"))} for card in cards}


def _held_digest(held: t.Mapping[str, t.Any], slot: str) -> t.Any:
    if not slot:
        return held.get("ak_certificate")
    certificates = held.get("certificates")
    return certificates.get(f"{slot_number(slot):02X}") if isinstance(certificates, dict) else None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _octets(value: t.Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (ValueError, binascii.Error):
        return b""
