# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``due``: what ends soon, or has ended."""

from __future__ import annotations

import datetime
import typing as t

from .._encoding.owner_call import Message
from .certificate import Lists, state_of
from .pin_change import REMEDY, why_due


def coming(card: Message, lists: Lists, now: datetime.datetime, days: int) -> t.Iterator[str]:
    """Returns a sentence for each thing of a card that its owner has to see to.

    :param days: how long before
    """
    limit = now + datetime.timedelta(days)
    expires = card["pin_expires_at"]
    if card["pin_due"]:
        yield f"{why_due(card)}: {REMEDY}"
    elif expires is not None and expires <= limit.timestamp():
        yield f"The PIN of {card['name']} expires on {datetime.datetime.fromtimestamp(expires):%Y-%m-%d}: {REMEDY}"
    for key in card["keys"]:
        state = state_of(key, lists)
        what = state.coming(now, limit) if state else None
        if what:
            yield f"The certificate of {card['name']}, {key['slot']}, {what}: ask your administrator for a new one"
