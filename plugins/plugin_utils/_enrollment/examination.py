# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a host's first answer to what is due for each card, and why. Changes nothing but to record refusals."""

from __future__ import annotations

import hashlib
import typing as t

from ...module_utils._encoding.evidence import Document
from ...module_utils._errors import HardboundError
from .._attestation.bundle import verify_and_keep
from .._attestation.card import VerifiedCard
from .._attestation.ek import TrustPolicy
from .._attestation.online import Online
from .._attestation.request import CardRequest
from .._attestation.verifier import Verdict
from .._ca.issuer import Issuer, Order, Outcome, Preview
from .._ca.oid import Assurance
from .._ca.profile import CertificateKind
from .._ca.tpm_name import TpmName
from .._ledger import clock
from .._ledger.ledger import Ledger
from .._ledger.record import CertificatePlace, EventKind, IssuedCertificate
from .answers import FirstAnswer, HeldCard
from .errands import Errands
from .progress import Progress
from .refused import Refused
from .wanted import CardToEnroll, WantedHost


class Examination:
    """Judges what one host shows.

    :param policy: whom the verifier trusts
    :param online: where certificates of EKs are that lie in no TPM
    :param nonces: by card
    :param check: check mode: cards and keys that the host has yet to make are not demanded
    """

    def __init__(
        self,
        wanted: WantedHost,
        issuer: Issuer,
        ledger: Ledger,
        policy: TrustPolicy,
        online: Online,
        errands: Errands,
        nonces: t.Mapping[str, bytes],
        check: bool,
    ) -> None:
        self._wanted = wanted
        self._issuer = issuer
        self._ledger = ledger
        self._policy = policy
        self._online = online
        self._errands = errands
        self._nonces = nonces
        self._check = check

    def judge(self, answer: FirstAnswer, cards: t.Mapping[str, Progress]) -> t.Tuple[Verdict, Document]:
        """Notes for each card what is refused, what is due, and why; returns the verdict and the bundle to keep.

        :raises StateError: the ledger does not allow it
        """
        evidence = self._online.complete(answer.evidence)
        request = self._wanted.request(self._requests(answer))
        verdict, bundle = verify_and_keep(evidence, request, self._policy, self._ledger.known, self._ledger.now())
        self._refuse(verdict, cards)
        known = self._ledger.certificates(self._wanted.host)
        for name, verified in verdict.cards.items():
            if verdict.accepts(name):
                progress = cards[name]
                progress.ek, progress.verified = verdict.ek, verified
                self._compare(progress, verified, answer.card(name), known)
        if self._check:
            self._foresee(verdict, cards)
        return verdict, bundle

    def _requests(self, answer: FirstAnswer) -> t.Iterator[CardRequest]:
        for card in self._wanted.cards:
            shown = answer.shown.get(card.name)
            if not self._check:
                yield card.request(self._nonces[card.name], None if card.needs_keys else shown or frozenset())
            elif shown is not None:
                yield card.request(self._nonces[card.name], shown)

    def _refuse(self, verdict: Verdict, cards: t.Mapping[str, Progress]) -> None:
        for progress in cards.values():
            findings = [each for each in verdict.findings if each.card in ("", progress.card.name)]
            progress.refused += [Refused.of_finding(each) for each in findings]
        if self._check:
            return
        for finding in verdict.findings:
            place = CertificatePlace(self._wanted.host, finding.card)
            self._ledger.record(EventKind.REFUSED, place, finding.code.name, detail=finding.sentence)

    def _foresee(self, verdict: Verdict, cards: t.Mapping[str, Progress]) -> None:
        """Check mode: what will be issued for keys that are yet to be made."""
        for progress in cards.values():
            for key in progress.card.keys if not progress.refused else ():
                verified = verdict.cards.get(progress.card.name)
                if verified is None or key.slot not in verified.keys:
                    progress.reasons.update(dict.fromkeys(progress.labels(key), "the key is yet to be made"))
                    self._errands.foresee(progress, key)

    def _compare(
        self, progress: Progress, verified: VerifiedCard, held: HeldCard, known: t.Sequence[IssuedCertificate]
    ) -> None:
        tpm = progress.ek.tpm if progress.ek else None
        progress.orders = list(self._orders(progress.card, verified, tpm.name if tpm else None))
        at = clock.stamp(self._ledger.now())
        progress.before = {
            each.label: each
            for each in known
            if each.card == progress.card.name and _is_shown(each) and each.activated_at and _is_live(each, at)
        }
        try:
            for order in progress.orders:
                preview = self._issuer.preview(order)
                if preview.current is not None:
                    progress.current[order.label] = preview.current
                reason = _reason(preview, order, self._is_held(preview, order, held))
                if reason:
                    progress.reasons[order.label] = reason
            self._errands.plan(progress, held.signatures)
        except HardboundError as error:
            progress.fail(error)

    def _is_held(self, preview: Preview, order: Order, held: HeldCard) -> bool:
        """Whether the card says that it holds the newest certificate; for ATTEST it needs the signer's, too."""
        body = preview.current.body if preview.current else b""
        if order.profile.attests:
            return _digest(body + self._issuer.certificate) == held.attestation(order.place.slot)
        return _digest(body) == held.digest(order.place.slot)

    def _orders(self, card: CardToEnroll, verified: VerifiedCard, tpm: t.Optional[TpmName]) -> t.Iterator[Order]:
        ak = verified.ak.spki()
        place = CertificatePlace(self._wanted.host, card.name)
        bare = tpm is None
        profile, identity = self._wanted.ak_profile, self._wanted.ak_identity
        yield Order(place, profile, identity, ak, Assurance.RESTRICTED, tpm=tpm, uncertified_ek=bare)
        for slot, key in sorted(verified.keys.items()):
            place = CertificatePlace(self._wanted.host, card.name, slot)
            wanted = card.key(slot)
            external = self._errands.issuer_of(wanted)
            about = (card.identity, key.spki, key.assurance)
            if not wanted.profile.attests:
                yield Order(place, wanted.profile, *about, external=external, uncertified_ek=bare)
            if wanted.ssh_profile is not None:
                yield Order(place, wanted.ssh_profile, *about, uncertified_ek=bare)
            if card.attested:
                profile, identity = self._wanted.attestation_profile, self._wanted.attestation_identity(slot)
                yield Order(place, profile, identity, key.spki, key.assurance, uncertified_ek=bare)


def _reason(preview: Preview, order: Order, is_held: bool) -> str:
    """Returns why something is to be issued, or handed over once more; empty if nothing is."""
    certificate = preview.current
    if preview.outcome is not Outcome.KEPT:
        return preview.reason
    if certificate is None or not certificate.activated_at:
        return "the host has not answered for it yet"
    if order.profile.kind is CertificateKind.X509 and not is_held:
        return "the card does not hold it"
    return ""


def _is_shown(certificate: IssuedCertificate) -> bool:
    """Whether people are told of it: what goes with the AK's goes without saying."""
    return bool(certificate.slot) and not certificate.attests


def _is_live(certificate: IssuedCertificate, at: int) -> bool:
    return not certificate.revoked_at and certificate.not_after > at


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
