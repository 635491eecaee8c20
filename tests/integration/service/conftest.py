# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with cards for each test."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.tests.support.card_machine import CardMachine
from ansible_collections.hardbound.identity.tests.support.needed_program import needs


@pytest.fixture
def machine(software_tpm: t.Any, short_path: pathlib.Path) -> t.Iterator[CardMachine]:
    if os.geteuid() != 0:
        pytest.skip("needs root, for namespaces and pcscd")
    needs("pcscd", "opensc-tool", "pkcs11-tool", "yubico-piv-tool", "nsenter")
    machine = CardMachine(short_path, software_tpm)
    yield machine
    machine.stop()
