# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be another than it was, for one run: named by the fingerprint of what goes.

What has come in its place has another fingerprint. So a value that is left standing in an inventory permits nothing
more, whoever controls the host.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ...module_utils._errors import InputError

DIGITS = 32
_FINGERPRINT = re.compile(f"[0-9a-f]{{{DIGITS}}}")
_REMEDY = "take it from the message of the run that refused what is new"


@dataclass(frozen=True)
class Replacement:
    """What the inventory says may be replaced.

    :param tpm: fingerprint of the host's TPM, as :attr:`Known.fingerprint`; empty: it stays
    :param cards: fingerprints of cards, as :attr:`CardPins.fingerprint`, by the cards' names; others stay
    """

    tpm: str = ""
    cards: t.Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, tpm: t.Any, cards: t.Iterable[str]) -> Replacement:
        """Reads ``replace_ek`` and ``replace_cards`` of a task.

        :param cards: each as ``NAME=FINGERPRINT``
        :raises InputError: for the first that names no fingerprint
        """
        return cls(read_fingerprint(tpm, "replace_ek"), dict(_read_card(each) for each in cards))

    def lets_tpm(self, fingerprint: str) -> bool:
        """Whether the TPM of that fingerprint may go."""
        return self.tpm == fingerprint

    def lets_card(self, name: str, fingerprint: str) -> bool:
        """Whether the card of that fingerprint may go."""
        return self.cards.get(name) == fingerprint

    def without(self, lapsed: t.Container[t.Tuple[str, str]]) -> Replacement:
        """Returns what is left where some, each a card's name (empty for the TPM) and a fingerprint, count no more."""
        tpm = "" if ("", self.tpm) in lapsed else self.tpm
        return Replacement(tpm, {name: value for name, value in self.cards.items() if (name, value) not in lapsed})

    def __bool__(self) -> bool:
        return bool(self.tpm or self.cards)


NOTHING = Replacement()


def read_fingerprint(value: t.Any, name: str) -> str:
    """Returns the fingerprint that an option holds, or nothing where it is left out.

    :raises InputError: if it holds something else
    """
    text = str(value or "").strip().lower()
    if text and not _FINGERPRINT.fullmatch(text):
        raise InputError(name, f"is {value!r}, which is no fingerprint of what is replaced", _REMEDY)
    return text


def _read_card(value: str) -> t.Tuple[str, str]:
    name, _sign, fingerprint = value.rpartition("=")
    if not name or not _FINGERPRINT.fullmatch(fingerprint.strip().lower()):
        raise InputError("replace_cards", f"holds {value!r}, which is not NAME=FINGERPRINT", _REMEDY)
    return name, fingerprint.strip().lower()
