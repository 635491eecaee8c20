# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TPM and a store, as the integration tests have them."""

from __future__ import annotations

from ansible_collections.hardbound.identity.tests.integration.card.conftest import bench
from ansible_collections.hardbound.identity.tests.integration.conftest import (
    require_swtpm,
    short_path,
    software_tpm,
)

__all__ = ["bench", "require_swtpm", "short_path", "software_tpm"]
