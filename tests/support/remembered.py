# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller knows of its hosts, without a ledger."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.pins import Known, KnownCard


@dataclass
class Remembered:
    """What is known, held in memory: by host, and by host and card."""

    eks: t.Dict[str, str] = field(default_factory=dict)
    roots: t.Dict[str, str] = field(default_factory=dict)
    cards: t.Dict[t.Tuple[str, str], KnownCard] = field(default_factory=dict)

    def __call__(self, host: str, ek: str, root: str) -> Known:
        return Known(
            ek_host=next((owner for owner, known in self.eks.items() if known == ek), None),
            root_host=next((owner for owner, known in self.roots.items() if known == root), None),
            eks=(self.eks[host],) if host in self.eks else (),
            root=self.roots.get(host),
            cards={card: known for (owner, card), known in self.cards.items() if owner == host},
        )
