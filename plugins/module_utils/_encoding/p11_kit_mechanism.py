# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mechanisms and their parameters, as p11-kit writes them."""

from __future__ import annotations

import typing as t

from .wire import Reader

_NULL = 0xFFFFFFFF
_MARKED = 2
"""Programs that offer this version or a later one write mechanisms without FFFFFFFF for no parameter.

Releases 0.25.6 to 0.25.10 do so whatever version is agreed on, later ones where it is 2.
So what a program offers tells.
"""


class Mechanism(t.NamedTuple):
    """:param type: CK_MECHANISM_TYPE
    :param parameter: what it consists of, numbers and bytes; None if the program gave none
    """

    type: int
    parameter: t.Optional[t.Tuple[t.Union[int, bytes], ...]] = None


class UnknownMechanism(Exception):
    """A mechanism that no card has. What follows it can't be read."""


_PSS = (0x0D, 0x0E, 0x43, 0x44, 0x45, 0x47)
"""CKM_RSA_PKCS_PSS, and with SHA-1, SHA-256, SHA-384, SHA-512, SHA-224: a hash, a mask, the length of the salt."""
_OAEP = (0x09,)
"""CKM_RSA_PKCS_OAEP: a hash, a mask, the kind of the source, and the source."""
_ECDH = (0x1050,)
"""CKM_ECDH1_DERIVE: a derivation function, shared data, the other side's public data."""
_PARAMETERS: t.Mapping[int, str] = {
    **dict.fromkeys(_PSS, "nnn"),
    **dict.fromkeys(_OAEP, "nnnb"),
    **dict.fromkeys(_ECDH, "nbb"),
}
_BARE = frozenset(
    (
        *(0x0000, 0x0001, 0x0003, 0x0006, 0x0040, 0x0041, 0x0042, 0x0046),
        *(0x1040, 0x1041, 0x1042, 0x1043, 0x1044, 0x1045, 0x1046),
    )
)
"""Mechanisms without parameter: CKM_RSA_PKCS_KEY_PAIR_GEN, RSA_PKCS, RSA_X_509, RSA_PKCS with SHA-1, SHA-256, SHA-384,
SHA-512 and SHA-224; EC_KEY_PAIR_GEN, ECDSA, and ECDSA with SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512."""


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
