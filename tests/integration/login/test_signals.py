# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trusted signals of the Hello policy: real networks of a computer's own, and stand-ins for radio on a real bus."""

from __future__ import annotations

import json
import pathlib
import signal
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.linux import Linux
from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION
from ansible_collections.hardbound.identity.tests.support.surroundings import PYTHON, Bus, Phone, Surroundings

pytestmark = pytest.mark.slow

PROGRAM = COLLECTION / "roles/smartcard_login/files/signals.py"
OFFICE = {"ipv4_prefix": "10.1.0.0/16", "ipv4_gateway": "10.1.0.1"}
NM, NM_ROOT = "org.freedesktop.NetworkManager", "/org/freedesktop"
MOCK = "org.freedesktop.DBus.Mock"
RSN_PASSWORD, RSN_SERVER = 0x100, 0x200


class Desk(Surroundings):
    """A computer with a Hello policy."""

    def trusts(self, *rules: t.Mapping[str, t.Any], ok: bool = True) -> None:
        """Asserts whether the computer has a signal that these rules trust."""
        unlock = {"group_a": ["pin"], "group_b": ["trusted_signal"], "rules": list(rules)}
        policy = self.folder / "policy.json"
        policy.write_bytes(Linux().render(parse_settings({"device_unlock": unlock}), b""))
        self.judged(policy, ok)

    def judged(self, policy: pathlib.Path, ok: bool) -> None:
        self.run("env", "-i", PYTHON, "-IB", str(PROGRAM), str(policy), ok=ok)


@pytest.fixture
def desk(short_path: pathlib.Path) -> t.Iterator[Desk]:
    desk = Desk(short_path)
    yield desk
    desk.stop()


@pytest.fixture
def bus(desk: Desk) -> t.Iterator[Bus]:
    bus = Bus(desk)
    yield bus
    bus.stop()


# Networks. Addresses, routes and resolv.conf are the kernel's and the system's own.


@pytest.fixture
def office(desk: Desk) -> Desk:
    desk.link("desk0", "10.1.2.3/16", "2001:db8:1::3/64", gateway="10.1.0.1")
    desk.resolver("search corp.example berlin.Corp.example\nnameserver 10.1.0.53\nnameserver 2001:db8::53\n")
    return desk


@pytest.mark.parametrize(
    "parts",
    [
        OFFICE,
        {"ipv4_prefix": "10.1.2.0/24"},
        {"ipv6_prefix": "2001:db8:1::/64"},
        {"dns_suffix": "Corp.example"},
        {"dns_suffix": ["berlin.corp.example", "corp.example"], "ipv4_dns_server": ["10.1.0.53"]},
        {"ipv6_dns_server": "2001:db8::53", "ipv4_gateway": "10.1.0.1"},
    ],
)
def test_the_office_s_network_is_trusted(office: Desk, parts: t.Mapping[str, t.Any]) -> None:
    office.trusts({"ip_config": parts})


@pytest.mark.parametrize(
    "parts",
    [
        {"ipv4_prefix": "10.2.0.0/16"},
        {"ipv4_gateway": "10.1.0.2"},
        {**OFFICE, "dns_suffix": "evil.example"},
        {"dns_suffix": ["corp.example", "other.example"]},
        {"dns_suffix": "example"},
        {"ipv4_dns_server": ["10.1.0.53", "10.1.0.54"]},
        {"ipv6_gateway": "fe80::1"},
        {"ipv4_dhcp_server": "10.1.0.1"},
        {"ipv6_dhcp_server": "2001:db8::1"},
        {**OFFICE, "ipv6_dhcp_server": "2001:db8::1"},
    ],
)
def test_what_is_otherwise_or_can_t_be_told_is_not(office: Desk, parts: t.Mapping[str, t.Any]) -> None:
    office.trusts({"ip_config": parts}, ok=False)


def test_one_rule_that_holds_is_enough_and_all_of_a_rule_has_to(office: Desk) -> None:
    elsewhere, suffix = {"ip_config": {"ipv4_prefix": "10.9.0.0/16"}}, {"ip_config": {"dns_suffix": "corp.example"}}
    office.trusts(elsewhere, suffix)
    office.trusts({"all": [suffix, {"ip_config": OFFICE}]})
    office.trusts({"all": [suffix, elsewhere]}, ok=False)


