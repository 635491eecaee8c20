# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin key, and the challenge by which a card recognises whoever has it.

A card keeps E(X) and D(X), a random X encrypted and decrypted with the admin key, and the TPM keeps an
authValue made from X. Encrypting D(X) and decrypting E(X) both give X, so that one X serves single and
mutual authentication; and the card needs no admin key at hand to ask for it.

cryptography is imported on use: a run that finds a card as it should be does not need it.
"""

from __future__ import annotations

import enum
import os
import typing as t
from dataclasses import dataclass, field

from .._errors import InputError

NONCE_SIZE = 8
_WELL_KNOWN = bytes.fromhex("010203040506070801020304050607080102030405060708")
"""What Tpmvscmgr means by ``/AdminKey DEFAULT``, and what other cards leave the factory with."""


class Cipher(str, enum.Enum):
    """Ciphers of an admin key: SP 800-78-4, table 6-2."""

    TRIPLE_DES = "3des"
    AES_128 = "aes_128"
    AES_192 = "aes_192"
    AES_256 = "aes_256"

    @property
    def key_size(self) -> int:
        """Bytes of a key."""
        return 24 if self is Cipher.TRIPLE_DES else int(self.value[-3:]) // 8

    @property
    def block_size(self) -> int:
        """Bytes of a block, and so of a challenge and its answer."""
        return 8 if self is Cipher.TRIPLE_DES else 16


def _without_parity(part: bytes) -> bytes:
    """Returns a third of a 3DES key, without the bits that DES does not use."""
    return bytes(byte & 0xFE for byte in part)


_WEAK_PARTS = frozenset(
    _without_parity(bytes.fromhex(part))
    for part in (
        *("0101010101010101", "FEFEFEFEFEFEFEFE", "E0E0E0E0F1F1F1F1", "1F1F1F1F0E0E0E0E"),
        *("01FE01FE01FE01FE", "FE01FE01FE01FE01", "1FE01FE00EF10EF1", "E01FE01FF10EF10E"),
        *("01E001E001F101F1", "E001E001F101F101", "1FFE1FFE0EFE0EFE", "FE1FFE1FFE0EFE0E"),
        *("011F011F010E010E", "1F011F010E010E01", "E0FEE0FEF1FEF1FE", "FEE0FEE0FEF1FEF1"),
    )
)
"""Weak and semi-weak keys of DES: SP 800-67 revision 2, clause 3.3.2."""


@dataclass(frozen=True)
class AdminKey:
    """The secret of whoever administers a card, and the cipher that it is for."""

    cipher: Cipher
    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.value) != self.cipher.key_size:
            raise ValueError(f"a key of {self.cipher.value} has {self.cipher.key_size} bytes")

    @classmethod
    def random(cls, cipher: Cipher = Cipher.TRIPLE_DES) -> AdminKey:
        return cls(cipher, os.urandom(cipher.key_size))

    @classmethod
    def well_known(cls) -> AdminKey:
        return cls(Cipher.TRIPLE_DES, _WELL_KNOWN)

    @property
    def is_well_known(self) -> bool:
        return self.value == _WELL_KNOWN

    def check(self) -> None:
        """Refuses a key with which 3DES is no more than DES: one with a third that is weak, or like its neighbour.

        The key that everybody knows is as weak, and has a warning of its own.

        :raises InputError:
        """
        if self.cipher is not Cipher.TRIPLE_DES or self.is_well_known:
            return
        first, second, third = (_without_parity(self.value[at : at + 8]) for at in (0, 8, 16))
        if second in (first, third) or not _WEAK_PARTS.isdisjoint((first, second, third)):
            fault = "is a weak 3DES key: thirds that are alike, or one that DES should not be used with"
            raise InputError("admin_key", fault, "choose 48 random hexadecimal digits")

    def encrypt(self, block: bytes) -> bytes:
        """Returns one block, encrypted."""
        encryptor = self._cipher().encryptor()
        return t.cast(bytes, encryptor.update(block) + encryptor.finalize())

    def decrypt(self, block: bytes) -> bytes:
        """Returns one block, decrypted."""
        decryptor = self._cipher().decryptor()
        return t.cast(bytes, decryptor.update(block) + decryptor.finalize())

    def encrypt_chain(self, blocks: bytes) -> bytes:
        """Returns whole blocks, encrypted in CBC mode from a zero vector."""
        encryptor = self._cipher(chained=True).encryptor()
        return t.cast(bytes, encryptor.update(blocks) + encryptor.finalize())

    def decrypt_chain(self, blocks: bytes) -> bytes:
        """Returns what :meth:`encrypt_chain` has encrypted."""
        decryptor = self._cipher(chained=True).decryptor()
        return t.cast(bytes, decryptor.update(blocks) + decryptor.finalize())

    def _cipher(self, chained: bool = False) -> t.Any:
        from .._cryptography import Cipher as BlockCipher
        from .._cryptography import TripleDES, algorithms, modes

        algorithm: t.Any = TripleDES if self.cipher is Cipher.TRIPLE_DES else algorithms.AES
        mode = modes.CBC(bytes(self.cipher.block_size)) if chained else modes.ECB()
        return BlockCipher(algorithm(self.value), mode)


@dataclass(frozen=True)
class AdminChallenge:
    """What a card asks of whoever says to have its admin key. The answer, X, is in neither.

    :param encrypted: E(X), the witness of mutual authentication
    :param decrypted: D(X), the challenge of single authentication
    :param nonce: makes the authValue of this X another than that of an X that was answered before
    :param well_known: whether the admin key is the one that everybody knows
    """

    cipher: Cipher
    encrypted: bytes
    decrypted: bytes
    nonce: bytes
    well_known: bool = False

    @classmethod
    def make(cls, key: AdminKey) -> t.Tuple[AdminChallenge, bytes]:
        """Returns a new challenge and its answer."""
        answer = os.urandom(key.cipher.block_size)
        nonce = os.urandom(NONCE_SIZE)
        return cls(key.cipher, key.encrypt(answer), key.decrypt(answer), nonce, key.is_well_known), answer

    def is_made_with(self, key: AdminKey) -> bool:
        """Whether this is the admin key. Whoever has it can tell without the TPM."""
        return key.cipher is self.cipher and key.encrypt(self.decrypted) == key.decrypt(self.encrypted)
