# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request's parameters, each read as what it has to be."""

from __future__ import annotations

import typing as t

from .reference import CtapStatus
from .refused import CtapRefused, refuse_unless

Kind = t.TypeVar("Kind")


class CtapParameters:
    """A map of a request.

    Each reader returns None for a parameter that is not there, unless it is asked for one that must be.

    :raises CtapRefused: for what is missing, or of another kind, or of a length that it can't have
    """

    def __init__(self, fields: t.Any) -> None:
        if not isinstance(fields, dict):
            raise CtapRefused(CtapStatus.CBOR_UNEXPECTED_TYPE)
        self.fields: t.Dict[t.Any, t.Any] = fields

    def has(self, name: t.Union[int, str]) -> bool:
        return name in self.fields

    def _value(self, name: t.Union[int, str], kind: t.Type[Kind]) -> t.Optional[Kind]:
        value = self.fields.get(name)
        # A boolean is an integer to Python, and none to CTAP.
        fits = isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
        if value is not None and not fits:
            raise CtapRefused(CtapStatus.CBOR_UNEXPECTED_TYPE)
        return value

    def _needed(self, name: t.Union[int, str], kind: t.Type[Kind]) -> Kind:
        value = self._value(name, kind)
        if value is None:
            raise CtapRefused(CtapStatus.MISSING_PARAMETER)
        return value

    def number(self, name: t.Union[int, str]) -> t.Optional[int]:
        value = self._value(name, int)
        refuse_unless(value is None or 0 <= value < 1 << 32, CtapStatus.INVALID_PARAMETER)
        return value

    def needed_number(self, name: t.Union[int, str]) -> int:
        self._needed(name, int)
        return t.cast(int, self.number(name))

    def integer(self, name: t.Union[int, str]) -> int:
        """A number that may be negative, as those of COSE are."""
        return self._needed(name, int)

    def octets(self, name: t.Union[int, str]) -> t.Optional[bytes]:
        return self._value(name, bytes)

    def needed_octets(self, name: t.Union[int, str], fewest: int = 0, most: int = 1 << 16) -> bytes:
        """:param fewest: bytes, and so is most"""
        value = self._needed(name, bytes)
        refuse_unless(fewest <= len(value) <= most, CtapStatus.INVALID_LENGTH)
        return value

    def text(self, name: t.Union[int, str]) -> t.Optional[str]:
        return self._value(name, str)

    def needed_text(self, name: t.Union[int, str]) -> str:
        return self._needed(name, str)

    def flag(self, name: t.Union[int, str]) -> t.Optional[bool]:
        return self._value(name, bool)

    def true(self, name: t.Union[int, str]) -> bool:
        """Whether something is asked for that can only be asked for with true."""
        value = self._value(name, bool)
        refuse_unless(value is not False, CtapStatus.INVALID_OPTION)
        return bool(value)

    def map(self, name: t.Union[int, str]) -> CtapParameters:
        """Returns the parameters in a map; none if there is no map."""
        return CtapParameters(self._value(name, dict) or {})

    def needed_map(self, name: t.Union[int, str]) -> CtapParameters:
        return CtapParameters(self._needed(name, dict))

    def maps(self, name: t.Union[int, str]) -> t.List[CtapParameters]:
        """Returns those of each map in a list; none if there is no list."""
        return [CtapParameters(each) for each in self._value(name, list) or ()]

    def texts(self, name: t.Union[int, str]) -> t.Optional[t.List[str]]:
        values = self._value(name, list)
        refuse_unless(all(isinstance(each, str) for each in values or ()), CtapStatus.CBOR_UNEXPECTED_TYPE)
        return values
