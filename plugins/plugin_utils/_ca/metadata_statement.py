# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What relying parties may know of cards as FIDO2 authenticators: FIDO Metadata Statement, version 3 (2021).

Its words are those of the FIDO Registry of Predefined Values, version 2.2. Whoever goes by the statement takes no
passkey but those that the CA's root stands behind: passkeys that attest themselves are not among what it lists.
"""

from __future__ import annotations

import json
import typing as t
import uuid

from ...module_utils._card import authenticator_model as model
from ...module_utils._cryptography import serialization, x509
from ...module_utils._encoding.fields import encoded
from ...module_utils._encoding.key_algorithm import KeyAlgorithm
from ...module_utils._pin import SHORTEST

_SCHEMA = 3
_DESCRIPTION = "Virtual smart card in the TPM of a computer (hardbound.identity)"
_LEGAL_HEADER = "Made by the operator of the CA whose root it holds, for relying parties that trust this CA."
_SIGNATURES = {
    KeyAlgorithm.ECC_P256: "secp256r1_ecdsa_sha256_raw",
    KeyAlgorithm.ECC_P384: "secp384r1_ecdsa_sha384_raw",
    KeyAlgorithm.RSA_2048: "rsassa_pkcsv15_sha256_raw",
}
_WEAKEST = 112
"""Bits of strength of RSA 2048: NIST SP 800-57 Part 1, table 2."""
_CHARACTERS = 95
"""That a PIN may be of: those of ASCII that print."""


def metadata_statement(root: x509.Certificate) -> bytes:
    """Returns the statement as JSON."""
    certificate = encoded(root.public_bytes(serialization.Encoding.DER))
    statement = {
        "legalHeader": _LEGAL_HEADER,
        "description": _DESCRIPTION,
        "aaguid": str(uuid.UUID(bytes=model.AAGUID)),
        "protocolFamily": "fido2",
        "schema": _SCHEMA,
        "authenticatorVersion": model.VERSION,
        "upv": [_version(each) for each in model.CTAP_VERSIONS],
        "authenticationAlgorithms": [_SIGNATURES[each] for each in model.COSE_NUMBERS],
        "publicKeyAlgAndEncodings": ["cose"],
        "attestationTypes": ["attca"],
        "attestationRootCertificates": [certificate],
        "userVerificationDetails": [[_pin()]],
        "isKeyRestricted": False,
        "isFreshUserVerificationRequired": True,
        "keyProtection": ["hardware", "secure_element"],
        "matcherProtection": ["on_chip"],
        "cryptoStrength": _WEAKEST,
        "attachmentHint": ["internal"],
        "tcDisplay": [],
        "authenticatorGetInfo": _info(),
    }
    return (json.dumps(statement, indent=2) + "\n").encode()


def _version(name: str) -> t.Dict[str, int]:
    """``FIDO_2_1`` is version 1.1 of the protocol family fido2: FIDO Metadata Statement, section 3.2."""
    return {"major": 1, "minor": int(name.rpartition("_")[2])}


def _pin() -> t.Dict[str, t.Any]:
    rules = {"base": _CHARACTERS, "minLength": SHORTEST, "maxRetries": model.MOST_TRIES, "blockSlowdown": 0}
    return {"userVerificationMethod": "passcode_external", "caDesc": rules}


def _info() -> t.Dict[str, t.Any]:
    """What every card answers to authenticatorGetInfo, by the names of FIDO Metadata Statement, section 3.13."""
    return {
        "versions": list(model.CTAP_VERSIONS),
        "extensions": list(model.EXTENSIONS),
        "aaguid": model.AAGUID.hex(),
        "options": dict(model.OPTIONS),
        "maxMsgSize": model.LARGEST_REQUEST,
        "pinUvAuthProtocols": list(model.PIN_PROTOCOLS),
        "maxCredentialCountInList": model.MOST_IN_LIST,
        "maxCredentialIdLength": model.LONGEST_CREDENTIAL_ID,
        "transports": list(model.TRANSPORTS),
        "algorithms": [{"type": "public-key", "alg": number} for number in model.COSE_NUMBERS.values()],
        "maxSerializedLargeBlobArray": model.LARGEST_BLOBS,
        "minPINLength": SHORTEST,
        "firmwareVersion": model.VERSION,
        "maxCredBlobLength": model.LONGEST_BLOB,
        "maxRPIDsForSetMinPINLength": model.MOST_PIN_LENGTH_READERS,
    }
