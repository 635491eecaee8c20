# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attestation statements: WebAuthn Level 2, sections 8.2 (packed), 8.3 (tpm) and 8.7 (none)."""

from __future__ import annotations

import hashlib
import typing as t

from ..._card.passkey import Passkey
from ..._encoding.signature import Signature
from ..card import PasskeyCard
from .cose import ES256, NUMBERS

_NONE, _PACKED, _TPM = "none", "packed", "tpm"
AttestationStatement = t.Tuple[str, t.Dict[str, t.Any]]


def attest(card: PasskeyCard, made: Passkey, message: bytes, preferred: t.Sequence[str]) -> AttestationStatement:
    """Returns the format of a new passkey's statement, and the statement.

    :param message: authenticator data and the hash of the client's
    :param preferred: formats, by CTAP 2.2, clause 6.1.1
    """
    offered: t.Dict[str, t.Callable[[], t.Dict[str, t.Any]]] = {
        _TPM: lambda: _tpm(card, made, message),
        _PACKED: lambda: _packed(card, made, message),
        _NONE: dict,
    }
    if not card.passkeys.attestation_chain:
        del offered[_TPM]
    chosen = next((each for each in preferred if each in offered), next(iter(offered)))
    return chosen, offered[chosen]()


def _tpm(card: PasskeyCard, made: Passkey, message: bytes) -> t.Dict[str, t.Any]:
    """What the TPM itself states of the key. Verifiers want the signature in DER, and not the TPMT_SIGNATURE."""
    stated = card.passkeys.certify(made, hashlib.sha256(message).digest())
    return {
        "ver": "2.0",
        "alg": ES256,
        "x5c": list(card.passkeys.attestation_chain),
        "sig": Signature.parse(stated.signature).value,
        "certInfo": stated.attest,
        "pubArea": made.public_area,
    }


def _packed(card: PasskeyCard, made: Passkey, message: bytes) -> t.Dict[str, t.Any]:
    """The passkey signs for itself: nobody says where it lives."""
    return {"alg": NUMBERS[made.algorithm], "sig": card.passkeys.sign(made, digest_for(made, message))}


def digest_for(passkey: Passkey, message: bytes) -> bytes:
    return hashlib.new(passkey.algorithm.hash.name, message).digest()
