# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""People at a host's prompts: real sudo, su and login on a terminal, and what each of them asks.

Standard input is JSON: {"pins": {user: PIN}, "first_pins": {user: PIN}, "passwords": {user: password},
"readers": {user: name}, "acts": [name]}. Each act is a function.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import subprocess
import sys
import time
import typing as t

import pexpect

PIN, PASSWORD = r"PIN for your smart card: ?", r"[Pp]assword[^\n]*: ?"
FIRST_PIN = "PIN of Bob: "
WRONG = "00000000"
PATIENCE = 30
SETTLING = 60
HANGING = 12
"""Seconds. Half of what a TPM that hangs took where nothing limited it, and several times what it takes here."""
ACCEPT = ["-o", "StrictHostKeyChecking=accept-new"]
SCREEN, LIGHTDM = pathlib.Path("/root/screen/Xvfb_screen0"), pathlib.Path("/var/log/lightdm/lightdm.log")
ALONE = "A PIN alone does not sign in here."
CARD_PIN = r"Enter PIN for 'Alice': ?"


class Host:
    def __init__(self, job: t.Mapping[str, t.Dict[str, str]]) -> None:
        self.pins = job["pins"]
        self.first_pins = job["first_pins"]
        self.passwords = job["passwords"]
        self._readers = job["readers"]

    def tries(self, user: str) -> str:
        """Returns how many tries the PIN of a user has left, as a program of another maker says."""
        look = ["yubico-piv-tool", "--reader", self._readers[user], "--action", "status"]
        command = ["runuser", "-u", user, "--", *look]
        said = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout
        return next(line.split()[-1] for line in said.splitlines() if line.startswith("PIN tries left"))


class Terminal(pexpect.spawn):
    """A terminal that may be hung up and opened again, which login does for a console: vhangup(2)."""

    def read_nonblocking(self, *arguments: t.Any) -> t.Any:
        while True:
            try:
                return super().read_nonblocking(*arguments)
            except pexpect.EOF:
                self.flag_eof = False
                if not self.isalive():
                    raise
                time.sleep(0.05)


def spawn(*command: str) -> t.Any:
    return Terminal(command[0], list(command[1:]), encoding="utf-8", timeout=PATIENCE, cwd="/")


def sudo(user: str) -> t.Any:
    return spawn("runuser", "-u", user, "--", "sudo", "-k", "sh", "-c", "echo in as $(id -un)")


def su(user: str) -> t.Any:
    return spawn("runuser", "-u", "carol", "--", "su", "-", user, "-c", "echo in as $(id -un)")


def login(user: str) -> t.Any:
    return spawn("login", user)


def answer(terminal: t.Any, prompt: str, text: str, timeout: int = PATIENCE) -> None:
    """Answers the next prompt, which has to be this one."""
    other = PASSWORD if prompt is PIN else PIN
    found = terminal.expect([prompt, other, pexpect.EOF], timeout=timeout)
    assert found == 0, f"expected {prompt}, got {terminal.before!r} {terminal.after!r}"
    terminal.sendline(text)


def ssh(user: str) -> t.Any:
    by_key = ["-o", "PreferredAuthentications=publickey"]
    return spawn("runuser", "-u", user, "--", "ssh", *ACCEPT, *by_key, "localhost", "echo in as $(id -un)")


def pkexec(user: str) -> t.Any:
    return spawn("runuser", "-u", user, "--", "pkexec", "sh", "-c", "echo in as $(id -un)")


def is_in(terminal: t.Any, user: str = "root") -> None:
    terminal.expect_exact(f"in as {user}")
    terminal.close()


def first_pin(host: Host) -> None:
    """It has to be changed, and the rule is named that a new one breaks; then the new one signs in."""
    terminal = asked_for_first_pin()
    terminal.sendline(host.first_pins["bob"])
    give_new_pin(terminal, "1", "is shorter than")
    answer(terminal, FIRST_PIN, host.first_pins["bob"])
    give_new_pin(terminal, host.pins["bob"], "The PIN of Bob is changed.")
    answer(terminal, PIN, host.pins["bob"])
    is_in(terminal)


def asked_for_first_pin() -> t.Any:
    """Returns a terminal where bob is asked for it. A card service that is busy is not waited for."""
    for _attempt in range(5):
        terminal = sudo("bob")
        if terminal.expect([FIRST_PIN, PIN]) == 0:
            return terminal
        terminal.close(force=True)
    raise AssertionError("bob was not told that the PIN has to be changed")


def give_new_pin(terminal: t.Any, new: str, said: str) -> None:
    answer(terminal, "new PIN: ", new)
    answer(terminal, "new PIN again: ", new)
    terminal.expect_exact(said)


def right_pin(host: Host) -> None:
    for user in ("alice", "bob"):
        terminal = sudo(user)
        answer(terminal, PIN, host.pins[user])
        is_in(terminal)
        terminal = su(user)
        answer(terminal, PIN, host.pins[user])
        is_in(terminal, user)


