# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card for which keys lie ready: to make one takes longer than thousands of inputs."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.soft_card import SoftCard

_KEYS: t.Dict[KeyAlgorithm, t.Any] = {}


class ReadyCard(SoftCard):
    """Takes the same key of an algorithm each time."""

    def add(self, slot: int, algorithm: KeyAlgorithm, pin: t.Any = None) -> t.Any:
        if algorithm not in _KEYS:
            _KEYS[algorithm] = super().add(slot, algorithm, pin)
        return self.put(slot, algorithm, _KEYS[algorithm], pin)
