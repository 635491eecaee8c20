# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is learned of cards that are enrolled already, whether something is to be issued for them or not.

Their attestation keys have answered a challenge once. What such a key states over the nonce of this run needs no other:
Names that an earlier release did not ask for, and that the TPM was restarted.
"""

from __future__ import annotations

from .._attestation.verifier import Verdict
from .._ledger.ledger import Ledger
from .._ledger.pins import Admission


def observe(verdict: Verdict, ledger: Ledger) -> None:
    """Has the ledger take note of it. Most often there is nothing new, and nothing is written.

    :raises Refusal: another run was faster, and what is pinned contradicts it
    :raises StateError: the ledger does not allow it
    """
    known, ek = verdict.known, verdict.ek
    shown = {name: card.claim for name, card in verdict.cards.items() if verdict.accepts(name)}
    same = {name: shown[name] for name, before in known.cards.items() if name in shown and before.is_same(shown[name])}
    if ek is None or ek.fingerprint not in known.eks or not same:
        return
    if known.root is None or any(known.cards[name].is_news(claim) for name, claim in same.items()):
        ledger.observe(Admission(verdict.host, ek.fingerprint, verdict.root, same))
