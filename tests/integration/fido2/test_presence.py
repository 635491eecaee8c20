# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``presence: ask``: the card's owner is asked in a session of their own, and nobody else can answer.

The sessions are processes of two users, and the dialog is the role's program with zenity on a screen in memory. Who
sits at the seat is logind's to say, which this test stands in for: its machine may have none.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import threading
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.passkey import PasskeyPresence
from ansible_collections.hardbound.identity.plugins.module_utils._edge import service
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.presence_desk import PresenceDesk
from ansible_collections.hardbound.identity.tests.integration.fido2.client import RP, Program
from ansible_collections.hardbound.identity.tests.integration.fido2.serving import Machine
from ansible_collections.hardbound.identity.tests.support.waiting import until
from fido2.ctap import STATUS, CtapError

pytestmark = [
    pytest.mark.tpm,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to have processes of two users"),
]

PIN = "123456"
OWNER, OTHER = "daemon", "nobody"
"""Users whom every host has."""
DIALOG = pathlib.Path(__file__).parents[3] / "roles/tpm_host/files/presence_dialog.py"
PYTHON = "/usr/bin/python3"
"""One that every user may run."""
ANSWERS = """
import json, socket, sys
session = socket.socket(socket.AF_UNIX)
session.connect(sys.argv[1])
print("connected", flush=True)
for line in session.makefile():
    said = json.loads(line)
    print(line.strip(), flush=True)
    if "ask" in said and sys.argv[2] in ("yes", "no"):
        session.send(json.dumps({"answer": said["ask"], "yes": sys.argv[2] == "yes"}).encode() + b"\\n")
"""
FORGES = """
import json, socket, sys
session = socket.socket(socket.AF_UNIX)
session.connect(sys.argv[1])
print("connected", flush=True)
try:
    while True:
        for number in range(1, 10):
            session.send(json.dumps({"answer": number, "yes": True}).encode() + b"\\n")
        print("once more", flush=True)
except OSError:
    print("ended", flush=True)
"""


