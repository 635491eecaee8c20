# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of a JSON object: each read once, of one type, within bounds, and none left over."""

from __future__ import annotations

import base64
import binascii
import json
import typing as t

from .wire import WireError


class UnknownField(WireError):
    """An object says something that it was not asked for."""


class Fields:
    """Reads an object that somebody else wrote.

    :param value: what came out of the JSON parser
    :param where: the path to it, for messages, such as ``cards[0]``
    :raises WireError: if it is no object
    """

    def __init__(self, value: t.Any, where: str) -> None:
        self.where = where
        if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
            raise self.fault("", "is no JSON object")
        self._left = dict(value)

    @classmethod
    def of_json(cls, data: bytes, what: str) -> Fields:
        """Reads a whole document.

        :param what: it is, for messages
        :raises WireError: if it is no object of JSON
        """
        try:
            return cls(json.loads(data), "")
        except ValueError:
            raise WireError(f"the {what} is no JSON") from None

    def demand_version(self, understood: int) -> None:
        """:raises WireError: if the document is of another version"""
        version = self.number("version", 2**31)
        if version != understood:
            raise self.fault("version", f"is {version}, where {understood} is understood")

    def _take(self, name: str, kind: t.Type[t.Any]) -> t.Any:
        value = self.value(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.fault(name, f"is no {kind.__name__}")
        return value

    def text(self, name: str, most: int) -> str:
        value: str = self._take(name, str)
        if not value or len(value) > most or not value.isprintable():
            raise self.fault(name, f"has not 1 to {most} printable characters")
        return value

    def number(self, name: str, most: int) -> int:
        value: int = self._take(name, int)
        if not 0 <= value <= most:
            raise self.fault(name, f"is no number from 0 to {most}")
        return value

    def flag(self, name: str) -> bool:
        value: bool = self._take(name, bool)
        return value

    def octets(self, name: str, most: int) -> bytes:
        """Returns bytes that are written in base64."""
        return self._decode(name, self._take(name, str), most)

    def octets_list(self, name: str, count: int, most: int) -> t.Tuple[bytes, ...]:
        values = self.list(name, count)
        return tuple(self._decode(f"{name}[{at}]", value, most) for at, value in enumerate(values))

    def list(self, name: str, count: int) -> t.List[t.Any]:
        value: t.List[t.Any] = self._take(name, list)
        if len(value) > count:
            raise self.fault(name, f"has {len(value)} members, where at most {count} may be")
        return value

    def objects(self, name: str, count: int) -> t.List[Fields]:
        return [Fields(value, f"{self._path(name)}[{at}]") for at, value in enumerate(self.list(name, count))]

    def object(self, name: str) -> Fields:
        return Fields(self._take(name, dict), self._path(name))

    def value(self, name: str) -> t.Any:
        """Returns whatever stands there, for another reader."""
        if name not in self._left:
            raise self.fault(name, "is missing")
        return self._left.pop(name)

    def has(self, name: str) -> bool:
        return name in self._left

    def end(self) -> None:
        """:raises UnknownField: if a field was not read"""
        for name in sorted(self._left):
            raise UnknownField(f"{self._path(name[:40])!r} is no field of this document")

    def _decode(self, name: str, value: t.Any, most: int) -> bytes:
        if not isinstance(value, str) or len(value) > most * 4 // 3 + 4:
            raise self.fault(name, f"is no base64 of at most {most} bytes")
        try:
            return base64.b64decode(value.encode("ascii"), validate=True)
        except (ValueError, binascii.Error):
            raise self.fault(name, "is no base64") from None

    def _path(self, name: str) -> str:
        return ".".join(part for part in (self.where, name) if part)

    def fault(self, name: str, clause: str) -> WireError:
        return WireError(f"{self._path(name) or 'the document'} {clause}")


def encoded(value: bytes) -> str:
    """Returns base64, as :meth:`Fields.octets` reads it."""
    return base64.b64encode(value).decode("ascii")
