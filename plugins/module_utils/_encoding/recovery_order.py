# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a challenge carries to a card that gets a new PIN: the controller's halves of its PUK, and of the next one."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field

from .fields import Fields, encoded

VERSION = 1
IDENTIFIER_DIGITS = 32
_IDENTIFIER = re.compile(rf"[0-9a-f]{{{IDENTIFIER_DIGITS}}}")
MOST_HALVES = 64
HALF_SIZE = 32


@dataclass(frozen=True)
class RecoveryOrder:
    """Halves of one card, 32 bytes each. They open nothing without those of its TPM.

    :param halves: by their identifiers: one of them belongs to the PUK that the card has
    :param identifier: of the one for the PUK that it shall have
    """

    halves: t.Mapping[str, bytes] = field(repr=False)
    identifier: str
    coming: bytes = field(repr=False)

    @classmethod
    def parse(cls, data: bytes) -> RecoveryOrder:
        """:raises WireError: if it is no such document, or says more"""
        fields = Fields.of_json(data, "order")
        fields.demand_version(VERSION)
        halves = dict(_half(each) for each in fields.objects("halves", MOST_HALVES))
        identifier, coming = _half(fields.object("coming"))
        fields.end()
        return cls(halves, identifier, coming)

    def encode(self) -> bytes:
        halves = [_written(identifier, half) for identifier, half in self.halves.items()]
        coming = _written(self.identifier, self.coming)
        return json.dumps({"version": VERSION, "halves": halves, "coming": coming}).encode()


def is_identifier(text: str) -> bool:
    """Whether it can be what both sides call a half."""
    return _IDENTIFIER.fullmatch(text) is not None


def _half(fields: Fields) -> t.Tuple[str, bytes]:
    identifier, half = fields.text("identifier", IDENTIFIER_DIGITS), fields.octets("half", HALF_SIZE)
    if not is_identifier(identifier):
        raise fields.fault("identifier", f"has not {IDENTIFIER_DIGITS} digits in hexadecimal")
    if len(half) != HALF_SIZE:
        raise fields.fault("half", f"has not {HALF_SIZE} bytes")
    fields.end()
    return identifier, half


def _written(identifier: str, half: bytes) -> t.Dict[str, str]:
    return {"identifier": identifier, "half": encoded(half)}
