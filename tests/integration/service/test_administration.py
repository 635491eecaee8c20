# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that know nothing of us administer a card over PC/SC with its admin key."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import shutil
import zlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.certificate import self_signed
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench
from ansible_collections.hardbound.identity.tests.support.card_machine import KEYS
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

PIN, PUK = "123456", "87654321"
KEY = AdminKey(Cipher.TRIPLE_DES, bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"))
HEX = KEY.value.hex()
OTHER = "0f0e0d0c0b0a09080706050403020100f0e0d0c0b0a09081"


@pytest.fixture
def card(machine):
    """A card without keys, with PUK and admin key."""
    card = machine.make("CorpAccess", keys=(), admin_key=KEY)
    machine.start()
    return card


@pytest.fixture
def yubico(machine, card):
    """yubico-piv-tool with the admin key."""
    program = os.environ.get("YUBICO_PIV_TOOL", "yubico-piv-tool")

    def run(*arguments, key=HEX, **options):
        return machine.run(program, "--reader", "", *((f"--key={key}",) if key else ()), *arguments, **options)

    return run


@pytest.fixture
def ykman(machine, card):
    program = os.environ.get("YKMAN") or shutil.which("ykman")
    if program is None:
        pytest.skip("needs ykman (YKMAN names it), as in Debian's yubikey-manager")

    def run(*arguments, **options):
        return machine.run(program, "--reader", "CorpAccess 00 00", "piv", *arguments, **options)

    return run


def generate(yubico, slot, algorithm, *options, **more):
    return yubico("--action", "generate", "--slot", slot, "--algorithm", algorithm, *options, **more)


def test_ykman_tells_that_a_certificate_is_of_another_key(machine, card, ykman):
    ykman("keys", "generate", "-m", HEX, "-a", "ECCP256", "9a", str(machine.folder / "public.pem"))
    for private in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())):
        name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "other")])
        start = datetime.datetime(2024, 1, 1)
        builder = x509.CertificateBuilder(name, name, private.public_key(), 7, start, start.replace(year=2044))
        pem = builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        (machine.folder / "other.pem").write_bytes(pem)
        importing = (
            "certificates",
            "import",
            "--verify",
            "-m",
            HEX,
            "-P",
            PIN,
            "9a",
            str(machine.folder / "other.pem"),
        )
        said = ykman(*importing, ok=False)
        assert ("Traceback" not in said and "does not match" in said) or "not tied" in said, said


@pytest.fixture
def blocked(machine):
    """Makes a card, blocks it, and returns it."""

    def make(**changes):
        card = machine.make("CorpAccess", keys=KEYS[:1], admin_key=KEY, **changes)
        machine.start()
        tool = ("yubico-piv-tool", "--reader", "")
        for _each in range(3):
            machine.run(*tool, "--action", "verify-pin", "--pin", "000000", ok=False)
            machine.run(*tool, "--action", "change-puk", "--pin", "00000000", "--new-pin", "11111111", ok=False)
        assert machine.tries(card) == (0, 0)
        return card

    return make


def test_a_blocked_card_is_made_anew_where_its_inventory_allows_it(machine, blocked):
    card = blocked(card_reset=True)
    tool = ("yubico-piv-tool", "--reader", "")
    assert "Successfully reset" in machine.run(*tool, "--action", "reset")
    [record] = machine.store.records()
    assert record.keys == record.certificates == {} and record.serial != card.serial and record.card_reset
    assert (record.number, record.name, record.pin_retries) == (card.number, card.name, card.pin_retries)
    assert machine.tries(record) == (3, 3)
    machine.await_cards()
    assert "Successfully verified" in machine.run(*tool, "--action", "verify-pin", "--pin", "123456")
    machine.run(*tool, "--action", "generate", "--slot", "9a", "--algorithm", "ECCP256")
    unblock = ("--action", "unblock-pin", "--pin", "12345678", "--new-pin", "654321")
    assert "Successfully unblocked" in machine.run(*tool, *unblock)
    assert "ERROR" not in machine.log()


def test_a_blocked_card_stays_as_it_is_where_it_does_not(machine, blocked):
    card = blocked()
    said = machine.run("yubico-piv-tool", "--reader", "", "--action", "reset", ok=False)
    assert "Successfully" not in said
    assert machine.store.records() == [card] and "ERROR" not in machine.log()


def test_ykman_resets_a_card(machine):
    card = machine.make("CorpAccess", keys=KEYS[:1], admin_key=KEY, card_reset=True)
    machine.start()
    ykman = os.environ.get("YKMAN") or shutil.which("ykman")
    if ykman is None:
        pytest.skip("needs ykman (YKMAN names it), as in Debian's yubikey-manager")
    said = machine.run(ykman, "--reader", "CorpAccess 00 00", "piv", "reset", "--force")
    assert "Traceback" not in said
    [record] = machine.store.records()
    assert record.serial != card.serial and machine.tries(record) == (3, 3)


