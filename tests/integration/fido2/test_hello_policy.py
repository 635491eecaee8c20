# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host's Hello policy lets programs do by FIDO2. It changes while they run."""

from __future__ import annotations

import pathlib
import time
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.authenticator import Authenticator
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.linux import Linux
from ansible_collections.hardbound.identity.tests.integration.fido2.client import RP, Program
from ansible_collections.hardbound.identity.tests.support.hid_device import PluggedIn
from fido2.ctap import CtapError

pytestmark = pytest.mark.tpm

PIN = "123456"
MONTH = 30 * 24 * 3600


class Host(Program):
    """A program at a card of a host whose policy the test writes, as the module hello_policy does."""

    def __init__(self, plugged_in: PluggedIn, policy: pathlib.Path) -> None:
        super().__init__(plugged_in, PIN)
        self._policy = policy

    def hello(self, **settings: object) -> None:
        self._policy.write_bytes(Linux().render(parse_settings(settings), b""))

    def change_pin(self, new: str) -> None:
        self.client_pin.change_pin(self.pin, new)
        self.pin = new


@pytest.fixture
def host(bench, clock, unexpected, tmp_path) -> t.Iterator[Host]:
    record = bench.make("under a policy", pin_retries=8)
    policy = tmp_path / "hello_policy.json"
    card = Card(Store(bench.store.folder, str(policy)), bench.workbench, record.number)
    with PluggedIn(Authenticator(card, unexpected.append, clock), clock) as plugged_in:
        yield Host(plugged_in, policy)
    card.close()
    bench.destroy(record)


def refused(act, name):
    with pytest.raises(CtapError, match=name):
        act()


@pytest.mark.parametrize("settings", [{"use_hello": "disabled"}, {"require_security_device": "enabled"}])
@pytest.mark.parametrize("resident", [True, False])
def test_no_passkey_is_made_where_no_card_may_be(host, caplog, settings, resident):
    """The TPM of this test is a program. Passkeys that are there go on, as cards do."""
    made = host.make(options={"rk": resident})
    host.hello(**settings)
    with caplog.at_level("INFO", "hardbound"):
        refused(lambda: host.make(options={"rk": resident}), "OPERATION_DENIED")
    assert "does not allow cards" in caplog.text or "wants hardware" in caplog.text
    identifier = made.auth_data.credential_data.credential_id
    assert host.get(allowed=[identifier]).credential["id"] == identifier
    assert host.management().get_metadata()[1] == int(resident)
    host.hello(use_hello="enabled")
    host.make(options={"rk": resident})


def test_each_rule_about_new_pins(host):
    for settings, against, along in (
        ({"pin_min_length": 8}, "7654321", "87654320"),
        ({"pin_max_length": 7}, "87654329", "7654320"),
        ({"pin_uppercase": "required"}, "7654321", "765432A"),
        ({"pin_lowercase": "required"}, "7654321", "765432a"),
        ({"pin_special": "required"}, "7654321", "765432!"),
        ({"pin_digits": "required"}, "abcdefg", "abcdef1"),
    ):
        host.hello(**settings)
        refused(lambda against=against: host.client_pin.change_pin(host.pin, against), "PIN_POLICY_VIOLATION")
        host.change_pin(along)
        host.token("MAKE_CREDENTIAL", rp=RP)


def test_former_pins(host):
    host.hello(pin_history=2)
    first = host.pin
    host.change_pin("111222")
    refused(lambda: host.client_pin.change_pin("111222", first), "PIN_POLICY_VIOLATION")


def test_the_shortest_pin_is_that_of_card_and_host_together(host):
    assert host.ctap.get_info().min_pin_length == 4
    host.hello(pin_min_length=7)
    assert host.ctap.get_info().min_pin_length == 7
    refused(lambda: host.config().set_min_pin_length(6), "PIN_POLICY_VIOLATION")


def test_a_pin_that_has_expired_opens_nothing_until_it_is_changed(host, bench, monkeypatch):
    host.hello(pin_expiration=30)
    host.make()
    ahead = time.time() + MONTH + 3600
    monkeypatch.setattr(time, "time", lambda: ahead)
    assert host.ctap.get_info().force_pin_change
    refused(lambda: host.token("MAKE_CREDENTIAL", rp=RP), "PIN_POLICY_VIOLATION")
    host.change_pin("654321")
    host.make()


def test_a_policy_that_cannot_be_read_lets_nobody_in(host, unexpected):
    """Better no passkey than one against the rules."""
    host.hello(use_hello="enabled")
    host._policy.write_bytes(b"{")
    refused(host.make, "OTHER")
    assert unexpected and all("is damaged" in str(error) for error in unexpected)
    unexpected.clear()
