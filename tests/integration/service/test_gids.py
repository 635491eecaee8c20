# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSC's tools use a GIDS card over PC/SC: they write its file system, fill it, and administer it."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._card.edge import Edge
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

PIN, PUK, NEW = "123456", "87654321", "abcdefghij"
KEY = AdminKey(Cipher.TRIPLE_DES, bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"))
HEX = KEY.value.hex()
OTHER = "0f0e0d0c0b0a09080706050403020100f0e0d0c0b0a09081"
SERIAL = "00112233445566778899aabbccddeeff"
FIRST = 0xB081
ALONE = (KeySpecification(FIRST, KeyAlgorithm.RSA_2048),)


@pytest.fixture
def start(machine):
    """Makes a card and starts everything."""
    if shutil.which("gids-tool") is None:
        pytest.skip("needs gids-tool")

    def start(keys=ALONE, **changes):
        options = {"puk": False, "admin_key": KEY, "generate": True, "pin_policy": PinPolicy(minlen=6)}
        card = machine.make("CorpAccess", keys, edge=Edge.GIDS, **{**options, **changes})
        machine.start()
        (machine.folder / "message").write_text("what is signed")
        return card

    return start


def gids(machine, *arguments, key=HEX, **options):
    """``gids-tool --initialize`` ends with 0 where the card has refused; what it prints tells."""
    return machine.run("gids-tool", *arguments, "--admin-key", key, **options)


def init(machine, *arguments, pin=PIN, **options):
    return machine.run("pkcs15-init", *arguments, "--auth-id", "80", "--verify-pin", "--pin", pin, **options)


def dump(machine):
    return machine.run("pkcs15-tool", "--dump")


def sign(machine, pin=PIN, identifier="00", ok=True):
    files = ["--input-file", str(machine.folder / "message"), "--output-file", str(machine.folder / "signature")]
    login = ["--login", "--pin", pin] if pin else []
    arguments = ["--sign", "--id", identifier, "--mechanism", "SHA256-RSA-PKCS"]
    return machine.run("pkcs11-tool", *login, *arguments, *files, ok=ok)


def is_verified(machine, slot):
    """Whether OpenSSL takes the signature by the key of a container."""
    key = machine.folder / "key.der"
    key.write_bytes(machine.store.read(0).keys[slot].public)
    command = ["openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", str(key)]
    command += ["-signature", str(machine.folder / "signature"), str(machine.folder / "message")]
    return "Verified OK" in machine.run(*command)


def outside(machine):
    """A key and its certificate, made by OpenSSL."""
    key, certificate = machine.folder / "outside.pem", machine.folder / "outside.crt"
    subject = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=alice"]
    subprocess.run(
        ["openssl", "req", *subject, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    return key, certificate


def test_what_a_task_has_put_on_the_card(machine, start):
    start()
    assert "GIDS Smart Card" in machine.run("opensc-tool", "--reader", "0", "--name")
    found = dump(machine)
    assert "Private RSA Key [container_0]" in found and "decrypt, sign" in found and "Tries left     : 3" in found
    assert found.count("X.509 Certificate [container_0]") == 1
    assert "BEGIN CERTIFICATE" in machine.run("pkcs15-tool", "--read-certificate", "00")
    output = machine.run("pkcs11-tool", "--test", "--login", "--pin", PIN, ok=None)
    # This driver of OpenSC has no random numbers; that is the one complaint, which newer releases make three times.
    complaints = re.findall("ERR: (.*)", output)
    assert complaints and output.rstrip().endswith(f"\n{len(complaints)} errors")
    assert all(re.match(r"C_GenerateRandom.* failed: CKR_FUNCTION_NOT_SUPPORTED", each) for each in complaints), output
    assert output.count("RSA-PKCS: OK") > 4 and "can't be used to decrypt" not in output, output


def test_signing_and_decrypting(machine, start):
    card = start()
    sign(machine)
    assert is_verified(machine, FIRST)
    public, cryptogram = machine.folder / "public.der", machine.folder / "cryptogram"
    public.write_bytes(card.keys[FIRST].public)
    encrypt = ["openssl", "pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", str(public)]
    machine.run(*encrypt, "-in", str(machine.folder / "message"), "-out", str(cryptogram))
    decrypt = ["--decrypt", "--id", "00", "--mechanism", "RSA-PKCS", "--input-file", str(cryptogram)]
    output = machine.folder / "decrypted"
    machine.run("pkcs11-tool", "--login", "--pin", PIN, *decrypt, "--output-file", str(output))
    assert output.read_text() == "what is signed"
    output.unlink()
    machine.run("pkcs11-tool", *decrypt, "--output-file", str(output), ok=None)
    assert not output.exists() or not output.read_bytes()


def test_gids_tool_writes_the_file_system(machine, start):
    start((), generate=False)
    assert "Is that a new card" in machine.run("gids-tool", ok=None)
    refused = gids(machine, "--initialize", "--pin", PIN, "--serial-number", SERIAL, key=OTHER)
    assert "INITIALIZE, *) failed" in refused and not machine.store.read(0).generated
    done = gids(machine, "--initialize", "--pin", PIN, "--serial-number", SERIAL)
    assert "failed" not in done and machine.store.read(0).generated
    assert "Found 5 entries in the masterfile" in machine.run("gids-tool")
    assert SERIAL in dump(machine)
    assert "failed" in gids(machine, "--initialize", "--pin", PIN, "--serial-number", SERIAL)


def test_the_administrator_sets_a_pin(machine, start):
    card = start()
    for left in (2, 1, 0):
        machine.run("pkcs11-tool", "--login", "--pin", "000000", "--list-objects", ok=False)
        assert machine.tries(card, puk=False) == (left, None)
    assert "PIN done successfully" not in gids(machine, "--unblock", "--pin", NEW, key=OTHER, ok=None)
    assert "reset pin failed" in gids(machine, "--unblock", "--pin", "12345", ok=None)
    assert "Unblock PIN done successfully" in gids(machine, "--unblock", "--pin", NEW)
    sign(machine, NEW)
    assert is_verified(machine, FIRST) and machine.tries(card, puk=False) == (3, None)


def test_the_admin_key_changes(machine, start):
    start()
    change = ("--change-admin-key", "--new-admin-key", OTHER)
    assert "failed" in gids(machine, *change, key="00" * 24, ok=None)
    assert "failed" not in gids(machine, *change)
    assert "AUTHENTICATE_ADMIN, *) failed" in gids(machine, "--unblock", "--pin", NEW, ok=None)
    assert "Unblock PIN done successfully" in gids(machine, "--unblock", "--pin", NEW, key=OTHER)


def test_a_card_with_a_puk(machine, start):
    """It is not reset with the admin key; the PUK does that."""
    card = start(puk=True)
    assert "PIN [PUK]" in dump(machine)
    refused = gids(machine, "--unblock", "--pin", NEW, ok=None)
    assert "Administrator authentication successful" in refused and "reset pin failed" in refused
    unblock = ("pkcs15-tool", "--unblock-pin", "--auth-id", "80", "--new-pin", NEW)
    machine.run(*unblock, "--puk", "00000000", ok=False)
    assert machine.tries(card) == (3, 2)
    machine.run(*unblock, "--puk", PUK)
    sign(machine, NEW)
    assert machine.tries(card) == (3, 3)


def test_changing_the_pin(machine, start):
    """Both programs send the old and the new PIN in a row, the one after verifying the old one, the other at once."""
    card = start(pin_policy=PinPolicy(minlen=6, history=2))
    machine.run("pkcs15-tool", "--change-pin", "--pin", PIN, "--new-pin", NEW)
    machine.run("pkcs11-tool", "--login", "--pin", NEW, "--change-pin", "--new-pin", PIN, ok=False)
    machine.run("pkcs11-tool", "--login", "--pin", NEW, "--change-pin", "--new-pin", "1234567")
    machine.run("pkcs15-tool", "--change-pin", "--pin", "7654321", "--new-pin", NEW, ok=False)
    assert machine.tries(card, puk=False) == (2, None)
    sign(machine, "1234567")


def test_a_first_pin_can_do_nothing_but_be_changed(machine, start):
    start(pin_must_change=True)
    sign(machine, ok=False)
    init(machine, "--generate-key", "rsa/2048", ok=False)
    machine.run("pkcs15-tool", "--change-pin", "--pin", PIN, "--new-pin", NEW)
    sign(machine, NEW)


def test_keys_come_and_go(machine, start):
    start()
    init(machine, "--generate-key", "rsa/2048", "--label", "made", "--key-usage", "sign,decrypt")
    key, certificate = outside(machine)
    init(machine, "--store-private-key", str(key), "--label", "brought")
    init(machine, "--store-certificate", str(certificate), "--id", "02")
    record = machine.store.read(0)
    assert {slot: made.imported for slot, made in record.keys.items()} == {FIRST: False, 0xB082: False, 0xB083: True}
    assert set(record.certificates) == {FIRST, 0xB083}
    found = dump(machine)
    assert all(f"Private RSA Key [{name}]" in found for name in ("container_0", "made", "brought"))
    assert certificate.read_text() in machine.run("pkcs15-tool", "--read-certificate", "02")
    for identifier, slot in (("01", 0xB082), ("02", 0xB083)):
        sign(machine, identifier=identifier)
        assert is_verified(machine, slot)
    init(machine, "--delete-objects", "cert,privkey", "--id", "02")
    record = machine.store.read(0)
    assert sorted(record.keys) == [FIRST, 0xB082] and set(record.certificates) == {FIRST}
    found = dump(machine)
    assert "brought" not in found and "Private RSA Key [made]" in found
    init(machine, "--generate-key", "rsa/2048", "--label", "again")
    assert sorted(machine.store.read(0).keys) == [FIRST, 0xB082, 0xB083]


def test_nothing_without_the_pin(machine, start):
    start()
    sign(machine, pin=None, ok=False)
    assert not (machine.folder / "signature").exists() or not (machine.folder / "signature").read_bytes()
    for command in (
        "00 22 41 B6 06 80 01 57 84 01 81",  # chooses the key
        "00 2A 9E 9A 20" + " 00" * 32,  # signs
        "00 47 00 00 08 AC 06 80 01 07 83 01 81",  # makes a key over the present one
        "00 DB A0 00 04 DF 1F 01 01",  # empties the file system
        "00 E4 00 00 02 B0 81",  # deletes the key
        "00 2C 02 80 06" + " 31" * 6,  # sets a PIN
        "00 24 01 80 06" + " 31" * 6,  # sets a first PIN
    ):
        before = machine.store.read(0)
        output = machine.run("opensc-tool", "--reader", "0", "--send-apdu", command.replace(" ", ""), ok=None)
        assert "SW1=0x90" not in output or command.startswith("00 22")
        assert machine.store.read(0) == before


def put(tag, size):
    """The commands of PUT DATA with so many zeros, chained."""
    data = bytes.fromhex(f"{tag:04x}82{size:04x}") + bytes(size)
    parts = [data[at : at + 255] for at in range(0, len(data), 255)]
    for part in parts:
        start = "00" if part is parts[-1] else "10"
        yield from ("--send-apdu", f"{start}DBA010{len(part):02X}{part.hex()}")


def test_who_knows_the_pin_fills_the_card_and_not_the_disk(machine, start):
    start()
    before, verify = machine.store.read(0), ("--send-apdu", "0020008006" + PIN.encode().hex())

    def fill(*sizes):
        commands = [each for tag, size in enumerate(sizes, 0xDF30) for each in put(tag, size)]
        output = machine.run("opensc-tool", "--reader", "0", *verify, *commands, ok=None)
        assert "SW1=0x90" in output
        return output.count("SW1=0x6A, SW2=0x84")

    assert fill(*[30_000] * 6) == 2
    full = machine.store.read(0)
    assert len(full.objects) == len(before.objects) + 4
    sign(machine)
    assert is_verified(machine, FIRST) and machine.store.read(0) == full
    assert fill(1, *[30_000] * 4) == 0


def test_no_secret_in_the_log(machine, start):
    start(puk=True)
    sign(machine)
    gids(machine, "--change-admin-key", "--new-admin-key", OTHER)
    machine.run("pkcs11-tool", "--login", "--pin", "735519", "--list-objects", ok=False)
    log = machine.log().lower()
    for secret in (PIN, PUK, "735519"):
        assert secret not in log and secret.encode().hex() not in log
    assert HEX not in log and OTHER not in log
