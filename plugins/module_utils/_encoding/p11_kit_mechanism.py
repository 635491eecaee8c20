# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mechanisms and their parameters, as p11-kit writes them."""

from __future__ import annotations

import enum
import typing as t

from .wire import Reader

_NULL = 0xFFFFFFFF
_MARKED = 2
"""Programs that offer this version or a later one write mechanisms without FFFFFFFF for no parameter.

Releases 0.25.6 to 0.25.10 do so whatever version is agreed on, later ones where it is 2.
So what a program offers tells.
"""


class MechanismType(enum.IntEnum):
    """CKM of the mechanisms that a card has: OASIS, pkcs11t.h."""

    RSA_PKCS_KEY_PAIR_GEN = 0x0000
    RSA_PKCS = 0x0001
    RSA_X_509 = 0x0003
    SHA1_RSA_PKCS = 0x0006
    RSA_PKCS_OAEP = 0x0009
    RSA_PKCS_PSS = 0x000D
    SHA1_RSA_PKCS_PSS = 0x000E
    SHA256_RSA_PKCS = 0x0040
    SHA384_RSA_PKCS = 0x0041
    SHA512_RSA_PKCS = 0x0042
    SHA256_RSA_PKCS_PSS = 0x0043
    SHA384_RSA_PKCS_PSS = 0x0044
    SHA512_RSA_PKCS_PSS = 0x0045
    SHA224_RSA_PKCS = 0x0046
    SHA224_RSA_PKCS_PSS = 0x0047
    EC_KEY_PAIR_GEN = 0x1040
    ECDSA = 0x1041
    ECDSA_SHA1 = 0x1042
    ECDSA_SHA224 = 0x1043
    ECDSA_SHA256 = 0x1044
    ECDSA_SHA384 = 0x1045
    ECDSA_SHA512 = 0x1046
    ECDH1_DERIVE = 0x1050


class Mechanism(t.NamedTuple):
    """:param type: CK_MECHANISM_TYPE
    :param parameter: what it consists of, numbers and bytes; None if the program gave none
    """

    type: int
    parameter: t.Optional[t.Tuple[t.Union[int, bytes], ...]] = None


class UnknownMechanism(Exception):
    """A mechanism that no card has. What follows it can't be read."""


_PSS = (
    MechanismType.RSA_PKCS_PSS,
    MechanismType.SHA1_RSA_PKCS_PSS,
    MechanismType.SHA224_RSA_PKCS_PSS,
    MechanismType.SHA256_RSA_PKCS_PSS,
    MechanismType.SHA384_RSA_PKCS_PSS,
    MechanismType.SHA512_RSA_PKCS_PSS,
)
"""A hash, a mask, the length of the salt."""
_PARAMETERS: t.Mapping[int, str] = {
    **dict.fromkeys(_PSS, "nnn"),
    MechanismType.RSA_PKCS_OAEP: "nnnb",  # a hash, a mask, the kind of the source, and the source
    MechanismType.ECDH1_DERIVE: "nbb",  # a derivation function, shared data, the other side's public data
}
_BARE = frozenset(MechanismType) - frozenset(_PARAMETERS)
"""Mechanisms without parameter."""


def read_mechanism(reader: Reader, version: int) -> t.Optional[Mechanism]:
    """Returns the next mechanism, or None where the program gives none, which cancels an operation.

    :raises UnknownMechanism:
    :raises WireError: if it is malformed
    """
    number = reader.u32()
    if number == _NULL:
        return None
    if number in _BARE:
        return _bare(reader, number, version)
    if number not in _PARAMETERS:
        raise UnknownMechanism(hex(number))
    if version >= _MARKED and not reader.u8():
        return Mechanism(number)
    return Mechanism(number, tuple(_part(reader, kind) for kind in _PARAMETERS[number]))


def _bare(reader: Reader, number: int, version: int) -> Mechanism:
    if version < _MARKED and reader.u32() != _NULL:
        raise reader.fault(f"gives mechanism {number:#x} a parameter")
    return Mechanism(number)


def _part(reader: Reader, kind: str) -> t.Union[int, bytes]:
    if kind == "n":
        return reader.u64()
    size = reader.u32()
    return b"" if size == _NULL else reader.take(size)
