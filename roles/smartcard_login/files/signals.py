# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells whether a signal of the host's Hello policy is there: a network, a Wi-Fi, a device that is near.

pam_exec(8) runs this when a PIN was right. It ends with 0 where one of the policy's rules holds, and with 1 where none
does, or where that can't be told. Run by hand it says which.

Argument: path of the policy.
"""

from __future__ import annotations

import functools
import ipaddress
import json
import os
import subprocess
import sys
import typing as t
from dataclasses import dataclass

Parts = t.Mapping[str, t.Any]
Objects = t.Mapping[str, t.Mapping[str, t.Mapping[str, t.Any]]]
Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

_PATIENCE = 1.5
"""Seconds for a program to answer. The password has to be asked for within three."""
_ACTIVATED = 100  # NM_DEVICE_STATE_ACTIVATED
_PRIVACY, _BY_PASSWORD, _BY_SERVER = 0x1, 0x100, 0x200  # NM80211ApFlags, NM80211ApSecurityFlags
_MAJOR_CLASS = 0x1F00  # Bluetooth Assigned Numbers, Class of Device, bits 8 to 12
_CLASSES = {
    "misc": 0,
    "computer": 256,
    "phone": 512,
    "lan": 768,
    "av": 1024,
    "peripheral": 1280,
    "imaging": 1536,
    "wearable": 1792,
    "toy": 2048,
    "health": 2304,
    "uncategorized": 7936,
}


# What there is.


def output(*command: str) -> t.Any:
    """Returns what a program prints in JSON.

    :raises OSError, subprocess.SubprocessError, ValueError: if it is not there, fails or hangs
    """
    done = subprocess.run(  # noqa: S603 - our own words
        command, capture_output=True, check=True, timeout=_PATIENCE, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    )
    return json.loads(done.stdout)


def objects(service: str, root: str) -> Objects:
    """Returns what a service has on the system bus, by path and interface; nothing if it does not run."""
    call = ("call", service, root, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    try:
        found = output("busctl", "--json=short", "--timeout=1", "--auto-start=no", *call)["data"][0]
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return {
        path: {interface: {name: each["data"] for name, each in values.items()} for interface, values in of.items()}
        for path, of in found.items()
    }


@dataclass(frozen=True)
class Link:
    """A network interface that is up, and what it has."""

    addresses: t.FrozenSet[Address]
    gateways: t.FrozenSet[Address]
    dhcp_servers: t.FrozenSet[Address]


class Computer:
    """What the computer notices around it, looked at once, when the first rule asks."""

    @functools.cached_property
    def links(self) -> t.Sequence[Link]:
        return tuple(self._links())

    def _links(self) -> t.Iterator[Link]:
        routes = [*output("ip", "-json", "-4", "route"), *output("ip", "-json", "-6", "route")]
        servers = self._dhcp_servers()
        for found in output("ip", "-json", "address", "show", "up"):
            name, flags = found.get("ifname", ""), found.get("flags", ())
            if "LOWER_UP" in flags and "LOOPBACK" not in flags:
                yield Link(
                    frozenset(address(each["local"]) for each in found["addr_info"] if "local" in each),
                    frozenset(_gateways(routes, name)),
                    frozenset(servers.get(name, ())),
                )

    def _dhcp_servers(self) -> t.Dict[str, t.List[Address]]:
        found = self._network_manager
        servers: t.Dict[str, t.List[Address]] = {}
        for device in _all(found, "org.freedesktop.NetworkManager.Device"):
            lease = found.get(device.get("Dhcp4Config", ""), {}).get("org.freedesktop.NetworkManager.DHCP4Config", {})
            server = lease.get("Options", {}).get("dhcp_server_identifier")
            if server:
                servers.setdefault(device["Interface"], []).append(address(server["data"]))
        return servers

    @functools.cached_property
    def _network_manager(self) -> Objects:
        return objects("org.freedesktop.NetworkManager", "/org/freedesktop")

    @functools.cached_property
    def resolver(self) -> t.Tuple[t.FrozenSet[Address], t.FrozenSet[str]]:
        """Returns the host's DNS servers and suffixes: resolv.conf(5), or what systemd-resolved puts before its own."""
        path = os.path.realpath("/etc/resolv.conf")
        with open(path.replace("/stub-resolv.conf", "/resolv.conf"), encoding="utf-8") as file:
            lines = [line.split() for line in file]
        servers = frozenset(address(line[1]) for line in lines if line[:1] == ["nameserver"] and line[1:])
        suffixes = [each for line in lines if line[:1] in (["search"], ["domain"]) for each in line[1:]]
        return servers, frozenset(each.lower().rstrip(".") for each in suffixes)

    def access_points(self) -> t.Iterator[Parts]:
        """Yields those that the computer is connected to."""
        found = self._network_manager
        for interfaces in found.values():
            wireless = interfaces.get("org.freedesktop.NetworkManager.Device.Wireless")
            state = interfaces.get("org.freedesktop.NetworkManager.Device", {}).get("State")
            if wireless and state == _ACTIVATED:
                yield found.get(wireless["ActiveAccessPoint"], {}).get("org.freedesktop.NetworkManager.AccessPoint", {})

    @functools.cached_property
    def devices(self) -> t.Sequence[Parts]:
        """Bluetooth devices that are paired and connected."""
        found = _all(objects("org.bluez", "/"), "org.bluez.Device1")
        return [each for each in found if each.get("Paired") and each.get("Connected") and not each.get("Blocked")]


