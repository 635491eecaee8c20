# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of hosts from before: checks 6 and 18 of docs/attestation.md. The ledger keeps it.

To read here is not enough where two runs meet: whoever records has to refuse what contradicts, in one transaction.
"""

from __future__ import annotations

import typing as t

from .._ledger.pins import Known

Recall = t.Callable[[str, str, str], Known]
"""Tells what is pinned of a host, and to whom the EK and the storage root key are that it shows.

The EK is given by the SHA-256 of its SubjectPublicKeyInfo, the storage root key by its Name, both in hex.
"""
