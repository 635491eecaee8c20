# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""authValues from what people know, and the small hash that tells two of them apart.

cryptography is imported on use: a run that finds a card as it should be does not need it.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import os
import typing as t

from .errors import NotOffered

AUTH_SIZE = 32
_NONCE_SIZE = 8
_BOX_NONCE_SIZE = 12
_PIN_HASH_SIZE = 16
"""Bytes of LEFT(SHA-256(PIN), 16), all that a CTAP client sends of a PIN: CTAP 2.1, clause 6.5.5.7.2."""


class Derivation(enum.IntEnum):
    """How the authValue of a PIN or PUK is made. A card's file says which its PIN has, and which its PUK."""

    SECRET = 1
    """From the secret itself: store versions 1 and 2."""
    HASH = 2
    """From the first half of its SHA-256, so that a client that sends this alone can be let in too."""


NEWEST = Derivation.HASH
"""What a secret gets when it is set."""


class PinHash(bytes):
    """LEFT(SHA-256(PIN), 16), given in the place of a PIN by a client that sends no more of it."""

    @classmethod
    def of(cls, pin: bytes) -> PinHash:
        return cls(hashlib.sha256(pin).digest()[:_PIN_HASH_SIZE])


def derivations_of(secret: bytes) -> t.Sequence[Derivation]:
    """Returns those by which an authValue can be made of it."""
    return (Derivation.HASH,) if isinstance(secret, PinHash) else tuple(Derivation)


def secret_auth(secret: bytes, salt: bytes, purpose: str, derivation: Derivation) -> bytes:
    """Returns the authValue of a PIN or PUK.

    :raises NotOffered: for the hash of a PIN, where the PIN itself is needed
    """
    if derivation not in derivations_of(secret):
        raise NotOffered("The PIN was set by an older release: change it, then programs may send its hash.")
    if derivation is Derivation.SECRET:
        return auth_value(secret, salt, purpose)
    return hash_auth(secret if isinstance(secret, PinHash) else PinHash.of(secret), salt, purpose)


def hash_auth(pin_hash: bytes, salt: bytes, purpose: str) -> bytes:
    """Returns the same where only LEFT(SHA-256(PIN), 16) is known."""
    return auth_value(pin_hash, salt, purpose + " hash")


def auth_value(secret: bytes, salt: bytes, purpose: str) -> bytes:
    """Returns a 32-byte authValue: HKDF-SHA-256, RFC 5869.

    The last byte is never zero: the TPM strips trailing zeros (TPM 2.0 part 1, clause 17.6.4.3).

    :param purpose: keeps the authValues of one card apart, e.g. ``pin``
    """
    # HKDF of cryptography gives the same in five times as long, three times for each passkey that is made.
    extracted = hmac.digest(salt, secret, "sha256")
    derived = hmac.digest(extracted, b"hardbound card " + purpose.encode() + b"\x01", "sha256")
    return derived[:-1] + bytes([derived[-1] | 1])


def forgotten() -> bytes:
    """Returns a random authValue that nobody keeps."""
    return os.urandom(AUTH_SIZE - 1) + b"\x01"


def masked(value: bytes, mask: bytes) -> bytes:
    """Returns the exclusive or of two values of one length; done twice it undoes itself."""
    return bytes(left ^ right for left, right in zip(value, mask))


def telltale(nonce: bytes, auth: bytes) -> int:
    """Returns one bit of the hash of an authValue."""
    return hashlib.sha256(nonce + auth).digest()[0] & 1


def separating_nonce(new: bytes, old: t.Iterable[bytes] = ()) -> bytes:
    """Returns a nonce under which the telltale of the new authValue differs from those of all others."""
    others = [auth for auth in old if auth != new]
    while True:
        nonce = os.urandom(_NONCE_SIZE)
        if all(telltale(nonce, auth) != telltale(nonce, new) for auth in others):
            return nonce


def box(secret: bytes, label: bytes, value: bytes) -> bytes:
    """Returns data encrypted with AES-256-GCM, its nonce in front.

    :param secret: what only those have who may read it
    :param label: what the data is; under another label it does not open
    """
    from .._cryptography import AESGCM

    nonce = os.urandom(_BOX_NONCE_SIZE)
    return nonce + AESGCM(auth_value(secret, label, "object")).encrypt(nonce, value, label)


def unbox(secret: bytes, label: bytes, boxed: bytes) -> bytes:
    """Returns what :func:`box` has encrypted.

    :raises ValueError: if it is damaged, or another's
    """
    from .._cryptography import AESGCM, InvalidTag

    nonce, encrypted = boxed[:_BOX_NONCE_SIZE], boxed[_BOX_NONCE_SIZE:]
    try:
        return AESGCM(auth_value(secret, label, "object")).decrypt(nonce, encrypted, label)
    except InvalidTag:
        raise ValueError("the object is damaged, or another card's") from None
