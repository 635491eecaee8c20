# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module, its slots and what is in them: PKCS#11 2.40, clauses 5.4 and 5.5."""

from __future__ import annotations

import typing as t

from ..._encoding.p11_kit import HANDSHAKE, Fitted, padded
from . import mechanisms
from .context import Context
from .fault import CallRefused
from .reference import UNKNOWN, Rv, SlotFlag

_MAKER = padded("hardbound.identity", 32)
_LIBRARY = padded("Smart cards in the TPM", 32)
_CRYPTOKI = (2, 40)
_VERSION = (0, 1)
_DONT_BLOCK = 1

Answer = t.Sequence[t.Any]


def initialize(context: Context, handshake: t.Optional[bytes], _given: int, _reserved: t.Optional[bytes]) -> Answer:
    if handshake != HANDSHAKE:
        raise CallRefused(Rv.ARGUMENTS_BAD)
    context.initialized = True
    return ()


def finalize(context: Context) -> Answer:
    context.end()
    return ()


def get_info(_context: Context) -> Answer:
    return _CRYPTOKI, _MAKER, 0, _LIBRARY, _VERSION


def get_slot_list(context: Context, _with_token: int, room: int) -> Answer:
    return (Fitted(context.slots(), room),)


def get_slot_info(context: Context, slot: int) -> Answer:
    card = context.token(slot).card
    flags = SlotFlag.TOKEN_PRESENT | SlotFlag.REMOVABLE_DEVICE | SlotFlag.HW_SLOT
    return padded(card.name, 64), _MAKER, int(flags), _VERSION, _VERSION


def get_token_info(context: Context, slot: int) -> Answer:
    token = context.token(slot)
    card = token.card
    texts = padded(card.name, 32), _MAKER, padded(f"{card.edge.label} in a TPM", 16), padded(card.serial.hex(), 16)
    counts = (
        len(context.sessions.of(token)),
        UNKNOWN,
        len([each for each in context.sessions.of(token) if each.writable]),
    )
    lengths = card.edge.longest_pin, card.shortest_pin
    return (*texts, int(token.flags()), UNKNOWN, *counts, *lengths, *[UNKNOWN] * 4, _VERSION, _VERSION, padded("", 16))


def get_mechanism_list(context: Context, slot: int, room: int) -> Answer:
    context.token(slot)
    return (Fitted(list(mechanisms.METHODS), room),)


def get_mechanism_info(context: Context, slot: int, number: int) -> Answer:
    context.token(slot)
    return mechanisms.info(number)


def wait_for_slot_event(_context: Context, flags: int) -> Answer:
    """Nothing is waited for: one connection carries the calls of all threads of a program."""
    raise CallRefused(Rv.NO_EVENT if flags & _DONT_BLOCK else Rv.FUNCTION_NOT_SUPPORTED)


CALLS: t.Mapping[str, t.Callable[..., Answer]] = {
    "C_Initialize": initialize,
    "C_Finalize": finalize,
    "C_GetInfo": get_info,
    "C_GetSlotList": get_slot_list,
    "C_GetSlotInfo": get_slot_info,
    "C_GetTokenInfo": get_token_info,
    "C_GetMechanismList": get_mechanism_list,
    "C_GetMechanismInfo": get_mechanism_info,
    "C_WaitForSlotEvent": wait_for_slot_event,
}
