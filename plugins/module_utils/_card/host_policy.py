# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Hello policy of a Linux host, as far as cards obey it. The module ``hello_policy`` writes it."""

from __future__ import annotations

import json
import time
import typing as t
from dataclasses import dataclass

from .._errors import InputError, StateError
from .._pin import LOOSEST, PinPolicy

if t.TYPE_CHECKING:
    from .record import Record

PATH = "/etc/hardbound/hello_policy.json"
VERSION = 1
_SWITCHES = ("may_create", "hardware_tpm_only", "puk_may_reset_pin", "present_new_cards", "everyone_sees_readers")


@dataclass(frozen=True)
class HostPolicy:
    """What a host asks of all its cards, beside their own rules.

    :param pin: the host's rules for PINs; the loosest where it has none
    :param may_create: whether cards may be made
    :param hardware_tpm_only: whether cards in software TPMs are refused
    :param puk_may_reset_pin: whether a PUK may set a new PIN
    :param present_new_cards: whether a card that is made gets a reader; one that is there keeps what it got
    :param everyone_sees_readers: whether users without a card see the readers; None leaves it to the system
    """

    pin: PinPolicy = LOOSEST
    may_create: bool = True
    hardware_tpm_only: bool = False
    puk_may_reset_pin: bool = True
    present_new_cards: bool = True
    everyone_sees_readers: t.Optional[bool] = None

    @classmethod
    def load(cls, path: str = PATH) -> HostPolicy:
        """Reads the policy; without a file everything is allowed that a card allows.

        :raises StateError: if there is a file that can't be used. Better no new PIN than one against the rules
        """
        try:
            with open(path, "rb") as file:
                return cls.parse(file.read(), path)
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise StateError(f"the Hello policy {path} can't be read ({error.strerror})", "check its rights") from error

    @classmethod
    def parse(cls, document: bytes, path: str = PATH) -> HostPolicy:
        """Reads the policy's bytes.

        :raises StateError: if they can't be used
        """
        try:
            fields = json.loads(document)
            _check_version(fields["version"], path)
            return cls._parse(fields)
        except (ValueError, TypeError, KeyError, AttributeError, InputError) as error:
            remedy = "write it again with the module hello_policy, or remove it"
            raise StateError(f"the Hello policy {path} is damaged", remedy) from error

    @classmethod
    def _parse(cls, document: t.Mapping[str, t.Any]) -> HostPolicy:
        switches = {name: document["cards"][name] for name in _SWITCHES if name in document["cards"]}
        if not all(isinstance(value, bool) for value in switches.values()):
            raise ValueError("a switch is neither true nor false")
        return cls(LOOSEST.with_rules(document["pin_policy"]).validate(), **switches)

    def rules(self, own: PinPolicy) -> PinPolicy:
        """Returns the rules that a new PIN of a card has to follow: the stricter of each two.

        :raises StateError: if no PIN can follow both
        """
        try:
            return own.stricter(self.pin).validate()
        except InputError as error:
            found = f"no PIN can follow both the card's rules and the host's Hello policy: together, {error.field}"
            raise StateError(f"{found} {error.fault}", "loosen one of them") from error

    def expiry_days(self, own: PinPolicy) -> int:
        """Returns the days after which a card's PIN expires, 0 for never."""
        return own.stricter_expiry(self.pin)


def _check_version(version: t.Any, path: str) -> None:
    """There is one version yet, so there is none to migrate.

    :raises StateError: for a document of a newer release
    :raises ValueError: for what is no version
    """
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ValueError("no version")
    if version > VERSION:
        found = f"the Hello policy {path} has version {version}, and this release knows up to {VERSION}"
        raise StateError(found, "update the collection, and apply the role hardbound.identity.tpm_host again")


def objections_to(card: Record, policy: HostPolicy) -> t.List[str]:
    """Returns what about a card no longer is as it and its host want it. Pure, but for the clock."""
    found = []
    why = card.pin.due(policy.expiry_days(card.pin_policy), time.time())
    if why is not None:
        found.append(f"The PIN {why.value}.")
    try:
        rules = policy.rules(card.pin_policy)
    except StateError as error:
        return [*found, str(error)]
    if card.pin.rules is None:
        found.append("Nobody knows by which rules the PIN was set.")
        return found
    changed = rules.broken_by_pins_of(card.pin.rules)
    if changed:
        found.append(f"The PIN was set when the rules were looser: {', '.join(changed)}.")
    return found
