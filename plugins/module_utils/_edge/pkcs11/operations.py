# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private key at work: a signature or a decryption, from its beginning to its end."""

from __future__ import annotations

import hashlib
import typing as t

from ..._card.key import Key
from ..._encoding import rsa_padding
from ..._encoding.p11_kit import Mechanism
from ..._encoding.rsa_padding import PaddingError
from ..public_key import rsa_numbers
from .fault import CallRefused
from .mechanisms import Method, Padding, method_of, oaep, pss
from .reference import MechanismFlag, Rv
from .token import Token

_LONGEST_MESSAGE = 1 << 10
"""Bytes that are gathered of a message that the card does not hash itself."""


class _Hashed:
    """A message that is hashed as it comes."""

    def __init__(self, name: str) -> None:
        self._hash = hashlib.new(name)

    def add(self, data: bytes) -> None:
        self._hash.update(data)

    def take(self) -> bytes:
        return self._hash.digest()


class _Gathered:
    """A message that is taken as it is."""

    def __init__(self) -> None:
        self._data = bytearray()

    def add(self, data: bytes) -> None:
        if len(self._data) + len(data) > _LONGEST_MESSAGE:
            raise CallRefused(Rv.DATA_LEN_RANGE)
        self._data += data

    def take(self) -> bytes:
        return bytes(self._data)


class Signing:
    """A signature that was begun.

    :raises CallRefused: if the key or the mechanism can't do that
    """

    def __init__(self, token: Token, mechanism: Mechanism, key: Key) -> None:
        self._token = token
        self.key = key
        self._method = method_of(mechanism, MechanismFlag.SIGN)
        _check_type(key, self._method)
        self._pss = pss(mechanism, self._method) if self._method.padding is Padding.PSS else None
        self._message: t.Union[_Hashed, _Gathered]
        self._message = _Hashed(self._method.hash) if self._method.hash else _Gathered()

    @property
    def size(self) -> int:
        """Bytes of the signature."""
        return self.key.algorithm.size * (1 if self.key.algorithm.is_rsa else 2)

    def add(self, data: bytes) -> None:
        """:raises CallRefused: if the message gets too long"""
        self._message.add(data)

    def finish(self) -> bytes:
        """Returns the signature.

        :raises NotVerified, PinDue, CallRefused:
        """
        content = self._message.take()
        if not self.key.algorithm.is_rsa:
            return self._ecdsa(content)
        block = self._block(content)
        _check_block(self.key, block)
        self._token.take_turn(self.key)
        return self._token.card.rsa_private(self.key.slot, block)

    def _ecdsa(self, digest: bytes) -> bytes:
        """Returns r and s in a row: PKCS#11 2.40 (current mechanisms), clause 2.3.1."""
        if not digest:
            raise CallRefused(Rv.DATA_LEN_RANGE)
        self._token.take_turn(self.key)
        size = self.key.algorithm.size
        r, s = self._token.card.ecdsa(self.key.slot, digest)
        return r.rjust(size, b"\0") + s.rjust(size, b"\0")

    def _block(self, content: bytes) -> bytes:
        size = self.key.algorithm.size
        if self._method.padding is Padding.RAW:
            return _raw(content, size, Rv.DATA_LEN_RANGE)
        try:
            if self._pss is not None:
                return rsa_padding.pad_pss(content, size, *self._pss)
            if self._method.hash:
                content = rsa_padding.digest_info(self._method.hash, content)
            return rsa_padding.pad_pkcs1(content, size)
        except PaddingError:
            raise CallRefused(Rv.DATA_LEN_RANGE) from None


class Decrypting:
    """A decryption that was begun.

    :raises CallRefused: if the key or the mechanism can't do that
    """

    def __init__(self, token: Token, mechanism: Mechanism, key: Key) -> None:
        self._token = token
        self.key = key
        self._method = method_of(mechanism, MechanismFlag.DECRYPT)
        _check_type(key, self._method)
        self._oaep = oaep(mechanism) if self._method.padding is Padding.OAEP else None
        self._message: t.Optional[bytes] = None

    @property
    def size(self) -> int:
        """Bytes that a message has at most."""
        return self.key.algorithm.size

    def finish(self, data: bytes) -> bytes:
        """Returns the message. A program that has too little room for it asks again, and the key is not used again.

        :raises NotVerified, PinDue, CallRefused:
        """
        if self._message is None:
            block = _raw(data, self.size, Rv.ENCRYPTED_DATA_LEN_RANGE)
            _check_block(self.key, block, Rv.ENCRYPTED_DATA_INVALID)
            self._token.take_turn(self.key)
            self._message = self._unpadded(self._token.card.rsa_private(self.key.slot, block))
        return self._message

    def _unpadded(self, block: bytes) -> bytes:
        try:
            if self._oaep is not None:
                return rsa_padding.unpad_oaep(block, *self._oaep)
            return block if self._method.padding is Padding.RAW else rsa_padding.unpad_pkcs1(block)
        except PaddingError:
            raise CallRefused(Rv.ENCRYPTED_DATA_INVALID) from None


def _check_type(key: Key, method: Method) -> None:
    if key.algorithm.is_rsa is not method.is_rsa:
        raise CallRefused(Rv.KEY_TYPE_INCONSISTENT)


def _raw(data: bytes, size: int, otherwise: Rv) -> bytes:
    """Returns a block of the modulus' size; leading zeros may be left out."""
    if not 0 < len(data) <= size:
        raise CallRefused(otherwise)
    return data.rjust(size, b"\0")


def _check_block(key: Key, block: bytes, otherwise: Rv = Rv.DATA_INVALID) -> None:
    """:raises CallRefused: for a block that is not below the modulus, which no key can take"""
    modulus, _exponent = rsa_numbers(key)
    if block >= modulus:
        raise CallRefused(otherwise)
