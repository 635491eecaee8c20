# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signal rules of device unlock and dynamic lock: plain data to XML on one line, and back.

A policy holds rules; one that holds true is enough. A rule is one signal, or several that must all be
seen: ``{"all": [...]}``. A signal is a mapping with one key: ``bluetooth``, ``ip_config`` or ``wifi``.
The grammar is that of Microsoft's multi-factor unlock and dynamic lock pages.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from dataclasses import dataclass
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from .._errors import InputError

SCHEMA_VERSION = "1.0"
# More than any real set of rules. Windows states no limit, an XML parser needs one.
LONGEST_XML = 65536
# IEEE 802.11: an SSID has 1 to 32 octets.
LONGEST_SSID = 32


class Scenario(str, enum.Enum):
    """What a Bluetooth signal serves: the attribute ``scenario``."""

    UNLOCK = "Authentication"
    LOCK = "Dynamic Lock"


class DeviceClass(enum.IntEnum):
    """Bluetooth major device classes (Assigned Numbers, Class of Device, bits 8 to 12)."""

    MISC = 0
    COMPUTER = 256
    PHONE = 512
    LAN = 768
    AV = 1024
    PERIPHERAL = 1280
    IMAGING = 1536
    WEARABLE = 1792
    TOY = 2048
    HEALTH = 2304
    UNCATEGORIZED = 7936


class WifiSecurity(str, enum.Enum):
    """The values of a Wi-Fi signal's ``security``."""

    OPEN = "Open"
    WEP = "WEP"
    WPA_PERSONAL = "WPA-Personal"
    WPA_ENTERPRISE = "WPA-Enterprise"
    WPA2_PERSONAL = "WPA2-Personal"
    WPA2_ENTERPRISE = "WPA2-Enterprise"


Texts = Tuple[Tuple[str, str], ...]


@dataclass(frozen=True)
class Signal:
    """One signal: its type, and its parts by their names in XML, checked, in the order of the schema."""

    type: str
    parts: Texts


@dataclass(frozen=True)
class Rule:
    """Signals that must all be seen. ``grouped`` is whether they stand in an ``and`` element."""

    signals: Tuple[Signal, ...]
    grouped: bool = False


# The parts of each signal.

Check = Callable[[object, str], str]


@dataclass(frozen=True)
class SignalPart:
    """A part of a signal: its name in a task, its name in XML, its check, how often, its default."""

    name: str
    xml: str
    check: Check
    many: bool = False
    required: bool = False
    default: Optional[str] = None
    number: bool = False


def _number(lowest: int, highest: int) -> Check:
    def check(value: object, field: str) -> str:
        text = str(value).strip()
        if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            raise InputError(field, f"is {value!r}", f"choose a whole number from {lowest} to {highest}")
        return str(int(text))

    return check


def _device_class(value: object, field: str) -> str:
    text = str(value).strip()
    by_name = {each.name.lower(): each for each in DeviceClass}
    by_number = {str(int(each)): each for each in DeviceClass}
    found = by_name.get(text.lower(), by_number.get(text))
    if found is None:
        raise InputError(field, f"is {value!r}, which is no Bluetooth device class", f"choose {', '.join(by_name)}")
    return str(int(found))


def _prefix(version: int) -> Check:
    def check(value: object, field: str) -> str:
        try:
            network = ipaddress.ip_network(_text(value, field), strict=False)
        except ValueError:
            network = None
        if network is None or network.version != version or "/" not in str(value):
            raise InputError(field, f"is {value!r}", f"write an IPv{version} network, address and prefix length")
        if str(network.network_address) != str(ipaddress.ip_interface(str(value).strip()).ip):
            raise InputError(field, f"is {value!r}, an address inside a network", f"write the network, {network}")
        return str(network)

    return check


def _address(version: int) -> Check:
    def check(value: object, field: str) -> str:
        try:
            address = ipaddress.ip_address(_text(value, field))
        except ValueError:
            address = None
        if address is None or address.version != version:
            raise InputError(field, f"is {value!r}", f"write an IPv{version} address")
        return str(address)

    return check


