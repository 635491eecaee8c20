# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Software TPMs for the tests."""

from __future__ import annotations

from ansible_collections.hardbound.identity.tests.support.fresh_tpm import require_swtpm, short_path, software_tpm
from ansible_collections.hardbound.identity.tests.support.needed_program import need_program

__all__ = ["need_program", "require_swtpm", "short_path", "software_tpm"]
