# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the owner of a card asks the card service, and hears: one object of JSON (RFC 8259) in a line each.

A connection carries one question and its answer. Who asks, the kernel tells the service, so no question says it. Bytes
are written in base64, as :func:`.fields.encoded` does.

================== ================================  ==========================================
``call``           what it says                      what ``answer`` is
================== ================================  ==========================================
``cards``          nothing                           a list: what there is to know of each card
``due``            nothing                           a list of cards whose PIN has to be changed:
                                                     ``card``, ``name`` and ``pin_due``, the reason
``change_pin``     ``card``, ``pin``, ``new_pin``    null
``unblock``        ``card``, ``puk``, ``new_pin``    null
``sign``           ``card``, ``slot``, ``digest``,   the signature: DER ECDSA-Sig-Value, or
                   ``pin`` or null                   PKCS#1 v1.5 with the algorithm's own hash
``passkeys``       ``card``, ``pin``                 a list of discoverable passkeys: ``passkey``, its
                                                     identifier, ``rp``, ``user``, ``made_at``
``remove_passkey`` ``card``, ``pin``, ``passkey``    null
================== ================================  ==========================================

An answer that is none has ``fault``, one of :class:`OwnerFault`, and a ``message`` for a person.
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
import typing as t

SOCKET = "/run/hardbound/owners"
LONGEST_QUESTION = 1 << 12
"""Bytes of a line: a PIN, a PUK and a digest are short."""
LONGEST_ANSWER = 1 << 22
"""Bytes of a line: 16 cards with all the certificates that there is room for."""


class OwnerCall(str, enum.Enum):
    """What an owner may ask."""

    CARDS = "cards"
    DUE = "due"
    CHANGE_PIN = "change_pin"
    UNBLOCK = "unblock"
    SIGN = "sign"
    PASSKEYS = "passkeys"
    REMOVE_PASSKEY = "remove_passkey"


class OwnerFault(str, enum.Enum):
    """Why there is no answer."""

    QUESTION = "question"
    """It is none that the service knows."""
    NO_CARD = "no_card"
    """The owner has no such card."""
    WRONG = "wrong"
    """PIN or PUK is wrong; ``left`` counts the tries."""
    BLOCKED = "blocked"
    RULE = "rule"
    """A new PIN breaks one."""
    DUE = "due"
    """The PIN has to be changed first, or has expired."""
    CARD = "card"
    """The card does not have what was asked for."""
    TPM = "tpm"
    SERVICE = "service"


class MessageError(ValueError):
    """A line that says nothing."""


Message = t.Mapping[str, t.Any]


def write_line(message: Message) -> bytes:
    """Returns a message as it goes out."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def read_line(line: bytes) -> Message:
    """:raises MessageError: if it is no object of JSON"""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise MessageError("no line of JSON") from None
    if not isinstance(message, dict):
        raise MessageError("no object of JSON")
    return message


def bytes_of(text: object) -> bytes:
    """:raises MessageError: if a message has no bytes here"""
    try:
        return base64.b64decode(t.cast(str, text), validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise MessageError("no base64") from None
