# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GnuPG 2.4, as in Debian 13, administers a PIV card: gpg-card, over scdaemon and Debian 13's pcscd."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import subprocess

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey, Cipher
from ansible_collections.hardbound.identity.tests.support.debian_root import GNUPG, debian_root
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

KEY = AdminKey(Cipher.TRIPLE_DES, bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"))
DIGEST = b"Z" * 32
GPG_CARD = "/usr/bin/gpg-card"
PINENTRY = """#!/bin/sh
echo OK
while read -r command _rest; do
    case $command in
    GETPIN) echo D 123456; echo OK ;;
    BYE) echo OK; exit ;;
    *) echo OK ;;
    esac
done
"""


class GnuPg:
    """A host whose programs and pcscd are Debian 13's; the card service is the machine's."""

    def __init__(self, machine, root):
        self._machine = machine
        self._root = root
        self.home = machine.folder / "gnupg"
        self.home.mkdir(mode=0o700)
        for place in ("/proc", "/dev", "/run/pcscd", "/etc/reader.conf.d", str(machine.folder)):
            (root / place[1:]).mkdir(parents=True, exist_ok=True)
            machine.run("mount", "--rbind", place, str(root / place[1:]))
        pinentry = machine.folder / "pinentry"
        pinentry.write_text(PINENTRY)
        pinentry.chmod(0o755)
        (self.home / "gpg-agent.conf").write_text(f"pinentry-program {pinentry}\n")
        (self.home / "scdaemon.conf").write_text("disable-ccid\n")

    def start(self):
        """Takes the place of the machine's own pcscd, with which GnuPG's library does not speak."""
        machine = self._machine
        machine.pcscd.kill()
        machine.pcscd.wait()
        machine.run("rm", "-f", "/run/pcscd/pcscd.comm", "/run/pcscd/pcscd.pid")
        for left_over in machine.run_folder.iterdir():
            left_over.unlink()
        machine.pcscd = subprocess.Popen(
            machine._inside("chroot", str(self._root), "pcscd", "--foreground", "--disable-polkit"),
            stdout=machine._log,
            stderr=machine._log,
        )
        machine.await_cards(seen=False)

    def run(self, *command, ok=True):
        home = f"GNUPGHOME={self.home}"
        return self._machine.run("timeout", "50", "chroot", str(self._root), "env", home, *command, ok=ok)

    def card(self, *commands, ok=True):
        """Runs commands of gpg-card, one after the other."""
        words = [word for command in commands for word in ("--", *command)]
        return self.run("gpg-card", "--no-history", *words, ok=ok)

    def sign(self, reference):
        script, signature = self.home / "script", self.home / "signature"
        lines = ["SCD SERIALNO piv", f"SCD SETDATA {DIGEST.hex()}", f"/datafile {signature}"]
        script.write_text("\n".join([*lines, f"SCD PKSIGN --hash=sha256 {reference}", "/bye", ""]))
        said = self.run("gpg-connect-agent", "--run", str(script))
        assert "ERR" not in said, said
        return signature.read_bytes()


@pytest.fixture
def gnupg(machine):
    root, why = debian_root("trixie", GNUPG, GPG_CARD)
    if root is None:
        pytest.skip(f"no GnuPG of Debian 13: {why}")
    machine.make("GnuPG", keys=(), admin_key=KEY)
    machine.start()
    gnupg = GnuPg(machine, pathlib.Path(root))
    gnupg.start()
    yield gnupg
    gnupg.run("gpgconf", "--kill", "all", ok=None)


def certified(public):
    """A certificate of a card's key, by a CA."""
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "GnuPG test")])
    start = datetime.datetime(2024, 1, 1)
    authority = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(name, name, serialization.load_der_public_key(public), 7, start)
    certificate = builder.not_valid_after(start.replace(year=2044)).sign(authority, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.DER)


def verifies(key, plain):
    """scdaemon 2.4 returns what the two INTEGERs hold, one after the other, and not where the first ends."""
    for end in range(len(plain) - 33, 34):
        r, s = (int.from_bytes(part, "big") for part in (plain[:end], plain[end:]))
        with contextlib.suppress(InvalidSignature):
            key.verify(utils.encode_dss_signature(r, s), DIGEST, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
            return True
    return False


def test_a_card_from_its_first_key_to_a_signature(machine, gnupg):
    assert "piv" in gnupg.card(["list"]).lower()
    refused = gnupg.card(["authenticate", "00" * 24], ["generate", "--algo=nistp256", "PIV.9A"], ok=False)
    assert "Signature key" not in refused
    [record] = machine.store.records()
    assert record.keys == {}
    gnupg.card(
        ["authenticate", KEY.value.hex()],
        ["generate", "--algo=nistp256", "PIV.9A"],
        ["generate", "--algo=rsa2048", "PIV.9C"],
    )
    [record] = machine.store.records()
    assert sorted(record.keys) == [0x9A, 0x9C] and record.certificates == {}
    listed = gnupg.card(["list"])
    assert "nistp256" in listed and "rsa2048" in listed, listed
    for slot, reference in ((0x9A, "PIV.9A"), (0x9C, "PIV.9C")):
        certificate = certified(record.keys[slot].public)
        (machine.folder / "certificate").write_bytes(certificate)
        gnupg.card(
            ["authenticate", KEY.value.hex()], ["writecert", reference, "<", str(machine.folder / "certificate")]
        )
        gnupg.card(["readcert", reference, ">", str(machine.folder / "read")])
        assert (machine.folder / "read").read_bytes() == certificate
    [record] = machine.store.records()
    assert sorted(record.certificates) == [0x9A, 0x9C]
    ec_key, rsa_key = (serialization.load_der_public_key(record.keys[slot].public) for slot in (0x9A, 0x9C))
    assert verifies(ec_key, gnupg.sign("PIV.9A"))
    rsa_key.verify(gnupg.sign("PIV.9C"), DIGEST, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
    assert "ERROR" not in machine.log()
