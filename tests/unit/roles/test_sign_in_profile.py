# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way through the lines that the role smartcard_login gives PAM: who is let in, and who gets to the password."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import jinja2
import pytest
import yaml

ROLE = Path(__file__).parents[3] / "roles/smartcard_login"
FACTORS = ("trusted_signal", "fingerprint")
EACH = [
    pytest.param(name, factors, ticket, change, id=f"{name}-{'+'.join(factors) or 'one'}-{ticket:d}{change:d}")
    for name in ("profile", "passkeys")
    for factors in ((), FACTORS[:1], FACTORS[1:], FACTORS)
    for ticket, change in itertools.product((False, True), repeat=2)
]


class Line(NamedTuple):
    """A module of PAM, and what follows upon each of its answers: pam.conf(5)."""

    actions: dict[str, str]
    module: str

    @property
    def answers(self) -> list[str]:
        if "pam_permit" in self.module or "pam_deny" in self.module:
            return ["success" if "pam_permit" in self.module else "auth_err"]
        return sorted({"success", "ignore", *self.actions} - {"default"})

    @property
    def proves(self) -> str:
        """What somebody has shown of whom it lets in."""
        if "pam_sss" in self.module or "pam_u2f" in self.module:
            return "PIN"
        return "second factor" if "signals.py" in self.module or "pam_fprintd" in self.module else ""


def rendered(name: str, factors: tuple[str, ...], ticket: bool, change: bool) -> list[list[Line]]:
    """Returns the lines of each block of a profile that authenticates."""
    variables = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    loader = jinja2.FileSystemLoader(ROLE / "templates")
    environment = jinja2.Environment(loader=loader, trim_blocks=True, autoescape=False)
    environment.filters["bool"] = bool
    given = {
        "smartcard_login_pin_change": change,
        "smartcard_login_kerberos_ticket": ticket,
        "__smartcard_login_second_factors": factors,
        "smartcard_login_passkey_users": [],
    }
    text = environment.get_template(f"{name}.j2").render({**variables, **given})
    blocks = re.findall(r"^Auth(?:-Initial)?:\n((?:\t.*\n?)+)", text, re.MULTILINE)
    return [[line(each) for each in block.splitlines()] for block in blocks]


def line(text: str) -> Line:
    actions, module = re.fullmatch(r"\t\[(.*?)\]\t(.*)", text).groups()  # type: ignore[union-attr]
    return Line(dict(each.split("=") for each in actions.split()), module)


def ways(
    lines: list[Line], place: int = 0, proved: frozenset[str] = frozenset()
) -> Iterator[tuple[str, frozenset[str]]]:
    """Yields how each way ends, "in", "out" or at what comes "next", and what was proved on the way.

    A "ticket" that somebody gets is yielded, too.
    """
    if place == len(lines):
        yield "next", proved
        return
    assert place < len(lines), "a jump leads into the lines of somebody else"
    if "get_ticket.py" in lines[place].module:
        yield "ticket", proved
    for answer in lines[place].answers:
        action = lines[place].actions.get(answer, lines[place].actions["default"])
        now = proved | {lines[place].proves} if answer == "success" else proved
        if action in ("end", "die"):
            yield ("in" if action == "end" and answer == "success" else "out"), now - {""}
        else:
            yield from ways(lines, place + 1 + (int(action) if action.isdigit() else 0), now)


@pytest.mark.parametrize(("name", "factors", "ticket", "change"), EACH)
def test_nobody_is_in_or_has_a_ticket_without_a_pin_and_its_second_factor(
    name: str, factors: tuple[str, ...], ticket: bool, change: bool
) -> None:
    blocks = rendered(name, factors, ticket, change)
    assert len(blocks) == 2
    wanted = {"PIN", "second factor"} if factors else {"PIN"}
    for block in blocks:
        found: dict[str, list[frozenset[str]]] = {"in": [], "out": [], "next": [], "ticket": []}
        for end, proved in ways(block):
            found[end].append(proved)
        assert found["in"] and all(proved >= wanted for proved in found["in"])
        assert bool(found["ticket"]) == (ticket and name == "profile")
        assert all(proved - {""} >= wanted for proved in found["ticket"]), "nobody gets a ticket before they are in"
        assert frozenset() in found["next"], "whoever has no PIN gets to the password"
        assert not any(proved >= wanted for proved in found["next"]), "whoever has all is let in"


def test_each_second_factor_is_enough() -> None:
    for factors in (FACTORS[:1], FACTORS[1:], FACTORS):
        (block, _initial) = rendered("profile", factors, False, False)
        assert sum(line.proves == "second factor" for line in block) == len(factors)
