# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before a TPM makes RSA keys, whoever runs the playbook with -v is told that this takes its time."""

from __future__ import annotations

import types
from typing import Any

import pytest
from ansible.utils.display import Display
from ansible_collections.hardbound.identity.plugins.action.virtual_smartcard_key import ActionModule
from ansible_collections.hardbound.identity.plugins.plugin_utils._long_wait import announce


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    lines: list[tuple[str, object]] = []
    monkeypatch.setattr(Display, "v", lambda _self, text, host=None: lines.append((text, host)))
    return lines


@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        ({"slot": "9a", "algorithm": "rsa_2048"}, "1 RSA key "),
        ({"keys": [{"algorithm": "rsa_2048"}, {"algorithm": "ecc_p256"}, {"algorithm": "rsa_3072"}]}, "2 RSA keys "),
        ({"cards": [{"name": "a", "keys": [{"slot": "9c", "algorithm": "rsa_2048"}]}]}, "1 RSA key "),
    ],
)
def test_rsa_keys_are_announced(told: list[tuple[str, object]], arguments: dict[str, Any], start: str) -> None:
    announce(arguments, "host1")
    ((text, host),) = told
    assert text.startswith(start) and "minute" in text and host == "host1"


@pytest.mark.parametrize("arguments", [{}, {"keys": []}, {"algorithm": "ecc_p256"}, {"pin": "rsa_2048"}, {"keys": "x"}])
def test_nothing_else_is(told: list[tuple[str, object]], arguments: dict[str, Any]) -> None:
    announce(arguments, "host1")
    assert told == []


def test_it_is_said_before_the_host_is_visited(told: list[tuple[str, object]], monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = ActionModule.__new__(ActionModule)
    plugin._task = types.SimpleNamespace(args={"name": "card", "slot": "9a", "algorithm": "rsa_2048"})
    monkeypatch.setattr(ActionModule, "act", lambda *_unused: {"told": len(told)})
    assert plugin.run(None, {"inventory_hostname": "host1"})["told"] == 1
