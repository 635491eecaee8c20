# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``smartcard_activate`` does: the second visit of an enrolment to a host, which brings the certificates.

A file of its own, for this visit has no use for what makes and plans cards, and each visit has its host compile what
it imports.
"""

from __future__ import annotations

import base64
import typing as t

from .._card.store import Store
from .._encoding.wire import WireError
from .._errors import InputError
from .arguments import PLACE
from .place import tpm_of
from .secret_arguments import Arguments

ARGUMENTS: Arguments = {
    **PLACE,
    "challenges": {"type": "list", "elements": "dict", "required": True},
}


def activate(task: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """Opens a host's challenges and stores the certificates in them.

    :raises InputError: if a challenge is none
    """
    from .._card.activation import activate_cards  # Like the next, it imports cryptography.
    from .._encoding.challenge import Challenge

    try:
        challenges = [Challenge.parse(each) for each in task["challenges"]]
    except WireError as error:
        raise InputError("challenges", f"can't be read: {error}", "let the controller make them") from error
    activations = activate_cards(Store(task["store"]), tpm_of(task), challenges)
    return {
        "changed": any(each.changed for each in activations),
        "cards": [
            {"name": each.card, "answer": base64.b64encode(each.answer).decode(), "failure": each.failure}
            for each in activations
        ],
    }
