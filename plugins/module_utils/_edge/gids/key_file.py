# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Key files: each container's key has one. CREATE FILE, then GENERATE ASYMMETRIC KEY PAIR or PUT DATA, and DELETE FILE.

A file is created before its key, and kept in memory until then: what a program leaves half done is gone when the
service ends.
"""

from __future__ import annotations

import typing as t

from ..._card.edge import Edge
from ..._card.external_key import ExternalKey, RsaParts
from ..._card.key import FIRST_CONTAINER
from ..._card.specification import KeySpecification
from ..._encoding import der
from ..._encoding.apdu import ApduError, StatusWord
from ..._encoding.key_algorithm import EXPONENT, KeyAlgorithm
from ..._encoding.tlv import encode, parse, parse_distinct, parse_one
from ..card import Card
from ..public_key import TEMPLATE as PUBLIC_KEY
from ..public_key import public_key
from .reference import ALGORITHMS, KEY_FILES

_GENERATE = 0xAC  # control reference template, ISO/IEC 7816-8
_ALGORITHM = 0x80
_REFERENCE = 0x83
_PRIVATE_REFERENCE = 0x84
_KEY_TEMPLATE = 0xA5
_WHOLE_PUBLIC_KEY = b"\x7f\x49\x80"  # an extended header list: the whole object
_KEY_TYPE = 0x83
_RSA = b"\x02"
_RSA_PRIVATE_KEY = 9  # numbers: RFC 8017, appendix A.1.2
_KEY = 0x87


class KeyFiles:
    """The key files of one card."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._created: t.Set[int] = set()

    def slots(self) -> t.List[int]:
        """Returns the containers that have a file, in ascending order."""
        return sorted(self._created.union(self._card.keys()))

    def exists(self, slot: int) -> bool:
        return slot in self._created or self._holds_key(slot)

    def _holds_key(self, slot: int) -> bool:
        keys = self._card.keys()
        return slot in keys

    def create(self, slot: int) -> None:
        """:raises ApduError: 6A84 for a container that no card has, 6A89 if there is one"""
        if slot not in Edge.GIDS.slots:
            raise ApduError(StatusWord.NOT_ENOUGH_MEMORY)
        if self.exists(slot):
            raise ApduError(StatusWord.FILE_EXISTS)
        self._created.add(slot)

    def delete(self, slot: int) -> None:
        """Deletes a file, and its key."""
        if self._holds_key(slot):
            self._card.remove_key(slot)
        self._created.discard(slot)

    def generate(self, data: bytes) -> bytes:
        """Makes a key, in place of what the file held, and returns its public half.

        :raises ApduError: 6A88 without a file, 6A81 for an algorithm that no card here has
        :raises NotOffered: for one that this TPM does not make
        :raises TlvError: if the template is malformed
        """
        template = parse_distinct(parse_one(data, _GENERATE))
        slot = self._named(template.get(_REFERENCE, b""))
        algorithm = ALGORITHMS.get(int.from_bytes(template.get(_ALGORITHM, b""), "big"))
        if algorithm is None:
            raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)
        key = self._card.make_key(KeySpecification(slot, algorithm))
        self._created.discard(slot)
        return encode(PUBLIC_KEY, public_key(key))

    def import_key(self, template: t.Mapping[int, bytes]) -> None:
        """Imports a private key.

        :param template: reference, and key template
        :raises ApduError: 6A88 without a file, 6A80 for what is no RSA key, 6A81 for one of another size
        """
        slot = self._named(template.get(_PRIVATE_REFERENCE, b""))
        value = parse_distinct(template.get(_KEY_TEMPLATE, b""))
        if value.get(_KEY_TYPE) != _RSA:
            raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)
        modulus, parts = _parts(value.get(_KEY, b""))
        algorithm = KeyAlgorithm.rsa(modulus.bit_length())
        if algorithm is None:
            raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)
        key = ExternalKey.rsa(algorithm, parts)
        if modulus != parts.p * parts.q:
            raise ApduError(StatusWord.INCORRECT_DATA)
        self._card.import_key(KeySpecification(slot, algorithm), key)
        self._created.discard(slot)

    def _named(self, reference: bytes) -> int:
        slot = KEY_FILES + int.from_bytes(reference, "big")
        if not self.exists(slot):
            raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)
        return slot

    def public_key(self, template: bytes) -> bytes:
        """Returns the public half of a key.

        :raises ApduError: 6A88 if there is none, 6A80 for another template
        """
        wanted = parse_distinct(template)
        if set(wanted) != {_PRIVATE_REFERENCE, _KEY_TEMPLATE} or wanted[_KEY_TEMPLATE] != _WHOLE_PUBLIC_KEY:
            raise ApduError(StatusWord.INCORRECT_DATA)
        key = self._card.keys().get(KEY_FILES + int.from_bytes(wanted[_PRIVATE_REFERENCE], "big"))
        if key is None:
            raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)
        return encode(PUBLIC_KEY, public_key(key))


def container(slot: int) -> int:
    """Returns the number of the container that a key file belongs to."""
    return slot - FIRST_CONTAINER


def _parts(data: bytes) -> t.Tuple[int, RsaParts]:
    """Returns modulus and parts of an RSAPrivateKey, whose integers OpenSC may leave without their sign byte."""
    numbers = parse(parse_one(data, der.Tag.SEQUENCE))
    if len(numbers) != _RSA_PRIVATE_KEY or any(number.tag != der.Tag.INTEGER for number in numbers):
        raise ApduError(StatusWord.INCORRECT_DATA)
    _version, modulus, public, private, *parts = (int.from_bytes(number.value, "big") for number in numbers)
    if public != EXPONENT:
        raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)
    fitting = RsaParts(*parts)
    if private % max(fitting.p - 1, 1) != fitting.exponent_1 or private % max(fitting.q - 1, 1) != fitting.exponent_2:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return modulus, fitting
