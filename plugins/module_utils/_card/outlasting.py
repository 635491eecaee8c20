# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What outlasts a card, and a PIN: tickets that the TPM gave for the PIN. They end with the TPM's next restart alone.

See the threat model: nothing that this collection could do to a card takes a ticket back.
"""

from __future__ import annotations

TICKETS = "tickets_until_restart"
"""The field of a result that says so."""

AFTER_END = (
    "Who had the PIN of the card may hold a ticket of the TPM and copies of the card's keys, which sign until the TPM "
    "is restarted. Where that matters, restart the host."
)
AFTER_CHANGE = (
    "Who had the former PIN or PUK may hold a ticket of the TPM, which counts until the TPM is restarted: restart the "
    "host."
)
