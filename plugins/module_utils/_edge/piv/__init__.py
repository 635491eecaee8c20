# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PIV edge: NIST SP 800-73-4, and those of Yubico's extensions that make sense in a TPM."""

from __future__ import annotations

from .application import ATR, Application

__all__ = ["ATR", "Application"]
