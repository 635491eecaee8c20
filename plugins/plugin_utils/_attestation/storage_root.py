# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage root key: of one template for all hosts, so that a TPM has one. Check 6 of docs/attestation.md."""

from __future__ import annotations

import typing as t

from ...module_utils._encoding.algorithm import Algorithm, Curve
from ...module_utils._encoding.evidence import Evidence
from ...module_utils._encoding.public import EccArea, ObjectAttribute, Public, Scheme, Symmetric
from .attributes import STORAGE
from .finding import Code, Report
from .structure import read_public


def read_storage_root(evidence: Evidence, report: Report) -> t.Optional[Public]:
    """Returns the storage root key, or None if it can't be read. What is wrong goes into the report."""
    root = read_public(evidence.storage_root, "the storage root key", report)
    if root is None:
        return None
    clause = "the storage root key has not the public area of the TCG's template for an SRK of P-256"
    report.demand(_is_of_template(root), Code.STORAGE_ROOT_TEMPLATE, clause)
    return root


def _is_of_template(root: Public) -> bool:
    """TCG TPM v2.0 Provisioning Guidance, clause 7.5.1, with the ECC template of the EK Credential Profile B.4.4."""
    area = root.area
    if not isinstance(area, EccArea):
        return False
    wanted = EccArea(Symmetric(128), Scheme(), Curve.NIST_P256, Scheme(), area.x, area.y)
    return root == Public(Algorithm.SHA256, STORAGE | ObjectAttribute.NO_DA, b"", wanted)