def _pattern(pattern: str, remedy: str) -> Check:
    expression = re.compile(pattern)

    def check(value: object, field: str) -> str:
        text = _text(value, field)
        if not expression.fullmatch(text):
            raise InputError(field, f"is {value!r}", remedy)
        return text

    return check


def _ssid(value: object, field: str) -> str:
    text = value if isinstance(value, str) else str(value)
    if not 1 <= len(text.encode("utf-8", "replace")) <= LONGEST_SSID or not text.isprintable() or text != text.strip():
        raise InputError(field, f"is {value!r}", f"write 1 to {LONGEST_SSID} bytes of printable text")
    return text


def _security(value: object, field: str) -> str:
    known = {each.value.lower(): each.value for each in WifiSecurity}
    found = known.get(_text(value, field).lower())
    if found is None:
        raise InputError(field, f"is {value!r}", f"choose {', '.join(known.values())}")
    return found


def _text(value: object, field: str) -> str:
    if not isinstance(value, str):
        raise InputError(field, f"is {value!r}", "write text")
    return value.strip()


_DNS_NAME = (
    r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*"
)
# RSSI is a signed octet (Bluetooth Core, HCI_Read_RSSI).
_RSSI = _number(-128, 127)

SIGNALS: Dict[str, Tuple[str, Tuple[SignalPart, ...]]] = {
    "bluetooth": (
        "bluetooth",
        (
            SignalPart("class_of_device", "classOfDevice", _device_class, default=str(int(DeviceClass.PHONE))),
            SignalPart("rssi_min", "rssiMin", _RSSI, default="-10", number=True),
            SignalPart("rssi_max_delta", "rssiMaxDelta", _RSSI, default="-10", number=True),
        ),
    ),
    "ip_config": (
        "ipConfig",
        (
            SignalPart("ipv4_prefix", "ipv4Prefix", _prefix(4)),
            SignalPart("ipv4_gateway", "ipv4Gateway", _address(4)),
            SignalPart("ipv4_dhcp_server", "ipv4DhcpServer", _address(4)),
            SignalPart("ipv4_dns_server", "ipv4DnsServer", _address(4), many=True),
            SignalPart("ipv6_prefix", "ipv6Prefix", _prefix(6)),
            SignalPart("ipv6_gateway", "ipv6Gateway", _address(6)),
            SignalPart("ipv6_dhcp_server", "ipv6DhcpServer", _address(6)),
            SignalPart("ipv6_dns_server", "ipv6DnsServer", _address(6), many=True),
            SignalPart(
                "dns_suffix", "dnsSuffix", _pattern(_DNS_NAME, "write a DNS suffix such as corp.example"), many=True
            ),
        ),
    ),
    "wifi": (
        "wifi",
        (
            SignalPart("ssid", "ssid", _ssid, required=True),
            SignalPart(
                "bssid", "bssid", _pattern(r"[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){5}", "write it like 12-ab-34-ff-e5-46")
            ),
            SignalPart("security", "security", _security, required=True),
            SignalPart(
                "trusted_root_ca",
                "trustedRootCA",
                _pattern(r"[0-9A-Fa-f]{2}( [0-9A-Fa-f]{2}){19}", "write the SHA-1 hash, 20 bytes in hex, with spaces"),
            ),
            SignalPart("sig_quality", "sig_quality", _number(0, 100), number=True),
        ),
    ),
}
_NAMES_BY_TYPE = {xml: name for name, (xml, _parts) in SIGNALS.items()}


# Data to rules.


def parse_rules(data: object, scenario: Scenario, field: str) -> Tuple[Rule, ...]:
    """Checks rules as a task writes them.

    :param field: the name to put into messages, e.g. ``device_unlock.rules``
    :raises InputError: naming the rule, the signal and the part that Windows would not take
    """
    if not isinstance(data, (list, tuple)) or not data:
        raise InputError(field, "holds no list of rules", "write a list with at least one signal")
    rules = tuple(_rule(each, f"{field}[{index}]") for index, each in enumerate(data))
    if scenario is Scenario.LOCK:
        _check_lock(rules, field)
    return rules


