# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with a card. An edge turns each into a status word, a module into a sentence."""

from __future__ import annotations

from .._errors import HardboundError
from .secret import Reference

UNCOUNTED = -1
"""The tries that are left of a secret whose tries nobody counts: the answer to a random challenge."""


class CardError(HardboundError):
    """Root of the errors of one card."""


class WrongSecret(CardError):
    """The TPM refused the PIN, PUK or admin answer.

    :param left: the tries that remain, counted by the TPM; UNCOUNTED where nothing counts them
    """

    def __init__(self, reference: Reference, left: int) -> None:
        count = "" if left == UNCOUNTED else f", {left} {'try' if left == 1 else 'tries'} left"
        super().__init__(f"Wrong {reference.title}{count}: enter the right one.")
        self.reference = reference
        self.left = left


class Blocked(CardError):
    """No tries are left; the TPM no longer looks at the value."""

    def __init__(self, reference: Reference) -> None:
        super().__init__(f"The {reference.title} is blocked: {reference.way_out}.")
        self.reference = reference


class NotVerified(CardError):
    """The PIN was not verified, or the verification is over: expired, TPM restarted, PIN changed elsewhere."""


class PinDue(CardError):
    """The PIN is right, but it can do nothing but be changed.

    :param why: as :class:`~.pin_record.Due` says it
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"The PIN {why}: change it.")


class NoSuchKey(CardError):
    """The slot holds no key."""


class CardFull(CardError):
    """There is no room for a certificate or a data object; see :mod:`.room`."""


class NotOffered(CardError):
    """This card, or this TPM, does not have what was asked for."""


class NotBlocked(CardError):
    """A card is made anew only when nobody can use it: PIN and PUK have to be blocked."""


class TpmLockedOut(CardError):
    """The TPM's own dictionary attack lockout is on; it forgets with time or by the lockout authorisation."""


class CardGone(CardError):
    """The card was destroyed, or its record can no longer be read."""


class CardOutdated(CardError):
    """The secret is right, and the card's file does not know it: an older copy of the file was put back."""

    def __init__(self, reference: Reference, name: str) -> None:
        way = "or set a new PIN with the PUK" if reference is Reference.PIN else "or use the PIN"
        super().__init__(
            f"The {reference.title} is right, but the file of the card {name!r} is from before it was set: put the "
            f"newest copy of the file back, {way}."
        )


class CardLost(CardError):
    """The TPM no longer holds what the card was made with."""

    def __init__(self, name: str, instance_id: str) -> None:
        super().__init__(
            f"the card {name!r} ({instance_id}) is no longer whole in the TPM, which was cleared or changed: "
            "its keys can't be restored; remove it with state: absent and make a new one."
        )
