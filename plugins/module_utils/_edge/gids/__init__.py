# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GIDS edge: Microsoft's Generic Identity Device Specification 2.0, as its drivers and OpenSC's use it."""

from __future__ import annotations

from .application import ATR, Application

__all__ = ["ATR", "Application"]
