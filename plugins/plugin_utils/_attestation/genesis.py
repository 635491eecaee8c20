# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The genesis object of a card: that it was in the NULL hierarchy, and whether the TPM was reset since then.

Whoever holds genesis writes a card's indices at will. An object of the NULL hierarchy is gone with the next TPM reset,
and with it go all sessions and tickets. The AK states both: how genesis was made, and each time how often the TPM had
been reset: TPM 2.0 part 1, clauses 14.4 (hierarchy) and 36.5 (resetCount, which only a reset moves, by one).
"""

from __future__ import annotations

import struct
import typing as t

from ...module_utils._encoding import command
from ...module_utils._encoding.algorithm import Algorithm
from ...module_utils._encoding.attest import Attest, CreationInfo
from ...module_utils._encoding.evidence import GENESIS_NONCE, CardEvidence, GenesisEvidence
from ...module_utils._encoding.public import ObjectAttribute, Public
from .finding import Code, Report
from .statement import StatementSigner, read_creation
from .structure import read_public

RH_NULL = struct.pack(">I", command.RH_NULL)
"""The NULL hierarchy: TPM 2.0 part 2, clause 7.4."""
_NAME_SIZE = 34
_ATTRIBUTES = (
    ObjectAttribute.FIXED_TPM
    | ObjectAttribute.FIXED_PARENT
    | ObjectAttribute.USER_WITH_AUTH
    | ObjectAttribute.ADMIN_WITH_POLICY
    | ObjectAttribute.NO_DA
)
"""An object that is fixed to its parent can't be brought to another hierarchy, where it would outlive the reset."""


def check_genesis_name(name: bytes, report: Report) -> bool:
    fits = len(name) == _NAME_SIZE and name[:2] == struct.pack(">H", Algorithm.SHA256)
    return report.demand(fits, Code.GENESIS, "the genesis object's Name is not one made with SHA-256")


def check_genesis(card: CardEvidence, signer: StatementSigner, report: Report) -> t.Optional[int]:
    """Returns how often the TPM had been reset when genesis was there, as the AK counts.

    Returns None if the card shows no proof, or none that holds; the latter is a finding.
    """
    proof = card.genesis_proof
    if proof is None:
        return None
    before = len(report.findings)
    public = _check_public(proof, card.genesis, report)
    attest = signer.over(GENESIS_NONCE).read(proof.creation, "the genesis object", report)
    if attest is None or public is None:
        return None
    _check_creation(proof, attest, public, report)
    return attest.clock.reset_count if len(report.findings) == before else None


def _check_public(proof: GenesisEvidence, name: bytes, report: Report) -> t.Optional[Public]:
    public = read_public(proof.public, "the genesis object", report)
    if public is None:
        return None
    clause = "the genesis object that is shown is not the one in the policies of the card's indices"
    report.demand(public.name == name, Code.GENESIS, clause)
    fixed = public.area.type is Algorithm.KEYEDHASH and public.attributes == _ATTRIBUTES and not public.policy
    report.demand(fixed, Code.GENESIS, "the genesis object is of another kind than the model's, so it may be kept")
    return public


def _check_creation(proof: GenesisEvidence, attest: Attest, public: Public, report: Report) -> None:
    attested = attest.attested
    if not isinstance(attested, CreationInfo):
        report.refuse(Code.ATTEST_TYPE, f"the attestation of the genesis object is a {attested.type.name.lower()}")
        return
    clause = "the genesis object is not what the TPM attests"
    report.demand(attested.name == public.name, Code.GENESIS, clause)
    data = read_creation(proof.creation_data, attested, public, "the genesis object", report)
    if data is None:
        return
    clause = f"the genesis object is under {data.parent_name.hex()}, and so may outlive a restart of the TPM"
    report.demand(data.parent_name == RH_NULL, Code.GENESIS_HIERARCHY, clause)
