# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second visit: what a host gets, and how it shows that its TPM opened it.

The certificates are encrypted under a secret that the TPM gives only to the host that has both
the endorsement key and the attestation key. The answer is an HMAC under the same secret.

What seals is imported on use: a host that has nothing to open needs none of it.
"""

from __future__ import annotations

import hmac
import os
import typing as t
from dataclasses import dataclass

from .algorithm import Algorithm
from .credential import Credential, kdfa
from .evidence import LONGEST_NAME, Document
from .fields import Fields, encoded
from .wire import LARGEST_STRUCTURE, WireError

VERSION = 1
SECRET_SIZE = 32
LARGEST_PAYLOAD = 1 << 20
_NONCE_SIZE = 12
_SEALING = b"HARDBOUND CERTIFICATES"
_ANSWERING = b"HARDBOUND ANSWER"


@dataclass(frozen=True)
class Challenge:
    """What one card of a host has to open.

    :param credential: what TPM2_ActivateCredential takes
    :param sealed: the payload, by AES-256-GCM with a key from the credential's secret
    """

    card: str
    credential: Credential
    sealed: bytes

    @classmethod
    def parse(cls, document: t.Any) -> Challenge:
        """:raises WireError: if a field is missing, of a wrong type, or too large"""
        fields = Fields(document, "")
        fields.demand_version(VERSION)
        card = fields.text("card", LONGEST_NAME)
        credential = Credential(fields.octets("blob", LARGEST_STRUCTURE), fields.octets("secret", LARGEST_STRUCTURE))
        challenge = cls(card, credential, fields.octets("sealed", LARGEST_PAYLOAD + _NONCE_SIZE + 16))
        fields.end()
        return challenge

    def document(self) -> Document:
        return {
            "version": VERSION,
            "card": self.card,
            "blob": encoded(self.credential.blob),
            "secret": encoded(self.credential.secret),
            "sealed": encoded(self.sealed),
        }


def seal(secret: bytes, card: str, payload: bytes) -> bytes:
    """Returns the payload encrypted and bound to the card.

    :param secret: 32 random bytes, used for one challenge only
    :raises ValueError: if the payload is larger than 1 MiB
    """
    if len(payload) > LARGEST_PAYLOAD:
        raise ValueError(f"a challenge carries at most {LARGEST_PAYLOAD} bytes")
    from .._cryptography import AESGCM

    nonce = os.urandom(_NONCE_SIZE)
    return nonce + AESGCM(_key(secret, _SEALING)).encrypt(nonce, payload, card.encode())


def unseal(secret: bytes, card: str, sealed: bytes) -> bytes:
    """Returns the payload.

    :raises WireError: if the secret or the card is another, or the bytes were changed
    """
    from .._cryptography import AESGCM, InvalidTag

    if len(sealed) <= _NONCE_SIZE:
        raise WireError("the sealed certificates are cut off")
    try:
        return AESGCM(_key(secret, _SEALING)).decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], card.encode())
    except InvalidTag:
        raise WireError("the sealed certificates were changed, or are for another card") from None


def answer(secret: bytes, card: str, sealed: bytes) -> bytes:
    """Returns 32 bytes that only who has the secret can make, and only for this challenge."""
    return hmac.new(_key(secret, _ANSWERING), card.encode() + b"\0" + sealed, "sha256").digest()


def _key(secret: bytes, label: bytes) -> bytes:
    return kdfa(Algorithm.SHA256, secret, label, b"", b"", 256)
