# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the disk may tell of a PIN, so that a task that runs again spends no try: one bit.

Whoever sets a PIN by a task runs that task again, and then does not know whether the card has the old PIN or the
new one. To ask the TPM with the wrong one of the two costs a try. So a PIN that a task has set leaves a nonce and
one bit of a hash, chosen so that old and new differ in it. The cost: a thief of the disk has to guess among half
as many PINs, at a TPM that counts his guesses as before. A PIN that its holder sets leaves nothing.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .derivation import telltale


@dataclass(frozen=True)
class Telltale:
    """One bit of the hash of a PIN or PUK that a task has set."""

    nonce: bytes
    bit: int

    def fits(self, auth: bytes) -> bool:
        """Whether this may be the secret's authValue; it also fits every other secret with a chance of one half."""
        return telltale(self.nonce, auth) == self.bit


def candidates(kept: t.Optional[Telltale], auths: t.Sequence[bytes]) -> t.List[int]:
    """Returns which of some authValues may be the present one, as positions in their order.

    Without a telltale nobody knows, and it is all of them.
    """
    return [position for position, auth in enumerate(auths) if kept is None or kept.fits(auth)]
