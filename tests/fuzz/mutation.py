# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes that nobody expects: random ones, and valid ones that were changed.

The same seed gives the same bytes. Both numbers come from the environment:

* ``HARDBOUND_FUZZ``: how many inputs each test gets
* ``HARDBOUND_FUZZ_SEED``: a number; another one at each run if it is left out, and shown where a test fails
"""

from __future__ import annotations

import os
import random
import resource
import typing as t

COUNT = int(os.environ.get("HARDBOUND_FUZZ", "1000000"))
SEED = int(os.environ.get("HARDBOUND_FUZZ_SEED") or random.SystemRandom().getrandbits(32))

_BOUNDARIES = (0x00, 0x01, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFE, 0xFF)
_LONGEST = 300
_GROWTH = 32 * 1024
"""KiB that a process may grow by beyond its first tenth of inputs: what allocators keep."""


class Source:
    """Makes inputs.

    :param seeds: valid inputs
    :param tokens: what means something to the decoder, put in here and there
    """

    def __init__(self, name: str, seeds: t.Sequence[bytes], tokens: t.Sequence[bytes] = ()) -> None:
        self.random = random.Random(f"{SEED} {name}")
        self._seeds = list(seeds)
        self._tokens = list(tokens)

    def next(self) -> bytes:
        """Returns a valid input one time in eight, random bytes as often, and else one that was changed."""
        choice = self.random.random()
        if choice < 0.125:
            return self.random.choice(self._seeds)
        if choice < 0.25:
            return self.random.randbytes(self.random.randrange(_LONGEST))
        return self.changed(self.random.choice(self._seeds))

    def changed(self, valid: bytes) -> bytes:
        data = bytearray(valid)
        for _each in range(self.random.choice((1, 1, 1, 2, 4, 8))):
            self.random.choice(_CHANGES)(self, data)
        return bytes(data)

    def _place(self, data: bytearray) -> int:
        return self.random.randrange(len(data)) if data else 0

    def _flip(self, data: bytearray) -> None:
        if data:
            data[self._place(data)] ^= 1 << self.random.randrange(8)

    def _replace(self, data: bytearray) -> None:
        if data:
            data[self._place(data)] = self.random.randrange(256)

    def _bound(self, data: bytearray) -> None:
        if data:
            data[self._place(data)] = self.random.choice(_BOUNDARIES)

    def _cut(self, data: bytearray) -> None:
        del data[self._place(data) :]

    def _drop(self, data: bytearray) -> None:
        start = self._place(data)
        del data[start : start + self.random.randrange(1, 9)]

    def _insert(self, data: bytearray) -> None:
        start = self._place(data)
        if self._tokens and self.random.random() < 0.75:
            data[start:start] = self.random.choice(self._tokens)
        else:
            data[start:start] = self.random.randbytes(self.random.randrange(1, 9))

    def _repeat(self, data: bytearray) -> None:
        start = self._place(data)
        data[start:start] = data[start : start + self.random.randrange(1, 64)]

    def _splice(self, data: bytearray) -> None:
        other = self.random.choice(self._seeds)
        data[self._place(data) :] = other[self.random.randrange(len(other) + 1) :]


_CHANGES = (
    Source._flip,
    Source._replace,
    Source._bound,
    Source._cut,
    Source._drop,
    Source._insert,
    Source._repeat,
    Source._splice,
)


class Memory:
    """Notices a process that grows with the number of inputs."""

    def __init__(self) -> None:
        self._after_first_tenth = 0

    def look(self, number: int, count: int) -> None:
        """:param number: of the input, from 0"""
        if number == count // 10:
            self._after_first_tenth = _peak()

    def check(self) -> None:
        grown = _peak() - self._after_first_tenth
        assert grown < _GROWTH, f"the process grew by {grown} KiB"


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def feed(
    name: str,
    seeds: t.Sequence[bytes],
    take: t.Callable[[bytes], object],
    count: int = COUNT,
    tokens: t.Sequence[bytes] = (),
) -> None:
    """Gives inputs to a function that may refuse them in its own way, and must not fail in any other."""
    source, memory = Source(name, seeds, tokens), Memory()
    for number in range(count):
        data = source.next()
        try:
            take(data)
        except Exception as error:
            raise AssertionError(f"seed {SEED}, input {number}: {data.hex()}") from error
        memory.look(number, count)
    memory.check()
