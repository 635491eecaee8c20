# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a computer has around it: networks of its own, and a system bus with stand-ins for devices that are not here.

The bus is D-Bus itself. Behind the names of NetworkManager, BlueZ and logind is python-dbusmock.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.waiting import until

__all__ = ["Bus", "Phone", "Surroundings", "give_link"]

PYTHON = "/usr/bin/python3"
_BUS = """<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<servicedir>FOLDER/services</servicedir>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
<allow send_requested_reply="true"/><allow receive_requested_reply="true"/><allow receive_type="method_call"/>
<allow receive_type="signal"/></policy></busconfig>
"""


class Inside(t.Protocol):
    """Runs commands in namespaces of its own."""

    folder: Path

    def _inside(self, *command: str) -> t.List[str]: ...

    def run(self, *command: str, ok: t.Optional[bool] = True, stdin: str = "") -> str: ...


def give_link(computer: Inside, name: str, *addresses: str, gateway: str = "") -> None:
    """Gives a computer a network interface that is up."""
    computer.run("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}-end")
    for each in (name, f"{name}-end"):
        computer.run("ip", "link", "set", each, "up")
    for each in addresses:
        computer.run("ip", "address", "add", each, "dev", name, "nodad" if ":" in each else "noprefixroute")
    if gateway:
        computer.run("ip", "route", "add", "default", "via", gateway, "dev", name, "onlink")


class Surroundings:
    """A computer without cards, whose network is what a test makes."""

    def __init__(self, folder: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("needs root, for namespaces")
        self.folder = folder
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation", "private", "sleep", "infinity"]
        )
        until(lambda: os.readlink(f"/proc/{self._holder.pid}/ns/net") != os.readlink("/proc/self/ns/net"))

    def _inside(self, *command: str) -> t.List[str]:
        return ["nsenter", "--target", str(self._holder.pid), "--net", "--mount", *command]

    def run(self, *command: str, ok: t.Optional[bool] = True, stdin: str = "") -> str:
        done = subprocess.run(
            self._inside(*command), input=stdin, text=True, check=False, capture_output=True, timeout=60
        )
        assert ok is None or (done.returncode == 0) is ok, done.stdout + done.stderr
        return done.stdout

    def link(self, name: str, *addresses: str, gateway: str = "") -> None:
        give_link(self, name, *addresses, gateway=gateway)

    def resolver(self, text: str) -> None:
        (self.folder / "resolv.conf").write_text(text)
        self.run("mount", "--bind", str(self.folder / "resolv.conf"), os.path.realpath("/etc/resolv.conf"))

    def stop(self) -> None:
        self._holder.kill()
        self._holder.wait()


class Bus:
    """The system bus of a computer."""

    def __init__(self, computer: Inside) -> None:
        needs("dbus-daemon", "busctl")
        if subprocess.run([PYTHON, "-c", "import dbusmock"], check=False, capture_output=True).returncode:
            pytest.skip("needs dbusmock, as in Debian's python3-dbusmock")
        self._computer = computer
        self.processes: t.List[subprocess.Popen[bytes]] = []
        config = computer.folder / "bus.conf"
        config.write_text(_BUS.replace("FOLDER", str(computer.folder)))
        computer.run("mkdir", "-p", "/run/dbus")
        computer.run("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run/dbus")
        self.start("dbus-daemon", "--nofork", f"--config-file={config}")
        until(lambda: "org.freedesktop.DBus" in self._names())

    def _names(self) -> str:
        return self._computer.run("busctl", "list", "--no-legend", ok=None)

    def start(self, *command: str, awaited: str = "", log: t.Optional[Path] = None) -> subprocess.Popen[bytes]:
        """Starts a program that the bus needs, or that needs the bus.

        :param awaited: a name that the program takes
        :param log: where its errors go
        """
        with log.open("ab") if log else contextlib.nullcontext() as errors:
            started = subprocess.Popen(self._computer._inside(*command), stderr=errors)
        self.processes.append(started)
        until(lambda: not awaited or self._has(awaited))
        return started

    def _has(self, name: str) -> bool:
        return any(line.split()[:1] == [name] and line.split()[1] != "-" for line in self._names().splitlines())

    def stand_in(self, template: str, name: str, *parameters: str) -> subprocess.Popen[bytes]:
        """Has a template of python-dbusmock answer to a name."""
        return self.start(PYTHON, "-m", "dbusmock", "--system", "--template", template, *parameters, awaited=name)

    def call(self, name: str, path: str, method: str, *arguments: str) -> str:
        """:param method: interface and name, joined by a dot
        :param arguments: a signature, and what it says
        """
        interface, _dot, member = method.rpartition(".")
        return self._computer.run("busctl", "call", name, path, interface, member, *arguments)

    def set(self, name: str, path: str, interface: str, property_: str, *value: str) -> None:
        """:param value: a signature, and what it says"""
        self._computer.run("busctl", "set-property", name, path, interface, property_, *value)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


class Phone:
    """A phone that is paired, and connected: a smart phone, of class 0x5a020c."""

    _BLUEZ, _ADDRESS = "org.bluez", "AA:BB:CC:DD:EE:FF"
    _DEVICE = "/org/bluez/hci0/dev_AA_BB_CC_DD_EE_FF"

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.bluez = bus.stand_in("bluez5", self._BLUEZ)
        self._mock("AddAdapter", "ss", "hci0", "desk")
        self._mock("AddDevice", "sss", "hci0", self._ADDRESS, "phone")
        self._mock("PairDevice", "ssi", "hci0", self._ADDRESS, "0")
        self.be("Class", "u", str(0x5A020C))
        self._mock("ConnectDevice", "ss", "hci0", self._ADDRESS)

    def _mock(self, method: str, *arguments: str) -> None:
        self._bus.call(self._BLUEZ, "/org/bluez", f"org.bluez.Mock.{method}", *arguments)

    def be(self, property_: str, *value: str) -> None:
        """:param value: a signature, and what it says"""
        self._bus.set(self._BLUEZ, self._DEVICE, "org.bluez.Device1", property_, *value)
