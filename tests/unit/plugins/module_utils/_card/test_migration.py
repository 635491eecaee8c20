# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Card files that older releases have written are read, those of newer ones refused."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import migration, record_file
from ansible_collections.hardbound.identity.plugins.module_utils._card.derivation import Derivation
from ansible_collections.hardbound.identity.plugins.module_utils._card.migration import VERSION, NewerVersion
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role
from ansible_collections.hardbound.identity.plugins.module_utils._card.pin_record import PinRecord
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm

DATA = pathlib.Path(__file__).parents[4] / "data"
"""What older releases left on disk: a card with PUK, and one without whose PIN was being changed."""
VERSIONS = range(1, VERSION)
LATE = ("administration", "ak", "ak_certificate", "generated", "pin", "presented", "telltales")
"""Fields that came while files had version 1."""


def stored(number: int, version: int = 1) -> t.Dict[str, t.Any]:
    path = DATA / f"store_version_{version}" / f"{number:04d}.json"
    return t.cast("dict[str, t.Any]", json.loads(path.read_text()))


def load(fields: t.Mapping[str, t.Any]) -> Record:
    return record_file.load(json.dumps(fields).encode())


def test_there_is_a_step_from_each_version() -> None:
    assert sorted(migration._STEPS) == list(range(1, VERSION))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("number", [0, 1])
def test_nothing_is_lost(number: int, version: int) -> None:
    """What the old file says stands in the new one too; only the version differs, and what is new."""
    old = stored(number, version)
    assert old["version"] == version
    assert load(json.loads(record_file.dump(load(old)))) == load(old)
    new = json.loads(record_file.dump(load(old)))
    assert new.pop("version") == VERSION
    del old["version"]
    for pending in new["pending"].values():
        assert pending.pop("derivation") == Derivation.SECRET
    for key in new["keys"].values():
        assert key.pop("certifiable") is False and key.pop("attestation") == ""
    if version == 1:
        for pin in (new["pin"], *(each["pin"] for each in new["pending"].values())):
            assert pin.pop("length") == 0
    assert {name: new[name] for name in old} == old


def test_what_the_cards_hold() -> None:
    card, cut_off = load(stored(0)), load(stored(1))
    assert [key.algorithm for key in card.keys.values()] == [KeyAlgorithm.ECC_P256, KeyAlgorithm.RSA_2048]
    assert set(card.certificates) == {0x9A, 0x9D} and card.objects == {0x5FC106: b"\x53\x03\x01\x02\x03"}
    assert card.has_puk and not card.has_admin and card.ak is not None and set(card.telltales) == {Role.PIN}
    assert len(card.pin.former) == 2 and card.pin.rules == card.pin_policy
    assert cut_off.has_admin and not cut_off.has_puk and set(cut_off.pending) == {Role.PIN}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_lies_in_the_tpm_stays_as_it_was_made(version: int) -> None:
    card, cut_off = load(stored(0, version)), load(stored(1, version))
    assert {card.derivation(role) for role in (Role.PIN, Role.PUK)} == {Derivation.SECRET}
    assert cut_off.pending[Role.PIN].derivation is Derivation.SECRET
    assert not any(key.certifiable for key in card.keys.values())
    assert card.genesis_proof is None and card.attestation_issuer == b"" and card.faces == ("pcsc",)


def test_a_file_from_before_these_fields() -> None:
    old = {name: value for name, value in stored(1).items() if name not in LATE}
    for late in ("pin", "by_task"):
        del old["pending"]["PIN"][late]
    card = load(old)
    assert (card.administration, card.ak, card.ak_certificate, card.telltales) == (None, None, b"", {})
    assert card.presented
    assert card.pin == PinRecord() and card.pending[Role.PIN].pin is None and not card.pending[Role.PIN].by_task


@pytest.mark.parametrize("late", LATE)
def test_they_may_not_be_missing_now(late: str) -> None:
    now = json.loads(record_file.dump(load(stored(0))))
    del now[late]
    with pytest.raises(ValueError, match="it is damaged"):
        load(now)


@pytest.mark.parametrize("version", [VERSION + 1, 99])
def test_a_newer_version(version: int) -> None:
    with pytest.raises(NewerVersion, match=f"it has version {version}, and this release knows up to {VERSION}"):
        load({"version": version, "what": "only a newer release knows"})


@pytest.mark.parametrize("version", [None, 0, -1, "1", "99", True, 1.0, [1]])
def test_what_is_no_version(version: t.Any) -> None:
    with pytest.raises(ValueError, match="it is damaged"):
        load({**stored(0), "version": version})


@pytest.mark.parametrize("document", [[], [1], 7, "text", None, [["version", 1]]])
def test_what_is_no_document(document: t.Any) -> None:
    with pytest.raises(ValueError, match="it is damaged"):
        load(document)
