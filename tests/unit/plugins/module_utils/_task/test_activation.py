# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second visit of an enrolment: what it takes, and what it has its host compile."""

from __future__ import annotations

import subprocess
import sys
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._task.activation import activate

TASK = {"tpm": "swtpm:path=/nonexistent", "store": "/nonexistent", "tpm_owner_auth": None, "tpm_endorsement_auth": None}


@pytest.mark.parametrize(
    "challenge", [{}, {"card": "corp"}, {"card": "corp", "credential": "%", "secret": "", "sealed": ""}]
)
def test_a_challenge_that_is_none_is_refused_before_the_tpm_is_asked(challenge: t.Dict[str, t.Any]) -> None:
    with pytest.raises(InputError, match=r"challenges can't be read: .*: let the controller make them"):
        activate({**TASK, "challenges": [challenge]})


def test_it_imports_neither_what_makes_cards_nor_what_presents_them() -> None:
    room = activate.__module__.rpartition("._task.")[0]
    others = [f"{room}.{each}" for each in ("_card.plan", "_edge", "_escrow", "_task.enrollment", "_task.wanted_card")]
    imports = f"import sys, {room}._task.activation, {room}._card.activation"
    code = f"{imports}; print([each for each in {others} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
