# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces: the ways by which programs reach a card."""

from __future__ import annotations

import enum


class Face(str, enum.Enum):
    """A way to a card. A card has one or more, and they may change."""

    PCSC = "pcsc"
    """A reader of pcscd."""
    PKCS11 = "pkcs11"
    """The socket that p11-kit asks."""