class Desktop:
    """A host with a card service, and users' sessions."""

    def __init__(self, folder: pathlib.Path, store: str, stack: contextlib.ExitStack) -> None:
        self.socket = str(folder / "presence")
        self.seated = {pwd.getpwnam(OWNER).pw_uid}
        self.machine = Machine(folder / "run", store, PresenceDesk(self.socket, lambda uid: uid in self.seated))
        self.dialog = shutil.copy(DIALOG, folder)
        self._stack = stack
        stack.callback(self.machine.stop)

    def session(self, user: str, program: str, *arguments: str) -> t.Any:
        command = [PYTHON, "-IB", "-c", program, self.socket, *arguments]
        process = self.start(user, command, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "connected\n"
        return process

    def start(self, user: str, command: t.Sequence[str], **options: t.Any) -> t.Any:
        account = pwd.getpwnam(user)
        ids: t.Dict[str, t.Any] = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        process = subprocess.Popen(command, **ids, **options)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process


@pytest.fixture
def desktop(bench, short_path):
    bench.tpm.release()
    short_path.chmod(0o755)
    with contextlib.ExitStack() as stack:
        yield Desktop(short_path, bench.store.folder, stack)


@pytest.fixture
def program(bench, desktop):
    record = bench.make("of a person", pin_retries=8, passkeys=True, owner=OWNER, presence=PasskeyPresence.ASK)
    bench.tpm.release()
    yield Program(desktop.machine.next(), PIN)
    bench.destroy(record)
    bench.tpm.release()


def refused(act, name):
    with pytest.raises(CtapError, match=name):
        act()


def heard(process):
    return json.loads(process.stdout.readline())


@pytest.fixture
def hasty(monkeypatch):
    """The card service looks at the store before it does anything else, and lets go of the TPM at once."""
    for interval in ("_STORE_INTERVAL", "_IDLE_AFTER"):
        monkeypatch.setattr(service, interval, 0.0)


def test_the_tpm_is_let_go_where_the_look_at_the_store_finds_the_answer(hasty, desktop, program):
    desktop.session(OWNER, ANSWERS, "yes")
    program.make()
    benches = desktop.machine._host._benches.values()
    until(lambda: not any(each.tpm.is_held for each in benches), "the card service kept the TPM")


def test_the_owner_says_yes(desktop, program):
    session = desktop.session(OWNER, ANSWERS, "yes")
    made = program.make(options={"rk": True})
    question = {"card": "of a person", "purpose": "make", "relying_party": RP}
    assert heard(session) == {"ask": 1, **question} and heard(session) == {"end": 1}
    assert program.get().credential["id"] == made.auth_data.credential_data.credential_id
    assert heard(session) == {"ask": 2, **question, "purpose": "use"} and heard(session) == {"end": 2}
    program.ctap.selection()
    assert heard(session) == {"ask": 3, **question, "purpose": "choose", "relying_party": ""}
    assert program.management().get_metadata()[1] == 1  # asks nobody, as with a button


def test_the_owner_says_no(desktop, program):
    desktop.session(OWNER, ANSWERS, "no")
    refused(lambda: program.make(options={"rk": True}), "OPERATION_DENIED")
    refused(program.ctap.selection, "OPERATION_DENIED")
    assert program.management().get_metadata()[1] == 0


def test_nobody_is_there(desktop, program, caplog):
    with caplog.at_level("INFO", "hardbound"):
        refused(program.make, "OPERATION_DENIED")
    assert "nobody is at the seat" in caplog.text


def test_the_owner_is_away_from_the_seat(desktop, program):
    """With a session elsewhere, or behind that of somebody else."""
    desktop.session(OWNER, ANSWERS, "yes")
    desktop.seated = {pwd.getpwnam(OTHER).pw_uid}
    refused(program.make, "OPERATION_DENIED")


def test_another_user_is_not_asked_and_cannot_answer(desktop, program):
    """Whose session is at the seat too, as where two people have one."""
    desktop.seated.add(pwd.getpwnam(OTHER).pw_uid)
    forger = desktop.session(OTHER, FORGES)
    refused(program.make, "OPERATION_DENIED")  # who is there is not the owner
    silent = desktop.session(OWNER, ANSWERS, "nothing")
    cancelled, seen = threading.Event(), []

    def told(status):
        if status != STATUS.UPNEEDED:
            return
        seen.append(status)
        assert [forger.stdout.readline() for _each in range(100)] == ["once more\n"] * 100
        cancelled.set()

    refused(lambda: program.make(event=cancelled, on_keepalive=told), "KEEPALIVE_CANCEL")
    assert seen
    assert heard(silent)["ask"] == 2 and heard(silent) == {"end": 2}
    assert forger.poll() is None
    everybody = desktop.session(OTHER, ANSWERS, "yes")
    desktop.session(OWNER, ANSWERS, "no")
    refused(program.make, "OPERATION_DENIED")
    assert everybody.poll() is None


@pytest.mark.parametrize("reason", ["no token", "another relying party's token"])
def test_nobody_is_disturbed_by_whoever_has_not_the_pin(desktop, program, reason):
    session = desktop.session(OWNER, ANSWERS, "yes")
    token = bytes(32) if reason == "no token" else program.token("MAKE_CREDENTIAL", rp="shop.example")
    refused(lambda: program.make(token), "PIN_AUTH_INVALID")
    program.make()
    assert heard(session)["ask"] == 1


def test_other_cards_go_on_while_somebody_is_asked(desktop, program, bench):
    desktop.session(OWNER, ANSWERS, "nothing")
    cancelled = threading.Event()
    waiting = threading.Thread(target=lambda: refused(lambda: program.make(event=cancelled), "KEEPALIVE_CANCEL"))
    waiting.start()
    other = bench.make("another", pin_retries=8, passkeys=True)
    bench.tpm.release()
    Program(desktop.machine.next(), PIN).make()
    cancelled.set()
    waiting.join()
    bench.destroy(other)
    bench.tpm.release()


# The dialog.


@pytest.fixture
def screen(desktop, tmp_path):
    """Returns the environment of programs on a screen of its own, and presses keys there."""
    missing = [name for name in ("zenity", "Xvfb", "xdotool") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, as in Debian's packages of that name")
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "800x600x24", "-nolisten", "tcp", "-ac"]
    desktop._stack.callback(os.close, reader)
    xvfb = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    desktop._stack.callback(xvfb.wait)
    desktop._stack.callback(xvfb.terminate)
    os.close(writer)
    display = os.read(reader, 16).decode().strip()
    return {"PATH": os.environ["PATH"], "DISPLAY": f":{display}", "HOME": "/nonexistent", "NO_AT_BRIDGE": "1"}


def keys(screen, *names):
    """Types in the dialog once it is there."""
    title = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "Passkey"]
    window = subprocess.run(title, env=screen, check=True, capture_output=True, text=True, timeout=60).stdout.split()[0]
    subprocess.run(["xdotool", "windowfocus", "--sync", window, "key", *names], env=screen, check=True, timeout=60)


@pytest.mark.parametrize(("typed", "allowed"), [("Return", False), ("Escape", False), ("alt+a", True)])
def test_the_dialog(desktop, program, screen, typed, allowed):
    """Enter and Escape say no: whoever is typing when the dialog comes allows nothing."""
    desktop.start(OWNER, [PYTHON, "-IB", desktop.dialog, desktop.socket], env=screen)
    until(lambda: desktop.machine.service._passkeys._desk._sessions, "the dialog's program did not connect")
    person = threading.Thread(target=keys, args=(screen, typed))
    person.start()
    if allowed:
        program.make()
    else:
        refused(program.make, "OPERATION_DENIED")
    person.join()


def test_a_dialog_that_nobody_needs_any_more_goes_away(desktop, program, screen):
    desktop.start(OWNER, [PYTHON, "-IB", desktop.dialog, desktop.socket], env=screen)
    until(lambda: desktop.machine.service._passkeys._desk._sessions, "the dialog's program did not connect")
    cancelled = threading.Event()
    waiting = threading.Thread(target=lambda: refused(lambda: program.make(event=cancelled), "KEEPALIVE_CANCEL"))
    waiting.start()
    subprocess.run(["xdotool", "search", "--sync", "--name", "Passkey"], env=screen, check=True, timeout=60)
    cancelled.set()
    waiting.join()

    def gone():
        search = ["xdotool", "search", "--name", "Passkey"]
        return not subprocess.run(search, env=screen, check=False, capture_output=True).stdout

    until(gone, "the dialog stayed")
