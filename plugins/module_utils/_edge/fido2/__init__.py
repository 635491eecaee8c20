# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card as a FIDO2 authenticator: commands of the Client to Authenticator Protocol, CTAP 2.1 (FIDO Alliance, 2022).

Clauses that files here name are of this document, if they name no other.
"""
