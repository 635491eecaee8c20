# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Issuing: one certificate for one host's card's key under one profile, however often one asks."""

from __future__ import annotations

import enum
import functools
import hashlib
import typing as t
from dataclasses import dataclass, replace
from datetime import datetime

from ...module_utils._cryptography import serialization, x509
from ...module_utils._errors import InputError
from .._ledger import clock, record
from .._ledger.database import Connection
from .._ledger.ledger import Ledger
from .._ledger.record import CertificatePlace, EventKind, IssuedCertificate, RevocationReason
from .._ledger.refusal import Refusal, RefusalCode
from . import ssh
from .authority import SERIAL_SIZE, Authority
from .certificate import PublicKey, Validity, build, load_public_key
from .identity import Identity
from .oid import EK_FROM_INVENTORY, Assurance
from .profile import CertificateKind, Profile
from .safe import Safe
from .signer import Signer
from .tpm_name import TpmName

SERIAL_DIGITS = 2 * SERIAL_SIZE


class Outcome(str, enum.Enum):
    """What issuing came to."""

    ISSUED = "issued"
    RENEWED = "renewed"
    KEPT = "kept"


@dataclass(frozen=True)
class Order:
    """A certificate that is wanted.

    :param place: host and card by their inventory names, and the card's slot
    :param identity: from inventory
    :param public_key: SubjectPublicKeyInfo of the key that was attested, in DER
    :param assurance: what the verifier established about the key
    :param external: name of the other CA that issues it; empty: this one
    :param tpm: what the certificate of an attestation key calls its TPM; None for every other
    :param uncertified_ek: whether the inventory alone says which TPM it is
    """

    place: CertificatePlace
    profile: Profile
    identity: Identity
    public_key: bytes
    assurance: Assurance
    external: str = ""
    tpm: t.Optional[TpmName] = None
    uncertified_ek: bool = False

    @property
    def label(self) -> str:
        """As :attr:`IssuedCertificate.label`."""
        return record.label(self.place.slot, self.profile.name, self.profile.kind is CertificateKind.SSH_USER)

    @property
    def stated(self) -> Profile:
        """The profile, with what its certificate has to say of the EK."""
        policies = dict.fromkeys((*self.profile.policies, *([EK_FROM_INVENTORY] if self.uncertified_ek else ())))
        return replace(self.profile, policies=tuple(policies))

    @functools.cached_property
    def key(self) -> str:
        """SHA-256 of the public key, in hex."""
        return hashlib.sha256(self.public_key).hexdigest()

    @functools.cached_property
    def content(self) -> str:
        """Digest that changes when the profile, the identity, the TPM's name, or who issues does."""
        more = [self.external] if self.external else []
        more += [self.tpm.canonical()] if self.tpm else []
        more += [EK_FROM_INVENTORY] if self.uncertified_ek else []
        return record.digest(self.profile.canonical(), self.identity.canonical(), self.assurance.value, *more)


@dataclass(frozen=True)
class Issued:
    """A certificate, and what was done for it.

    :param reason: why it was issued or renewed, in words; empty where it was kept
    """

    certificate: IssuedCertificate
    outcome: Outcome
    reason: str = ""

    @property
    def changed(self) -> bool:
        return self.outcome is not Outcome.KEPT


class Preview(t.NamedTuple):
    """What issuing would come to.

    :param reason: as of :class:`Issued`
    :param current: the newest certificate for the order, valid or not
    """

    outcome: Outcome
    reason: str
    current: t.Optional[IssuedCertificate]


@dataclass(frozen=True)
class Made:
    """A certificate before the ledger knows it: what :class:`IssuedCertificate` says, beside the order."""

    serial: str
    number: str
    body: bytes
    validity: Validity
    kind: str