def _check_lock(rules: Sequence[Rule], field: str) -> None:
    phone = ("classOfDevice", str(int(DeviceClass.PHONE)))
    for index, rule in enumerate(rules):
        if any(signal.type != "bluetooth" or phone not in signal.parts for signal in rule.signals):
            raise InputError(
                f"{field}[{index}]",
                "is no Bluetooth signal of a phone, the only one that dynamic lock knows",
                "write bluetooth with class_of_device phone",
            )


def _rule(data: object, field: str) -> Rule:
    key, value = _single(data, field, [*SIGNALS, "all"])
    if key != "all":
        return Rule((_signal(key, value, f"{field}.{key}"),))
    if not isinstance(value, (list, tuple)) or not value:
        raise InputError(f"{field}.all", "holds no list of signals", "write a list with at least one signal")
    signals = []
    for index, each in enumerate(value):
        where = f"{field}.all[{index}]"
        name, parts = _single(each, where, list(SIGNALS))
        signals.append(_signal(name, parts, f"{where}.{name}"))
    return Rule(tuple(signals), grouped=True)


def _single(data: object, field: str, known: Sequence[str]) -> Tuple[str, object]:
    if not isinstance(data, Mapping) or len(data) != 1 or next(iter(data)) not in known:
        raise InputError(field, f"is {data!r}", f"write a mapping with one key: {', '.join(known)}")
    return next(iter(data.items()))


def _signal(name: str, data: object, field: str) -> Signal:
    type_, parts = SIGNALS[name]
    if data is None:
        data = {}
    if not isinstance(data, Mapping):
        raise InputError(field, f"is {data!r}", f"write a mapping of {', '.join(part.name for part in parts)}")
    unknown = [key for key in data if key not in {part.name for part in parts}]
    if unknown:
        raise InputError(f"{field}.{unknown[0]}", "is unknown", f"choose from {', '.join(part.name for part in parts)}")
    texts: List[Tuple[str, str]] = []
    for part in parts:
        texts.extend((part.xml, text) for text in _part(part, data.get(part.name), f"{field}.{part.name}"))
    if not texts:
        raise InputError(field, "is empty", f"give at least one of {', '.join(part.name for part in parts)}")
    return Signal(type_, tuple(texts))


def _part(part: SignalPart, value: object, field: str) -> List[str]:
    if value is None and part.required:
        raise InputError(field, "is missing", "give it, every signal of this type needs it")
    if value is None:
        return [] if part.default is None else [part.default]
    if isinstance(value, (list, tuple)):
        if not part.many:
            raise InputError(field, "is a list", "give one value")
        return [part.check(each, f"{field}[{index}]") for index, each in enumerate(value)]
    return [part.check(value, field)]


# Rules to data.

Data = Dict[str, object]


def rules_to_data(rules: Sequence[Rule]) -> List[Data]:
    """Returns rules as a task writes them. The inverse of :func:`parse_rules`."""
    return [
        {"all": [_signal_to_data(signal) for signal in rule.signals]}
        if rule.grouped
        else _signal_to_data(rule.signals[0])
        for rule in rules
    ]


def _signal_to_data(signal: Signal) -> Data:
    name = _NAMES_BY_TYPE[signal.type]
    data: Data = {}
    for part in SIGNALS[name][1]:
        texts = [text for xml, text in signal.parts if xml == part.xml]
        if texts:
            data[part.name] = texts if part.many else _to_plain(part, texts[0])
    return {name: data}


def _to_plain(part: SignalPart, text: str) -> Union[int, str]:
    if part.xml == "classOfDevice":
        return DeviceClass(int(text)).name.lower()
    return int(text) if part.number else text


# Rules to XML.


