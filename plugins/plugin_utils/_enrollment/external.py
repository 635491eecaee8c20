# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that another CA certifies: the request that the card signs, and the certificate that comes back for it.

That CA is asked only once a TPM was shown to hold both the host's endorsement key and the card's attestation key.
Until then evidence could be of keys that no TPM holds, and what another CA has issued can't be kept from anybody.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._cryptography import serialization, x509
from ...module_utils._encoding.evidence import Document
from ...module_utils._encoding.fields import encoded
from ...module_utils._errors import StateError
from ...module_utils._files import locked
from .._ca import files
from .._ca.external_ca import ExternalCa
from .._ca.external_request import Asked, CertificateRequest, read_certificate
from .._ca.identity import Identity
from .._ca.issuer import Issued, Issuer, Order
from .._ca.signer import public_der
from .._ledger.ledger import Ledger
from .._ledger.record import CertificatePlace, EventKind
from .._ledger.refusal import Refusal
from .wanted import KeyToCertify


@dataclass(frozen=True)
class Errand:
    """A certificate that the other CA has to issue.

    :param signed: the request in DER; empty in check mode, where nobody has signed it yet
    :param is_new: whether the request has never left
    """

    request: CertificateRequest
    signed: bytes
    is_new: bool


class ExternalDesk:
    """Where requests go out and answers come in."""

    def __init__(self, ca: ExternalCa, issuer: Issuer, ledger: Ledger) -> None:
        self.ca = ca
        self._issuer = issuer
        self._ledger = ledger

    def question(self, place: CertificatePlace, key: KeyToCertify, identity: Identity) -> Document:
        """Returns what the host has its key sign, all of it from profile and inventory; the host adds the key."""
        asked = Asked.of(key.profile, identity, key.algorithm.is_rsa)
        return {
            "slot": key.slot,
            "subject": encoded(asked.subject),
            "attributes": encoded(asked.attributes),
            "needed": not self._is_kept(place, key, identity),
        }

    def _is_kept(self, place: CertificatePlace, key: KeyToCertify, identity: Identity) -> bool:
        """Whether such a request was signed before, by the key that the card had then."""
        kept = self.ca.kept_request(place)
        try:
            spki = public_der(x509.load_der_x509_csr(kept).public_key())
            return CertificateRequest(key.profile, identity, spki).is_met_by(kept)
        except (ValueError, Refusal):
            return False

    def errand(self, order: Order, signature: bytes, check: bool) -> Errand:
        """Returns what has to be done for an order that no certificate serves.

        :param signature: by the card over the request, if the host returned one
        :raises Refusal: ``REQUEST_UNSIGNED``
        """
        request = CertificateRequest(order.profile, order.identity, order.public_key)
        kept = self.ca.kept_request(order.place)
        if request.is_met_by(kept):
            return Errand(request, kept, False)
        if check:
            return Errand(request, b"", True)
        try:
            return Errand(request, request.signed(signature), True)
        except Refusal:
            if kept:  # It is of a key that the card does not have any more: the next run asks for a signature.
                self.ca.forget_request(order.place)
            raise

    def waits(self, order: Order, errand: Errand) -> bool:
        """Whether nothing can be done before somebody brings an answer.

        :raises Refusal: ``EXTERNAL_CERTIFICATE_WRONG``, if somebody has brought a wrong one
        """
        return not self.ca.command and (errand.is_new or self._answer(order, errand) is None)

    def run(self, order: Order, errand: t.Optional[Errand]) -> t.Optional[Issued]:
        """Hands the request out, and returns what came of it; None if the answer is yet to come.

        :param errand: None for an order that has its certificate, and the card lacks it

        :raises Refusal: the answer is wrong, or the command failed
        :raises StateError: folder or ledger don't allow it
        """
        if errand is None:
            return self._issuer.kept(order)
        path = self.ca.request_path(order.place)
        if errand.is_new:
            self.ca.forget_answer(order.place)  # It is to another request.
            self.ca.keep_request(order.place, errand.signed)
            self._ledger.record(EventKind.REQUESTED, order.place, detail=f"{order.profile.name} of {self.ca.name}")
        with files.explained(path), locked(str(path)):  # Of runs at the same time, one asks.
            kept = self._issuer.kept(order)
            if kept is not None:
                return kept
            answer = None if errand.is_new else self._answer(order, errand)
            if answer is None and self.ca.command:
                answer = self._ask(order, errand)
            return self._take(order, answer) if answer is not None else None

    def _take(self, order: Order, answer: x509.Certificate) -> Issued:
        issued = self._issuer.take(order, answer)
        self.ca.forget_closed(order.place)
        return issued

    def _ask(self, order: Order, errand: Errand) -> t.Optional[x509.Certificate]:
        given = self.ca.ask(errand.signed)
        if given is None:
            return None
        answer = self._accept(errand, given)
        closed = self._issuer.safe().close(_name(order.place), answer.public_bytes(serialization.Encoding.DER))
        self.ca.keep_closed(order.place, closed)  # If this run dies now, the next one finds it.
        return answer

    def _answer(self, order: Order, errand: Errand) -> t.Optional[x509.Certificate]:
        """Returns the answer that lies in the folder and was never used.

        :raises Refusal: it is wrong, and no command could bring another
        """
        try:
            found = self._closed_answer(order.place) or self.ca.found_answer(order.place)
            if not found:
                return None
            used = {each.serial for each in self._ledger.certificates(order.place.host, bodies=False)}
            is_used = self._issuer.serial_elsewhere(read_certificate(found)) in used
            return None if is_used else self._accept(errand, found)
        except Refusal:
            if self.ca.command:
                return None
            raise

    def _closed_answer(self, place: CertificatePlace) -> bytes:
        """Returns what a run that died had from the command; empty where somebody else has put it there."""
        closed = self.ca.closed_answer(place)
        try:
            return self._issuer.safe().open(_name(place), closed) if closed and self.ca.command else b""
        except StateError:
            return b""

    def _accept(self, errand: Errand, answer: bytes) -> x509.Certificate:
        return errand.request.accept(answer, self.ca.certificates, self._ledger.now())


def _name(place: CertificatePlace) -> str:
    return "\n".join((place.host, place.card, place.slot))
