# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PUK that two sides make together: 32 bytes that the card's TPM keeps, and 32 that the controller keeps.

Either half alone says nothing of the PUK. docs/recovery.md says who can do what with which.
"""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field

from .._encoding.blob import Blob
from .._encoding.recovery_order import HALF_SIZE
from .secret import PUK_LENGTH

_CHARACTERS = "".join(chr(code) for code in range(0x21, 0x7F))
_MATERIAL_SIZE = 32
"""Bytes from which the characters are taken: 256 bits for 52.4, so no character is likelier than another."""


@dataclass(frozen=True)
class HostHalf:
    """A half as the disk has it.

    :param identifier: of the half that the controller keeps beside it, in hex
    """

    identifier: str
    blob: Blob


HALVES = ("current", "coming")


@dataclass(frozen=True)
class Recovery:
    """What the disk knows of a card's recovery.

    :param coming: that of a PUK which the TPM was perhaps told, by a run that was cut off
    """

    current: HostHalf
    coming: t.Optional[HostHalf] = None

    @property
    def halves(self) -> t.Tuple[HostHalf, ...]:
        """The newest first."""
        return (self.current,) if self.coming is None else (self.coming, self.current)


@dataclass(frozen=True)
class NewHalves:
    """Both halves of a PUK that is about to be set. Never shown, not even by accident."""

    identifier: str
    host: bytes = field(repr=False)
    controller: bytes = field(repr=False)

    @classmethod
    def make(cls, identifier: str, controller: bytes) -> NewHalves:
        """Draws the host's half."""
        return cls(identifier, os.urandom(HALF_SIZE), controller)

    @property
    def puk(self) -> str:
        return derive_puk(self.identifier, self.host, self.controller)


def derive_puk(identifier: str, host: bytes, controller: bytes) -> str:
    """Returns the PUK, 8 printable ASCII characters without blanks: HKDF-SHA-256, RFC 5869, over both halves.

    :param host: 32 bytes
    :param controller: 32 bytes
    :raises ValueError: for halves of another size, of which two different pairs could be the same bytes
    """
    from .._cryptography import HKDF, hashes

    if len(host) != HALF_SIZE or len(controller) != HALF_SIZE:
        raise ValueError(f"a half has {HALF_SIZE} bytes")
    kdf = HKDF(hashes.SHA256(), _MATERIAL_SIZE, bytes.fromhex(identifier), b"hardbound card recovery")
    number, characters = int.from_bytes(kdf.derive(host + controller), "big"), ""
    for _each in range(PUK_LENGTH):
        number, position = divmod(number, len(_CHARACTERS))
        characters += _CHARACTERS[position]
    return characters
