# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers for cards: pcscd's configuration and the copies of the driver.

A driver file of vpcd serves two slots, and pcscd keeps its state by path; so each pair of cards has a copy.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import time
import typing as t
from dataclasses import dataclass, field

from .._errors import StateError
from .._files import remove_durably, write_atomically
from .._spine import Plan
from .reader_name import SLOTS, Cards, friendly_names
from .vpcd import MOST_READERS

FIRST_PORT = 35963

_PUBLIC = 0o644
_EXIT_PATIENCE = 3.0  # seconds
_DRIVER = re.compile(r"vpcd-(\d+)\.so")


@dataclass(frozen=True)
class Paths:
    """Where things lie on a host."""

    config: str = "/etc/reader.conf.d/hardbound"
    drivers: str = "/usr/lib/hardbound/drivers"
    original: str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
    pid: str = "/run/pcscd/pcscd.pid"

    def driver(self, pair: int) -> str:
        return os.path.join(self.drivers, f"vpcd-{pair}.so")


@dataclass(frozen=True)
class ReaderFiles:
    """What is there, or should be: the configuration, and the digests of the driver's copies by pair."""

    config: str = ""
    drivers: t.Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CopyDriver:
    pair: int


@dataclass(frozen=True)
class WriteConfig:
    text: str


@dataclass(frozen=True)
class RestartPcscd:
    """pcscd reads its readers once: asked to read them again it refuses what has changed."""


@dataclass(frozen=True)
class RemoveDriver:
    pair: int


Step = t.Union[CopyDriver, WriteConfig, RestartPcscd, RemoveDriver]


def render(cards: Cards, paths: Paths) -> str:
    """Returns reader.conf(5) for the cards.

    :raises StateError: if a card has a number that no reader can have
    """
    beyond = [number for number in cards if not 0 <= number < MOST_READERS]
    if beyond:
        raise StateError(
            f"card {beyond[0]:04d} is beyond the {MOST_READERS} readers that pcscd takes", "destroy a card"
        )
    return "\n".join(_entry(name, pair, paths) for pair, name in friendly_names(cards).items())


def _entry(name: str, pair: int, paths: Paths) -> str:
    port = FIRST_PORT + SLOTS * pair
    lines = (
        f'FRIENDLYNAME "{name}"',
        f"DEVICENAME /dev/null:0x{port:04X}",
        f"LIBPATH {paths.driver(pair)}",
        f"CHANNELID 0x{port:04X}",
    )
    return "".join(f"{line}\n" for line in lines)


def desired(cards: Cards, paths: Paths, digest: t.Optional[str]) -> ReaderFiles:
    """Returns what the cards need.

    :param digest: of Debian's driver, of which each pair of cards has a copy
    :raises StateError: if a card needs a reader and vpcd is not installed, or a card can't have one
    """
    if not cards:
        return ReaderFiles("", {})
    if digest is None:
        raise StateError(f"{paths.original} is missing", "install the package vsmartcard-vpcd")
    return ReaderFiles(render(cards, paths), dict.fromkeys(friendly_names(cards), digest))


def driver_digest(paths: Paths) -> t.Optional[str]:
    """Returns the digest of Debian's driver, or None if it is not there."""
    return _digest(paths.original)


def read(paths: Paths) -> ReaderFiles:
    """Returns what is there."""
    try:
        with open(paths.config, encoding="utf-8", errors="replace") as file:
            config = file.read()
    except FileNotFoundError:
        config = ""
    names = sorted(os.listdir(paths.drivers)) if os.path.isdir(paths.drivers) else []
    pairs = [int(match.group(1)) for match in map(_DRIVER.fullmatch, names) if match]
    return ReaderFiles(config, {pair: _digest(paths.driver(pair)) or "" for pair in pairs})


def plan(wanted: ReaderFiles, current: ReaderFiles) -> Plan[Step]:
    """Compares. Pure."""
    stale = [pair for pair, digest in wanted.drivers.items() if current.drivers.get(pair) != digest]
    steps: t.List[Step] = [CopyDriver(pair) for pair in stale]
    if wanted.config != current.config:
        steps.append(WriteConfig(wanted.config))
    if steps:
        steps.append(RestartPcscd())
    steps += [RemoveDriver(pair) for pair in current.drivers if pair not in wanted.drivers]
    return Plan(tuple(steps), {"readers": current.config}, {"readers": wanted.config}, "readers")


def apply(changes: Plan[Step], paths: Paths) -> None:
    """Carries the plan out. pcscd is started again by whoever watches over it.

    :raises OSError: if a file can't be written
    """
    for step in changes.steps:
        if isinstance(step, CopyDriver):
            _copy_driver(step.pair, paths)
        elif isinstance(step, WriteConfig):
            write_atomically(paths.config, step.text.encode(), _PUBLIC)
        elif isinstance(step, RestartPcscd):
            end_pcscd(paths)
        else:
            remove_durably(paths.driver(step.pair))


def _copy_driver(pair: int, paths: Paths) -> None:
    os.makedirs(paths.drivers, mode=0o755, exist_ok=True)
    with open(paths.original, "rb") as file:
        write_atomically(paths.driver(pair), file.read(), _PUBLIC)


def end_pcscd(paths: Paths) -> None:
    """Ends pcscd and waits until it has ended; does nothing if it does not run."""
    pid = _pcscd(paths)
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + _EXIT_PATIENCE
    while _pcscd(paths) == pid and time.monotonic() < end:
        time.sleep(0.02)


def _pcscd(paths: Paths) -> t.Optional[int]:
    """Returns the process id of pcscd; a number that is left over and now another program's is not one."""
    try:
        with open(paths.pid, encoding="ascii") as file:
            pid = int(file.read().rstrip("\n\0"))  # pcscd 1.9.9 writes the final NUL of its string too
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            name, _unused, state = file.read().partition("(")[2].rpartition(")")
    except (OSError, ValueError):
        return None
    return pid if name == "pcscd" and state.split()[0] != "Z" else None


def _digest(path: str) -> t.Optional[str]:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        return None