class Issuer:
    """Signs what the ledger says is due."""

    def __init__(self, authority: Authority, ledger: Ledger) -> None:
        self._authority = authority
        self._ledger = ledger

    @property
    def certificate(self) -> bytes:
        """The certificate of the CA that signs, in DER."""
        return self._authority.certificate.public_bytes(serialization.Encoding.DER)

    def evidence_signer(self) -> Signer:
        """Returns the key that signs evidence."""
        return self._authority.evidence_signer()

    def preview(self, order: Order) -> Preview:
        """Returns what :meth:`issue` would do, and why. Changes nothing.

        :raises InputError: the identity lacks a name that the profile needs
        :raises Refusal: the CA does not certify this key
        """
        self._check(order)
        current = self._ledger.reading(lambda connection: self._current(connection, order))
        return Preview(*_decide(current, order, self._now), current)

    def kept(self, order: Order) -> t.Optional[Issued]:
        """Returns the certificate that serves an order as it is, None if there has to be another.

        :raises Refusal: the CA does not certify this key
        """
        kept = self._ledger.reading(lambda connection: self._kept(connection, order))
        return self._open(kept) if kept else None

    def issue(self, order: Order) -> Issued:
        """Returns the valid certificate for one order; see :meth:`issue_all`."""
        return self.issue_all([order])[0]

    def issue_all(self, orders: t.Sequence[Order]) -> t.List[Issued]:
        """Returns a valid certificate for each of a host's orders, in one transaction: all or none.

        A certificate is left alone until two thirds of its lifetime are over or its content changes.
        Processes that ask for the same at once get the same certificate.

        :raises InputError: an identity lacks a name that its profile needs
        :raises Refusal: the CA does not certify one of the keys; the refusal is recorded
        :raises StateError: ledger, passphrase or clock don't allow it
        """
        try:
            for order in orders:
                self._check(order)
            found = self._ledger.reading(lambda connection: [self._kept(connection, order) for order in orders])
            kept = [each for each in found if each is not None]
            if len(kept) < len(orders):
                kept = self._ledger.writing(lambda connection: [self._issue(connection, order) for order in orders])
            return [self._open(each) for each in kept]
        except Refusal as refusal:
            self._ledger.record(EventKind.REFUSED, _common_place(orders), refusal.code.name, detail=str(refusal))
            raise

    def take(self, order: Order, answer: x509.Certificate) -> Issued:
        """Records the certificate of another CA, which :meth:`CertificateRequest.accept` has accepted.

        Who comes second keeps what is there, as in :meth:`issue_all`.

        :raises Refusal: the key may not be certified
        :raises StateError: the ledger does not allow it
        """
        self._check(order)
        serial, number = self.serial_elsewhere(answer), f"{answer.serial_number:x}"
        closed = self._authority.safe().close(serial, answer.public_bytes(serialization.Encoding.DER))
        made = Made(serial, number, closed, Validity(*clock.validity(answer)), record.EXTERNAL)
        return self._open(self._ledger.writing(lambda connection: self._issue(connection, order, lambda: made)))

    @staticmethod
    def serial_elsewhere(certificate: x509.Certificate) -> str:
        """Returns what stands for another CA's certificate in the ledger: two CAs may give the same number."""
        issuer = certificate.issuer.public_bytes().hex()
        return record.digest(issuer, f"{certificate.serial_number:x}")[:SERIAL_DIGITS]

    def safe(self) -> Safe:
        """Returns what closes and opens certificates that nobody has answered for."""
        return self._authority.safe()

    def opened(self, certificate: IssuedCertificate) -> IssuedCertificate:
        """Returns a certificate of the ledger with its body in the clear; empty, if an older release had it open.

        :raises StateError: the body was changed in the ledger
        """
        if not certificate.is_closed or not certificate.body:
            return certificate
        return replace(certificate, body=self._authority.safe().open(certificate.serial, certificate.body))

    def _open(self, issued: Issued) -> Issued:
        return replace(issued, certificate=self.opened(issued.certificate))

    @property
    def _now(self) -> datetime:
        return self._ledger.now()

    def check_names(self, profile: Profile, identity: Identity, field: str = "identity") -> None:
        """Looks at what can be judged before there is a key.

        :param field: where the identity stands in the task
        :raises InputError: the identity lacks a name that the profile needs
        :raises Refusal: a name lies outside the CA's domains
        :raises StateError: the clock does not allow it
        """
        self._authority.check_clock(self._now)
        profile.check(identity, field)
        if profile.crl_required and not self._authority.settings.crl_urls:
            raise InputError("crl_urls", f"is empty, and profile {profile.name} needs it", "set it with enrollment_ca")
        self._check_domains(identity)

    def _check(self, order: Order) -> None:
        profile = order.profile
        if order.external:
            profile.check(order.identity)
        else:
            self.check_names(profile, order.identity)
        if order.assurance.rank < profile.assurance.rank:
            raise Refusal(
                RefusalCode.ASSURANCE_TOO_LOW,
                f"profile {profile.name} needs a key that is {profile.assurance.name.lower()}, "
                f"and this one is {order.assurance.name.lower()}",
            )
        if order.uncertified_ek and not profile.uncertified_ek:
            raise Refusal(RefusalCode.ASSURANCE_TOO_LOW, f"profile {profile.name} needs an EK with a certificate")
        if profile.is_for_ak and order.tpm is None and not order.uncertified_ek:
            raise Refusal(
                RefusalCode.TPM_UNNAMED, f"profile {profile.name} names a TPM, and no EK certificate says which"
            )
        load_public_key(order.public_key)

    def _check_domains(self, identity: Identity) -> None:
        permitted = self._authority.permitted_domains
        for domain in identity.domains if permitted else ():
            if not any(domain == each or domain.endswith(f".{each}") for each in permitted):
                raise Refusal(
                    RefusalCode.DOMAIN_NOT_PERMITTED,
                    f"{domain} is outside the domains that the CA may certify, {', '.join(permitted)}",
                )

    def _current(self, connection: Connection, order: Order) -> t.Optional[IssuedCertificate]:
        """Returns the newest certificate for the order, after a look at what else the key was certified for.

        What nobody has answered for counts for nobody else, and not at all once it was withdrawn: whoever shows a key
        that is not his gets nowhere, and takes nothing from whom it belongs to.
        """
        certified = [each for each in self._certified(connection, order) if self._counts(each, order.place)]
        for other in certified:
            if (other.host, other.card) != (order.place.host, order.place.card):
                raise Refusal(
                    RefusalCode.KEY_SERVES_OTHER_CARD, f"the key belongs to card {other.card} of {other.host}"
                )
            if other.revoked_at and other.reason != RevocationReason.SUPERSEDED.value:
                raise Refusal(
                    RefusalCode.KEY_REVOKED, f"a certificate for this key was revoked ({other.reason}): make a new key"
                )
        return next((each for each in reversed(certified) if each.profile == order.profile.name), None)

    def _counts(self, certificate: IssuedCertificate, place: CertificatePlace) -> bool:
        """Whether a certificate says something about who may have its key."""
        own = (certificate.host, certificate.card) == (place.host, place.card)
        shared = own and not certificate.revoked_at and self._is_shared(certificate)
        return bool(certificate.activated_at) or shared

    def _is_shared(self, certificate: IssuedCertificate) -> bool:
        """Whether a run may take up what another has signed; what a run has left that was killed may go any time."""
        recent = certificate.issued_at + record.SHARED_SECONDS > clock.stamp(self._now)
        return recent and bool(certificate.body)

    def _certified(self, connection: Connection, order: Order) -> t.List[IssuedCertificate]:
        return self._ledger.of_key(connection, self._authority.identifier, order.key)

    def _next_generation(self, connection: Connection, order: Order) -> int:
        """Returns the number of the claim's next certificate; those that were withdrawn keep theirs."""
        claim = record.claim(self._authority.identifier, order.place, order.key, order.profile.name)
        taken = [each.generation for each in self._certified(connection, order) if each.claim == claim]
        return max(taken, default=0) + 1

    def _kept(self, connection: Connection, order: Order) -> t.Optional[Issued]:
        current = self._current(connection, order)
        outcome, _reason = _decide(current, order, self._now)
        return Issued(current, outcome) if current and outcome is Outcome.KEPT else None

    def _issue(self, connection: Connection, order: Order, make: t.Optional[t.Callable[[], Made]] = None) -> Issued:
        """:param make: how the certificate comes about; None: it is signed here"""
        current = self._current(connection, order)
        outcome, reason = _decide(current, order, self._now)
        if current and outcome is Outcome.KEPT:
            return Issued(current, outcome)
        made = make() if make else self._sign(order)
        certificate = self._entry(order, made, self._next_generation(connection, order))
        self._ledger.insert(connection, certificate)
        self._ledger.note(
            connection,
            EventKind.ISSUED,
            order.place,
            outcome.value,
            certificate.serial,
            f"{order.profile.name}: {reason}",
        )
        return Issued(certificate, outcome, reason)

    def _sign(self, order: Order) -> Made:
        validity = Validity.of(order.profile, self._now, self._authority.certificate)
        sign = self._sign_ssh if order.profile.kind is CertificateKind.SSH_USER else self._sign_x509
        serial, body = sign(order, load_public_key(order.public_key), validity)
        return Made(serial, serial, self._authority.safe().close(serial, body), validity, order.profile.kind.value)

    def _entry(self, order: Order, made: Made, generation: int) -> IssuedCertificate:
        authority = self._authority.identifier
        return IssuedCertificate(
            serial=made.serial,
            number=made.number,
            authority=authority,
            kind=made.kind,
            host=order.place.host,
            card=order.place.card,
            slot=order.place.slot,
            key=order.key,
            profile=order.profile.name,
            claim=record.claim(authority, order.place, order.key, order.profile.name),
            generation=generation,
            content=order.content,
            identity=order.identity.canonical(),
            assurance=order.assurance.name.lower(),
            evidence="",
            not_before=clock.stamp(made.validity.start),
            not_after=clock.stamp(made.validity.end),
            body=made.body,
            issued_at=clock.stamp(self._now),
        )

    def _sign_x509(self, order: Order, key: PublicKey, validity: Validity) -> t.Tuple[str, bytes]:
        signer, settings = self._authority.issuing(), self._authority.settings
        made = build(order.stated, order.identity, key, order.assurance, signer, settings, validity, order.tpm)
        return f"{made.serial_number:040x}", made.public_bytes(serialization.Encoding.DER)

    def _sign_ssh(self, order: Order, key: PublicKey, validity: Validity) -> t.Tuple[str, bytes]:
        serial = ssh.random_serial()
        principals = order.identity.ssh_principals
        made = ssh.UserCertificate(key, serial, order.identity.common_name, principals, validity.start, validity.end)
        return f"{serial:016x}", made.sign(self._authority.ssh_key())


def _common_place(orders: t.Sequence[Order]) -> CertificatePlace:
    """Returns the host of the orders, with the card if there is but one."""
    places = {CertificatePlace(order.place.host, order.place.card) for order in orders}
    return places.pop() if len(places) == 1 else CertificatePlace(orders[0].place.host)


def _decide(current: t.Optional[IssuedCertificate], order: Order, at: datetime) -> t.Tuple[Outcome, str]:
    """Whether the newest certificate serves, or why not."""
    if current is None:
        return Outcome.ISSUED, "none yet"
    if current.revoked_at:
        return Outcome.ISSUED, "the last one was replaced by another"
    if current.content != order.content:
        return Outcome.RENEWED, "profile or identity changed"
    if current.is_due(at):
        return Outcome.RENEWED, "two thirds of its lifetime are over"
    return Outcome.KEPT, ""
