# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signal rules: data to XML and back, and what Windows would not parse."""

from __future__ import annotations

import ipaddress
from xml.etree import ElementTree

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.signal_rules import (
    DeviceClass,
    Scenario,
    WifiSecurity,
    parse_rules,
    rules_from_xml,
    rules_to_data,
    rules_to_xml,
)
from hypothesis import given
from hypothesis import strategies as st

V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address).map(str)
V6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address).map(str)
PREFIX4 = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
    lambda pair: str(ipaddress.IPv4Network(pair, strict=False))
)
PREFIX6 = st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 128)).map(
    lambda pair: str(ipaddress.IPv6Network(pair, strict=False))
)
SUFFIX = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z]([a-z0-9-]{0,10}[a-z0-9])?){0,2}", fullmatch=True)
SSID = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F), min_size=1, max_size=16).filter(
    lambda text: text.isprintable() and text == text.strip()
)

BLUETOOTH = st.fixed_dictionaries(
    {
        "class_of_device": st.sampled_from([each.name.lower() for each in DeviceClass]),
        "rssi_min": st.integers(-128, 127),
        "rssi_max_delta": st.integers(-128, 127),
    }
).map(lambda parts: {"bluetooth": parts})
IP_CONFIG = (
    st.fixed_dictionaries(
        {},
        optional={
            "ipv4_prefix": PREFIX4,
            "ipv4_gateway": V4,
            "ipv4_dhcp_server": V4,
            "ipv4_dns_server": st.lists(V4, min_size=1, max_size=3),
            "ipv6_prefix": PREFIX6,
            "ipv6_gateway": V6,
            "ipv6_dhcp_server": V6,
            "ipv6_dns_server": st.lists(V6, min_size=1, max_size=3),
            "dns_suffix": st.lists(SUFFIX, min_size=1, max_size=3),
        },
    )
    .filter(bool)
    .map(lambda parts: {"ip_config": parts})
)
WIFI = st.fixed_dictionaries(
    {"ssid": SSID, "security": st.sampled_from([each.value for each in WifiSecurity])},
    optional={
        "bssid": st.from_regex(r"[0-9a-f]{2}(-[0-9a-f]{2}){5}", fullmatch=True),
        "trusted_root_ca": st.from_regex(r"[0-9a-f]{2}( [0-9a-f]{2}){19}", fullmatch=True),
        "sig_quality": st.integers(0, 100),
    },
).map(lambda parts: {"wifi": parts})
SIGNAL = BLUETOOTH | IP_CONFIG | WIFI
RULE = SIGNAL | st.lists(SIGNAL, min_size=1, max_size=3).map(lambda signals: {"all": signals})


@given(st.lists(RULE, min_size=1, max_size=4))
def test_rules_come_back_from_xml_on_one_line(data: list[object]) -> None:
    rules = parse_rules(data, Scenario.UNLOCK, "rules")
    text = rules_to_xml(rules, Scenario.UNLOCK)
    assert "\n" not in text
    assert "]]>" not in text
    assert rules_from_xml(text, Scenario.UNLOCK) == rules
    assert rules_to_data(rules) == data


@given(st.lists(RULE, min_size=1, max_size=3))
def test_each_rule_alone_is_well_formed_xml(data: list[object]) -> None:
    for each in data:
        root = ElementTree.fromstring(rules_to_xml(parse_rules([each], Scenario.UNLOCK, "rules"), Scenario.UNLOCK))
        assert root.tag == "rule"
        assert root.get("schemaVersion") == "1.0"


@given(st.text('<>/"= rulesignatyp1.0,&;', max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with pytest.raises(InputError, match="rules"):
        rules_from_xml(text, Scenario.UNLOCK)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["all", "wifi", "ssid", "bluetooth", "ip_config", "x"]), inner)
        ),
        max_leaves=8,
    )
)
def test_any_data_is_taken_or_refused_by_name(data: object) -> None:
    try:
        rules = parse_rules(data, Scenario.UNLOCK, "device_unlock.rules")
    except InputError as error:
        assert error.field.startswith("device_unlock.rules")
    else:
        assert rules_from_xml(rules_to_xml(rules, Scenario.UNLOCK), Scenario.UNLOCK) == rules


def test_what_the_group_policy_editor_offers_is_what_we_render() -> None:
    text = (
        '<rule schemaVersion="1.0"> <signal type="bluetooth" scenario="Dynamic Lock" classOfDevice="512" '
        'rssiMin="-10" rssiMaxDelta="-10"/> </rule>'
    )
    rules = parse_rules([{"bluetooth": {}}], Scenario.LOCK, "rules")
    assert rules_to_xml(rules, Scenario.LOCK) == text
    assert rules_from_xml(text, Scenario.LOCK) == rules


