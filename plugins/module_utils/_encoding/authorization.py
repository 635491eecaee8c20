# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A salted HMAC session as bytes: an authValue is proved with it, and never travels.

Source: TPM 2.0 part 1, clauses 16.7 (cpHash), 16.8 (rpHash), 19.6 (session key, HMAC), annex C.6.1 (salt).
"""

from __future__ import annotations

import hmac
import os
import struct
import typing as t

from .algorithm import Algorithm, digest
from .command import HEADER_SIZE, RH_NULL, CommandCode, authorisation, command, first_handle, parameters, take_sized
from .credential import SECRET, kdfa, share_seed
from .public import Public
from .wire import WireError, sized

_NONCE_SIZE = 32
_HMAC_SESSION = b"\x00"
_KEY_LABEL = b"ATH"
_BITS = 256
_SINGLE_USE = b"\x00"
"""TPMA_SESSION without continueSession: the session ends with its first command that succeeds."""


class SaltedSession:
    """A session for one command, which is authorised by an authValue.

    :param root: the storage key that the salt is encrypted to, by an ephemeral key of its curve
    """

    def __init__(self, root: int, public: Public) -> None:
        salt, encrypted = share_seed(public, SECRET)
        self._salt = salt
        self._nonce = os.urandom(_NONCE_SIZE)
        self._tpm_nonce = b""
        self._key = b""
        self.handle = 0
        body = sized(self._nonce) + sized(encrypted) + _HMAC_SESSION
        body += struct.pack(">HH", Algorithm.NULL, Algorithm.SHA256)
        self.start = command(CommandCode.START_AUTH_SESSION, (root, RH_NULL), body)
        """TPM2_StartAuthSession: part 3, clause 11.1."""

    def started(self, response: bytes) -> None:
        """Takes the answer to :attr:`start`."""
        self.handle = first_handle(response)
        self._tpm_nonce = take_sized(parameters(response, 1))[0]
        self._key = kdfa(Algorithm.SHA256, self._salt, _KEY_LABEL, self._tpm_nonce, self._nonce, _BITS)

    def authorise(self, code: CommandCode, handles: t.Mapping[int, bytes], body: bytes, auth: bytes) -> bytes:
        """Returns a command whose first handle is authorised.

        :param handles: with their Names, in the command's order
        """
        self._nonce = os.urandom(_NONCE_SIZE)
        hashed = digest(Algorithm.SHA256, struct.pack(">I", code) + b"".join(handles.values()) + body)
        proof = self._proof(auth, hashed, self._nonce + self._tpm_nonce, _SINGLE_USE)
        return command(code, tuple(handles), body, authorisation(self.handle, self._nonce, _SINGLE_USE, proof))

    def checked(self, code: CommandCode, response: bytes, auth: bytes) -> bytes:
        """Returns the parameters of the answer to a command that was authorised.

        :raises WireError: if it does not come from whoever knows session key and authValue
        """
        body = parameters(response)
        nonce, at = take_sized(response, HEADER_SIZE + 4 + len(body))
        attributes, given = response[at : at + 1], take_sized(response, at + 1)[0]
        hashed = digest(Algorithm.SHA256, struct.pack(">II", 0, code) + body)
        if not hmac.compare_digest(given, self._proof(auth, hashed, nonce + self._nonce, attributes)):
            raise WireError("an answer of the TPM was changed on its way")
        return body

    def _proof(self, auth: bytes, hashed: bytes, nonces: bytes, attributes: bytes) -> bytes:
        """:param nonces: the newer one first"""
        return hmac.digest(self._key + auth, hashed + nonces + attributes, "sha256")
