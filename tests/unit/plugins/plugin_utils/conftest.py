# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA on the disk, and a clock that can be turned."""

from __future__ import annotations

from ansible_collections.hardbound.identity.tests.support.corp import corp, made_once, watch

__all__ = ["corp", "made_once", "watch"]
