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


@dataclass(frozen=True)
class AdminKey:
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
class Challenge:
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
    def make(cls, key: AdminKey) -> t.Tuple[Challenge, bytes]:
        """Returns a new challenge and its answer."""
        answer = os.urandom(key.cipher.block_size)
        nonce = os.urandom(NONCE_SIZE)
        return cls(key.cipher, key.encrypt(answer), key.decrypt(answer), nonce, key.is_well_known), answer

    def is_made_with(self, key: AdminKey) -> bool:
        """Whether this is the admin key. Whoever has it can tell without the TPM."""
        return key.cipher is self.cipher and key.encrypt(self.decrypted) == key.decrypt(self.encrypted)
