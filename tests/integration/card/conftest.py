# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cards in a software TPM."""

from __future__ import annotations

from ansible_collections.hardbound.identity.tests.support.card_bench import bench, bench_type

__all__ = ["bench", "bench_type"]
