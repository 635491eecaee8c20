# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HMAC sessions as bytes: an authValue is proved with them, and never travels; an answer may travel encrypted.

Source: TPM 2.0 part 1, clauses 16.7 (cpHash), 16.8 (rpHash), 19.6 (session key, HMAC), 21 (encrypted parameters),
annex C.6.1 (salt).
"""

from __future__ import annotations

import hmac
import os
import struct
import typing as t

from .._cryptography import CFB, Cipher, algorithms
from .algorithm import Algorithm, digest
from .command import HEADER_SIZE, RH_NULL, CommandCode, authorisation, command, first_handle, parameters, take_sized
from .credential import kdfa
from .wire import WireError, sized

_NONCE_SIZE = 32
_HMAC_SESSION = b"\x00"
_KEY_LABEL = b"ATH"
_ENCRYPTION_LABEL = b"CFB"
_BITS = 256
_AES_KEY_SIZE = 16
_ENDS = b"\x00"
"""TPMA_SESSION without continueSession: the session ends with a command that succeeds."""
_GOES_ON = b"\x01"
_ENCRYPTS = b"\x40"
"""TPMA_SESSION: the answer's first parameter is encrypted, and the session ends with it."""
_CIPHER = struct.pack(">HHH", Algorithm.AES, 8 * _AES_KEY_SIZE, Algorithm.CFB)
_NO_CIPHER = struct.pack(">H", Algorithm.NULL)


class HmacSession:
    """A session without salt, for authValues that nobody guesses: 32 bytes that were never a person's choice."""

    def __init__(self) -> None:
        self._begin(RH_NULL, b"", b"")

    def _begin(self, root: int, salt: bytes, encrypted: bytes, cipher: bytes = _NO_CIPHER) -> None:
        self._salt = salt
        self._nonce = os.urandom(_NONCE_SIZE)
        self._tpm_nonce = b""
        self._key = b""
        self.handle = 0
        body = sized(self._nonce) + sized(encrypted) + _HMAC_SESSION + cipher + struct.pack(">H", Algorithm.SHA256)
        self.start = command(CommandCode.START_AUTH_SESSION, (root, RH_NULL), body)
        """TPM2_StartAuthSession: part 3, clause 11.1."""

    def started(self, response: bytes) -> None:
        """Takes the answer to :attr:`start`."""
        self.handle = first_handle(response)
        self._tpm_nonce = take_sized(parameters(response, 1))[0]
        if self._salt:
            self._key = kdfa(Algorithm.SHA256, self._salt, _KEY_LABEL, self._tpm_nonce, self._nonce, _BITS)

    def authorise(
        self, code: CommandCode, handles: t.Mapping[int, bytes], body: bytes, auth: bytes, last: bool = True
    ) -> bytes:
        """Returns a command whose first handle is authorised.

        :param handles: with their Names, in the command's order
        :param last: whether the session ends with the command
        """
        area = self._area(code, b"".join(handles.values()) + body, auth, _ENDS if last else _GOES_ON)
        return command(code, tuple(handles), body, area)

    def _area(self, code: CommandCode, hashed: bytes, auth: bytes, attributes: bytes) -> bytes:
        """:param hashed: the Names of all handles, and the parameters"""
        self._nonce = os.urandom(_NONCE_SIZE)
        hashed = digest(Algorithm.SHA256, struct.pack(">I", code) + hashed)
        proof = self._proof(auth, hashed, self._nonce + self._tpm_nonce, attributes)
        return authorisation(self.handle, self._nonce, attributes, proof)

    def checked(self, code: CommandCode, response: bytes, auth: bytes, handles: int = 0) -> bytes:
        """Returns the parameters of the answer to a command that was authorised.

        :param handles: how many the answer begins with
        :raises WireError: if it does not come from whoever knows session key and authValue
        """
        body = parameters(response, handles)
        self._check(code, response, body, HEADER_SIZE + 4 * handles + 4 + len(body), auth)
        return body

    def _check(self, code: CommandCode, response: bytes, body: bytes, at: int, auth: bytes = b"") -> None:
        """:param at: where the session's part of the answer begins"""
        self._tpm_nonce, at = take_sized(response, at)
        attributes, given = response[at : at + 1], take_sized(response, at + 1)[0]
        hashed = digest(Algorithm.SHA256, struct.pack(">II", 0, code) + body)
        if not hmac.compare_digest(given, self._proof(auth, hashed, self._tpm_nonce + self._nonce, attributes)):
            raise WireError("an answer of the TPM was changed on its way")

    def _proof(self, auth: bytes, hashed: bytes, nonces: bytes, attributes: bytes) -> bytes:
        """:param nonces: the newer one first"""
        return hmac.digest(self._key + auth, hashed + nonces + attributes, "sha256")


class SaltedSession(HmacSession):
    """A session whose key nobody knows who listens.

    :param root: the storage key that the salt is encrypted to, by an ephemeral key of its curve
    :param salt: no other session's: the secret, and the contents of the TPM2B_ENCRYPTED_SECRET that holds it
    :param encrypts: whether it is for :meth:`encrypting`
    """

    def __init__(self, root: int, salt: t.Tuple[bytes, bytes], encrypts: bool = False) -> None:
        self._begin(root, *salt, _CIPHER if encrypts else _NO_CIPHER)

    def encrypting(
        self, code: CommandCode, handles: t.Sequence[t.Tuple[int, bytes]], body: bytes, area: bytes
    ) -> bytes:
        """Returns a command whose answer this session encrypts, and ends with.

        :param handles: with their Names
        :param area: what authorises the command, in one session that needs no HMAC
        """
        hashed = b"".join(name for _handle, name in handles) + body
        area += self._area(code, hashed, b"", _ENCRYPTS)
        return command(code, tuple(handle for handle, _name in handles), body, area)

    def decrypted(self, code: CommandCode, response: bytes) -> bytes:
        """Returns the contents of the TPM2B that the answer to such a command begins with.

        :raises WireError: if it does not come from whoever knows the session key
        """
        body = parameters(response)
        _nonce, at = take_sized(response, HEADER_SIZE + 4 + len(body))
        _hmac, at = take_sized(response, at + 1)
        self._check(code, response, body, at)
        secret = kdfa(Algorithm.SHA256, self._key, _ENCRYPTION_LABEL, self._tpm_nonce, self._nonce, _BITS)
        cipher = Cipher(algorithms.AES(secret[:_AES_KEY_SIZE]), CFB(secret[_AES_KEY_SIZE:])).decryptor()
        return cipher.update(take_sized(body)[0]) + cipher.finalize()
