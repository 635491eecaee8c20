# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The halves of a PUK, as an enrolment brings the controller's and tells of the host's."""

from __future__ import annotations

import typing as t

from .._card.host_policy import HostPolicy
from .._card.record import Record
from .._card.recovery import NewHalves
from .._encoding.recovery_order import HALF_SIZE, IDENTIFIER_DIGITS, is_identifier
from .._errors import InputError
from .attestation import parse_octets
from .secret_arguments import Arguments

OFFERED_HALF: Arguments = {
    "identifier": {"type": "str", "required": True},
    "half": {"type": "str", "required": True, "no_log": True},
}


def parse_halves(offered: t.Optional[t.Mapping[str, t.Any]], field_name: str) -> t.Optional[NewHalves]:
    """Returns both halves for a card that is yet to be made.

    :raises InputError: for what is no half. The message does not hold it
    """
    if offered is None:
        return None
    remedy = "let smartcard_enrollment make it"
    if not is_identifier(offered["identifier"]):
        raise InputError(f"{field_name}.identifier", f"has not {IDENTIFIER_DIGITS} digits in hexadecimal", remedy)
    half = parse_octets(offered["half"], HALF_SIZE, f"{field_name}.half", remedy)
    return NewHalves.make(offered["identifier"], half)


def told_halves(card: t.Optional[Record]) -> t.List[str]:
    """Returns the identifiers of the halves that a card has, the newest first. They are no secret."""
    recovery = card.recovery if card else None
    return [half.identifier for half in recovery.halves] if recovery else []


def check_recovery_allowed(policy: HostPolicy) -> None:
    """:raises InputError: if the host's Hello policy is against it"""
    if not policy.puk_may_reset_pin:
        raise InputError(
            "pin_recovery",
            "is disabled by the host's Hello policy",
            "let the role hello_policy enable it, or do without recovery and make a new card",
        )