def console(host: Host) -> None:
    terminal = login("alice")
    answer(terminal, PIN, host.pins["alice"])
    terminal.expect(r"alice@\S+")
    terminal.sendline("echo in as $(id -un)")
    is_in(terminal, "alice")


def card_by_ssh(host: Host) -> None:
    """The sshd that systemd runs has read what the role has laid. Who has no card does not get in as she."""
    terminal = ssh("alice")
    answer(terminal, CARD_PIN, host.pins["alice"])
    is_in(terminal, "alice")
    terminal = spawn("runuser", "-u", "carol", "--", "ssh", "-o", "BatchMode=yes", *ACCEPT, "alice@localhost", "id")
    terminal.expect_exact("Permission denied")
    terminal.close(force=True)


def polkit(host: Host) -> None:
    """pkexec at a terminal. polkit 122, that of Debian 12, forgets whom it asked, whether by PIN or by password."""
    terminal = pkexec("alice")
    answer(terminal, PIN, host.pins["alice"])
    if terminal.expect_exact(["in as root", "No session for cookie"]):
        terminal = pkexec("alice")
        answer(terminal, PIN, "")
        answer(terminal, PASSWORD, host.passwords["alice"])
        terminal.expect_exact("No session for cookie")
    terminal.close(force=True)


class Greeter:
    """LightDM's, on the screen of Xvfb, which keeps what it shows in a file."""

    def __init__(self) -> None:
        subprocess.run(["systemctl", "restart", "lightdm"], check=True)
        self._asked = 0
        self._until(SCREEN.exists, "a screen")
        self._environment = {"DISPLAY": ":0", "XAUTHORITY": "/var/run/lightdm/root/:0", "PATH": "/usr/bin:/bin"}
        self.asked()

    @staticmethod
    def _until(condition: t.Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"the greeter: no {what}"
            time.sleep(0.2)

    def asked(self) -> None:
        """Waits until one thing more is asked for, and the screen stands still."""
        self._asked += 1
        self._until(lambda: LIGHTDM.read_text().count("Prompt greeter with") >= self._asked, f"prompt {self._asked}")
        frames = [b""]

        def stands_still() -> bool:
            frames.append(SCREEN.read_bytes())
            return frames[-1] == frames[-2]

        self._until(stands_still, "rest")

    def type(self, text: str) -> None:
        for command in (["type", text], ["key", "Return"]):
            subprocess.run(["xdotool", *command], check=True, env=self._environment)

    def picture(self, name: str) -> None:
        SCREEN.with_name(name).write_bytes(SCREEN.read_bytes())

    def is_in(self, user: str) -> None:
        """Waits for the session, which writes down whose it is, and ends all."""
        session = pathlib.Path(f"/tmp/session-{user}")
        self._until(lambda: session.exists() and session.read_text() == f"in as {user}\n", f"session of {user}")
        session.unlink()
        subprocess.run(["systemctl", "stop", "lightdm"], check=True)


def display_manager(host: Host) -> None:
    """The PIN; a wrong PIN, which costs one try, and then the password; and somebody without a card."""
    before = host.tries("alice"), host.tries("bob")
    for user, picture, answers in (
        ("alice", "", [WRONG, host.passwords["alice"]]),
        ("alice", "pin", [host.pins["alice"]]),
        ("carol", "password", [host.passwords["carol"]]),
    ):
        greeter = Greeter()
        greeter.type(user)
        for text in answers:
            greeter.asked()
            if picture:
                greeter.picture(picture)
            greeter.type(text)
        greeter.is_in(user)
        if not picture:
            assert (host.tries("alice"), host.tries("bob")) == (str(int(before[0]) - 1), before[1])
    assert (host.tries("alice"), host.tries("bob")) == before


def both_at_once(host: Host) -> None:
    """Each is asked for the own PIN, and one who is slow stops nobody."""
    terminals = {user: sudo(user) for user in ("alice", "bob")}
    for terminal in terminals.values():
        terminal.expect(PIN)
    for user in ("bob", "alice"):
        terminals[user].sendline(host.pins[user])
    for terminal in terminals.values():
        is_in(terminal)


def wrong_pin(host: Host) -> None:
    """It costs its owner one try and nobody else any; the password signs in then."""
    before = host.tries("alice"), host.tries("bob")
    terminal = sudo("alice")
    answer(terminal, PIN, WRONG)
    answer(terminal, PASSWORD, host.passwords["alice"])
    is_in(terminal)
    assert (host.tries("alice"), host.tries("bob")) == (str(int(before[0]) - 1), before[1])
    right_pin(host)
    assert (host.tries("alice"), host.tries("bob")) == before


def somebody_else_s_pin(host: Host) -> None:
    """Bob's PIN at the prompt of alice opens neither card, and costs bob nothing."""
    before = host.tries("bob")
    terminal = sudo("alice")
    answer(terminal, PIN, host.pins["bob"])
    answer(terminal, PASSWORD, "")
    terminal.expect("try again|incorrect")
    terminal.close(force=True)
    assert host.tries("bob") == before
    right_pin(host)


def password_instead(host: Host) -> None:
    """Whoever types nothing, or the password, at the prompt for the PIN loses no try."""
    before = host.tries("alice")
    terminal = sudo("alice")
    answer(terminal, PIN, "")
    answer(terminal, PASSWORD, host.passwords["alice"])
    is_in(terminal)
    terminal = sudo("alice")
    answer(terminal, PIN, host.passwords["alice"])
    answer(terminal, PASSWORD, host.passwords["alice"])
    is_in(terminal)
    assert host.tries("alice") == before


def no_card(host: Host) -> None:
    terminal = sudo("carol")
    answer(terminal, PASSWORD, host.passwords["carol"])
    is_in(terminal)


def settle() -> None:
    """Waits until SSSD serves cards again: after its start it remembers for a while whom it did not know yet."""
    end = time.monotonic() + SETTLING
    asked = 1
    while asked and time.monotonic() < end:
        terminal = sudo("alice")
        asked = terminal.expect([PIN, PASSWORD])
        terminal.close(force=True)


@contextlib.contextmanager
def undone(do: t.Sequence[str], undo: t.Sequence[str]) -> t.Iterator[None]:
    subprocess.run(do, check=True)
    try:
        yield
    finally:
        subprocess.run(undo, check=True)
        settle()


def service_stopped(host: Host) -> None:
    units = ["hardbound-pkcs11.socket", "hardbound-cards.service"]
    with undone(["systemctl", "stop", *units], ["systemctl", "start", *units]):
        terminal = sudo("alice")
        answer(terminal, PASSWORD, host.passwords["alice"], HANGING)
        is_in(terminal)


def sssd_stopped(host: Host) -> None:
    with undone(["systemctl", "stop", "sssd"], ["systemctl", "start", "sssd"]):
        terminal = sudo("alice")
        answer(terminal, PASSWORD, host.passwords["alice"], HANGING)
        is_in(terminal)


def tpm_hanging(host: Host) -> None:
    with undone(["pkill", "-STOP", "-x", "swtpm"], ["pkill", "-CONT", "-x", "swtpm"]):
        terminal = sudo("alice")
        answer(terminal, PIN, host.pins["alice"])
        answer(terminal, PASSWORD, host.passwords["alice"], HANGING)
        is_in(terminal)
        terminal = sudo("bob")
        answer(terminal, PASSWORD, host.passwords["bob"], HANGING)
        is_in(terminal)


def blocked(host: Host) -> None:
    """Bob spends all tries: then the right PIN is none any more, and the password is."""
    while host.tries("bob") != "0":
        terminal = sudo("bob")
        answer(terminal, PIN, WRONG)
        answer(terminal, PASSWORD, host.passwords["bob"])
        is_in(terminal)
    terminal = sudo("bob")
    answer(terminal, PIN, host.pins["bob"])
    answer(terminal, PASSWORD, host.passwords["bob"])
    is_in(terminal)
    terminal = sudo("alice")
    answer(terminal, PIN, host.pins["alice"])
    is_in(terminal)


def revoked(host: Host) -> None:
    """The certificate of bob was revoked: he is asked for the password alone."""
    terminal = sudo("bob")
    answer(terminal, PASSWORD, host.passwords["bob"])
    is_in(terminal)
    terminal = sudo("alice")
    answer(terminal, PIN, host.pins["alice"])
    is_in(terminal)


def one_factor(host: Host) -> None:
    """The PIN is right, and the network is not: the password signs in. At a console that begins anew."""
    terminal = sudo("alice")
    answer(terminal, PIN, host.pins["alice"])
    terminal.expect_exact(ALONE)
    answer(terminal, PASSWORD, host.passwords["alice"])
    is_in(terminal)
    terminal = login("alice")
    answer(terminal, PIN, host.pins["alice"])
    terminal.expect_exact(ALONE)
    terminal.expect("login: ")
    terminal.close(force=True)


def two_factors(host: Host) -> None:
    """The network is the one that the policy trusts. There is no KDC, which keeps nobody out."""
    subprocess.run(["ip", "link", "add", "office", "type", "veth", "peer", "name", "office-end"], check=True)
    try:
        for command in ("link set office up", "link set office-end up", "address add 192.0.2.1/24 dev office"):
            subprocess.run(["ip", *command.split()], check=True)
        terminal = sudo("alice")
        answer(terminal, PIN, host.pins["alice"])
        is_in(terminal)
        console(host)
    finally:
        subprocess.run(["ip", "link", "del", "office"], check=True)


def main() -> None:
    job = json.load(sys.stdin)
    host = Host(job)
    for act in job["acts"]:
        try:
            globals()[act](host)
        except (AssertionError, pexpect.ExceptionPexpect) as error:
            sys.exit(f"{act}: {error}")


if __name__ == "__main__":
    main()
