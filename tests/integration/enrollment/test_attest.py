# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ATTEST of an enrolled PIV card, as Yubico's programs ask for it, and OpenSSL judges what they get.

The tests go on from each other: a key that was replaced stays replaced until the card is enrolled again.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.plugins.module_utils._card import activation
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.payload import Payload
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import KEY_ATTESTATION, Assurance
from ansible_collections.hardbound.identity.tests.support.card_machine import CardMachine
from ansible_collections.hardbound.identity.tests.support.fleet import Fleet, Run, new_fleet
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

pytestmark = pytest.mark.slow

HOST = "ws-001"
ADMIN_KEY = "a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"
SLOTS = {"9a": "authentication", "9c": "signature", "9e": "card_authentication", "82": "retired_1"}
ALGORITHMS = {"9a": "ecc_p256", "9c": "rsa_2048", "9e": "ecc_p384", "82": "ecc_p256"}


class Site:
    """A fleet of one host, and the programs on it."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        keys = [{"slot": name, "algorithm": ALGORITHMS[slot]} for slot, name in SLOTS.items()]
        fleet.add(HOST, keys=keys, profile="tls_client", admin_key=ADMIN_KEY)
        folder = fleet.folder / "machine"
        folder.mkdir()
        self.machine = CardMachine(folder, fleet.tpms[HOST])
        fleet.inventory[HOST]["smartcard_enrollment_store"] = self.machine.store.folder

    def enrol(self) -> t.Dict[str, t.Any]:
        """Returns what is told of the card."""
        run: Run = self.fleet.play()
        assert run.code == 0, run.output
        [card] = run.results[HOST]["cards"]
        return t.cast("dict[str, t.Any]", card)

    def yubico(self, *arguments: str, **options: t.Any) -> str:
        return self.machine.run("yubico-piv-tool", "--reader", "", *arguments, **options)

    def attest(self, slot: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.yubico("-a", "attest", "-s", slot).encode())

    def public_key(self, slot: str) -> bytes:
        [record] = self.machine.store.records()
        return record.keys[int(slot, 16)].public

    def write(self, name: str, certificate: x509.Certificate) -> pathlib.Path:
        path = self.machine.folder / f"{name}.pem"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def verify(self, certificate: x509.Certificate, *options: str) -> subprocess.CompletedProcess[str]:
        """What OpenSSL says of it, with the root from the CA's public folder and the signer from slot F9."""
        root = x509.load_der_x509_certificate((self.fleet.ca / "public/root.cer").read_bytes())
        signer = x509.load_pem_x509_certificate(self.yubico("-a", "read-certificate", "-s", "f9").encode())
        files = ["-CAfile", self.write("root", root), "-untrusted", self.write("f9", signer)]
        command = ["openssl", "verify", "-x509_strict", *options, *files, self.write("leaf", certificate)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def generate(self, slot: str) -> str:
        return self.yubico(f"--key={ADMIN_KEY}", "-a", "generate", "-s", slot, "-A", "ECCP256")


@pytest.fixture(scope="module")
def site() -> t.Iterator[Site]:
    if os.geteuid() != 0:
        pytest.skip("needs root, for namespaces and pcscd")
    missing = [each for each in ("pcscd", "nsenter", "yubico-piv-tool", "openssl") if shutil.which(each) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    with new_fleet() as fleet:
        site = Site(fleet)
        try:
            assert site.enrol()["status"] == "enrolled"
            site.machine.start()
            yield site
        finally:
            site.machine.stop()


def public(certificate: x509.Certificate) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return certificate.public_key().public_bytes(serialization.Encoding.DER, form)


@pytest.mark.parametrize("slot", SLOTS)
def test_yubico_piv_tool_gets_a_certificate_that_leads_to_the_cas_root(site, slot):
    certificate = site.attest(slot)
    assert public(certificate) == site.public_key(slot)
    assert certificate.subject.rfc4514_string() == f"CN=PIV attestation {slot}"
    said = site.verify(certificate)
    assert said.returncode == 0, said.stderr
    policies = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    levels = [each.policy_identifier.dotted_string for each in policies]
    assert levels == [Assurance.RESIDENT.value, Assurance.FIXED.value]


def test_what_attests_a_key_logs_nobody_on(site):
    """It is for the key in 9A, and the CA signed it: whoever trusts that CA for logons must not take it for one."""
    certificate = site.attest("9a")
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert purposes.critical and [each.dotted_string for each in purposes.value] == [KEY_ATTESTATION]
    for purpose in ("sslclient", "sslserver", "smimesign", "timestampsign"):
        said = site.verify(certificate, "-purpose", purpose)
        assert said.returncode != 0 and "purpose" in said.stderr, said.stderr
    slot = x509.load_pem_x509_certificate(site.yubico("-a", "read-certificate", "-s", "9a").encode())
    assert site.verify(slot, "-purpose", "sslclient").returncode == 0


def test_ykman_reads_it(site):
    program = os.environ.get("YKMAN") or shutil.which("ykman")
    if program is None:
        pytest.skip("needs ykman (YKMAN names it), as in Debian's yubikey-manager")
    ykman = (program, "--reader", "corp 00 00", "piv")
    attested, signer = (site.machine.folder / name for name in ("attested", "signer"))
    site.machine.run(*ykman, "keys", "attest", "9a", str(attested))
    site.machine.run(*ykman, "certificates", "export", "f9", str(signer))
    assert x509.load_pem_x509_certificate(attested.read_bytes()) == site.attest("9a")
    issuing = x509.load_der_x509_certificate((site.fleet.ca / "public/issuing.cer").read_bytes())
    assert x509.load_pem_x509_certificate(signer.read_bytes()) == issuing
    assert "Traceback" not in site.machine.run(*ykman, "info")


def test_programs_do_not_replace_the_signer(site):
    site.write("own", site.attest("9a"))
    own = str(site.machine.folder / "own.pem")
    said = site.yubico(f"--key={ADMIN_KEY}", "-a", "import-certificate", "-s", "f9", "-i", own, ok=False)
    assert "Successfully imported" not in said
    assert site.verify(site.attest("9a")).returncode == 0


def test_a_key_that_was_replaced_is_not_attested_until_it_is_enrolled(site):
    """Whoever has the admin key makes another key in the slot: the certificate for the old one goes with it."""
    before = site.attest("9a")
    site.generate("9a")
    assert "BEGIN CERTIFICATE" not in site.yubico("-a", "attest", "-s", "9a", ok=False)
    assert site.verify(site.attest("9c")).returncode == 0
    told = site.enrol()
    assert told["reasons"] == {"authentication": "none yet", "authentication attestation": "none yet"}
    after = site.attest("9a")
    assert public(after) == site.public_key("9a") != public(before) and site.verify(after).returncode == 0
    ledger = {f"{int(each.serial, 16):x}": each for each in site.fleet.ledger().certificates()}
    assert ledger[f"{before.serial_number:x}"].reason == "superseded"
    assert not ledger[f"{after.serial_number:x}"].revoked_at


def test_the_card_keeps_nothing_that_is_for_another_key(site):
    """Whatever the challenge carried: of another slot, or of another host's card."""
    [record] = site.machine.store.records()
    theirs = site.attest("9c").public_bytes(serialization.Encoding.DER)
    payload = Payload({}, record.ak_certificate, {"authentication": theirs}, b"another issuer")
    with pytest.raises(StateError, match="the certificate for the slot authentication is not for its key"):
        activation._store(site.machine.store, record.number, payload)
    assert site.machine.store.read(record.number) == record


def test_a_key_from_outside_is_never_attested(site):
    key = ec.generate_private_key(ec.SECP256R1())
    path = site.machine.folder / "outside.pem"
    form, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, clear))
    site.yubico(f"--key={ADMIN_KEY}", "-a", "import-key", "-s", "83", "-i", str(path))
    assert "BEGIN CERTIFICATE" not in site.yubico("-a", "attest", "-s", "83", ok=False)
    assert "BEGIN CERTIFICATE" not in site.yubico("-a", "attest", "-s", "84", ok=False)


def test_a_card_that_lost_it_gets_it_again(site):
    """As a card that was enrolled by an earlier release, which issued none."""
    [path] = pathlib.Path(site.machine.store.folder).glob("cards/*.json")
    record = json.loads(path.read_text())
    for key in record["keys"].values():
        key["attestation"] = ""
    path.write_text(json.dumps({**record, "attestation_issuer": ""}))
    assert "BEGIN CERTIFICATE" not in site.yubico("-a", "attest", "-s", "9c", ok=False)
    assert "BEGIN CERTIFICATE" not in site.yubico("-a", "read-certificate", "-s", "f9", ok=False)
    issued = len(site.fleet.ledger().certificates())
    told = site.enrol()
    wanted = {f"{name} attestation" for name in SLOTS.values()}
    assert told["status"] == "renewed" and set(told["reasons"]) == wanted
    assert set(told["reasons"].values()) == {"the card does not hold it"}
    assert len(site.fleet.ledger().certificates()) == issued
    assert all(site.verify(site.attest(slot)).returncode == 0 for slot in SLOTS)
    assert site.enrol()["status"] == "unchanged"
