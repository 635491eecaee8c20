# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How programs reach a host's cards: a reader for each, who may use it, and what p11-kit shows beside it."""

from __future__ import annotations

import os
import time
import typing as t
from dataclasses import dataclass

from .._card.store import DEFAULT_FOLDER
from .._spine import Plan
from . import access, opensc, reader
from .access import Holder

MODULE = "/etc/pkcs11/modules/hardbound.module"
"""Tells p11-kit where the card service listens; the role lays it."""
PROGRAM = "/usr/lib/hardbound/card_service.py"
SOCKET_GUARD = "/usr/lib/hardbound/reader_access.py"
RUN = "/run/hardbound"
_PATIENCE = 15.0
"""Seconds for pcscd and the card service to come back after a change of readers."""
_PAUSE = 0.05


@dataclass(frozen=True)
class Presented:
    """What is there: readers, access rules, the driver that new readers are made from, and whether p11-kit asks."""

    readers: reader.ReaderFiles
    rules: str
    driver: t.Optional[str]
    offers_pkcs11: bool = False
    opensc: str = ""
    """What p11-kit is told of OpenSC's module."""


@dataclass(frozen=True)
class Present:
    """The step that makes readers and rules fit the cards. It restarts pcscd if need be."""

    readers: Plan[reader.Step]
    rules: Plan[str]
    holders_changed: bool
    opensc: Plan[str]

    @property
    def changed(self) -> bool:
        return any((self.readers.changed, self.rules.changed, self.holders_changed, self.opensc.changed))


class Presentation:
    """The readers and access rules of this host.

    :param store: folder of the card store; the host's service presents the cards of one
    """

    def __init__(self, store: str) -> None:
        self._store = store
        self._paths = reader.Paths()

    @property
    def is_set_up(self) -> bool:
        """Whether the card service was laid down on this host, and for this store."""
        return self._store == DEFAULT_FOLDER and os.path.exists(PROGRAM)

    @property
    def asks_polkit(self) -> bool:
        """Whether pcscd asks polkit. Where it can't, the role has laid down what guards its socket instead."""
        return not os.path.exists(SOCKET_GUARD)

    def read(self) -> Presented:
        driver, offers_pkcs11 = reader.driver_digest(self._paths), os.path.exists(MODULE)
        return Presented(reader.read(self._paths), access.RULES.read(), driver, offers_pkcs11, opensc.MODULE.read())

    def plan(
        self,
        holders: t.Sequence[Holder],
        current: Presented,
        holders_changed: bool,
        everyone: t.Optional[bool] = None,
    ) -> Present:
        """Compares. Pure.

        :param everyone: whether users without a card see the readers; see :func:`.access.render`
        :param holders_changed: whether an owner or group differs from what pcscd was last started with
        :raises StateError, InputError: if a card can't be presented
        """
        cards = {holder.number: holder.name for holder in holders}
        wanted = reader.desired(cards, self._paths, current.driver)
        rules = access.RULES.plan(access.render(holders, everyone), current.rules)
        seen_twice = current.offers_pkcs11 and any(holder.in_p11_kit for holder in holders)
        told = opensc.MODULE.plan(opensc.render(current.opensc, seen_twice), current.opensc)
        return Present(reader.plan(wanted, current.readers), rules, holders_changed, told)

    def apply(self, step: Present) -> None:
        """Carries the step out; the rules come before the readers that they guard."""
        access.RULES.apply(step.rules)
        opensc.MODULE.apply(step.opensc)
        reader.apply(step.readers, self._paths)
        if step.holders_changed and not step.readers.changed:
            reader.end_pcscd(self._paths)

    def await_card(self, number: int, since: float) -> bool:
        """Waits until the card service has put a card into its reader. Returns whether it has.

        :param since: time of the clock before which a sign of it does not count
        """
        path = os.path.join(RUN, f"{number:04d}.present")
        end = time.monotonic() + _PATIENCE
        while not _is_newer(path, since):
            if time.monotonic() > end:
                return False
            time.sleep(_PAUSE)
        return True


def _is_newer(path: str, since: float) -> bool:
    try:
        return os.stat(path).st_mtime >= since
    except FileNotFoundError:
        return False