def rules_to_xml(rules: Sequence[Rule], scenario: Scenario) -> str:
    """Renders rules on one line, joined by commas, as ``Plugins`` holds them."""
    return ",".join(_rule_to_xml(rule, scenario) for rule in rules)


def _rule_to_xml(rule: Rule, scenario: Scenario) -> str:
    inner = " ".join(_signal_to_xml(signal, scenario) for signal in rule.signals)
    if rule.grouped:
        inner = f"<and> {inner} </and>"
    return f'<rule schemaVersion="{SCHEMA_VERSION}"> {inner} </rule>'


def _signal_to_xml(signal: Signal, scenario: Scenario) -> str:
    if signal.type == "bluetooth":
        attributes = [("type", signal.type), ("scenario", scenario.value), *signal.parts]
        return "<signal " + " ".join(f"{name}={quoteattr(text)}" for name, text in attributes) + "/>"
    children = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in signal.parts)
    return f"<signal type={quoteattr(signal.type)}>{children}</signal>"


# XML to rules.


def rules_from_xml(text: str, scenario: Scenario, field: str = "rules") -> Tuple[Rule, ...]:
    """Parses what ``Plugins`` holds.

    :raises InputError: for anything that Windows would not parse, or that this grammar doesn't hold
    """
    if len(text) > LONGEST_XML:
        raise InputError(field, f"has {len(text)} characters", f"use at most {LONGEST_XML}")
    try:
        # A document type can't stand inside an element, so no entity can be declared.
        root = ElementTree.fromstring(f"<rules>{text}</rules>")  # noqa: S314
    except (ElementTree.ParseError, ValueError) as error:
        raise InputError(field, f"is no XML ({error})", "write rule elements joined by commas") from None
    _check_commas(root, field)
    return parse_rules([_element_rule(each, scenario, f"{field}[{n}]") for n, each in enumerate(root)], scenario, field)


def _check_commas(root: ElementTree.Element, field: str) -> None:
    tails = [(each.tail or "").strip() for each in root]
    if not tails or (root.text or "").strip() or tails != [","] * (len(tails) - 1) + [""]:
        raise InputError(field, "is no list of rule elements joined by commas", 'write <rule schemaVersion="1.0">')


def _element_rule(element: ElementTree.Element, scenario: Scenario, field: str) -> Data:
    if element.tag != "rule" or element.get("schemaVersion") != SCHEMA_VERSION or len(element) != 1:
        raise InputError(
            field,
            "is no rule element of schemaVersion 1.0 with one signal or one and",
            "put several signals into one and element",
        )
    inner = element[0]
    if inner.tag == "and":
        return {"all": [_element_signal(each, scenario, f"{field}.and[{n}]") for n, each in enumerate(inner)]}
    return _element_signal(inner, scenario, field)


def _element_signal(element: ElementTree.Element, scenario: Scenario, field: str) -> Data:
    name = _NAMES_BY_TYPE.get(element.get("type", ""))
    if element.tag != "signal" or name is None:
        raise InputError(field, "is no signal of a known type", f"choose {', '.join(_NAMES_BY_TYPE)}")
    pairs = [(key, value) for key, value in element.attrib.items() if key not in ("type", "scenario")]
    pairs += [(child.tag, (child.text or "").strip()) for child in element]
    if name == "bluetooth" and element.get("scenario") != scenario.value:
        raise InputError(f"{field}.scenario", f"is {element.get('scenario')!r}", f"write {scenario.value!r}")
    return {name: _named(name, pairs, field)}


def _named(name: str, pairs: Sequence[Tuple[str, str]], field: str) -> Data:
    known = {part.xml: part for part in SIGNALS[name][1]}
    texts: Dict[str, List[str]] = {}
    for xml, text in pairs:
        part = known.get(xml)
        if part is None or (not part.many and xml in texts):
            raise InputError(f"{field}.{xml}", "is unknown or stands twice", f"choose from {', '.join(known)}")
        texts.setdefault(xml, []).append(text)
    return {known[xml].name: found if known[xml].many else found[0] for xml, found in texts.items()}
