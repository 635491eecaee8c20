# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""hardbound-card as two users run it: real cards, the real service, and a terminal."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import shutil
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.edge import Edge
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import FIRST_CONTAINER
from ansible_collections.hardbound.identity.plugins.module_utils._card.passkey import PasskeyUser, WantedPasskey
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._command.exit_code import ExitCode
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.turnstile import Turnstile
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN, PUK
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.owner_command import lay_command
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import PROXY, Host
from ansible_collections.hardbound.identity.tests.support.waiting import until

ALICE, BOB, MALLORY = "daemon", "games", "nobody"
"""Users that every Debian has."""
PYTHON = "/usr/bin/python3"
NEW = "81726354"
HANGS_UP = """
import socket, sys
service = socket.socket(socket.AF_UNIX)
service.connect(sys.argv[1])
service.sendall(b'{"call": "cards"}\\n')
"""


class Users:
    """A host whose users have the command as the role lays it down."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.folder = host.machine.folder
        self.folder.chmod(0o711)
        (self.folder / "run").chmod(0o755)
        lay_command(self.folder / "lib")

    def start(self) -> None:
        self.host.start("--owners", str(self.folder / "owners"))
        until((self.folder / "owners").exists)

    def command(self, user: str, subcommand: str, *options: str) -> t.List[str]:
        places = ["--socket", str(self.folder / "owners"), "--p11-kit", str(self.host.machine.socket)]
        program = [PYTHON, "-IB", str(self.folder / "lib/hardbound_card.py"), subcommand, *options, *places]
        return ["runuser", "-u", user, "--", *program]

    def run(self, user: str, subcommand: str, *options: str, typed: str = "") -> t.Tuple[ExitCode, str]:
        """Returns how it ended and what it wrote."""
        whole = ["sh", "-c", '"$@"; echo "ended: $?"', "sh", *self.command(user, subcommand, *options)]
        said, _middle, code = self.host.machine.run(*whole, stdin=typed).rpartition("ended: ")
        return ExitCode(int(code)), said

    def card(self, user: str) -> t.Any:
        (card,) = json.loads(self.run(user, "status", "--json")[1])["cards"]
        return card


@pytest.fixture
def users(host: Host) -> Users:
    needs(PYTHON, "runuser")
    return Users(host)


@pytest.fixture
def two(users: Users) -> Users:
    users.host.make("Card of Alice", owner=ALICE)
    users.host.make("Card of Bob", owner=BOB, keys=[KeySpecification(0x9A, KeyAlgorithm.RSA_2048)])
    users.start()
    return users


def make_passkey(users: Users, number: int, rp: str) -> None:
    """Does what a browser has done by FIDO2."""
    machine = users.host.machine
    tpm = Tpm(Tcti.parse(machine.tpm.tcti), machine.store.folder)
    with tpm.taken():
        card = Card(machine.store, Workbench(tpm), number)
        card.verify(PIN.encode())
        card.passkeys.make(WantedPasskey(rp, PasskeyUser(b"1", "alice"), discoverable=True))
    tpm.close()


def test_an_owner_removes_one_of_two_passkeys(users: Users) -> None:
    number = users.host.make("Card of Alice", owner=ALICE, passkeys=True).number
    for rp in ("kept.example", "gone.example"):
        make_passkey(users, number, rp)
    users.start()
    code, said = users.run(ALICE, "passkeys", typed=f"{PIN}\n")
    assert code is ExitCode.FINE
    gone = next(line for line in said.splitlines() if "gone.example" in line)
    assert users.run(ALICE, "passkeys", "--remove", gone[:8], typed="00000000\n")[0] is ExitCode.WRONG
    code, _said = users.run(ALICE, "passkeys", "--remove", gone[:8], typed=f"{PIN}\n")
    assert code is ExitCode.FINE
    said = users.run(ALICE, "passkeys", typed=f"{PIN}\n")[1]
    assert "kept.example" in said and "gone.example" not in said
    assert users.run(MALLORY, "passkeys", typed=f"{PIN}\n")[0] is ExitCode.NO_CARD


def test_each_owner_sees_one_card(two: Users) -> None:
    card = two.card(ALICE)
    assert (card["name"], card["tries"]) == (
        "Card of Alice",
        {"pin": {"left": 3, "of": 3}, "puk": {"left": 3, "of": 3}},
    )
    assert two.card(BOB)["name"] == "Card of Bob"
    for stranger in (MALLORY, "root"):
        code, said = two.run(stranger, "status")
        assert code is ExitCode.NO_CARD
        assert "Alice" not in said and "Bob" not in said


def test_nobody_reaches_another_s_card(two: Users) -> None:
    first, second = two.host.machine.store.records()
    for user in (BOB, MALLORY, "root"):
        for subcommand in ("change-pin", "unblock", "test"):
            code, _said = two.run(user, subcommand, "--card", str(first.number), typed=f"{PIN}\n{NEW}\n{NEW}\n")
            assert code is ExitCode.NO_CARD
    assert two.host.machine.tries(first) == (3, 3)
    assert two.run(ALICE, "test", typed=f"{PIN}\n")[0] is ExitCode.FINE
    assert second.owner == BOB


def test_who_asks_and_hangs_up_keeps_the_tpm_from_nobody(two: Users) -> None:
    store, tcti = two.host.machine.store, Tcti.parse(two.host.machine.tpm.tcti)
    other = Turnstile(store.folder, str(tcti))

    def free() -> bool:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(other._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            other.release()
            return True
        return False

    until(free)
    two.host.machine.run("runuser", "-u", ALICE, "--", PYTHON, "-IB", "-c", HANGS_UP, str(two.folder / "owners"))
    until(lambda: not free(), "the card service asked the TPM for nothing")
    until(free, "the card service keeps the TPM")
    other.close()


def test_every_key_signs_and_is_verified(two: Users) -> None:
    for user, slots in ((ALICE, ["authentication", "signature", "key_management", "card_authentication"]), (BOB, None)):
        code, said = two.run(user, "test", typed=f"{PIN}\n")
        assert code is ExitCode.FINE, said
        assert re.findall(r"^(\w+) +signs$", said, re.MULTILINE) == (slots or ["authentication"])


def test_a_pin_s_life_from_the_prompt(two: Users) -> None:
    code, said = two.run(ALICE, "change-pin", typed=f"{PIN}\n12\n")
    assert code is ExitCode.RULE
    assert "shorter than the 6 characters that the PIN policy asks for" in said
    assert two.run(ALICE, "change-pin", typed=f"{PIN}\n{NEW}\n")[0] is ExitCode.FINE
    for _each in range(3):
        code, said = two.run(ALICE, "change-pin", typed=f"{PIN}\n{NEW}\n")
    assert two.run(ALICE, "test", typed=f"{NEW}\n")[0] is ExitCode.BLOCKED
    assert two.card(ALICE)["tries"]["pin"]["left"] == 0
    assert two.run(ALICE, "unblock", typed=f"{PUK}\n{PIN}\n")[0] is ExitCode.FINE
    assert two.run(ALICE, "test", typed=f"{PIN}\n")[0] is ExitCode.FINE


def test_a_terminal_asks_without_echo_and_no_process_tells_the_pin(two: Users) -> None:
    inside = two.host.machine._inside(*two.command(ALICE, "change-pin"))
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - another program by now
        os.execvp(inside[0], inside)
    said = b""
    for prompt, answer in ((b"PIN of Card of Alice: ", PIN), (b"new PIN: ", NEW), (b"new PIN again: ", NEW)):
        while not said.endswith(prompt):
            said += os.read(terminal, 1024)
        for process in family(child):
            for file in ("cmdline", "environ"):
                told = Path("/proc", str(process), file).read_bytes()
                assert PIN.encode() not in told and NEW.encode() not in told
        os.write(terminal, answer.encode() + b"\n")
    said += rest(terminal)
    _pid, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == ExitCode.FINE, said
    assert PIN.encode() not in said and NEW.encode() not in said
    assert b"is changed" in said


def family(process: int) -> t.Iterator[int]:
    """A process, its children, and theirs."""
    yield process
    for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
        yield from family(int(child))


def rest(terminal: int) -> bytes:
    said = b""
    try:
        while True:
            said += os.read(terminal, 1024)
    except OSError:  # as Linux ends a terminal
        return said


def test_a_service_that_is_away_is_named(users: Users) -> None:
    code, said = users.run(ALICE, "status")
    assert code is ExitCode.SERVICE
    assert "is it running?" in said


def test_a_tpm_that_is_away_is_named(two: Users) -> None:
    two.host.machine.tpm.stop()
    code, said = two.run(ALICE, "test", typed=f"{PIN}\n")
    assert code is ExitCode.TPM
    assert "[fault: TPM]" in said


@pytest.mark.parametrize("edge", [Edge.PIV, Edge.GIDS])
def test_a_card_with_a_reader_alone(users: Users, edge: Edge) -> None:
    if shutil.which("pcscd") is None:
        pytest.skip("needs pcscd")
    slot = 0x9A if edge is Edge.PIV else FIRST_CONTAINER
    keys = [KeySpecification(slot, KeyAlgorithm.RSA_2048)]
    users.host.make("Card of Alice", owner=ALICE, faces=(Face.PCSC,), edge=edge, keys=keys)
    users.start()
    code, said = users.run(ALICE, "test", "--pcscd", "/run/pcscd/pcscd.comm", typed=f"{PIN}\n")
    assert code is ExitCode.PCSCD
    users.host.machine.start_pcscd()
    until(lambda: users.card(ALICE)["in_reader"], users.host.machine.log)
    code, said = users.run(ALICE, "test", typed=f"{PIN}\n")
    assert code is ExitCode.FINE, said
    assert users.run(ALICE, "change-pin", typed=f"{PIN}\n{NEW}\n")[0] is ExitCode.FINE


@pytest.mark.parametrize("face", list(Face))
def test_a_uri_names_the_key_to_gnutls(users: Users, face: Face) -> None:
    users.host.make("Card of Alice", owner="", faces=(face,), keys=[KeySpecification(0x9A, KeyAlgorithm.ECC_P256)])
    users.start()
    options = []
    if face is Face.PCSC:
        users.host.machine.start_pcscd()
        users.host.machine.await_token()
        options = ["--provider", "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"]
    else:
        users.host.register()
    uri = users.run("root", "uri")[1].strip()
    said = users.host.run("p11tool", *options, "--login", "--set-pin", PIN, "--list-privkeys", uri)
    assert "Private key (EC" in said
    other = uri.replace("id=%01", "id=%03")
    assert "Private key" not in users.host.run("p11tool", *options, "--login", "--list-privkeys", other, ok=None)


def test_ssh_takes_the_lines(two: Users) -> None:
    told = json.loads(two.run(ALICE, "ssh", "--json")[1])
    two.host.register()
    shown = two.host.run("runuser", "-u", ALICE, "--", "ssh-keygen", "-D", PROXY).split()
    for line in told["authorized_keys"]:
        assert line.split()[1] in shown
    assert told["config"] == ["Host *", f"    PKCS11Provider {PROXY}"]
