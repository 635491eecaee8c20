# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of hosts with software TPMs."""

from __future__ import annotations

from ansible_collections.hardbound.identity.tests.support.fleet import fleet

__all__ = ["fleet"]
