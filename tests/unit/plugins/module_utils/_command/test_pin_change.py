# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody is asked at a sign-in whose PIN has to be changed."""

from __future__ import annotations

import io
import os
import pty
import termios
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._command.exit_code import CommandError, ExitCode
from ansible_collections.hardbound.identity.plugins.module_utils._command.pin_change import change_due
from ansible_collections.hardbound.identity.plugins.module_utils._command.terminal import (
    BorrowedTerminal,
    NothingGiven,
    Terminal,
)

CARDS = [
    {"card": number, "name": name, "pin_due": "has expired"} for number, name in enumerate(("Card of Alice", "Second"))
]
RULE = CommandError(ExitCode.RULE, "new PIN is too short: lengthen it.")
Faults = t.List[t.Optional[CommandError]]


class Service:
    """:param faults: what comes of each change, one after the other; None for nothing"""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.asked: t.List[t.Tuple[int, str, str]] = []

    def change_pin(self, card: int, pin: str, new_pin: str) -> None:
        self.asked.append((card, pin, new_pin))
        fault = self._faults.pop(0)
        if fault:
            raise fault


@pytest.fixture
def sign_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> t.Callable[..., t.Any]:
    def sign_in(typed: str, *faults: t.Optional[CommandError]) -> t.Tuple[Service, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in typed.split())))
        service = Service(list(faults))
        change_due(CARDS, t.cast(t.Any, service), Terminal(as_json=False))
        return service, capsys.readouterr().out

    return sign_in


def test_each_card_that_is_due_gets_its_new_pin(sign_in: t.Callable[..., t.Any]) -> None:
    service, said = sign_in("old1 new1 old2 new2", None, None)
    assert service.asked == [(0, "old1", "new1"), (1, "old2", "new2")]
    assert said.count("has expired. Change it here") == 2 and "The PIN of Second is changed." in said


def test_a_rule_that_is_broken_is_named_and_all_is_asked_anew(sign_in: t.Callable[..., t.Any]) -> None:
    service, said = sign_in("old1 short old1 new1", RULE, None)
    assert [new for _card, _pin, new in service.asked] == ["short", "new1"]
    assert "too short" in said and "The PIN of Card of Alice is changed." in said


def test_the_last_round_goes_on_to_the_next_card(sign_in: t.Callable[..., t.Any]) -> None:
    service, said = sign_in("o a o b o c old2 new2", RULE, RULE, RULE, None)
    assert [card for card, _pin, _new in service.asked] == [0, 0, 0, 1]
    assert said.count("too short") == 3


@pytest.mark.parametrize("code", [ExitCode.WRONG, ExitCode.BLOCKED, ExitCode.TPM, ExitCode.SERVICE])
def test_what_costs_a_try_or_time_is_not_tried_twice(sign_in: t.Callable[..., t.Any], code: ExitCode) -> None:
    service, said = sign_in("wrong new old2 new2", CommandError(code, "It failed."), None)
    assert [card for card, _pin, _new in service.asked] == [0, 1] and "It failed." in said


def test_whoever_types_nothing_is_told_what_to_run(sign_in: t.Callable[..., t.Any]) -> None:
    service, said = sign_in("")
    assert service.asked == []
    assert said.count("stays: change it with: hardbound-card change-pin") == 2


@pytest.fixture
def keyboard() -> t.Iterator[t.Tuple[int, int]]:
    """The two ends of a terminal: of whoever types, and of the program."""
    ends = pty.openpty()
    yield ends
    for each in ends:
        os.close(each)


def line(person: int) -> bytes:
    """Returns what is on the screen up to the end of a line. The kernel hands it over piece by piece."""
    found = b""
    while not found.endswith(b"\n"):
        found += os.read(person, 100)
    return found


def typed(keyboard: t.Tuple[int, int], keys: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """Asks, while somebody types as soon as it is asked."""
    person, program = keyboard
    terminal = BorrowedTerminal(program)
    write = terminal._write

    def write_and_type(text: str) -> None:
        write(text)
        if text == "PIN: ":
            assert not termios.tcgetattr(program)[3] & termios.ECHO
            os.write(person, keys)

    monkeypatch.setattr(terminal, "_write", write_and_type)
    return terminal.ask("PIN")


@pytest.mark.parametrize("keys", [b"1234\n", b"1234\r", b"123x\x7f4\n", b"99\x151234\n", b"\x7f1234\n"])
def test_a_secret_is_typed_at_the_terminal_of_another_program(
    keyboard: t.Tuple[int, int], keys: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = termios.tcgetattr(keyboard[1])
    assert typed(keyboard, keys, monkeypatch) == "1234"
    assert termios.tcgetattr(keyboard[1]) == before
    assert line(keyboard[0]) == b"PIN: \r\n", "no echo"


@pytest.mark.parametrize("keys", [b"1234\x03", b"1234\x04", b"\x1a", b"\n"])
def test_whoever_leaves_has_given_nothing(
    keyboard: t.Tuple[int, int], keys: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = termios.tcgetattr(keyboard[1])
    with pytest.raises(NothingGiven):
        typed(keyboard, keys, monkeypatch)
    assert termios.tcgetattr(keyboard[1]) == before
