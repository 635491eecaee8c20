# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Salts of sessions, made ahead or not: each is for one session, and for one key."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import Algorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.command import take_sized
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.credential import SECRET, kdfe
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.name import object_name
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import sized
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import storage_root
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.salts import Salt, Salts
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.storage_root import FoundKey
from cryptography.hazmat.primitives.asymmetric import ec

_COORDINATE = 32


class Root:
    """A storage root key, with the private part that a TPM keeps."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        numbers = self._private.public_key().public_numbers()
        self._x = numbers.x.to_bytes(_COORDINATE, "big")
        public = storage_root._TEMPLATE + sized(self._x) + sized(numbers.y.to_bytes(_COORDINATE, "big"))
        self.found = FoundKey(storage_root.HANDLE, public, object_name(public))

    def opens(self, salt: Salt) -> bool:
        """As TPM 2.0 part 1, annex C.6.1 has it."""
        x, at = take_sized(salt.encrypted)
        y = take_sized(salt.encrypted, at)[0]
        point = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1())
        shared = self._private.exchange(ec.ECDH(), point.public_key())
        return kdfe(Algorithm.SHA256, shared, SECRET, x, self._x, 256) == salt.secret


@pytest.fixture
def root() -> Root:
    return Root()


@pytest.mark.parametrize("ahead", [False, True])
def test_no_two_sessions_share_a_salt(root: Root, ahead: bool) -> None:
    salts, taken = Salts(), []
    for _unused in range(4):
        taken.append(salts.take(root.found))
        if ahead:
            salts.prepare()
            salts.prepare()
    assert len({salt.secret for salt in taken}) == len({salt.encrypted for salt in taken}) == 4
    assert all(map(root.opens, taken))


def test_one_that_was_made_ahead_is_the_next(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    salts = Salts()
    salts.take(root.found)
    salts.prepare()
    monkeypatch.setattr(f"{kdfe.__module__}.share_seed", None)
    assert root.opens(salts.take(root.found))
    with pytest.raises(TypeError):
        salts.take(root.found)


def test_none_is_made_before_there_is_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{kdfe.__module__}.share_seed", None)
    Salts().prepare()


def test_another_key_gets_none_that_was_for_the_first(root: Root) -> None:
    salts, other = Salts(), Root()
    salts.take(root.found)
    salts.prepare()
    assert other.opens(salts.take(other.found))
    salts.prepare()
    assert other.opens(salts.take(other.found))