def address(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])


def _gateways(routes: t.Iterable[Parts], name: str) -> t.Iterator[Address]:
    for route in routes:
        for hop in (route, *route.get("nexthops", ())):
            if route["dst"] == "default" and hop.get("dev") == name and "gateway" in hop:
                yield address(hop["gateway"])


def _all(found: Objects, interface: str) -> t.Iterator[Parts]:
    return (interfaces[interface] for interfaces in found.values() if interface in interfaces)


# What a rule asks. A part that can't be told here is none of these, and does not hold.


def _listed(value: t.Any) -> t.List[str]:
    return value if isinstance(value, list) else [value]


_OF_LINK: t.Mapping[str, t.Callable[[Link, str], bool]] = {
    "prefix": lambda link, value: any(each in ipaddress.ip_network(value) for each in link.addresses),
    "gateway": lambda link, value: address(value) in link.gateways,
    "dhcp_server": lambda link, value: address(value) in link.dhcp_servers,
}


def ip_config(parts: Parts, computer: Computer) -> bool:
    """What is of a link has to hold for one of them. DNS servers and suffixes are the whole computer's."""
    of_link = {name: value for name, value in parts.items() if name.partition("_")[2] in _OF_LINK}
    return all(_resolves(name, _listed(parts[name]), computer) for name in parts.keys() - of_link.keys()) and any(
        all(_OF_LINK[name.partition("_")[2]](link, value) for name, value in of_link.items()) for link in computer.links
    )


def _resolves(name: str, values: t.Sequence[str], computer: Computer) -> bool:
    servers, suffixes = computer.resolver
    if name == "dns_suffix":
        return suffixes.issuperset(each.lower() for each in values)
    return name.endswith("_dns_server") and servers.issuperset(map(address, values))


def _securities(point: Parts) -> t.Set[str]:
    """Returns what a Wi-Fi offers, in the words of a rule."""
    wpa, rsn = point.get("WpaFlags", 0), point.get("RsnFlags", 0)
    if not wpa and not rsn:
        return {"WEP" if point.get("Flags", 0) & _PRIVACY else "Open"}
    kinds = (("WPA-Personal", wpa & _BY_PASSWORD), ("WPA-Enterprise", wpa & _BY_SERVER))
    kinds += (("WPA2-Personal", rsn & _BY_PASSWORD), ("WPA2-Enterprise", rsn & _BY_SERVER))
    return {word for word, there in kinds if there}


_OF_WIFI: t.Mapping[str, t.Callable[[Parts, t.Any], bool]] = {
    "ssid": lambda point, value: bytes(point.get("Ssid", ())) == value.encode(),
    "bssid": lambda point, value: point.get("HwAddress", "").replace(":", "-").lower() == value.lower(),
    "security": lambda point, value: _securities(point) == {value},
    "sig_quality": lambda point, value: point.get("Strength", 0) >= value,
}


def wifi(parts: Parts, computer: Computer) -> bool:
    return any(
        all(name in _OF_WIFI and _OF_WIFI[name](point, value) for name, value in parts.items())
        for point in computer.access_points()
    )


def bluetooth(parts: Parts, computer: Computer) -> bool:
    """BlueZ tells whether a device is connected, and of one that is, not how strong its signal is."""
    wanted = _CLASSES[parts["class_of_device"]]
    return any(device.get("Class", -1) & _MAJOR_CLASS == wanted for device in computer.devices)


_SIGNALS = {"ip_config": ip_config, "wifi": wifi, "bluetooth": bluetooth}


def holds(rule: t.Mapping[str, t.Any], computer: Computer) -> bool:
    """Whether a rule does; not, where that can't be told."""
    try:
        ((kind, parts),) = rule.items()
        if kind == "all":
            return bool(parts) and all(holds(each, computer) for each in parts)
        return bool(parts) and _SIGNALS[kind](parts, computer)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError, AttributeError):
        return False


def rules_of(policy: str, name: str) -> t.List[t.Any]:
    """Returns rules that a policy has for the sign-in.

    :raises OSError, ValueError, AttributeError: if there is no policy, or one that can't be used
    """
    with open(policy, encoding="utf-8") as file:
        return list(json.load(file).get("sign_in", {}).get(name, []))


def first_held(rules: t.Iterable[t.Any], computer: Computer) -> t.Optional[t.Any]:
    return next((rule for rule in rules if holds(rule, computer)), None)


def main(policy: str) -> int:
    try:
        rule = first_held(rules_of(policy, "trusted_signals"), Computer())
    except (OSError, ValueError, AttributeError) as error:
        sys.stderr.write(f"{policy}: {error}\n")
        return 1
    sys.stdout.write(f"there: {json.dumps(rule)}\n" if rule else "no trusted signal is there\n")
    return 0 if rule else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