def test_an_rsa_key_of_another_exponent_is_refused(machine, yubico):
    private = rsa.generate_private_key(3, 2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    (machine.folder / "three.pem").write_bytes(private.private_bytes(serialization.Encoding.PEM, *form))
    yubico("--action", "import-key", "--slot", "9d", "--input", str(machine.folder / "three.pem"), ok=False)
    [record] = machine.store.records()
    assert record.keys == {} and "ERROR" not in machine.log()


def signed(yubico, action, slot, *options):
    """Lets the tool sign a certificate or a request with the card's key."""
    verify = ("--action", "verify-pin", "--pin", PIN)
    output = yubico(*verify, "--action", action, "--slot", slot, *options, key=None, ok=None)
    if "Failed signing" in output:
        pytest.skip("this yubico-piv-tool signs nothing with OpenSSL 3: Yubico/yubico-piv-tool, issue 388")


@contextlib.contextmanager
def opened(machine):
    """The card without any tool, its PIN verified."""
    tpm = Tpm(Tcti.parse(machine.tpm.tcti), machine.store.folder)
    with tpm.taken():
        card = Card(machine.store, Workbench(tpm), 0)
        card.verify(PIN.encode())
        yield card
        card.close()
    tpm.close()


def own_certificate(machine):
    """A certificate of 9A that the card's key signed without any tool."""
    with opened(machine) as card:
        return x509.load_der_x509_certificate(self_signed(card, 0x9A))


def pem_file(machine, certificate):
    path = machine.folder / "certificate.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


def der(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


# yubico-piv-tool


@pytest.mark.parametrize(("slot", "algorithm"), [("9a", "ECCP256"), ("9c", "RSA2048"), ("9e", "ECCP384")])
def test_the_tool_signs_its_own_certificate(machine, yubico, slot, algorithm):
    """What its manual shows: generate, sign, import, and try the key."""
    public, certificate = machine.folder / "public.pem", machine.folder / "certificate.pem"
    generate(yubico, slot, algorithm, "--output", str(public))
    files = ("--input", str(public), "--output", str(certificate))
    signed(yubico, "selfsign-certificate", slot, "--subject", "/CN=alice/", *files)
    yubico("--action", "import-certificate", "--slot", slot, "--input", str(certificate))
    parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
    assert parsed.subject.rfc4514_string() == "CN=alice"
    assert machine.store.read(0).certificates[int(slot, 16)] == der(parsed)
    machine.run("openssl", "verify", "-CAfile", str(certificate), str(certificate))


def test_a_request_that_openssl_verifies(machine, yubico):
    public, request = machine.folder / "public.pem", machine.folder / "request.pem"
    generate(yubico, "9a", "ECCP256", "--output", str(public))
    files = ("--input", str(public), "--output", str(request))
    signed(yubico, "request-certificate", "9a", "--subject", "/CN=alice/", *files)
    assert "verify OK" in machine.run("openssl", "req", "-in", str(request), "-verify", "-noout")


@pytest.mark.parametrize("algorithm", ["ECCP256", "RSA2048"])
def test_a_certificate_goes_in_and_out(machine, yubico, algorithm):
    generate(yubico, "9a", algorithm)
    certificate = own_certificate(machine)
    path = pem_file(machine, certificate)
    yubico("--action", "import-certificate", "--slot", "9a", "--input", str(path))
    test = ("--action", "verify-pin", "--pin", PIN, "--action", "test-signature", "--slot", "9a", "--input", str(path))
    assert "Successful" in yubico(*test, key=None)
    assert machine.store.read(0).certificates[0x9A] == der(certificate)
    yubico("--action", "delete-certificate", "--slot", "9a")
    assert machine.store.read(0).certificates == {}


def test_the_management_key(machine, yubico):
    yubico("--action", "set-mgm-key", "--new-key", OTHER)
    yubico("--action", "set-chuid", ok=False)
    yubico("--action", "set-chuid", key=OTHER)
    yubico("--action", "set-ccc", key=OTHER)
    log = machine.log()
    for secret in (HEX, OTHER):
        assert secret not in log.lower()
        assert bytes.fromhex(secret) not in (machine.folder / "store/cards/0000.json").read_bytes()


def test_a_wrong_management_key_changes_nothing(machine, yubico):
    before = machine.store.read(0)
    assert "auth" in yubico("--action", "generate", "--slot", "9a", key=OTHER, ok=False).lower()
    assert machine.store.read(0) == before


def test_pin_puk_and_tries(machine, card, yubico):
    yubico("--action", "change-puk", "--pin", PUK, "--new-pin", "11112222", key=None)
    retries = ("--action", "pin-retries", "--pin-retries", "7", "--puk-retries", "9")
    yubico("--action", "verify-pin", "--pin", PIN, *retries)
    assert machine.tries(card) == (7, 9)
    yubico(*retries, ok=False)
    for _unused in range(7):
        yubico("--action", "verify-pin", "--pin", "000000", key=None, ok=False)
    assert machine.tries(card) == (0, 9)
    yubico("--action", "unblock-pin", "--pin", "11112222", "--new-pin", "654321", key=None)
    yubico("--action", "verify-pin", "--pin", "654321", key=None)
    assert machine.tries(card) == (7, 9)


def test_a_reset_is_refused_and_changes_nothing(machine, card, yubico):
    """A card ends where it was made. Even with PIN and PUK blocked it does not become one that everybody knows."""
    generate(yubico, "9a", "ECCP256")
    for _unused in range(3):
        yubico("--action", "verify-pin", "--pin", "000000", key=None, ok=False)
        yubico("--action", "unblock-pin", "--pin", "00000000", "--new-pin", "654321", key=None, ok=False)
    before = machine.store.read(0)
    yubico("--action", "reset", ok=False)
    assert machine.store.read(0) == before
    assert machine.tries(card) == (0, 0)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_key_from_outside(machine, yubico, kind):
    private = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    key, public = (machine.folder / name for name in ("key.pem", "public.pem"))
    key.write_bytes(private.private_bytes(*form))
    machine.run("openssl", "pkey", "-in", str(key), "-pubout", "-out", str(public))
    algorithm = "ECCP256" if kind == "ec" else "RSA2048"
    yubico("--action", "import-key", "--slot", "9d", "--algorithm", algorithm, "--input", str(key))
    assert machine.store.read(0).keys[0x9D].imported
    encrypted, plain = machine.folder / "encrypted", machine.folder / "plain"
    if kind == "rsa":
        options = ("-pkeyopt", "rsa_padding_mode:pkcs1", "-in", str(plain), "-out", str(encrypted))
        plain.write_bytes(b"for the card")
        machine.run("openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", str(public), *options)
    with opened(machine) as card:
        if kind == "rsa":
            assert card.rsa_private(0x9D, encrypted.read_bytes()).endswith(b"\0for the card")
            return
        signature = card.sign(0x9D, hashlib.sha256(b"message").digest())
        private.public_key().verify(signature, b"message", ec.ECDSA(hashes.SHA256()))


def test_what_a_tpm_can_not_do(yubico):
    assert "attest" in yubico("--action", "attest", "--slot", "9a", ok=False).lower()
    yubico("--action", "generate", "--slot", "9a", "--algorithm", "RSA1024", ok=False)
    generate(yubico, "9a", "ECCP256", "--touch-policy", "always", ok=False)


def test_objects(machine, yubico):
    yubico("--action", "write-object", "--id", "0x5fc106", "--input", "-", stdin="5303010203")
    yubico("--action", "write-object", "--id", "0x5fff00", "--input", "-", stdin="80020102")
    assert "80020102" in yubico("--action", "read-object", "--id", "0x5fff00", key=None)


# OpenSC


@pytest.fixture
def piv_tool(machine, card):
    key = machine.folder / "admin.key"
    key.write_text(":".join(f"{byte:02X}" for byte in KEY.value))

    def run(*arguments, **options):
        return machine.run("env", f"PIV_EXT_AUTH_KEY={key}", "piv-tool", "--reader", "0", *arguments, **options)

    return run


@pytest.mark.parametrize(("number", "algorithm"), [("11", "ecc_p256"), ("07", "rsa_2048")])
def test_opensc_makes_a_key(machine, piv_tool, number, algorithm):
    """From 0.23 on it fails to print the new key with OpenSSL 3 (OpenSC, issue 3156); the card has made it by then."""
    piv_tool("--admin", "M:9B:03", "--genkey", f"9A:{number}", "--out", str(machine.folder / "public"), ok=None)
    assert machine.store.read(0).keys[0x9A].algorithm.value == algorithm


def test_opensc_loads_a_certificate(machine, piv_tool, yubico):
    generate(yubico, "9a", "ECCP256")
    certificate = own_certificate(machine)
    for option in ("--cert", "--compresscert"):
        yubico("--action", "delete-certificate", "--slot", "9a")
        path = pem_file(machine, certificate)
        if option == "--compresscert":
            path.write_bytes(zlib.compress(der(certificate)))
        piv_tool("--admin", "M:9B:03", option, "9A", "--in", str(path), ok=None)  # it fails even so
        assert machine.store.read(0).certificates[0x9A] == der(certificate)
    assert "No errors" in machine.run("pkcs11-tool", "--login", "--pin", PIN, "--test")


def apdu(*parts):
    return ("--send-apdu", ":".join(f"{byte:02X}" for byte in b"".join(parts)))


def test_single_authentication(machine):
    """The challenge stays until it is answered, so that somebody at a telephone can do it. Then a PIN without PUK."""
    machine.make("CorpAccess", keys=(), puk=False, admin_key=KEY)
    machine.start()
    ask = bytes.fromhex("0087039B047C02810000")
    new_pin = bytes.fromhex("002C0280083635343332 31FFFF".replace(" ", ""))
    tool = ("opensc-tool", "--reader", "0")
    answer = KEY.encrypt(machine.store.read(0).administration.challenge.decrypted)
    respond = bytes.fromhex("0087039B0C7C0A8208") + answer
    assert "SW1=0x69, SW2=0x82" in machine.run(*tool, *apdu(new_pin))
    output = machine.run(*tool, *apdu(ask), *apdu(respond), *apdu(new_pin))
    assert output.count("SW1=0x90, SW2=0x00") == 3, output
    assert "Successfully verified" in machine.run(
        "yubico-piv-tool", "--reader", "", "--action", "verify-pin", "--pin", "654321"
    )
    replayed = machine.run(*tool, *apdu(ask), *apdu(respond), *apdu(new_pin))
    assert replayed.count("SW1=0x69, SW2=0x82") == 2, replayed


# ykman


def test_ykman(machine, card, ykman):
    assert "PIV version" in ykman("info")
    public, certificate = machine.folder / "public.pem", machine.folder / "certificate.pem"
    management = ("--management-key", HEX)
    ykman("keys", "generate", *management, "--algorithm", "ECCP256", "9a", str(public))
    subject = ("--subject", "CN=alice", "--pin", PIN, *management)
    ykman("certificates", "generate", *subject, "9a", str(public))
    ykman("certificates", "export", "9a", str(certificate))
    machine.run("openssl", "verify", "-CAfile", str(certificate), str(certificate))
    ykman("certificates", "request", "--subject", "CN=alice", "--pin", PIN, "9a", str(public), str(certificate))
    assert "verify OK" in machine.run("openssl", "req", "-in", str(certificate), "-verify", "-noout")
    ykman("certificates", "import", *management, "9a", str(pem_file(machine, own_certificate(machine))))
    ykman("certificates", "delete", *management, "9a")
    assert machine.store.read(0).certificates == {}
    machine.run("openssl", "genpkey", "-algorithm", "RSA", "-out", str(machine.folder / "key.pem"))
    ykman("keys", "import", *management, "9d", str(machine.folder / "key.pem"))
    assert {0x9A, 0x9D} == set(machine.store.read(0).keys)
    if "info" not in ykman("keys", "--help"):
        return  # Releases before 5 have no command for what follows.
    assert "IMPORTED" in ykman("keys", "info", "9d").upper() and "GENERATED" in ykman("keys", "info", "9a").upper()
    ykman("keys", "delete", *management, "9d")
    ykman("keys", "move", *management, "9a", "82", ok=False)
    ykman("keys", "delete", *management, "9a")
    assert machine.store.read(0).keys == {}


def test_ykman_access(machine, card, ykman):
    ykman("access", "change-pin", "--pin", PIN, "--new-pin", "654321")
    ykman("access", "change-puk", "--puk", PUK, "--new-puk", "11112222")
    ykman("access", "unblock-pin", "--puk", "11112222", "--new-pin", PIN)
    ykman("access", "set-retries", "--management-key", HEX, "--pin", PIN, "--force", "8", "9")
    assert machine.tries(card) == (8, 9)
    new = "00112233445566778899aabbccddeeff0123456789abcdef"
    ykman("access", "change-management-key", "--management-key", HEX, "--new-management-key", new, "-a", "AES192")
    assert machine.store.read(0).administration.challenge.cipher is Cipher.AES_192
    ykman("keys", "generate", "--management-key", HEX, "9a", "-", ok=False)
    ykman("keys", "generate", "--management-key", new, "--algorithm", "ECCP256", "9a", "-")


def test_ykman_keeps_the_key_behind_the_pin(machine, ykman):
    """It puts the admin key into an object that takes the PIN; on disk that is encrypted."""
    protect = ("access", "change-management-key", "--management-key", HEX, "--generate", "--protect", "--pin", PIN)
    ykman(*protect, "--force")
    ykman("keys", "generate", "--pin", PIN, "--algorithm", "ECCP256", "9a", "-")
    assert 0x5FC109 in machine.store.read(0).objects
