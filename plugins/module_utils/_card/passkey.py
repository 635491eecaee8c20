# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passkeys: what a card keeps of each, and what of it travels in a credential id.

A discoverable passkey is in the card's record. Of any other the card keeps nothing: its credential id is itself,
encrypted. In both, the keys are a TPM's blobs, which ask for the PIN.
"""

from __future__ import annotations

import enum
import hashlib
import typing as t
from dataclasses import dataclass, field, replace

from .._encoding.blob import Blob
from .._encoding.key_algorithm import KeyAlgorithm
from .._encoding.wire import LARGEST_STRUCTURE, Reader, sized, unsized
from .._errors import InputError

ALGORITHMS = (KeyAlgorithm.ECC_P256, KeyAlgorithm.ECC_P384, KeyAlgorithm.RSA_2048)
"""Those of which a wrapped passkey fits into a credential id; WebAuthn Level 2, section 4, allows 1023 bytes."""
LONGEST_PARTY = 253
"""Bytes of a relying party id: a domain."""
_FORMAT = 1
_HMAC_SECRET, _LARGE_BLOB = 1, 2


class Protection(enum.IntEnum):
    """credProtect: CTAP 2.1, clause 12.1."""

    OPTIONAL = 1
    OPTIONAL_WITH_LIST = 2
    REQUIRED = 3


class PasskeyPresence(str, enum.Enum):
    """What tells that somebody is there."""

    PIN = "pin"
    """That the PIN was verified for this request."""
    ASK = "ask"
    """Beside the PIN, a dialog in the session of the card's owner at the seat."""


class PasskeyAttestation(str, enum.Enum):
    """Who attests a new passkey, where no relying parties are named that alone shall see the attestation key."""

    TPM = "tpm"
    """The TPM, by the card's attestation key, once that is certified."""
    SELF = "self"
    """The passkey itself."""


def parse_parties(names: t.Sequence[str], field_name: str) -> t.Tuple[str, ...]:
    """Returns relying party ids, each once, as they are compared.

    :raises InputError: for what is no domain: WebAuthn Level 2, section 5.1.2
    """
    for name in names:
        if not is_party(name) or "/" in name or name != name.lower():
            remedy = "write relying party ids as corp.example, without scheme, port or path"
            raise InputError(field_name, f"holds {name!r}", remedy)
    return tuple(dict.fromkeys(names))


def is_party(name: str) -> bool:
    """Whether something can be a relying party id: a domain, or what else programs name so, such as ``ssh:``."""
    return 1 <= len(name.encode()) <= LONGEST_PARTY and name.isprintable() and " " not in name


@dataclass(frozen=True)
class PasskeyUser:
    """Whom a passkey is for, as its relying party says. The identifier has 1 to 64 bytes."""

    identifier: bytes
    name: str = ""
    display_name: str = ""


@dataclass(frozen=True)
class WantedPasskey:
    """What a relying party asks for.

    :param rp: relying party id
    :param blob: credBlob, for a discoverable one
    """

    rp: str
    user: PasskeyUser
    algorithm: KeyAlgorithm = KeyAlgorithm.ECC_P256
    discoverable: bool = False
    protection: Protection = Protection.OPTIONAL
    hmac_secret: bool = False
    large_blob: bool = False
    blob: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Passkey:
    """:param identifier: the credential id; empty until it is known
    :param rp: relying party id
    :param secret: an HMAC key, if the passkey was asked to give secrets
    :param user: None for one that is not discoverable
    :param made_at: seconds since 1970; 0 for one that is not discoverable
    :param blob: credBlob, encrypted for whoever has the PIN
    """

    identifier: bytes
    rp: str
    algorithm: KeyAlgorithm
    protection: Protection
    key: Blob
    secret: t.Optional[Blob] = None
    hmac_secret: bool = False
    large_blob: bool = False
    user: t.Optional[PasskeyUser] = None
    made_at: int = 0
    blob: bytes = b""

    @property
    def public_area(self) -> bytes:
        """TPMT_PUBLIC."""
        return unsized(self.key.public, "TPM2B_PUBLIC")

    @property
    def size(self) -> int:
        """Bytes that it takes of the card's room."""
        secret = self.secret or Blob(b"", b"")
        blobs = len(self.key.private) + len(self.key.public) + len(secret.private) + len(secret.public)
        user = self.user or PasskeyUser(b"")
        names = len(user.identifier) + len((self.rp + user.name + user.display_name).encode())
        return blobs + names + len(self.blob) + len(self.identifier)

    def packed(self) -> bytes:
        """Returns what a credential id holds, before it is encrypted. The relying party is in the label."""
        flags = (_HMAC_SECRET if self.hmac_secret else 0) | (_LARGE_BLOB if self.large_blob else 0)
        head = bytes((_FORMAT, ALGORITHMS.index(self.algorithm), self.protection, flags))
        blobs = (self.key, *((self.secret,) if self.secret else ()))
        return head + b"".join(sized(part) for blob in blobs for part in (blob.private, blob.public))

    @classmethod
    def unpacked(cls, data: bytes, identifier: bytes, rp: str) -> Passkey:
        """:raises ValueError: if it is none, or of a newer release"""
        reader = Reader(data, "credential id")
        if reader.u8() != _FORMAT:
            raise reader.fault("is of another release")
        algorithm, protection, flags = ALGORITHMS[reader.u8()], Protection(reader.u8()), reader.u8()
        key = _read_blob(reader)
        secret = _read_blob(reader) if flags else None
        reader.end()
        given = bool(flags & _HMAC_SECRET), bool(flags & _LARGE_BLOB)
        return cls(identifier, rp, algorithm, protection, key, secret, *given)


def _read_blob(reader: Reader) -> Blob:
    private, public = (reader.sized(field, LARGEST_STRUCTURE) for field in ("private", "public"))
    return Blob(private, public)


@dataclass(frozen=True)
class PasskeyStore:
    """What a card keeps of its passkeys.

    :param wrapping: the HMAC key of the TPM from which the key of credential ids is made; made anew, it ends them all
    :param large_blobs: the serialised large blob array of CTAP 2.1, clause 6.10.2
    :param pin_length_readers: relying parties that may know how long a PIN has to be
    """

    wrapping: Blob
    passkeys: t.Tuple[Passkey, ...] = ()
    large_blobs: bytes = b""
    pin_length_readers: t.Tuple[str, ...] = ()

    def find(self, identifier: bytes) -> t.Optional[Passkey]:
        return next((each for each in self.passkeys if each.identifier == identifier), None)

    def with_passkey(self, passkey: Passkey) -> PasskeyStore:
        """A user has one at a relying party: a new one takes the last one's place (CTAP 2.1, clause 6.1.2)."""
        return replace(self, passkeys=(*(each for each in self.passkeys if not _same_place(each, passkey)), passkey))

    def without(self, identifier: bytes) -> PasskeyStore:
        return replace(self, passkeys=tuple(each for each in self.passkeys if each.identifier != identifier))

    @property
    def sizes(self) -> t.Tuple[int, ...]:
        """Bytes that each thing in it takes of the card's room."""
        blobs = (len(self.large_blobs),) if self.large_blobs else ()
        return (*(each.size for each in self.passkeys), *blobs)


def _same_place(left: Passkey, right: Passkey) -> bool:
    owners = [each.user.identifier if each.user else None for each in (left, right)]
    return left.rp == right.rp and owners[0] == owners[1]


def rp_hash(rp: str) -> bytes:
    """Returns what authenticator data says in the place of a relying party's id."""
    return hashlib.sha256(rp.encode()).digest()
