# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""authValues from what people know, and the small hash that tells two of them apart.

cryptography is imported on use: a run that finds a card as it should be does not need it.
"""

from __future__ import annotations

import hashlib
import os
import typing as t

AUTH_SIZE = 32
_NONCE_SIZE = 8
_BOX_NONCE_SIZE = 12


def auth_value(secret: bytes, salt: bytes, purpose: str) -> bytes:
    """Returns a 32-byte authValue: HKDF-SHA-256, RFC 5869.

    The last byte is never zero: the TPM strips trailing zeros (TPM 2.0 part 1, clause 17.6.4.3).

    :param purpose: keeps the authValues of one card apart, e.g. ``pin``
    """
    from .._cryptography import HKDF, hashes

    derived = HKDF(hashes.SHA256(), AUTH_SIZE, salt, b"hardbound card " + purpose.encode()).derive(secret)
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


def separating_nonce(new: bytes, old: t.Optional[bytes]) -> bytes:
    """Returns a nonce under which the telltales of the two differ; any nonce if ``old`` is unknown or the same."""
    while True:
        nonce = os.urandom(_NONCE_SIZE)
        if old is None or old == new or telltale(nonce, old) != telltale(nonce, new):
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
