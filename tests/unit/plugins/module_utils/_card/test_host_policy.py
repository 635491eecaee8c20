# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card core reads what hello_policy writes for Linux hosts."""

from __future__ import annotations

import json
import pathlib
import time
import typing as t
from dataclasses import fields
from types import SimpleNamespace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.host_policy import (
    PATH,
    HostPolicy,
    objections_to,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.pin_record import PinRecord
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello import linux
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._pin import LOOSEST, PinPolicy, Presence

WHOLE = {"version": 1, "settings": {}, "pin_policy": {}, "cards": {}}


def load(folder: pathlib.Path, document: t.Any) -> HostPolicy:
    path = folder / "hello_policy.json"
    path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    return HostPolicy.load(str(path))


def test_it_is_where_hello_policy_puts_it() -> None:
    assert PATH == linux.PATH


def test_without_a_file_everything_goes(tmp_path: pathlib.Path) -> None:
    assert HostPolicy.load(str(tmp_path / "none")) == HostPolicy()
    assert HostPolicy().rules(PinPolicy(minlen=5)) == PinPolicy(minlen=5)


def test_what_hello_policy_writes_is_what_cards_obey(tmp_path: pathlib.Path) -> None:
    settings = parse_settings(
        {
            "use_hello": "disabled",
            "require_security_device": "enabled",
            "pin_recovery": "disabled",
            "pin_min_length": 6,
            "pin_max_length": 12,
            "pin_digits": "required",
            "pin_special": "disallowed",
            "pin_history": 5,
            "pin_expiration": 90,
        }
    )
    policy = load(tmp_path, linux.Linux().render(settings, b""))
    assert (policy.may_create, policy.hardware_tpm_only, policy.puk_may_reset_pin) == (False, True, False)
    wanted = PinPolicy(6, 12, digits=Presence.REQUIRED, specialchars=Presence.DISALLOWED, history=5, expiry_days=90)
    assert policy.pin == wanted
    assert (policy.present_new_cards, policy.everyone_sees_readers) == (True, None)


@pytest.mark.parametrize("state", ["enabled", "disabled"])
def test_what_hello_policy_writes_about_readers(tmp_path: pathlib.Path, state: str) -> None:
    emulation = load(tmp_path, linux.Linux().render(parse_settings({"disable_card_emulation": state}), b""))
    assert emulation.present_new_cards is (state == "disabled")
    seen = load(tmp_path, linux.Linux().render(parse_settings({"allow_all_user_card_enumeration": state}), b""))
    assert seen.everyone_sees_readers is (state == "enabled")


def test_every_switch_that_hello_policy_writes_is_obeyed() -> None:
    assert {switch for switch, _enabled in linux.CARD_SWITCHES.values()} < {each.name for each in fields(HostPolicy)}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        {**WHOLE, "version": 0},
        {**WHOLE, "version": "1"},
        {**WHOLE, "version": True},
        {**WHOLE, "pin_policy": {"minlen": 3}},
        {**WHOLE, "pin_policy": {"minlen": "8"}},
        {**WHOLE, "pin_policy": {"colour": "red"}},
        {**WHOLE, "pin_policy": []},
        {**WHOLE, "cards": {"may_create": "no"}},
        {"version": 1},
    ],
)
def test_a_damaged_policy_is_an_error_and_not_no_policy(tmp_path: pathlib.Path, document: t.Any) -> None:
    with pytest.raises(StateError, match="is damaged: write it again"):
        load(tmp_path, document)


def test_a_policy_of_a_newer_release_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(StateError, match="has version 2, and this release knows up to 1: update the collection"):
        load(tmp_path, {**WHOLE, "version": 2})


def test_what_no_pin_can_follow() -> None:
    with pytest.raises(StateError, match="no PIN can follow both the card's rules and the host's Hello policy"):
        HostPolicy(LOOSEST.with_rules({"minlen": 10})).rules(PinPolicy(minlen=6, maxlen=8))
    with pytest.raises(StateError, match=r"pin_policy\.digits is required by one and disallowed by the other"):
        HostPolicy(LOOSEST.with_rules({"digits": "required"})).rules(PinPolicy(digits=Presence.DISALLOWED))


NO_DIGITS = PinPolicy(minlen=6, maxlen=8, digits=Presence.DISALLOWED)


def card(**pin: t.Any) -> t.Any:
    own = PinPolicy(minlen=6, maxlen=8)
    return SimpleNamespace(pin_policy=own, pin=PinRecord(**{"set_at": int(time.time()), "rules": own, **pin}))


def test_a_card_that_complies() -> None:
    assert objections_to(card(), HostPolicy()) == []
    assert objections_to(card(), HostPolicy(LOOSEST.with_rules({"history": 5, "minlen": 6}))) == []


@pytest.mark.parametrize(
    ("found", "policy", "objection"),
    [
        (card(must_change=True), HostPolicy(), "The PIN must be changed before its first use."),
        (card(set_at=1), HostPolicy(LOOSEST.with_rules({"expiry_days": 730})), "The PIN has expired."),
        (card(), HostPolicy(LOOSEST.with_rules({"minlen": 7})), "when the rules were looser: minlen."),
        (card(), HostPolicy(LOOSEST.with_rules({"digits": "required"})), "looser: digits."),
        (card(rules=NO_DIGITS), HostPolicy(LOOSEST.with_rules({"digits": "required"})), "looser: digits."),
        (card(), HostPolicy(LOOSEST.with_rules({"minlen": 9})), "no PIN can follow both"),
        (card(rules=None), HostPolicy(), "Nobody knows by which rules the PIN was set."),
    ],
)
def test_what_no_longer_complies(found: t.Any, policy: HostPolicy, objection: str) -> None:
    [sentence] = objections_to(found, policy)
    assert objection in sentence
