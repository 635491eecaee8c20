# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Object identifiers that certificates of TPMs are made of, each with the document that assigns it."""

from __future__ import annotations

import enum

from .._ca.oid import TpmAttribute

RSAES_OAEP = "1.2.840.113549.1.1.7"
"""What some makers write into the key of an EK certificate instead of rsaEncryption: RFC 4055 section 4."""


class Extension(str, enum.Enum):
    """RFC 5280 section 4.2.1 and 4.2.2."""

    SUBJECT_DIRECTORY_ATTRIBUTES = "2.5.29.9"
    KEY_USAGE = "2.5.29.15"
    SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"
    BASIC_CONSTRAINTS = "2.5.29.19"
    CRL_DISTRIBUTION_POINTS = "2.5.29.31"
    CERTIFICATE_POLICIES = "2.5.29.32"
    EXTENDED_KEY_USAGE = "2.5.29.37"
    ISSUING_DISTRIBUTION_POINT = "2.5.29.28"


UNDERSTOOD = frozenset(
    (
        Extension.KEY_USAGE,
        Extension.SUBJECT_ALTERNATIVE_NAME,
        Extension.BASIC_CONSTRAINTS,
        Extension.CERTIFICATE_POLICIES,
        Extension.EXTENDED_KEY_USAGE,
    )
)
"""What may be critical. Policies constrain nothing here: any policy of an anchored maker is accepted."""


EK_CERTIFICATE = "2.23.133.8.1"
"""tcg-kp-EKCertificate, an extended key usage: TCG EK Credential Profile 2.5, clause 3.2.16."""

ATTRIBUTE_TITLES = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    TpmAttribute.MANUFACTURER: "TPMManufacturer",
    TpmAttribute.MODEL: "TPMModel",
    TpmAttribute.VERSION: "TPMVersion",
}
"""RFC 4519."""
