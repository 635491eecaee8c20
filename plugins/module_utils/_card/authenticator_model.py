# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of authenticator that every card with passkeys is: what it says of itself, and its metadata statement too.

Numbers are of CTAP 2.1 (FIDO Alliance, 2022), if no other document is named.
"""

from __future__ import annotations

import typing as t

from .._encoding.key_algorithm import KeyAlgorithm

AAGUID = bytes.fromhex("0ae1938562d745e0a1a518cd773228d3")
VERSION = 1
"""Of the authenticator: clause 6.4, firmwareVersion. More than one where something has been mended that matters."""
CTAP_VERSIONS = ("FIDO_2_0", "FIDO_2_1")
EXTENSIONS = ("credBlob", "credProtect", "hmac-secret", "largeBlobKey", "minPinLength")
PIN_PROTOCOLS = (2, 1)
"""The one that is to be preferred first."""
TRANSPORTS = ("usb",)
"""The way by which programs find it; the TPM is inside the computer."""
OPTIONS: t.Mapping[str, bool] = {
    "rk": True,
    "up": True,
    "alwaysUv": True,
    "credMgmt": True,
    "authnrCfg": True,
    "clientPin": True,
    "largeBlobs": True,
    "pinUvAuthToken": True,
    "setMinPINLength": True,
    "makeCredUvNotRqd": False,
}
COSE_NUMBERS: t.Mapping[KeyAlgorithm, int] = {
    KeyAlgorithm.ECC_P256: -7,
    KeyAlgorithm.ECC_P384: -35,
    KeyAlgorithm.RSA_2048: -257,
}
"""What COSE calls the signatures of each algorithm: RFC 8152, section 8.1, and RFC 8812, section 2."""
LARGEST_REQUEST = 7609
"""Bytes that the packets of one message hold over HID: clause 11.2.4."""
LONGEST_CREDENTIAL_ID = 1023
"""Bytes: WebAuthn Level 2, section 4."""
MOST_IN_LIST = 64
"""Credential ids in one list. To tell whose one is takes no command of the TPM but for the first of all."""
LONGEST_BLOB = 32
"""Bytes of a credBlob."""
LARGEST_BLOBS = 4096
"""Bytes of the large blob array."""
MOST_PIN_LENGTH_READERS = 8
LONGEST_PIN = 63
"""Bytes: clause 6.5.1."""
MOST_TRIES = 8
"""Of a PIN: clause 6.5.2.2."""
