# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that a card's RSA key opens: real LUKS, enrolled by systemd-cryptenroll as the page on programs says."""

from __future__ import annotations

import os
import pathlib
import re

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for namespaces")]

PLUGINS = pathlib.Path("/usr/lib/x86_64-linux-gnu/cryptsetup")
PAGE = (COLLECTION / "docs/signin_programs.md").read_text()
DEVICE = "/dev/sdb1"
SIZE = 32 << 20
"""Bytes. A header of LUKS 2 has 16 MiB."""
PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def disk(host: Host) -> pathlib.Path:
    """A file that stands for a disk, which a passphrase opens."""
    needs("systemd-cryptenroll", "/usr/sbin/cryptsetup")
    if not (PLUGINS / "libcryptsetup-token-systemd-pkcs11.so").exists():
        pytest.skip("needs systemd's plugin of cryptsetup for PKCS#11")
    path = host.machine.folder / "disk"
    with path.open("wb") as file:
        file.truncate(SIZE)
    quick = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"]
    command = ["cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", *quick, str(path)]
    host.run(*command, stdin=PASSPHRASE)
    return path


def typed(line: str, **names: object) -> str:
    """Returns a command that the page has people type."""
    found = re.search(rf"^\$ ({line}.*)$", PAGE, re.MULTILINE)
    assert found is not None
    command = found[1]
    for name, value in names.items():
        command = command.replace(name, str(value))
    return command


def enrol(host: Host, disk: pathlib.Path, ok: bool = True) -> str:
    """The passphrase and the PIN come from the environment, where systemd asks a person else."""
    command = typed("systemd-cryptenroll", TOKEN="Card%20of%20Alice").replace(DEVICE, str(disk))
    return host.run("env", f"PASSWORD={PASSPHRASE}", f"PIN={PIN}", "sh", "-c", command, ok=ok)


def opens(host: Host, disk: pathlib.Path, pin: str) -> bool:
    """Whether the card's key gives the disk's. Nothing is mapped: that needs the kernel's device mapper."""
    command = typed("cryptsetup open").replace(DEVICE, str(disk)).replace(" data", " --test-passphrase")
    return host.run("sh", "-c", f"{command} && echo opened", stdin=pin, ok=None).endswith("opened\n")


def test_a_card_opens_a_disk(host: Host, disk: pathlib.Path) -> None:
    record = host.make("Card of Alice", keys=[KeySpecification(0x9A, KeyAlgorithm.RSA_2048)])
    host.register()
    host.start()
    enrol(host, disk)
    assert opens(host, disk, PIN)
    assert not opens(host, disk, "000000")
    assert host.machine.tries(record)[0] == 2
    command = ["cryptsetup", "open", "--test-passphrase", str(disk), "--key-file", "-"]
    host.run(*command, stdin=PASSPHRASE)


def test_an_elliptic_key_is_none_for_a_disk(host: Host, disk: pathlib.Path) -> None:
    host.make("Card of Alice", keys=[KeySpecification(0x9A, KeyAlgorithm.ECC_P256)])
    host.register()
    host.start()
    said = enrol(host, disk, ok=False)
    [told] = re.findall(r'For an EC key it says "(.*?)"', " ".join(PAGE.split()))
    assert told in said
