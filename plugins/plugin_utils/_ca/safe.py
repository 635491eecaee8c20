# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the bodies of certificates lie that no TPM has answered for: in the ledger, closed to all but the CA.

Every controller that holds the issuing CA's key can open them, so two runs for one key share one certificate. Who
reads the ledger alone, its backup or the database's disk gets none before the challenge is answered.
"""

from __future__ import annotations

import os

from ...module_utils._cryptography import AESGCM, InvalidTag
from ...module_utils._errors import StateError
from . import keyfile
from .keyfile import SigningKey

_LABEL = b"hardbound.identity certificates not answered for"
_KEY_SIZE = 32
_NONCE_SIZE = 12
"""Bytes, NIST SP 800-38D section 8.2.2; with random ones, one key is good for 2^32 certificates."""


class Safe:
    """Closes and opens bodies.

    :param issuing: the issuing CA's private key; from the safe's key nothing leads back to it
    """

    def __init__(self, issuing: SigningKey) -> None:
        self._cipher = AESGCM(keyfile.derive(issuing, _LABEL, _KEY_SIZE))

    def close(self, serial: str, body: bytes) -> bytes:
        """Returns what may lie in the ledger."""
        nonce = os.urandom(_NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, body, serial.encode())

    def open(self, serial: str, closed: bytes) -> bytes:
        """:raises StateError: it is not what was closed for this certificate"""
        try:
            return self._cipher.decrypt(closed[:_NONCE_SIZE], closed[_NONCE_SIZE:], serial.encode())
        except (InvalidTag, ValueError):
            raise StateError(
                f"the certificate {serial} was changed in the ledger",
                "restore the ledger from a backup, and find out who",
            ) from None
