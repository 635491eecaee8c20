# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error looks like in the log."""

from __future__ import annotations

from ansible_collections.hardbound.identity.plugins.module_utils._edge.fault import describe
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError


def test_what_is_told_of_an_error() -> None:
    assert describe(StateError("found", "do")) == "StateError: found: do."
    assert describe(ValueError("secret")) == "ValueError"
