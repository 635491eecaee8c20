# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that know nothing of us use a card over PC/SC: OpenSC's tools, yubico-piv-tool, and OpenSSL verifies."""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.hardbound.identity.tests.support.card_machine import KEYS
from ansible_collections.hardbound.identity.tests.support.waiting import until

pytestmark = [pytest.mark.tpm, pytest.mark.slow]

PIN, PUK = "123456", "87654321"
MODULE = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
YKCS11 = pathlib.Path("/usr/lib/x86_64-linux-gnu/libykcs11.so.2")


def pkcs11(machine, *arguments, **options):
    return machine.run("pkcs11-tool", "--login", "--pin", PIN, *arguments, **options)


def verified_by_openssl(machine, card, slot, signature, *options):
    """Whether OpenSSL takes the signature over ``message`` by the key of a slot."""
    key = machine.folder / "key.der"
    key.write_bytes(card.keys[slot].public)
    data = [str(machine.folder / "message")]
    command = ["openssl", "dgst", "-sha256", "-keyform", "DER", "-verify", str(key), "-signature", str(signature)]
    return "Verified OK" in machine.run(*command, *options, *data)


@pytest.fixture
def card(machine):
    card = machine.make("CorpAccess")
    machine.start()
    (machine.folder / "message").write_text("what is signed")
    return card


def test_opensc_sees_the_card(machine, card):
    assert "CorpAccess 00 00" in machine.run("opensc-tool", "--list-readers")
    assert "Personal Identity Verification Card" in machine.run("opensc-tool", "--reader", "0", "--name")
    dump = machine.run("pkcs15-tool", "--reader", "0", "--dump")
    assert dump.count("Private EC Key") == 3 and dump.count("Private RSA Key") == 1
    assert dump.count("X.509 Certificate [") == 4


def test_opensc_runs_its_own_tests(machine, card):
    output = pkcs11(machine, "--test")
    assert "No errors" in output, output


