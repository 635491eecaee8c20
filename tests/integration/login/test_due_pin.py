# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PIN that has to be changed, or has expired, at real prompts: sudo, su, login and ssh with Debian's PAM."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import typing as t
from dataclasses import replace
from pathlib import Path

import pexpect
import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy
from ansible_collections.hardbound.identity.tests.support import prompt_host
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.prompt_host import (
    PASSWORD,
    PromptHost,
    profile,
    sign_in,
)
from ansible_collections.hardbound.identity.tests.support.waiting import until

__all__ = ["profile", "sign_in"]
pytestmark = [pytest.mark.tpm, pytest.mark.slow]

NEW, WRONG, SHORT = "81726354", "00000000", "8172"
DUE = "The PIN of Card of alice must be changed before its first use"
ASKED = "Password.*: |password for.*: "
PIN_ASKED, NEW_ASKED, AGAIN_ASKED = "PIN of Card of alice: ", "new PIN: ", "new PIN again: "
PROMPTS = (PIN_ASKED, NEW_ASKED, AGAIN_ASKED, ASKED)
RUN_THIS = "change it with: hardbound-card change-pin"


def make(host: PromptHost, owner: str = "alice", **changes: t.Any) -> Record:
    return t.cast(Record, host.host.make(f"Card of {owner}", owner=owner, **changes))


@pytest.fixture
def card(sign_in: PromptHost) -> Record:
    """Alice's card, whose PIN has to be changed, beside that of bob, which is in use."""
    card = make(sign_in, pin_must_change=True)
    make(sign_in, "bob")
    sign_in.start()
    return card


answer = functools.partial(prompt_host.answer, known=PROMPTS)


def is_in(terminal: t.Any, user: str = "root") -> str:
    terminal.expect_exact(f"in as {user}")
    shown = str(terminal.before)
    terminal.close(force=True)
    return shown


def change(new: str = NEW, again: str = NEW, pin: str = PIN) -> t.Sequence[t.Tuple[str, str]]:
    return (PIN_ASKED, pin), (NEW_ASKED, new), (AGAIN_ASKED, again)


def is_due(host: PromptHost, card: Record) -> bool:
    return host.machine.store.read(card.number).pin.must_change


def test_sudo_changes_a_first_pin_and_goes_on(sign_in: PromptHost, card: Record) -> None:
    terminal = sign_in.sudo()
    shown = answer(terminal, *change(), (ASKED, PASSWORD))
    assert f"{DUE}. Change it here" in shown and "The PIN of Card of alice is changed." in shown
    shown += is_in(terminal)
    assert not any(secret in shown for secret in (PIN, NEW, PASSWORD))
    assert not is_due(sign_in, card) and sign_in.machine.tries(card) == (3, 3)
    terminal = sign_in.sudo()
    assert "PIN" not in answer(terminal, (ASKED, PASSWORD)) + is_in(terminal), "it is changed, and nothing is due"


def test_su_and_a_console_do(sign_in: PromptHost, card: Record) -> None:
    terminal = sign_in.spawn("su", "-", "alice", "-c", "echo in as $(id -un)", user="bob")
    assert DUE in answer(terminal, (PIN_ASKED, ""), (ASKED, PASSWORD)), "bob wants to be alice"
    is_in(terminal, "alice")
    terminal = sign_in.spawn("login", "alice")
    assert "is changed" in answer(terminal, *change(), (ASKED, PASSWORD))
    terminal.expect(r"\$ ")
    terminal.sendline("echo in as $(id -un)")
    is_in(terminal, "alice")
    assert not is_due(sign_in, card)


def test_an_expired_pin(sign_in: PromptHost) -> None:
    card = make(sign_in, pin_policy=PinPolicy(minlen=6, maxlen=8, expiry_days=30))
    record = sign_in.machine.store.read(card.number)
    sign_in.machine.store.write(replace(record, pin=replace(record.pin, set_at=record.pin.set_at - 30 * 24 * 3600)))
    sign_in.start()
    terminal = sign_in.sudo()
    shown = answer(terminal, *change(), (ASKED, PASSWORD))
    assert "The PIN of Card of alice has expired." in shown and "is changed" in shown
    is_in(terminal)


