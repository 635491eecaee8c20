# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of the ledger."""

from __future__ import annotations

import enum
import hashlib
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from . import clock

Row = t.Mapping[str, t.Any]

CHALLENGE_LIFETIME = timedelta(minutes=10)
"""How long a TPM has to open a challenge."""
SHARED_SECONDS = int(CHALLENGE_LIFETIME.total_seconds())
"""How long after it was signed another run may take up a certificate that nobody has answered for yet."""

SSH, SSH_USER = "ssh", "ssh_user"
KEY_ATTESTATION = "key_attestation"
"""The profile of certificates that say of a card's key that it was made in a TPM, for the command ATTEST."""
EXTERNAL = "external"
"""The kind of a certificate that another CA has issued. Only that CA can revoke it: no list of ours names it."""


class RevocationReason(str, enum.Enum):
    """Why a certificate was revoked, RFC 5280 section 5.3.1, as cryptography spells it."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"


class ChallengeState(str, enum.Enum):
    OPEN = "open"
    SPENT = "spent"


class EventKind(str, enum.Enum):
    """What was decided."""

    ISSUED = "issued"
    REQUESTED = "requested"
    ACTIVATED = "activated"
    REVOKED = "revoked"
    REVOKED_ELSEWHERE = "revoked_elsewhere"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    EK_PINNED = "ek_pinned"
    AK_PINNED = "ak_pinned"  # by the first version of the ledger
    ROOT_PINNED = "root_pinned"
    CARD_PINNED = "card_pinned"
    CARD_REPLACED = "card_replaced"
    REPLACEMENT_LAPSED = "replacement_lapsed"
    SEALED = "sealed"
    RELEASED = "released"
    CRL_SIGNED = "crl_signed"
    RECOVERY_KEPT = "recovery_kept"
    PIN_RECOVERY_BEGUN = "pin_recovery_begun"
    PIN_RECOVERED = "pin_recovered"


@dataclass(frozen=True)
class CertificatePlace:
    """Where a certificate belongs: a host by its inventory name, a card by its name, a slot of it."""

    host: str
    card: str = ""
    slot: str = ""


@dataclass(frozen=True)
class IssuedCertificate:
    """A certificate that was issued. Times are seconds since 1970.

    :param claim: digest of authority, host, card, key and profile: what holds one valid certificate
    :param generation: counts the certificates of a claim from 1
    :param content: digest of the profile's content and the identity, to tell when either changed
    :param evidence: SHA-256, in hex, of the bundle with the TPM's answer; empty until there is one
    :param serial: in hex; of another CA's, whose numbers may be anything, a digest that stands for issuer and number
    :param number: the serial number, in hex, that is in the certificate
    :param kind: ``x509``, ``ssh_user`` or :data:`EXTERNAL`
    :param body: DER, or an OpenSSH certificate's line; see :attr:`is_closed`
    """

    serial: str
    number: str
    authority: str
    kind: str
    host: str
    card: str
    slot: str
    key: str
    profile: str
    claim: str
    generation: int
    content: str
    identity: str
    assurance: str
    evidence: str
    not_before: int
    not_after: int
    body: bytes
    issued_at: int
    activated_at: t.Optional[int] = None
    revoked_at: t.Optional[int] = None
    reason: t.Optional[str] = None

    @classmethod
    def of(cls, row: Row) -> IssuedCertificate:
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})

    def row(self) -> t.Dict[str, t.Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def place(self) -> CertificatePlace:
        return CertificatePlace(self.host, self.card, self.slot)

    @property
    def label(self) -> str:
        """What the certificate is for, on its card; empty for the AK."""
        return label(self.slot, self.profile, self.kind == SSH_USER)

    @property
    def attests(self) -> bool:
        """Whether it says how the slot's key was made, beside the certificate that is in the slot."""
        return self.profile == KEY_ATTESTATION

    @property
    def is_closed(self) -> bool:
        """Whether its body lies in the ledger for the CA's eyes only: nobody has answered for the certificate."""
        return not self.activated_at

    def is_replaced_by(self, other: IssuedCertificate) -> bool:
        """Whether this one has to go once the other is on the card."""
        if self.serial == other.serial or self.attests != other.attests:
            return False
        changed = self.profile == other.profile and self.content != other.content
        return changed or self.key != other.key or self.identity != other.identity

    def is_due(self, at: datetime) -> bool:
        """Whether two thirds of its lifetime are over."""
        return clock.is_due(clock.moment(self.not_before), clock.moment(self.not_after), at)


def label(slot: str, profile: str, for_ssh: bool) -> str:
    """Returns what a certificate is for: the slot, OpenSSH with the slot's key, or to attest that key."""
    if profile == KEY_ATTESTATION:
        return f"{slot} attestation"
    return f"{slot} {SSH}" if for_ssh else slot


def claim(authority: str, place: CertificatePlace, key: str, profile: str) -> str:
    """Returns the digest that stands for a host's card's key under a profile."""
    return digest(authority, place.host, place.card, key, profile)


def digest(*parts: str) -> str:
    """Returns the SHA-256, in hex, of the parts; each is preceded by its length, so none can pose as two."""
    joined = b"".join(len(part.encode()).to_bytes(8, "big") + part.encode() for part in parts)
    return hashlib.sha256(joined).hexdigest()


@dataclass(frozen=True)
class Event:
    """A decision and its time, in seconds since 1970."""

    at: int
    kind: EventKind
    host: str
    card: str
    code: str
    serial: str
    detail: str

    @classmethod
    def of(cls, row: Row) -> Event:
        values = {name: row[name] for name in cls.__dataclass_fields__}
        return cls(**{**values, "kind": EventKind(values["kind"])})

    def row(self) -> t.Dict[str, t.Any]:
        return {**vars(self), "kind": self.kind.value}
