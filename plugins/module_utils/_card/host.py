# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All cards of a host, for the service that presents them."""

from __future__ import annotations

import contextlib
import typing as t

from .._errors import HardboundError
from .._tpm.connection import Tpm
from .._tpm.tcti import Tcti
from .._tpm.workbench import Workbench
from .card import Card
from .host_policy import PATH as POLICY
from .kept import Kept
from .record import Record
from .store import Stamp, Store


class CardHost:
    """:param store: folder of the card store
    :param policy: file of the host's Hello policy
    """

    def __init__(self, store: str, policy: str = POLICY) -> None:
        self._store = Store(store, policy)
        self._benches: t.Dict[str, Workbench] = {}
        self._kept: t.Dict[int, Kept] = {}

    def numbers(self) -> t.Mapping[int, Stamp]:
        """Returns the cards' numbers, each with what changes when its file does. No TPM command."""
        stamps = {number: self._store.stamp(number) for number in self._store.numbers()}
        self._kept = {number: kept for number, kept in self._kept.items() if number in stamps}
        return {number: stamp for number, stamp in stamps.items() if stamp is not None}

    def stamp(self, number: int) -> t.Optional[Stamp]:
        """Returns what changes when a card's file does, or None if there is none."""
        return self._store.stamp(number)

    def glance(self) -> t.ContextManager[None]:
        """Held while one request is answered, as :meth:`.Store.glance` has it."""
        return self._store.glance()

    def record(self, number: int) -> Record:
        """:raises CardGone: if there is no such card"""
        return self._store.read(number)

    def open(self, number: int) -> Card:
        """:raises CardGone: if there is no such card, or it is being made or destroyed"""
        bench = self._bench(self._store.read(number).tcti)
        return Card(self._store, bench, number, self._kept.setdefault(number, Kept()))

    def _bench(self, tcti: str) -> Workbench:
        if tcti not in self._benches:
            self._benches[tcti] = Workbench(Tpm(Tcti.parse(tcti), self._store.folder, polite=True))
        return self._benches[tcti]

    def prepare(self, whole: bool = True) -> None:
        """Uses the time until the next command. What goes wrong with it, the next command tells.

        :param whole: as :meth:`.Workbench.prepare` has it
        """
        for bench in self._benches.values():
            with contextlib.suppress(HardboundError):
                bench.prepare(whole)

    @property
    def is_at_rest(self) -> bool:
        """Whether :meth:`idle` has nothing to let go of."""
        return all(each.is_at_rest for each in self._benches.values())

    def idle(self) -> None:
        """Lets go of TPMs that other programs can't use meanwhile, and of sessions in those that they can."""
        for bench in self._benches.values():
            if bench.tpm.is_held and bench.tpm.tcti.managed:
                bench.rest()
                bench.tpm.end_authorisation()
            elif bench.tpm.is_held:
                bench.tpm.release()

    def close(self) -> None:
        for bench in self._benches.values():
            bench.tpm.close()