def test_the_rule_that_a_new_pin_breaks_is_named_and_costs_no_try(sign_in: PromptHost, card: Record) -> None:
    terminal = sign_in.sudo()
    shown = answer(terminal, *change(SHORT, SHORT), *change(again=WRONG), *change(), (ASKED, PASSWORD))
    assert "is shorter than the 6 characters that the PIN policy asks for" in shown
    assert "was typed in two ways" in shown and "is changed" in shown
    is_in(terminal)
    assert sign_in.machine.tries(card) == (3, 3)


def test_after_three_rounds_it_goes_on_to_the_password(sign_in: PromptHost, card: Record) -> None:
    terminal = sign_in.sudo()
    answer(terminal, *change(SHORT, SHORT) * 3, (ASKED, PASSWORD))
    is_in(terminal)
    assert is_due(sign_in, card)


def test_a_wrong_pin_costs_one_try_and_says_so(sign_in: PromptHost, card: Record) -> None:
    terminal = sign_in.sudo()
    shown = answer(terminal, *change(pin=WRONG), (ASKED, PASSWORD))
    assert "Wrong PIN, 2 tries left" in shown
    is_in(terminal)
    assert is_due(sign_in, card) and sign_in.machine.tries(card) == (2, 3)


def test_whoever_types_nothing_keeps_the_pin(sign_in: PromptHost, card: Record) -> None:
    terminal = sign_in.sudo()
    assert RUN_THIS in answer(terminal, (PIN_ASKED, ""), (ASKED, PASSWORD))
    is_in(terminal)
    assert is_due(sign_in, card) and sign_in.machine.tries(card) == (3, 3)


# Attackers, and others who look on.


def test_nobody_is_asked_for_another_s_pin(sign_in: PromptHost, card: Record) -> None:
    terminal = sign_in.sudo("bob")
    shown = answer(terminal, (ASKED, PASSWORD)) + is_in(terminal)
    assert "alice" not in shown and "PIN" not in shown


def test_a_new_pin_lets_nobody_in(sign_in: PromptHost, card: Record) -> None:
    """Who knows the first PIN and no password has changed it, and stands before the password as before."""
    terminal = sign_in.spawn("su", "-", "alice", "-c", "echo in as $(id -un)", user="bob")
    answer(terminal, *change(), (ASKED, "no password of alice"))
    terminal.expect("Authentication failure")
    terminal.expect(pexpect.EOF)


