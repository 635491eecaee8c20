# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TPM and a store, as the integration tests have them."""

from __future__ import annotations

from ansible_collections.hardbound.identity.tests.support.card_bench import bench
from ansible_collections.hardbound.identity.tests.support.fresh_tpm import require_swtpm, short_path, software_tpm

__all__ = ["bench", "require_swtpm", "short_path", "software_tpm"]
