# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attestation statements: WebAuthn Level 2, sections 8.2 (packed), 8.3 (tpm) and 8.7 (none)."""

from __future__ import annotations

import hashlib
import typing as t

from ..._card.authenticator_model import COSE_NUMBERS
from ..._card.passkey import Passkey, PasskeyAttestation
from ..._encoding.key_algorithm import KeyAlgorithm
from ..._encoding.signature import Signature
from ..card import PasskeyCard
from .reference import CtapStatus
from .refused import refuse_unless

_NONE, _PACKED, TPM = "none", "packed", "tpm"
_ES256 = COSE_NUMBERS[KeyAlgorithm.ECC_P256]
_ENTERPRISE_KINDS = (1, 2)
"""By the authenticator's own list, and by that of the platform, which counts as the first here: clause 7.1.2."""
AttestationStatement = t.Tuple[str, t.Dict[str, t.Any]]


def attest(card: PasskeyCard, made: Passkey, message: bytes, preferred: t.Sequence[str]) -> AttestationStatement:
    """Returns the format of a new passkey's statement, and the statement.

    :param message: authenticator data and the hash of the client's
    :param preferred: formats, by CTAP 2.2, clause 6.1.1
    """
    offered: t.Dict[str, t.Callable[[], t.Dict[str, t.Any]]] = {
        TPM: lambda: _tpm(card, made, message),
        _PACKED: lambda: _packed(card, made, message),
        _NONE: dict,
    }
    if not _tells_who_it_is(card, made.rp):
        del offered[TPM]
    chosen = next((each for each in preferred if each in offered), next(iter(offered)))
    return chosen, offered[chosen]()


def _tells_who_it_is(card: PasskeyCard, rp: str) -> bool:
    """One attestation key is behind all passkeys of a card: where relying parties are named, others don't see it."""
    passkeys, named = card.passkeys, card.passkeys.enterprise_parties
    seen = rp in named if named else passkeys.attestation is PasskeyAttestation.TPM
    return seen and bool(passkeys.attestation_chain)


def offers_enterprise_attestation(card: PasskeyCard) -> bool:
    return bool(card.passkeys.attestation_chain and card.passkeys.enterprise_parties)


def read_enterprise(card: PasskeyCard, kind: t.Optional[int], rp: str) -> bool:
    """Whether a request is answered with enterprise attestation: clause 6.1.2, step 9.

    :param kind: enterpriseAttestation, None if it was not asked for
    :raises CtapRefused: where nobody offers it, and for a kind that there is not
    """
    if kind is None:
        return False
    refuse_unless(offers_enterprise_attestation(card), CtapStatus.INVALID_PARAMETER)
    refuse_unless(kind in _ENTERPRISE_KINDS, CtapStatus.INVALID_OPTION)
    return rp in card.passkeys.enterprise_parties


def _tpm(card: PasskeyCard, made: Passkey, message: bytes) -> t.Dict[str, t.Any]:
    """What the TPM itself states of the key. Verifiers want the signature in DER, and not the TPMT_SIGNATURE."""
    stated = card.passkeys.certify(made, hashlib.sha256(message).digest())
    return {
        "ver": "2.0",
        "alg": _ES256,
        "x5c": list(card.passkeys.attestation_chain),
        "sig": Signature.parse(stated.signature).value,
        "certInfo": stated.attest,
        "pubArea": made.public_area,
    }


def _packed(card: PasskeyCard, made: Passkey, message: bytes) -> t.Dict[str, t.Any]:
    """The passkey signs for itself: nobody says where it lives."""
    return {"alg": COSE_NUMBERS[made.algorithm], "sig": card.passkeys.sign(made, digest_for(made, message))}


def digest_for(passkey: Passkey, message: bytes) -> bytes:
    return hashlib.new(passkey.algorithm.hash.name, message).digest()
