# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PIN/UV auth protocols: how a client and a card share a secret, and what they do with it. Clauses 6.5.6, 6.5.7."""

from __future__ import annotations

import abc
import hashlib
import hmac
import os
import typing as t

from ..._cryptography import HKDF, Cipher, algorithms, ec, hashes, modes
from .cose import CoseKey, agreement_key, read_agreement_key
from .parameters import CtapParameters
from .reference import CtapStatus
from .refused import CtapRefused, refuse_unless

_BLOCK = 16
_HALF = 32
"""Bytes of each of the two keys that protocol 2 makes of the shared secret."""


class PinProtocol(abc.ABC):
    """One of the two. It has a key pair, whose public half clients get."""

    number: int

    def __init__(self) -> None:
        self.regenerate()

    def regenerate(self) -> None:
        """Has another key pair from now on: what was encrypted for the last one is worth nothing."""
        self._private = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> CoseKey:
        return agreement_key(self._private.public_key())

    def shared_secret(self, client: CtapParameters) -> bytes:
        """:raises CtapRefused: if the client's key is none"""
        return self._derive(self._private.exchange(ec.ECDH(), read_agreement_key(client)))

    @abc.abstractmethod
    def _derive(self, z: bytes) -> bytes: ...

    @abc.abstractmethod
    def encrypt(self, key: bytes, plain: bytes) -> bytes: ...

    @abc.abstractmethod
    def decrypt(self, key: bytes, encrypted: bytes) -> bytes:
        """:raises CtapRefused: for what can't have been encrypted so"""

    @abc.abstractmethod
    def _mac(self, key: bytes, message: bytes) -> bytes: ...

    def is_authentic(self, key: bytes, message: bytes, mac: bytes) -> bool:
        """:param key: a shared secret, or a token"""
        return hmac.compare_digest(self._mac(key, message), mac)


def _cbc(key: bytes, start: bytes) -> t.Any:
    return Cipher(algorithms.AES(key), modes.CBC(start))


def _encrypt(key: bytes, start: bytes, plain: bytes) -> bytes:
    encryptor = _cbc(key, start).encryptor()
    encrypted: bytes = encryptor.update(plain) + encryptor.finalize()
    return encrypted


def _decrypt(key: bytes, start: bytes, encrypted: bytes) -> bytes:
    refuse_unless(encrypted and not len(encrypted) % _BLOCK, CtapStatus.INVALID_PARAMETER)
    decryptor = _cbc(key, start).decryptor()
    plain: bytes = decryptor.update(encrypted) + decryptor.finalize()
    return plain


class PinProtocolOne(PinProtocol):
    number = 1

    def _derive(self, z: bytes) -> bytes:
        return hashlib.sha256(z).digest()

    def encrypt(self, key: bytes, plain: bytes) -> bytes:
        return _encrypt(key, bytes(_BLOCK), plain)

    def decrypt(self, key: bytes, encrypted: bytes) -> bytes:
        return _decrypt(key, bytes(_BLOCK), encrypted)

    def _mac(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, "sha256")[:16]


class PinProtocolTwo(PinProtocol):
    number = 2

    def _derive(self, z: bytes) -> bytes:
        labels = (b"CTAP2 HMAC key", b"CTAP2 AES key")
        return b"".join(HKDF(hashes.SHA256(), _HALF, bytes(_HALF), label).derive(z) for label in labels)

    def encrypt(self, key: bytes, plain: bytes) -> bytes:
        start = os.urandom(_BLOCK)
        return start + _encrypt(key[_HALF:], start, plain)

    def decrypt(self, key: bytes, encrypted: bytes) -> bytes:
        return _decrypt(key[_HALF:], encrypted[:_BLOCK].ljust(_BLOCK, b"\0"), encrypted[_BLOCK:])

    def _mac(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key[:_HALF], message, "sha256")


class PinProtocols:
    """Both, each with its key pair."""

    def __init__(self) -> None:
        self._protocols = {each.number: each for each in (PinProtocolTwo(), PinProtocolOne())}

    @property
    def numbers(self) -> t.List[int]:
        """The one that is to be preferred first."""
        return list(self._protocols)

    def of(self, number: t.Optional[int]) -> PinProtocol:
        """:raises CtapRefused: if there is none of this number"""
        if number is None:
            raise CtapRefused(CtapStatus.MISSING_PARAMETER)
        if number not in self._protocols:
            raise CtapRefused(CtapStatus.INVALID_PARAMETER)
        return self._protocols[number]