def test_another_s_gateway_is_not_enough_beside_an_address_of_the_office(desk: Desk) -> None:
    """The parts of a rule have to hold of one network: here one has the address, and another the gateway."""
    desk.link("vpn0", "10.1.2.3/16")
    desk.link("cafe0", "192.0.2.7/24", gateway="10.1.0.1")
    desk.trusts({"ip_config": OFFICE}, ok=False)
    desk.trusts({"ip_config": {"ipv4_prefix": "10.1.0.0/16"}})


def test_a_cable_that_is_out_and_the_loopback_are_no_network(desk: Desk) -> None:
    desk.run("ip", "link", "set", "lo", "up")
    desk.run("ip", "address", "add", "10.1.2.3/16", "dev", "lo")
    desk.trusts({"ip_config": {"ipv4_prefix": "10.1.0.0/16"}}, ok=False)
    desk.link("desk0", "10.1.2.3/16")
    desk.run("ip", "link", "set", "desk0", "down")
    desk.trusts({"ip_config": {"ipv4_prefix": "10.1.0.0/16"}}, ok=False)


def test_a_host_that_resolves_nothing_has_its_addresses_all_the_same(desk: Desk) -> None:
    desk.link("desk0", "10.1.2.3/16")
    desk.resolver("nameserver of nobody\n")
    desk.trusts({"ip_config": {"ipv4_prefix": "10.1.0.0/16"}})
    desk.trusts({"ip_config": {"ipv4_dns_server": "10.1.0.53"}}, ok=False)


def test_who_copies_address_and_gateway_is_taken_for_the_office(desk: Desk) -> None:
    """What a signal can't prove, as the threat model says: nothing in it is secret."""
    desk.link("evil0", "10.1.66.6/16", gateway="10.1.0.1")
    desk.trusts({"ip_config": OFFICE})


@pytest.mark.parametrize("text", [None, "", "no json", "[]", '{"sign_in": 1}', '{"sign_in": {"trusted_signals": [1]}}'])
def test_without_a_policy_or_with_a_damaged_one_nothing_is_trusted(
    office: Desk, tmp_path: pathlib.Path, text: t.Optional[str]
) -> None:
    policy = tmp_path / "policy.json"
    if text is not None:
        policy.write_text(text)
    office.judged(policy, ok=False)


@pytest.mark.parametrize("rule", [{"ip_config": {}}, {"all": []}, {"moon": {"phase": "full"}}, {}])
def test_rules_that_say_nothing_or_are_unknown_do_not_hold(
    office: Desk, tmp_path: pathlib.Path, rule: t.Mapping[str, t.Any]
) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"sign_in": {"trusted_signals": [rule]}}))
    office.judged(policy, ok=False)


def test_a_dhcp_server_as_network_manager_knows_it(office: Desk, bus: Bus) -> None:
    bus.stand_in("networkmanager", NM)
    device = f"{NM_ROOT}/NetworkManager/Devices/desk0"
    lease = f"{NM_ROOT}/NetworkManager/DHCP4Config/1"
    bus.call(NM, NM_ROOT, f"{MOCK}.AddEthernetDevice", "ssi", "desk0", "desk0", "100")
    options = ["Options", "a{sv}", "1", "dhcp_server_identifier", "s", "10.1.0.67"]
    bus.call(NM, NM_ROOT, f"{MOCK}.AddObject", "ssa{sv}a(ssss)", lease, f"{NM}.DHCP4Config", "1", *options, "0")
    office.trusts({"ip_config": {"ipv4_dhcp_server": "10.1.0.67"}}, ok=False)
    bus.call(NM, device, f"{MOCK}.AddProperty", "ssv", f"{NM}.Device", "Dhcp4Config", "o", lease)
    office.trusts({"ip_config": {**OFFICE, "ipv4_dhcp_server": "10.1.0.67"}})
    office.trusts({"ip_config": {**OFFICE, "ipv4_dhcp_server": "10.1.0.66"}}, ok=False)
    office.link("cafe0", "192.0.2.7/24")
    office.trusts({"ip_config": {"ipv4_prefix": "192.0.2.0/24", "ipv4_dhcp_server": "10.1.0.67"}}, ok=False)


