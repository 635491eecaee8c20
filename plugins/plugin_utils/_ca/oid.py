# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Object identifiers that our certificates are made of, each with the document that assigns it."""

from __future__ import annotations

import enum
import re

DOTTED = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,9})){1,20}")

NTDS_CA_SECURITY = "1.3.6.1.4.1.311.25.2"
"""Extension that carries the account's SID, MS-WCCE section 2.2.2.7.7.4."""

NTDS_OBJECTSID = "1.3.6.1.4.1.311.25.2.1"
"""OtherName inside that extension, MS-WCCE section 2.2.2.7.7.4."""

EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
"""Attribute of a certification request, RFC 2985 section 5.4.2."""

EK_FROM_INVENTORY = "1.3.6.1.4.1.311.21.30"
"""Certificate policy of an EK on the administrator's list, with no maker's certificate asked for: Microsoft, "TPM Key
Attestation", table of issuance policies."""

EVIDENCE_SIGNING = "2.25.15277605433794140815403907325813947280"
"""Extended key usage of the key that signs evidence: a UUID, ITU-T X.667 section 7. No profile can hold it."""

KEY_ATTESTATION = "1.2.840.113556.1.8000.2554.21425.4070.36581.16900.41579.5988871.1661622"
"""Extended key usage of a certificate that says how a key was made, and nothing of who has it: a GUID by Microsoft's
"Obtaining an Object Identifier from Microsoft". A UUID's arc of 128 bits can't be read with cryptography before 42.
"""


class Purpose(str, enum.Enum):
    """Extended key usages by name; the value is the object identifier."""

    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"  # RFC 5280 section 4.2.1.12
    EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"  # RFC 5280 section 4.2.1.12
    DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"  # RFC 9336 section 3.1
    PKINIT_CLIENT = "1.3.6.1.5.2.3.4"  # RFC 4556 section 3.2.2
    SMART_CARD_LOGON = "1.3.6.1.4.1.311.20.2.2"  # wincrypt.h, szOID_KP_SMARTCARD_LOGON
    MS_DOCUMENT_SIGNING = "1.3.6.1.4.1.311.10.3.12"  # wincrypt.h, szOID_KP_DOCUMENT_SIGNING
    AK_CERTIFICATE = "2.23.133.8.3"  # TCG credential profiles, tcg-kp-AIKCertificate


class TpmAttribute(str, enum.Enum):
    """Attributes of the TPM in a subject alternative name: TCG EK Credential Profile 2.5, clause 3.1.2."""

    MANUFACTURER = "2.23.133.2.1"
    MODEL = "2.23.133.2.2"
    VERSION = "2.23.133.2.3"


class Assurance(str, enum.Enum):
    """What was verified about a key, as a certificate policy: TCG OID registry, 2.23.133.11.1."""

    RESIDENT = "2.23.133.11.1.1"  # tcg-cap-verifiedTPMResidency
    FIXED = "2.23.133.11.1.2"  # tcg-cap-verifiedTPMFixed
    RESTRICTED = "2.23.133.11.1.3"  # tcg-cap-verifiedTPMRestricted

    @property
    def rank(self) -> int:
        """Each level holds all that the one below it says."""
        return list(Assurance).index(self)
