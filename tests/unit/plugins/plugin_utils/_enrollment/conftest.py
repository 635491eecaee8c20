# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller with a CA, and a forged host."""

from __future__ import annotations

from ansible_collections.hardbound.identity.tests.support.site import made_once, site

__all__ = ["made_once", "site"]
