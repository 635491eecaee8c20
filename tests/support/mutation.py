# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents that are almost right: what a decoder is fuzzed with.

``HARDBOUND_FUZZ_CASES`` is the number of cases for each decoder, ``HARDBOUND_FUZZ_SEED`` repeats a run.
"""

from __future__ import annotations

import os
import random
import typing as t

CASES = int(os.environ.get("HARDBOUND_FUZZ_CASES", "2000"))
SEED = int(os.environ.get("HARDBOUND_FUZZ_SEED") or random.SystemRandom().getrandbits(32))
_MOST_CHANGES = 6
_LONGEST_NOISE = 64


def mutated(samples: t.Sequence[bytes], tokens: t.Sequence[bytes], cases: int = CASES) -> t.Iterator[bytes]:
    """Yields each sample, then noise and samples with a few changes, until there were so many cases.

    :param tokens: what means something to the decoder, put in here and there
    """
    source = random.Random(SEED)
    yield from samples[:cases]
    for _unused in range(cases - len(samples)):
        if source.random() < 0.05:
            yield source.randbytes(source.randrange(_LONGEST_NOISE))
            continue
        document = bytearray(source.choice(samples))
        for _change in range(source.randint(1, _MOST_CHANGES)):
            source.choice(_CHANGES)(document, source, tokens)
        yield bytes(document)


Change = t.Callable[[bytearray, random.Random, t.Sequence[bytes]], None]


def _at(document: bytearray, source: random.Random) -> int:
    return source.randint(0, len(document))


def _flip(document: bytearray, source: random.Random, _tokens: t.Sequence[bytes]) -> None:
    if document:
        document[source.randrange(len(document))] ^= 1 << source.randrange(8)


def _overwrite(document: bytearray, source: random.Random, _tokens: t.Sequence[bytes]) -> None:
    if document:
        document[source.randrange(len(document))] = source.choice((0, 1, 0x20, 0x7F, 0x80, 0xFF))


def _cut(document: bytearray, source: random.Random, _tokens: t.Sequence[bytes]) -> None:
    at = _at(document, source)
    del document[at : at + source.randint(1, 24)]


def _end(document: bytearray, source: random.Random, _tokens: t.Sequence[bytes]) -> None:
    del document[_at(document, source) :]


def _repeat(document: bytearray, source: random.Random, _tokens: t.Sequence[bytes]) -> None:
    at, other = _at(document, source), _at(document, source)
    document[other:other] = document[at : at + source.randint(1, 60)]


def _insert(document: bytearray, source: random.Random, tokens: t.Sequence[bytes]) -> None:
    at = _at(document, source)
    document[at:at] = source.choice(tokens)


_CHANGES: t.Sequence[Change] = (_flip, _overwrite, _cut, _end, _repeat, _insert, _insert)