@pytest.mark.parametrize(
    ("identifier", "slot", "mechanism", "options"),
    [
        ("01", 0x9A, "ECDSA-SHA256", ()),
        ("02", 0x9C, "SHA256-RSA-PKCS", ()),
        ("02", 0x9C, "SHA256-RSA-PKCS-PSS", ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")),
        ("04", 0x9E, "ECDSA-SHA256", ()),
    ],
)
def test_signatures_that_openssl_verifies(machine, card, identifier, slot, mechanism, options):
    signature = machine.folder / "signature"
    arguments = ["--sign", "--id", identifier, "--mechanism", mechanism, "--signature-format", "openssl"]
    pkcs11(machine, *arguments, "--input-file", str(machine.folder / "message"), "--output-file", str(signature))
    assert verified_by_openssl(machine, card, slot, signature, *options)


def test_yubico_piv_tool(machine, card):
    tool = ("yubico-piv-tool", "--reader", "")
    status = machine.run(*tool, "--action", "status")
    assert "Slot 9a" in status and "PIN tries left:\t3" in status
    assert "Successfully verified PIN" in machine.run(*tool, "--action", "verify-pin", "--pin", PIN)
    assert "BEGIN CERTIFICATE" in machine.run(*tool, "--action", "read-certificate", "--slot", "9c")
    change = ("--action", "change-pin", "--pin", PIN, "--new-pin", "654321")
    assert "Successfully changed" in machine.run(*tool, *change)
    assert "Successfully verified PIN" in machine.run(*tool, "--action", "verify-pin", "--pin", "654321")


SET_PIN = """
import sys, PyKCS11
library = PyKCS11.PyKCS11Lib()
library.load(sys.argv[1])
flags = PyKCS11.CKF_SERIAL_SESSION | PyKCS11.CKF_RW_SESSION
session = library.openSession(library.getSlotList(tokenPresent=True)[0], flags)
session.login(sys.argv[2])
session.setPin(sys.argv[2], sys.argv[3])
[key] = session.findObjects([(PyKCS11.CKA_CLASS, PyKCS11.CKO_PRIVATE_KEY), (PyKCS11.CKA_ID, (1,))])
print(len(session.sign(key, bytes(32), PyKCS11.Mechanism(PyKCS11.CKM_ECDSA, None))))
"""


@pytest.mark.skipif(not YKCS11.exists(), reason="needs ykcs11")
@pytest.mark.parametrize(("name", "shown"), [("CorpAccess", False), ("Yubico CorpAccess", True)])
def test_yubicos_pkcs11_module_goes_by_the_name_of_the_reader(machine, name, shown):
    machine.make(name)
    machine.start()
    tested = pkcs11(machine, "--module", str(YKCS11), "--test", ok=shown)
    assert ("No errors" if shown else "No slots") in tested, tested


def test_a_program_that_has_changed_the_pin_goes_on(machine, card):
    """C_Login, C_SetPIN, C_Sign: SP 800-73-4 part 2, clause 3.2.2."""
    assert machine.run("/usr/bin/python3", "-c", SET_PIN, MODULE, PIN, "654321").strip() == "64"
    assert "Successfully verified PIN" in machine.run(
        "yubico-piv-tool", "--reader", "", "--action", "verify-pin", "--pin", "654321"
    )


def test_tries_and_unblocking(machine, card):
    """Wrong PINs count down to blocked on this card; another goes on; the PUK helps."""
    tool = ("yubico-piv-tool", "--reader", "")
    for left in (2, 1, 0):
        machine.run(*tool, "--action", "verify-pin", "--pin", "000000", ok=False)
        assert machine.tries(card) == (left, 3)
    machine.run(*tool, "--action", "verify-pin", "--pin", PIN, ok=False)
    unblock = ("--action", "unblock-pin", "--pin", PUK, "--new-pin", PIN)
    assert "Successfully unblocked" in machine.run(*tool, *unblock)
    assert "No errors" in pkcs11(machine, "--test")


def test_a_pin_against_the_policy_is_refused(machine, card):
    change = ("--action", "change-pin", "--pin", PIN, "--new-pin", "12345")
    machine.run("yubico-piv-tool", "--reader", "", *change, ok=False)
    assert machine.tries(card) == (3, 3)
    assert "Successfully verified PIN" in machine.run(
        "yubico-piv-tool", "--reader", "", "--action", "verify-pin", "--pin", PIN
    )


def test_no_signature_without_the_pin(machine, card):
    arguments = ("--sign", "--id", "01", "--mechanism", "ECDSA-SHA256", "--input-file", str(machine.folder / "message"))
    machine.run("pkcs11-tool", *arguments, "--output-file", str(machine.folder / "signature"), ok=False)
    assert not (machine.folder / "signature").exists() or not (machine.folder / "signature").read_bytes()


@pytest.mark.parametrize("what", ["service", "pcscd", "tpm", "all"])
def test_it_comes_back_by_itself(machine, card, what):
    machine.run("yubico-piv-tool", "--reader", "", "--action", "verify-pin", "--pin", "000000", ok=False)
    if what in ("tpm", "all"):
        machine.tpm.restart()
    if what in ("service", "all"):
        machine.service.kill()
        machine.service.wait()
        machine.await_token(False)
        machine.start_service()
    if what in ("pcscd", "all"):
        machine.pcscd.kill()
        machine.pcscd.wait()
        machine.run("rm", "-f", "/run/pcscd/pcscd.comm", "/run/pcscd/pcscd.pid")
        machine.start_pcscd()
    machine.await_token()
    assert machine.tries(card) == (2, 3)
    assert "No errors" in pkcs11(machine, "--test")


def test_a_destroyed_card_leaves_its_reader(machine, card):
    assert "Yes" in machine.run("opensc-tool", "--list-readers")
    machine.destroy(card)
    machine.await_token(False)
    assert machine.service.poll() is None


def test_two_cards_do_not_meet(machine):
    first, second = machine.make("first"), machine.make("second")
    machine.start()
    readers = machine.run("opensc-tool", "--list-readers")
    assert "first, second 00 00" in readers and "first, second 00 01" in readers
    tool = ("yubico-piv-tool", "--reader", "first, second 00 01")
    machine.run(*tool, "--action", "verify-pin", "--pin", "000000", ok=False)
    assert machine.tries(first) == (3, 3)
    assert machine.tries(second) == (2, 3)


def test_more_cards_than_opensc_shows_by_default(machine):
    """The page about cards says what to write into opensc.conf."""
    for number in range(5):
        machine.make(f"card {number}", KEYS[:1])
    machine.start()
    page = (pathlib.Path(__file__).parents[3] / "docs/card.md").read_text()
    settings = page.partition("## More than four readers")[2].partition("```text\n")[2].partition("```")[0]

    def tokens(content):
        (machine.folder / "opensc.conf").write_text(content)
        everything = {**os.environ, "OPENSC_CONF": str(machine.folder / "opensc.conf")}
        return machine.run("pkcs11-tool", "--list-slots", env=everything).count("token label")

    until(lambda: tokens("app default {}\n" + settings) == 5)  # pcscd looks for a card now and then
    assert tokens("app default {}\n") == 4


def test_no_secret_in_the_log(machine, card):
    pkcs11(machine, "--test")
    machine.run("yubico-piv-tool", "--reader", "", "--action", "verify-pin", "--pin", "735519", ok=False)
    log = machine.log()
    for secret in (PIN, PUK, "735519"):
        assert secret not in log
        assert secret.encode().hex() not in log
