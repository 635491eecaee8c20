# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key usage extension, of whichever bits."""

from __future__ import annotations

from ...module_utils._cryptography import x509

_BITS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
"""RFC 5280 section 4.2.1.3, as cryptography spells them."""


def key_usage(*bits: str) -> x509.KeyUsage:
    """Returns the extension with these bits, and no others."""
    return x509.KeyUsage(**{each: each in bits for each in _BITS})
