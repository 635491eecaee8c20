# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CBOR as CTAP wants it: the canonical form of clause 8, and nothing beside it. Alone imports cbor2.

A request is looked through before cbor2 sees it: whatever is not canonical, too deep, or none of the kinds that CTAP
knows never gets there.
"""

from __future__ import annotations

import functools
import typing as t

from ..._errors import missing_package

DEEPEST = 4
"""Levels of nesting: clause 8."""
_INTEGERS, _STRINGS, _ARRAY, _MAP, _SIMPLE = (0, 1), (2, 3), 4, 5, 7
_FALSE, _TRUE = 20, 21


class CborError(ValueError):
    """What was sent is not in the canonical form."""


def require() -> None:
    """Does nothing where cbor2 can be used.

    :raises StateError: where it is missing
    """
    try:
        import cbor2  # noqa: F401
    except ImportError as error:
        remedy = "install the package python3-cbor2, or cbor2 with pip"
        raise missing_package("cbor2", error, remedy) from error


def encode(value: t.Any) -> bytes:
    """Returns the canonical form. cbor2's own goes by the length of keys first, as RFC 7049 has it and CTAP has not."""
    import cbor2

    encoded: bytes = cbor2.dumps(_ordered(value))
    return encoded


def _ordered(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=_place_of)}
    return [_ordered(each) for each in value] if isinstance(value, list) else value


@functools.lru_cache(maxsize=256)
def _place_of(key: t.Union[int, str, bytes]) -> t.Tuple[int, int, bytes]:
    """The keys of answers are few, and the same again and again."""
    return _place(encode(key))


def _place(key: bytes) -> t.Tuple[int, int, bytes]:
    """What keys are ordered by: clause 8."""
    return key[0] >> 5, len(key), key


def decode(data: bytes) -> t.Any:
    """Returns what one data item says: integers, bytes, text, booleans, lists and dictionaries.

    :raises CborError: if it is not in the canonical form, or something follows it
    """
    import cbor2

    if _Scan(data).item(0, DEEPEST) != len(data):
        raise CborError("something follows the data item")
    try:
        return cbor2.loads(data)
    except UnicodeDecodeError as error:
        raise CborError("a text is not UTF-8") from error
    except Exception as error:
        # cbor2 wraps that in errors of its own, which differ from release to release.
        raise CborError("cbor2 can't read it") from error


class _Scan:
    """Looks through a data item, and holds nothing of it."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def item(self, at: int, depth: int) -> int:
        """Returns where the item at this place ends.

        :param depth: levels that it may have, if it is an array or a map
        """
        major, argument, after = self._head(at)
        if major in _INTEGERS:
            return after
        if major in _STRINGS:
            return self._end(after + argument)
        if major == _SIMPLE and after == at + 1 and argument in (_FALSE, _TRUE):
            return after
        if major not in (_ARRAY, _MAP):
            raise CborError("it holds a tag, a number with a fraction or another value that CTAP does not know")
        if not depth:
            raise CborError(f"it is nested deeper than {DEEPEST} levels")
        return self._map(after, argument, depth) if major == _MAP else self._array(after, argument, depth)

    def _array(self, at: int, count: int, depth: int) -> int:
        for _unused in range(self._possible(at, count)):
            at = self.item(at, depth - 1)
        return at

    def _map(self, at: int, count: int, depth: int) -> int:
        last: t.Tuple[int, int, bytes] = (-1, 0, b"")
        for _unused in range(self._possible(at, 2 * count) // 2):
            if self._head(at)[0] not in (*_INTEGERS, *_STRINGS):
                raise CborError("a key is neither a number nor a string")
            end = self.item(at, 0)
            key = _place(self._data[at:end])
            if key <= last:
                raise CborError("keys are not in order, or one is there twice")
            last, at = key, self.item(end, depth - 1)
        return at

    def _possible(self, at: int, count: int) -> int:
        """Each item has a byte at least. So nobody makes this loop for longer than what was sent."""
        if count > len(self._data) - at:
            raise CborError("it ends too early")
        return count

    def _head(self, at: int) -> t.Tuple[int, int, int]:
        """Returns the major type and the argument of an item, and where they end: RFC 8949, section 3."""
        after = self._end(at + 1)
        major, argument = self._data[at] >> 5, self._data[at] & 31
        if argument < 24:
            return major, argument, after
        if argument > 27:
            raise CborError("a length is not said")
        after = self._end(after + (1 << argument - 24))
        value = int.from_bytes(self._data[at + 1 : after], "big")
        if value < (24, 1 << 8, 1 << 16, 1 << 32)[argument - 24]:
            raise CborError("a number is longer than it need be")
        return major, value, after

    def _end(self, at: int) -> int:
        if at > len(self._data):
            raise CborError("it ends too early")
        return at
