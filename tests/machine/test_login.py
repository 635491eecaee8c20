# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login that hangs, since a machine is on its way up, is no fault: the machine is asked again. None runs here."""

from __future__ import annotations

import pathlib
import socket

import pytest
from ansible_collections.hardbound.identity.tests.support import virtual_machine
from ansible_collections.hardbound.identity.tests.support.machine_image import Image
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine, Snapshot


def test_a_login_that_hangs_is_no_answer(
    debian: Image, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """QEMU takes the connection, and nobody behind it says a word."""
    monkeypatch.setattr(virtual_machine, "_LOGIN", 0.5)
    (tmp_path / "tpm").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        machine = Machine(debian, Snapshot(tmp_path), silent.getsockname()[1])
        try:
            assert not machine.answers()
        finally:
            machine.discard()
