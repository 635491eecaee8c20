# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of hosts from before: checks 6 and 18 of docs/attestation.md. The ledger keeps it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


class Known(t.Protocol):
    """EKs and AKs that were recorded when something was issued for them.

    EKs are SHA-256 of the SubjectPublicKeyInfo in hex, AKs their Names in hex. To read here is not enough
    where two runs meet: whoever records has to refuse what contradicts, in one transaction.
    """

    def host_of_ek(self, ek: str) -> t.Optional[str]: ...

    def ek_of_host(self, host: str) -> t.Optional[str]: ...

    def ak_of_card(self, host: str, card: str) -> t.Optional[str]: ...


@dataclass
class Remembered:
    """What is known, held in memory."""

    eks: t.Dict[str, str] = field(default_factory=dict)
    aks: t.Dict[t.Tuple[str, str], str] = field(default_factory=dict)

    def host_of_ek(self, ek: str) -> t.Optional[str]:
        return next((host for host, known in self.eks.items() if known == ek), None)

    def ek_of_host(self, host: str) -> t.Optional[str]:
        return self.eks.get(host)

    def ak_of_card(self, host: str, card: str) -> t.Optional[str]:
        return self.aks.get((host, card))
