# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PIN rules: length, character classes, history and expiry. Shared by the card and the Hello policy.

The rules are those of Microsoft's Tpmvscmgr reference (``/pinpolicy``) and of the PIN complexity
settings of Windows Hello for Business. A PIN is printable ASCII (0x20 to 0x7E), one byte a character.
Its 32 special characters are those of the reference, which are all but letters, digits and the space.
A space is in no class: it does not stand for a special character, and may stand where one may.
"""

from __future__ import annotations

import enum
import secrets
import string
from dataclasses import dataclass, replace
from typing import Mapping

from ._errors import InputError

SHORTEST = 4
LONGEST = 127
DEFAULT_MINLEN = 8
LONGEST_HISTORY = 50
LONGEST_EXPIRY_DAYS = 730

_PRINTABLE = frozenset(chr(code) for code in range(0x20, 0x7F))


class Presence(str, enum.Enum):
    """What a rule says of a character class."""

    ALLOWED = "allowed"
    REQUIRED = "required"
    DISALLOWED = "disallowed"


class CharacterClass(str, enum.Enum):
    """The four character classes of printable ASCII."""

    UPPERCASE = "uppercase"
    LOWERCASE = "lowercase"
    DIGITS = "digits"
    SPECIALCHARS = "specialchars"

    def holds(self, character: str) -> bool:
        return character in _MEMBERS[self]


_MEMBERS = {
    CharacterClass.UPPERCASE: frozenset(string.ascii_uppercase),
    CharacterClass.LOWERCASE: frozenset(string.ascii_lowercase),
    CharacterClass.DIGITS: frozenset(string.digits),
    CharacterClass.SPECIALCHARS: frozenset(string.punctuation),
}


@dataclass(frozen=True)
class PinPolicy:
    """Which PINs a card takes.

    ``history`` counts the last PINs, the present one included, that may not come back, ``expiry_days`` the
    days after which a PIN can do nothing but be changed; 0 turns either off.
    """

    minlen: int = DEFAULT_MINLEN
    maxlen: int = LONGEST
    uppercase: Presence = Presence.ALLOWED
    lowercase: Presence = Presence.ALLOWED
    digits: Presence = Presence.ALLOWED
    specialchars: Presence = Presence.ALLOWED
    history: int = 0
    expiry_days: int = 0

    def presence(self, character_class: CharacterClass) -> Presence:
        return Presence(getattr(self, character_class.value))

    def with_rules(self, rules: Mapping[str, object]) -> PinPolicy:
        """Returns the policy with some rules replaced, given as plain data.

        :raises ValueError: for a rule that is unknown or of another type
        """
        changes: dict[str, object] = {}
        for name, value in rules.items():
            if name in _CLASSES:
                changes[name] = Presence(value)
            elif name in _NUMBERS and isinstance(value, int) and not isinstance(value, bool):
                changes[name] = value
            else:
                raise ValueError(f"{name} is no PIN rule, or not of its type")
        return replace(self, **changes)  # type: ignore[arg-type]

    def stricter(self, other: PinPolicy) -> PinPolicy:
        """Returns the policy that asks for all that both ask for.

        :raises InputError: if one requires what the other disallows
        """
        classes = {each.value: self._stricter_presence(other, each) for each in CharacterClass}
        return PinPolicy(
            minlen=max(self.minlen, other.minlen),
            maxlen=min(self.maxlen, other.maxlen),
            history=max(self.history, other.history),
            expiry_days=self.stricter_expiry(other),
            **classes,
        )

    def _stricter_presence(self, other: PinPolicy, character_class: CharacterClass) -> Presence:
        both = {self.presence(character_class), other.presence(character_class)} - {Presence.ALLOWED}
        if len(both) > 1:
            field = f"pin_policy.{character_class.value}"
            raise InputError(field, "is required by one and disallowed by the other", "loosen one of them")
        return both.pop() if both else Presence.ALLOWED

    def stricter_expiry(self, other: PinPolicy) -> int:
        """Returns the lower number of days; 0, for never, is the highest."""
        return min(filter(None, (self.expiry_days, other.expiry_days)), default=0)

    def broken_by_pins_of(self, earlier: PinPolicy) -> list[str]:
        """Returns the rules about how a PIN looks that one set under an earlier policy may break."""
        lengths = {"minlen": earlier.minlen < self.minlen, "maxlen": earlier.maxlen > self.maxlen}
        classes = {
            each.value: self.presence(each) not in (Presence.ALLOWED, earlier.presence(each)) for each in CharacterClass
        }
        return [rule for rule, broken in {**lengths, **classes}.items() if broken]

    def generate(self) -> str:
        """Returns a random PIN that follows the rules, each with the same chance, easy to read and to type.

        It has DEFAULT_MINLEN characters if it may, and special ones only where nothing else will do.
        """
        length = min(max(self.minlen, DEFAULT_MINLEN), self.maxlen)
        allowed = [each for each in CharacterClass if self.presence(each) is not Presence.DISALLOWED]
        if self.specialchars is Presence.ALLOWED and len(allowed) > 1:
            allowed.remove(CharacterClass.SPECIALCHARS)
        alphabet = "".join(_LEGIBLE[each] for each in allowed)
        while True:
            pin = "".join(secrets.choice(alphabet) for _unused in range(length))
            try:
                self.check(pin)
            except InputError:
                continue
            return pin

    def validate(self, field: str = "pin_policy") -> PinPolicy:
        """Returns itself.

        :raises InputError: for a rule that no PIN could follow or that is out of range
        """
        _in_range(f"{field}.minlen", self.minlen, SHORTEST, LONGEST)
        _in_range(f"{field}.maxlen", self.maxlen, SHORTEST, LONGEST)
        _in_range(f"{field}.history", self.history, 0, LONGEST_HISTORY)
        _in_range(f"{field}.expiry_days", self.expiry_days, 0, LONGEST_EXPIRY_DAYS)
        if self.minlen > self.maxlen:
            raise InputError(
                f"{field}.minlen",
                f"is {self.minlen}, more than {field}.maxlen, which is {self.maxlen}",
                "make the minimum the smaller one",
            )
        if all(self.presence(each) is Presence.DISALLOWED for each in CharacterClass):
            raise InputError(field, "disallows all four character classes, so no PIN is possible", "allow at least one")
        return self

    def capped(self, longest: int, field: str, where: str, otherwise: str = "card_edge: gids") -> PinPolicy:
        """Returns the policy for a card that takes at most ``longest`` characters.

        A maximum that was left at its default is lowered.

        :raises InputError: if a longer maximum, or a longer minimum, was asked for
        """
        remedy = f"choose {longest} or less, or {otherwise}"
        if self.minlen > longest:
            raise InputError(f"{field}.minlen", f"is {self.minlen}, but {where} takes at most {longest}", remedy)
        if self.maxlen == LONGEST:
            return replace(self, maxlen=min(LONGEST, longest))
        if self.maxlen > longest:
            raise InputError(f"{field}.maxlen", f"is {self.maxlen}, but {where} takes at most {longest}", remedy)
        return self

    def check(self, pin: str, field: str = "pin") -> None:
        """Checks a new PIN. The messages never hold any part of it.

        :raises InputError: naming the first rule that it breaks
        """
        if not set(pin) <= _PRINTABLE:
            raise InputError(
                field, "holds a character that is not printable ASCII", "use characters from space to tilde"
            )
        if len(pin) < self.minlen:
            raise InputError(
                field, f"is shorter than the {self.minlen} characters that the PIN policy asks for", "lengthen it"
            )
        if len(pin) > self.maxlen:
            raise InputError(
                field, f"is longer than the {self.maxlen} characters that the PIN policy allows", "shorten it"
            )
        for each in CharacterClass:
            self._check_class(pin, each, field)
        if " " in pin and self.specialchars is Presence.DISALLOWED:
            fault = "holds a space, which may stand only where the PIN policy allows specialchars"
            raise InputError(field, fault, "leave it out")

    def _check_class(self, pin: str, character_class: CharacterClass, field: str) -> None:
        presence = self.presence(character_class)
        found = any(character_class.holds(character) for character in pin)
        if presence is Presence.REQUIRED and not found:
            raise InputError(
                field, f"holds none of the {character_class.value} that the PIN policy requires", "add one"
            )
        if presence is Presence.DISALLOWED and found:
            raise InputError(field, f"holds {character_class.value}, which the PIN policy disallows", "leave them out")


_CLASSES = frozenset(each.value for each in CharacterClass)
_NUMBERS = frozenset(("minlen", "maxlen", "history", "expiry_days"))
_LEGIBLE = {
    CharacterClass.UPPERCASE: "ABCDEFGHJKLMNPQRSTUVWXYZ",
    CharacterClass.LOWERCASE: "abcdefghijkmnpqrstuvwxyz",
    CharacterClass.DIGITS: "23456789",
    CharacterClass.SPECIALCHARS: "!#$%&*+-=?@",
}
"""What a person tells apart, and finds on any keyboard."""
LOOSEST = PinPolicy(minlen=SHORTEST, maxlen=LONGEST)


def _in_range(field: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise InputError(field, f"is {value}", f"choose a number from {lowest} to {highest}")
