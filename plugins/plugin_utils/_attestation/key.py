# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of a card: checks 12 to 14 and 19 of docs/attestation.md."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass

from ...module_utils._card.key import PinUse
from ...module_utils._card.model import Model
from ...module_utils._encoding.attest import CreationInfo
from ...module_utils._encoding.evidence import Document, KeyEvidence
from ...module_utils._encoding.key_algorithm import KeyAlgorithm
from ...module_utils._encoding.public import ObjectAttribute, Public, PublicKey, Scheme, Symmetric
from .._ca.oid import Assurance
from . import structure
from .attributes import BOUND, CARD_KEY, USES, attribute_fault
from .finding import Code, Report
from .request import CardRequest, KeyRequest
from .statement import StatementSigner, read_creation
from .structure import read_public


@dataclass(frozen=True)
class VerifiedKey:
    """A key that was looked at.

    :param spki: DER SubjectPublicKeyInfo, what a certificate has to be for
    :param assurance: what a certificate may say of it
    """

    slot: str
    spki: bytes
    name: bytes
    assurance: Assurance

    def document(self) -> Document:
        fingerprint = hashlib.sha256(self.spki).hexdigest()
        return {"key": fingerprint, "name": self.name.hex(), "assurance": self.assurance.value}


@dataclass(frozen=True)
class Above:
    """What a key is under.

    :param qualified_name: the parent's
    """

    name: bytes
    qualified_name: bytes


@dataclass(frozen=True)
class KeyCheck:
    """What the keys of one card are compared with.

    :param model: the card's, if it could be computed
    :param parent: the card's parent, if it could be read
    :param root: the storage root key; it is the parent of keys that never ask for the PIN
    """

    request: CardRequest
    model: t.Optional[Model]
    parent: t.Optional[Above]
    root: Above
    signer: StatementSigner
    report: Report

    def check(self, shown: KeyEvidence, wanted: KeyRequest) -> t.Optional[VerifiedKey]:
        """Returns the key, or None if it can't be read. What is wrong goes into the report."""
        subject = f"the key {wanted.slot}"
        public = read_public(shown.public, subject, self.report)
        if public is None:
            return None
        self._check_attributes(public, subject)
        self._check_policy(public, wanted, subject)
        self._check_creation(shown, public, wanted, subject)
        assurance = self._check_assurance(public, wanted, subject)
        key = structure.read(public.public_key, subject, self.report)
        if key is None:
            return None
        fault = _algorithm_fault(public, key, wanted.algorithm)
        self.report.demand(not fault, Code.KEY_ALGORITHM, f"{subject} {fault}")
        return VerifiedKey(wanted.slot, public.spki(), public.name, assurance)

    def _check_attributes(self, public: Public, subject: str) -> None:
        fault = attribute_fault(public.attributes, CARD_KEY, USES)
        if not fault and not public.attributes & USES:
            fault = "of no use"
        self.report.demand(not fault, Code.KEY_ATTRIBUTES, f"{subject} is {fault}")

    def _check_policy(self, public: Public, wanted: KeyRequest, subject: str) -> None:
        if self.model is None:
            return
        fits = public.policy in self.model.key_digests(wanted.pin)
        never = wanted.pin is PinUse.NEVER
        clause = "does not die with this card" if never else "is used by other means than the PIN of this card"
        self.report.demand(fits, Code.KEY_POLICY, f"{subject} {clause}")

    def _check_creation(self, shown: KeyEvidence, public: Public, wanted: KeyRequest, subject: str) -> None:
        report = self.report
        attested = self.signer.attested(shown.creation, CreationInfo, subject, report)
        if attested is not None:
            same = attested.name == public.name
            report.demand(same, Code.KEY_NAME_MISMATCH, f"{subject} is not what the TPM attests")
        data = read_creation(shown.creation_data, attested, public, subject, report)
        if data is None:
            return
        above = self.root if wanted.pin is PinUse.NEVER else self.parent
        if above is not None:
            under = (data.parent_name, data.parent_qualified_name) == (above.name, above.qualified_name)
            report.demand(under, Code.CREATION_PARENT, f"{subject} was made under another parent than this card's")
        allowed = (self.request.nonce,) if self.request.fresh else (self.request.nonce, b"")
        clause = f"{subject} was made for another request"
        report.demand(data.outside_info in allowed, Code.CREATION_OUTSIDE_INFO, clause)

    def _check_assurance(self, public: Public, wanted: KeyRequest, subject: str) -> Assurance:
        reached = Assurance.RESIDENT
        if public.attributes & BOUND == BOUND:
            reached = Assurance.RESTRICTED if public.attributes & ObjectAttribute.RESTRICTED else Assurance.FIXED
        clause = f"{subject} is {reached.name.lower()}, its profile asks for {wanted.assurance.name.lower()}"
        self.report.demand(reached.rank >= wanted.assurance.rank, Code.ASSURANCE_TOO_LOW, clause)
        return reached


def _algorithm_fault(public: Public, key: PublicKey, wanted: KeyAlgorithm) -> str:
    area = public.area
    if area.scheme != Scheme() or getattr(area, "symmetric", Symmetric()) != Symmetric():
        return "is bound to a scheme"
    return "" if KeyAlgorithm.of(key) is wanted else f"is not {wanted.value}"
