# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The readers of a host's cards, as a task leaves them: planned with the cards, brought about after them."""

from __future__ import annotations

import typing as t

from .._card.face import Face
from .._card.host_policy import HostPolicy
from .._card.plan import Adjust, Create, after
from .._card.plan import Step as CardStep
from .._card.record import Record
from .._edge.access import holders
from .._edge.presentation import Present, Presentation, Presented
from .._errors import StateError
from .._spine import Plan

NOT_SET_UP = (
    "No program reaches the card yet: the role hardbound.identity.tpm_host has not set up this host and store, "
    "so there is no reader for it."
)
NOT_OFFERED = (
    "No program reaches the card by PKCS#11 yet: the role hardbound.identity.tpm_host has not offered that on this "
    "host; name pkcs11 in its variable tpm_host_faces."
)
KEPT_OUT = "The card gets no reader, now or later: the host's Hello policy turns smart card emulation off."


class Readers:
    """:param presentation: readers and access rules of the host"""

    def __init__(self, presentation: Presentation) -> None:
        self._presentation = presentation

    def read(self) -> t.Optional[Presented]:
        """Returns what there is; None on a host without a card service for this store."""
        return self._presentation.read() if self._presentation.is_set_up else None

    def plan(
        self,
        steps: t.Sequence[CardStep],
        records: t.Sequence[Record],
        policy: HostPolicy,
        found: t.Optional[Presented],
    ) -> t.Tuple[Present, ...]:
        """Returns the step that makes the readers fit the cards as they will be, or none. Pure.

        :param steps: what is done to the cards before
        :raises StateError, InputError: if a card can't have a reader
        """
        if found is None:
            return ()
        held = holders(after(Plan(tuple(steps)), records, policy.present_new_cards))
        has_readers = bool(held or found.readers.config)
        holders_changed = has_readers and any(isinstance(step, Adjust) for step in steps)
        present = self._presentation.plan(held, found, holders_changed, policy.everyone_sees_readers)
        return (present,) if present.changed else ()

    def apply(self, step: Present, cards: t.Iterable[Record], began: float) -> None:
        """Carries the step out, and waits for the cards to come into their readers.

        :param began: time of the clock when the task began to change something
        :raises StateError: if one does not come
        """
        self._presentation.apply(step)
        for card in cards:
            if card.has_reader and not self._presentation.await_card(card.number, began if step.readers.changed else 0):
                found = f"the card {card.name!r} was made, but the card service does not put it into its reader"
                raise StateError(found, "look at the log of hardbound-cards, and apply the role tpm_host again")


def warnings(steps: t.Sequence[CardStep], policy: HostPolicy, found: t.Optional[Presented]) -> t.Tuple[str, ...]:
    """Returns why a card that shall be there will have no reader."""
    kept_out = not policy.present_new_cards and any(isinstance(step, Create) for step in steps)
    unasked = found is not None and not found.offers_pkcs11 and any(_wants_pkcs11(step) for step in steps)
    told = ((kept_out, KEPT_OUT), (found is None, NOT_SET_UP), (unasked, NOT_OFFERED))
    return tuple(text for applies, text in told if applies)


def _wants_pkcs11(step: CardStep) -> bool:
    return isinstance(step, (Create, Adjust)) and Face.PKCS11 in step.specification.faces
