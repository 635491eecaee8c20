# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of names that X.509 leaves to others: OtherName, RFC 5280 section 4.2.1.6."""

from __future__ import annotations

UPN = "1.3.6.1.4.1.311.20.2.3"
"""Of a user principal name: wincrypt.h, szOID_NT_PRINCIPAL_NAME; its use: MS-PKCA section 3.1.5.2.1."""

KRB5_PRINCIPAL_NAME = "1.3.6.1.5.2.2"
"""Of a Kerberos principal, RFC 4556 section 3.2.2."""