def test_rules_of_others_may_stand_on_several_lines_with_spaces_at_the_commas() -> None:
    text = (
        '<rule schemaVersion="1.0">\n'
        ' <signal type="ipConfig"><dnsSuffix> corp.example </dnsSuffix></signal>\n</rule> ,\n'
        '<rule schemaVersion="1.0"><signal type="bluetooth" scenario="Authentication" classOfDevice="512"/></rule>'
    )
    assert rules_to_data(rules_from_xml(text, Scenario.UNLOCK)) == [
        {"ip_config": {"dns_suffix": ["corp.example"]}},
        {"bluetooth": {"class_of_device": "phone", "rssi_min": -10, "rssi_max_delta": -10}},
    ]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], "rules"),
        ("bluetooth", "rules"),
        ([{}], "rules[0]"),
        ([{"gps": {}}], "rules[0]"),
        ([{"wifi": {}, "bluetooth": {}}], "rules[0]"),
        ([{"all": []}], "rules[0].all"),
        ([{"all": [{"all": [{"bluetooth": {}}]}]}], "rules[0].all[0]"),
        ([{"wifi": {"ssid": "Corp"}}], "rules[0].wifi.security"),
        ([{"wifi": {"ssid": "Corp", "security": "WPA3"}}], "rules[0].wifi.security"),
        ([{"wifi": {"ssid": "x" * 33, "security": "Open"}}], "rules[0].wifi.ssid"),
        ([{"wifi": {"ssid": "Corp", "security": "Open", "bssid": "12:34:56:78:9a:bc"}}], "rules[0].wifi.bssid"),
        ([{"wifi": {"ssid": "Corp", "security": "Open", "sig_quality": 101}}], "rules[0].wifi.sig_quality"),
        ([{"wifi": {"ssid": "Corp", "security": "Open", "trusted_root_ca": "a2"}}], "rules[0].wifi.trusted_root_ca"),
        ([{"ip_config": {}}], "rules[0].ip_config"),
        ([{"ip_config": {"ipv4_prefix": "10.1.0.1/16"}}], "rules[0].ip_config.ipv4_prefix"),
        ([{"ip_config": {"ipv4_prefix": "10.1.0.0"}}], "rules[0].ip_config.ipv4_prefix"),
        ([{"ip_config": {"ipv4_prefix": "2001:db8::/32"}}], "rules[0].ip_config.ipv4_prefix"),
        ([{"ip_config": {"ipv6_gateway": "10.1.0.1"}}], "rules[0].ip_config.ipv6_gateway"),
        ([{"ip_config": {"ipv4_gateway": ["10.1.0.1"]}}], "rules[0].ip_config.ipv4_gateway"),
        ([{"ip_config": {"ipv4_dns_server": ["10.1.0.1", "x"]}}], "rules[0].ip_config.ipv4_dns_server[1]"),
        ([{"ip_config": {"dns_suffix": "-corp"}}], "rules[0].ip_config.dns_suffix"),
        ([{"bluetooth": {"rssi_min": -129}}], "rules[0].bluetooth.rssi_min"),
        ([{"bluetooth": {"rssi_min": True}}], "rules[0].bluetooth.rssi_min"),
        ([{"bluetooth": {"class_of_device": "fridge"}}], "rules[0].bluetooth.class_of_device"),
        ([{"bluetooth": {"range": 3}}], "rules[0].bluetooth.range"),
    ],
)
def test_a_wrong_rule_is_refused_by_name(data: object, field: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_rules(data, Scenario.UNLOCK, "rules")
    assert raised.value.field == field


@pytest.mark.parametrize(
    "signal", [{"wifi": {"ssid": "x", "security": "Open"}}, {"bluetooth": {"class_of_device": "wearable"}}]
)
def test_dynamic_lock_knows_phones_only(signal: object) -> None:
    with pytest.raises(InputError, match="dynamic lock"):
        parse_rules([{"all": [signal]}], Scenario.LOCK, "rules")


@pytest.mark.parametrize(
    "text",
    [
        '<rule schemaVersion="2.0"><signal type="wifi"><ssid>x</ssid><security>Open</security></signal></rule>',
        '<rule schemaVersion="1.0"><signal type="gps"/></rule>',
        '<rule schemaVersion="1.0"></rule>',
        '<rule schemaVersion="1.0"><or><signal type="ipConfig"><dnsSuffix>a</dnsSuffix></signal></or></rule>',
        '<rule schemaVersion="1.0"><signal type="bluetooth" scenario="Dynamic Lock" classOfDevice="512"/></rule>',
        '<rule schemaVersion="1.0"><signal type="ipConfig"><ipv4Gateway>10.0.0.1</ipv4Gateway>'
        "<ipv4Gateway>10.0.0.2</ipv4Gateway></signal></rule>",
        '<!DOCTYPE rule [<!ENTITY a "b">]><rule schemaVersion="1.0"><signal type="ipConfig">&a;</signal></rule>',
        "</rules><rules>",
    ],
)
def test_xml_that_windows_would_not_parse_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        rules_from_xml(text, Scenario.UNLOCK)
