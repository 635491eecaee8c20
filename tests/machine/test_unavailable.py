# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where no virtual machine can be had, one line says why."""

from __future__ import annotations

import os
import pathlib
import socket
import sys

import pytest
from ansible_collections.hardbound.identity.tests.support import machine_image, virtual_machine
from ansible_collections.hardbound.identity.tests.support.machine_image import Image, Unavailable
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine, Snapshot


def told(reason: pytest.ExceptionInfo[Unavailable]) -> str:
    assert "\n" not in str(reason.value)
    return str(reason.value)


def test_no_qemu(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable) as reason:
        virtual_machine.check_host()
    assert told(reason) == "no qemu-system-x86_64"


def test_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual_machine, "MEMORY", sys.maxsize)
    with pytest.raises(Unavailable) as reason:
        virtual_machine.check_host()
    assert told(reason).startswith("no memory: a machine takes ")


def test_no_rights(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("HARDBOUND_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Unavailable) as reason:
        machine_image.image("bookworm")
    assert told(reason).startswith("no rights to make the image")


def test_a_suite_that_has_no_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """The mirror is not to be reached, or the suite is not on it: nothing half-made is kept."""
    monkeypatch.setenv("HARDBOUND_CACHE", str(tmp_path))
    monkeypatch.setitem(machine_image.SUITES, "nowhere", 12)
    monkeypatch.setitem(machine_image._ADDED, "nowhere", ())
    with pytest.raises(Unavailable) as reason:
        machine_image.image("nowhere")
    assert told(reason).startswith("no image of nowhere: ")
    assert not [path for path in (tmp_path / "machines").iterdir() if path.suffix not in (".lock", ".draft")]


def test_a_port_that_is_taken(debian: Image, tmp_path: pathlib.Path) -> None:
    (tmp_path / "tpm").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable) as reason, Machine(debian, Snapshot(tmp_path), port):
            pass
    assert told(reason).startswith(f"port {port} is taken: ")
