# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""First PINs and the host's Hello policy as playbooks meet them."""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.hardbound.identity.tests.support.ansible_tasks import Task

PIN, PUK, NEW = "pin-4711", "puk-0815", "pin-1234"
KEY = [{"slot": "authentication", "algorithm": "ecc_p256"}]
ETC = pathlib.Path("/etc/hardbound")


@pytest.fixture
def host(ansible):
    """Playbooks with an /etc/hardbound of their own."""
    if os.geteuid() != 0:
        pytest.skip("needs root, for a mount namespace")
    made = not ETC.exists()
    ETC.mkdir(exist_ok=True)
    etc = ansible.folder / "etc"
    etc.mkdir()
    mount = f'mount --bind {etc} {ETC} && exec "$@"'
    ansible.inside = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, "sh"]
    yield ansible
    if made:
        ETC.rmdir()


def hello(**settings):
    return Task("hello_policy", {"target": "linux", "settings": settings})


def test_a_first_pin(ansible):
    """The task that makes the card uses it; after that it can do nothing but be changed, whatever task tries."""
    path = f"{ansible.folder}/csr"
    request = {"slot": "authentication", "subject": {"CN": "alice"}, "path": path}
    made, again, refused, info, changed, free, marked, again_marked = ansible.run(
        ansible.card(pin=PIN, puk=PUK, keys=KEY, pin_must_change=True),
        ansible.card(pin=PIN, puk=PUK, keys=KEY, pin_must_change=True),
        ansible.part("request", pin=PIN, **request),
        ansible.info(),
        ansible.part("pin", pin=PIN, new_pin=NEW),
        ansible.part("request", pin=NEW, **request),
        ansible.part("pin", pin=PIN, new_pin=NEW, must_change=True),
        ansible.part("pin", pin=PIN, new_pin=NEW, must_change=True),
    )
    assert made["card"]["pin_must_change"] and made["card"]["slots"][0]["certificate"]
    assert not again["changed"]
    assert "The PIN must be changed before its first use: change it." in refused["msg"], refused
    assert info["cards"][0]["objections"] == ["The PIN must be changed before its first use."]
    assert changed["changed"] and not changed["pin_must_change"]
    assert free["changed"]
    assert marked["changed"] and marked["diff"]["after"]["pin_must_change"] and marked["pin_must_change"]
    assert not again_marked["changed"]


def test_the_hello_policy_of_the_host(host):
    """Written by hello_policy, held by all that makes cards and sets PINs, and told by virtual_smartcard_info."""
    made, _unused, short, changed, found, contradiction, gone, _unused, refused = host.run(
        host.card(pin=PIN, puk=PUK, keys=KEY),
        hello(pin_min_length=8, pin_uppercase="required", pin_history=3, pin_expiration=90, pin_recovery="disabled"),
        host.part("pin", pin=PIN, new_pin="pin-1234"),
        host.part("pin", pin=PIN, new_pin="Pin-1234"),
        host.info(),
        host.card(name="other", pin="Pin-1234", pin_policy={"uppercase": "disallowed"}),
        host.part("pin", puk=PUK, new_pin="Pin-9876"),
        hello(use_hello="disabled", require_security_device="enabled"),
        host.card(name="other", pin="Pin-1234", check=True),
    )
    assert made["changed"] and changed["changed"]
    assert "new_pin holds none of the uppercase" in short["msg"]
    assert found["cards"][0]["objections"] == [] and found["cards"][0]["pin_expires_at"]
    assert "no PIN can follow both the card's rules and the host's Hello policy" in contradiction["msg"]
    assert "puk may not set a new PIN, by the host's Hello policy" in gone["msg"], gone
    assert "the host's Hello policy does not allow cards" in refused["msg"], refused
    found, _unused, software = host.run(
        host.info(), hello(use_hello="enabled"), host.card(name="other", pin="Pin-1234", check=True)
    )
    assert "does not allow cards" in found["cards"][0]["objections"][0]
    assert "is a program" in software["msg"] and "wants hardware" in software["msg"]


def test_emulation_off_is_told(host):
    """A card that is made then gets no reader; what is there, and what is made later, has one."""
    before, _unused, made, _unused, later, found = host.run(
        host.card(pin=PIN, puk=PUK),
        hello(disable_card_emulation="enabled"),
        host.card(name="hidden", pin=PIN),
        hello(disable_card_emulation="disabled"),
        host.card(name="later", pin=PIN),
        host.info(),
    )
    assert (before["reader"], made["reader"], later["reader"]) == ("card 00 00", None, "later 00 00")
    assert any("turns smart card emulation off" in text for text in made["warnings"])
    assert [card["reader"] for card in found["cards"]] == ["card 00 00", None, "later 00 00"]
