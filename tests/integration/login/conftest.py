# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose cards programs reach through p11-kit."""

from __future__ import annotations

from ansible_collections.hardbound.identity.tests.support.p11_kit_host import host

__all__ = ["host"]
