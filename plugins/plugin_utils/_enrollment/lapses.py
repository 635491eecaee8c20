# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a permission to replace a card or a TPM: the run that it was for, whether it was made use of or not.

A permission that was made use of ends by itself, for what it names is there no more. One that found everything as it
was is noted in the ledger, and counts no more: else a host could come with another card years later.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._attestation.verifier import Verdict
from .._ledger.ledger import Ledger
from .._ledger.pins import Known
from .._ledger.record import CertificatePlace, EventKind
from .._ledger.replacement import Replacement
from .wanted import WantedHost


def without_lapsed(wanted: WantedHost, ledger: Ledger) -> WantedHost:
    """Returns what is wanted, with those replacements alone that a run may still make."""
    if not wanted.replacement:
        return wanted
    return replace(wanted, replacement=wanted.replacement.without(ledger.lapsed(wanted.host)))


def note(wanted: WantedHost, verdict: Verdict, ledger: Ledger) -> t.List[str]:
    """Notes which replacements the host has no use for in this run; returns a warning for each.

    :raises StateError: the ledger does not allow it
    """
    warnings = []
    for card, fingerprint in _idle(verdict.known, verdict, wanted.replacement):
        ledger.record(EventKind.REPLACEMENT_LAPSED, CertificatePlace(wanted.host, card), detail=fingerprint)
        option, value = ("replace_cards", f"{card}={fingerprint}") if card else ("replace_ek", fingerprint)
        warnings.append(f"{option} names {value}, which is there as it was. That counts no more: take it out.")
    return warnings


def _idle(known: Known, verdict: Verdict, replacement: Replacement) -> t.Iterator[t.Tuple[str, str]]:
    if replacement.lets_tpm(known.fingerprint) and known.root == verdict.root:
        yield "", replacement.tpm
    for name, before in known.cards.items():
        is_same = verdict.accepts(name) and before.is_same(verdict.cards[name].claim)
        if is_same and replacement.lets_card(name, before.pins.fingerprint):
            yield name, before.pins.fingerprint
