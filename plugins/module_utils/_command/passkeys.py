# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``passkeys``: what a card has for websites."""

from __future__ import annotations

import datetime
import typing as t

from .._encoding.owner_call import Message, bytes_of
from .exit_code import CommandError, ExitCode

_SHOWN = 8
"""Digits of an identifier that are shown. More may be given, and fewer where they are enough."""


def told(passkey: Message) -> Message:
    """Returns a passkey as programs read it."""
    return {**passkey, "passkey": _digits(passkey)}


def line(passkey: Message) -> str:
    """Returns a passkey as people read it."""
    made = datetime.datetime.fromtimestamp(passkey["made_at"])
    return f"{_digits(passkey)[:_SHOWN]}  {passkey['rp']:<28} {passkey['user']:<28} made on {made:%Y-%m-%d}"


def named(passkeys: t.Sequence[Message], beginning: str) -> Message:
    """Returns the passkey whose identifier begins so.

    :param beginning: hexadecimal digits
    :raises CommandError: if there is none, or there are several
    """
    found = [each for each in passkeys if beginning and _digits(each).startswith(beginning.lower())]
    if len(found) != 1:
        how_many = "several passkeys" if found else "no passkey"
        raise CommandError(ExitCode.CARD, f"The card has {how_many} {beginning!r}: see which there are with passkeys.")
    return found[0]


def _digits(passkey: Message) -> str:
    return bytes_of(passkey["passkey"]).hex()
