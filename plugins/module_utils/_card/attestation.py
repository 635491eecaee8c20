# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much a card can prove of itself."""

from __future__ import annotations

import enum


class Attestation(str, enum.Enum):
    """What Tpmvscmgr's ``/attestation`` asks for. A card that is asked for nothing gets its key once it has to prove
    something."""

    NONE = "none"
    AIK_ONLY = "aik_only"
    """An attestation key (AK): the TPM states over a verifier's nonce what the card is."""
    AIK_AND_CERT = "aik_and_cert"
    """Also a certificate of a CA that the key lives in the TPM of that endorsement key (EK)."""

    @property
    def rank(self) -> int:
        """A card that has more than a task asks for keeps it."""
        return list(Attestation).index(self)