def test_no_secret_is_where_others_look(sign_in: PromptHost, card: Record) -> None:
    terminal = sign_in.sudo()
    answer(terminal, *change()[:2])
    terminal.expect(AGAIN_ASKED)
    helper, seen = b"change_due_pin.py", b""
    here = os.readlink(f"/proc/{sign_in.machine._holder.pid}/ns/mnt")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            # Other tests beside this one may have the same PIN.
            if os.readlink(process / "ns/mnt") == here:
                seen += (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
    assert helper in seen and PIN.encode() not in seen.split(helper)[-1] and NEW.encode() not in seen
    terminal.sendline(NEW)
    answer(terminal, (ASKED, PASSWORD))
    is_in(terminal)
    log = sign_in.machine.log()
    assert PIN not in log and NEW not in log


def test_ctrl_c_keeps_the_pin(sign_in: PromptHost, card: Record) -> None:
    terminal = sign_in.sudo()
    terminal.expect(PIN_ASKED)
    terminal.send(PIN)
    terminal.sendintr()
    assert RUN_THIS in answer(terminal, (ASKED, PASSWORD))
    is_in(terminal)
    assert is_due(sign_in, card) and sign_in.machine.tries(card) == (3, 3)


def test_a_program_that_ends_leaves_nobody_at_the_terminal(sign_in: PromptHost, card: Record) -> None:
    terminal = sign_in.sudo()
    terminal.expect(PIN_ASKED)
    assert not terminal.getecho()
    (helper,) = helpers(sign_in)
    program = int(Path(f"/proc/{helper}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(program, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{helper}").exists(), "it reads on, and takes what is typed next")
    assert is_due(sign_in, card)


def helpers(host: PromptHost) -> t.List[int]:
    """Returns the processes that ask at this host's terminals."""
    command = ["pgrep", "--full", f"python3 -IB {host.folder}/lib/change_due_pin.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(each) for each in done.stdout.split()]


# Where it can't be changed.


def test_a_password_from_elsewhere_is_not_mixed_up_with_a_terminal(sign_in: PromptHost, card: Record) -> None:
    script = f"echo '{PASSWORD}' | sudo -k -S sh -c 'echo in as $(id -un)'"
    terminal = sign_in.spawn("sh", "-c", script, user="alice")
    shown = is_in(terminal)
    assert f"{DUE}: {RUN_THIS}" in shown and "PIN of Card of alice: " not in shown


def test_sudo_that_must_not_ask_does_not(sign_in: PromptHost, card: Record) -> None:
    terminal = sign_in.spawn("sudo", "-k", "-n", "id", user="alice")
    terminal.expect("password is required")
    assert "PIN" not in terminal.before
    terminal.expect(pexpect.EOF)


def test_ssh_says_what_to_run_and_only_to_who_has_signed_in(
    sign_in: PromptHost, card: Record, need_program: t.Callable[..., str]
) -> None:
    folder = sign_in.folder
    sign_in.machine.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host"))
    sign_in.machine.run("mkdir", "-p", "/run/sshd")
    settings = {"HostKey": folder / "host", "UsePAM": "yes", "KbdInteractiveAuthentication": "yes", "PidFile": "none"}
    options = [option for name, value in settings.items() for option in ("-o", f"{name}={value}")]
    server = sign_in.machine._inside(need_program("sshd"), "-i", "-e", "-f", "/dev/null", *options)
    known = ["-o", f"UserKnownHostsFile={folder}/known", "-o", "StrictHostKeyChecking=accept-new", "-F", "none"]
    ssh = [need_program("ssh"), *known, "-o", f"ProxyCommand={' '.join(map(str, server))}", "alice@host"]
    terminal = pexpect.spawn(ssh[0], [*ssh[1:], "echo in as $(id -un)"], encoding="utf-8", timeout=30)
    assert "PIN" not in answer(terminal, (ASKED, WRONG))
    shown = answer(terminal, (ASKED, PASSWORD)) + is_in(terminal, "alice")
    assert f"{DUE}: {RUN_THIS}" in shown


# Nobody is locked out.


def test_a_service_that_hangs_or_is_away_lets_the_password_through(sign_in: PromptHost, card: Record) -> None:
    service = sign_in.machine.service
    assert service is not None
    for number in (signal.SIGSTOP, signal.SIGKILL):
        os.kill(service.pid, number)
        terminal = sign_in.sudo()
        answer(terminal, (ASKED, PASSWORD))
        is_in(terminal)


def test_a_tpm_that_hangs_lets_the_password_through(sign_in: PromptHost, card: Record) -> None:
    terminal = sign_in.sudo()
    answer(terminal, *change()[:2])
    terminal.expect(AGAIN_ASKED)
    with sign_in.machine.tpm.hanging():
        terminal.sendline(NEW)
        assert "does not answer within" in answer(terminal, (ASKED, PASSWORD))
        is_in(terminal)


def test_a_program_of_an_earlier_release_is_left_alone(sign_in: PromptHost, card: Record) -> None:
    (sign_in.folder / "lib/hardbound_identity/_command/pin_change.py").unlink()
    terminal = sign_in.sudo()
    assert "PIN" not in answer(terminal, (ASKED, PASSWORD)) + is_in(terminal)
