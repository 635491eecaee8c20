# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attestation key: check 7 of docs/attestation.md."""

from __future__ import annotations

from ...module_utils._encoding.algorithm import Algorithm
from ...module_utils._encoding.public import ObjectAttribute, Public
from .attributes import ATTESTATION, attribute_fault
from .certificate import MIN_RSA_BITS
from .finding import Code, Report

_SCHEMES = (Algorithm.ECDSA, Algorithm.RSASSA, Algorithm.RSAPSS)


def check_ak(ak: Public, report: Report) -> None:
    """Refuses a key that would sign anything but what the TPM itself says: on this all else rests."""
    fault = attribute_fault(ak.attributes, ATTESTATION, ObjectAttribute.NO_DA)
    report.demand(not fault, Code.AK_ATTRIBUTES, f"the AK is {fault}")
    fault = _algorithm_fault(ak)
    report.demand(not fault, Code.AK_ALGORITHM, f"the AK {fault}")


def _algorithm_fault(ak: Public) -> str:
    scheme = ak.area.scheme
    if ak.name_algorithm is not Algorithm.SHA256:
        return f"has a Name made with {ak.name_algorithm.name}"
    if scheme.algorithm not in _SCHEMES or scheme.hash in (None, Algorithm.SHA1):
        return "has no scheme of ECDSA, RSASSA or RSAPSS with SHA-2"
    bits = getattr(ak.area, "bits", MIN_RSA_BITS)
    return f"has an RSA key of {bits} bits" if bits < MIN_RSA_BITS else ""
