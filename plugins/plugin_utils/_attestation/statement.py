# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TPM's signed statement, and the creation data that one is of: checks 9 to 12 and 14 of docs/attestation.md."""

from __future__ import annotations

import hmac
import typing as t
from dataclasses import dataclass, field, replace

from ...module_utils._encoding.algorithm import Algorithm
from ...module_utils._encoding.attest import Attest, Attested, Clock, CreationInfo
from ...module_utils._encoding.creation import CreationData
from ...module_utils._encoding.evidence import Statement
from ...module_utils._encoding.public import Public, PublicKey
from ...module_utils._encoding.signature import Signature
from . import structure
from .finding import Code, Report

Kind = t.TypeVar("Kind")


@dataclass(frozen=True)
class StatementSigner:
    """The AK that has to have made a statement, and the nonce that has to be in it.

    :param qualified_name: the AK's, under the host's storage root key
    """

    public: Public
    key: PublicKey
    qualified_name: bytes
    nonce: bytes
    clocks: t.List[Clock] = field(default_factory=list, compare=False)
    """Those of the statements that were read."""

    def over(self, nonce: bytes) -> StatementSigner:
        """Returns the same for statements that were made over something else."""
        return replace(self, nonce=nonce, clocks=[])

    def attested(self, statement: Statement, kind: t.Type[Kind], subject: str, report: Report) -> t.Optional[Kind]:
        """Returns what the TPM attests, or None if it can't be read. What is wrong goes into the report.

        :param subject: what the statement is about, for messages
        """
        attest = self.read(statement, subject, report)
        return None if attest is None else _as(attest.attested, kind, subject, report)

    def read(self, statement: Statement, subject: str, report: Report) -> t.Optional[Attest]:
        """Returns the statement as :meth:`attested`, of whatever kind it is."""
        self._check_signature(statement, subject, report)
        attest = structure.read(lambda: Attest.parse(statement.attest), f"the attestation of {subject}", report)
        if attest is None:
            return None
        nonce_fits = hmac.compare_digest(attest.extra_data, self.nonce)
        report.demand(nonce_fits, Code.NONCE_MISMATCH, f"the attestation of {subject} was made for another request")
        clause = f"the attestation of {subject} is by a key that is not the AK under this storage root key"
        report.demand(attest.signer == self.qualified_name, Code.SIGNER_MISMATCH, clause)
        self.clocks.append(attest.clock)
        return attest

    def _check_signature(self, statement: Statement, subject: str, report: Report) -> None:
        signature = structure.read(
            lambda: Signature.parse(statement.signature), f"the signature over {subject}", report
        )
        if signature is None:
            return
        scheme = self.public.area.scheme
        if signature.scheme is not scheme.algorithm or signature.hash is not scheme.hash:
            found, wanted = _title(signature.scheme, signature.hash), _title(scheme.algorithm, scheme.hash)
            report.refuse(Code.SIGNATURE_SCHEME, f"the signature over {subject} is {found}, the AK's scheme {wanted}")
            return
        valid = signature.verify(self.key, statement.attest)
        report.demand(valid, Code.SIGNATURE_INVALID, f"the attestation of {subject} is not signed by the AK")


def read_creation(
    data: bytes, attested: t.Optional[CreationInfo], public: Public, subject: str, report: Report
) -> t.Optional[CreationData]:
    """Returns how an object was made, or None if that can't be read. What is wrong goes into the report.

    :param attested: what the TPM states of it; None if that could not be read, which was reported then
    :param public: the object
    """
    creation = structure.read(lambda: CreationData.parse(data), f"the creation data of {subject}", report)
    if creation is not None and attested is not None:
        fits = attested.creation_hash == creation.hash(public.name_algorithm)
        report.demand(fits, Code.CREATION_HASH, f"the creation data of {subject} is not what the TPM attests")
    return creation


def _as(attested: Attested, kind: t.Type[Kind], subject: str, report: Report) -> t.Optional[Kind]:
    if isinstance(attested, kind):
        return attested
    title = attested.type.name.lower()
    report.refuse(Code.ATTEST_TYPE, f"the attestation of {subject} is a statement of the type {title}")
    return None


def _title(scheme: Algorithm, hash_: t.Optional[Algorithm]) -> str:
    return scheme.name if hash_ is None else f"{scheme.name} with {hash_.name}"