# Wi-Fi, as NetworkManager tells.

CORP = {"ssid": "Corp", "security": "WPA2-Enterprise"}
POINT = f"{NM_ROOT}/NetworkManager/AccessPoint/ap"


@pytest.fixture
def on_wifi(desk: Desk, bus: Bus) -> Bus:
    """A computer that is connected to the company's Wi-Fi."""
    bus.stand_in("networkmanager", NM)
    bus.call(NM, NM_ROOT, f"{MOCK}.AddWiFiDevice", "ssi", "wifi0", "wlan0", "100")
    device = f"{NM_ROOT}/NetworkManager/Devices/wifi0"
    named = ["Corp", "12:AB:34:FF:E5:46", "2", "5000", "100", "70", str(RSN_SERVER)]
    bus.call(NM, NM_ROOT, f"{MOCK}.AddAccessPoint", "ssssuuuyu", device, "ap", *named)
    bus.set(NM, POINT, f"{NM}.AccessPoint", "WpaFlags", "u", "0")
    bus.call(NM, device, f"{MOCK}.AddProperty", "ssv", f"{NM}.Device.Wireless", "ActiveAccessPoint", "o", POINT)
    return bus


def test_the_company_s_wifi_is_trusted(desk: Desk, on_wifi: Bus) -> None:
    desk.trusts({"wifi": CORP})
    desk.trusts({"wifi": {**CORP, "bssid": "12-ab-34-ff-e5-46", "sig_quality": 70}})


@pytest.mark.parametrize(
    "parts",
    [
        {"ssid": "corp"},
        {"security": "WPA2-Personal"},
        {"security": "WPA-Enterprise"},
        {"bssid": "12-ab-34-ff-e5-47"},
        {"sig_quality": 71},
        {"trusted_root_ca": " ".join(["ab"] * 20)},
    ],
)
def test_another_wifi_is_not(desk: Desk, on_wifi: Bus, parts: t.Mapping[str, t.Any]) -> None:
    desk.trusts({"wifi": {**CORP, **parts}}, ok=False)


@pytest.mark.parametrize(("privacy", "rsn"), [("0", "0"), ("1", "0"), ("1", str(RSN_PASSWORD))])
def test_an_evil_twin_that_protects_less_is_not(desk: Desk, on_wifi: Bus, privacy: str, rsn: str) -> None:
    on_wifi.set(NM, POINT, f"{NM}.AccessPoint", "Flags", "u", privacy)
    on_wifi.set(NM, POINT, f"{NM}.AccessPoint", "RsnFlags", "u", rsn)
    desk.trusts({"wifi": CORP}, ok=False)


def test_a_wifi_that_is_heard_and_not_connected_to_is_not(desk: Desk, on_wifi: Bus) -> None:
    device = f"{NM_ROOT}/NetworkManager/Devices/wifi0"
    on_wifi.set(NM, device, f"{NM}.Device", "State", "u", "30")
    desk.trusts({"wifi": CORP}, ok=False)


def test_without_network_manager_there_is_no_wifi(desk: Desk) -> None:
    desk.trusts({"wifi": CORP}, ok=False)


# Bluetooth, as BlueZ tells.

NEAR = {"bluetooth": {"class_of_device": "phone"}}


@pytest.fixture
def phone(bus: Bus) -> Phone:
    return Phone(bus)


def test_a_paired_phone_that_is_near_is_trusted(desk: Desk, phone: Phone) -> None:
    desk.trusts(NEAR)
    desk.trusts({"bluetooth": {"class_of_device": "wearable"}}, ok=False)


@pytest.mark.parametrize(("name", "value"), [("Paired", "false"), ("Connected", "false"), ("Blocked", "true")])
def test_a_stranger_s_phone_or_one_far_away_is_not(desk: Desk, phone: Phone, name: str, value: str) -> None:
    phone.be(name, "b", value)
    desk.trusts(NEAR, ok=False)


def test_a_daemon_that_hangs_takes_no_longer_than_its_time(desk: Desk, phone: Phone) -> None:
    phone.bluez.send_signal(signal.SIGSTOP)
    desk.trusts(NEAR, ok=False)
