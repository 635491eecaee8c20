# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service restarts and is upgraded under open programs: none is killed, and each logs in again and goes on."""

from __future__ import annotations

import signal
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.laid_program import LaidProgram, older, today
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import CLIENT, Host
from ansible_collections.hardbound.identity.tests.support.service_manager import (
    STALE,
    Program,
    Supervisor,
    Systemd,
    end,
)
from ansible_collections.hardbound.identity.tests.support.waiting import until


@pytest.fixture(params=[Systemd, Supervisor])
def manager(host: Host, request: pytest.FixtureRequest) -> t.Union[Systemd, Supervisor]:
    host.make("Corp card", keys=[KeySpecification(0x9A, KeyAlgorithm.ECC_P256)])
    made: t.Union[Systemd, Supervisor] = request.param(host)
    return made


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_thirty_programs_outlive_the_service(host: Host, manager: t.Union[Systemd, Supervisor], number: int) -> None:
    manager.start()
    programs = [Program(host) for _each in range(30)]
    assert {each.answer() for each in programs} == {"ready"}
    assert {each.sign() for each in programs} == {"signed"}
    for _restart in range(2):
        manager.end(number)
        asked_meanwhile = programs[:10]
        for each in asked_meanwhile:
            each.ask()
        manager.start()
        assert {each.answer() for each in asked_meanwhile} == {STALE}
        assert {each.sign() for each in programs[10:]} == {STALE}
        assert {each.sign() for each in programs} == {"signed"}
    assert end(programs) == {0}


def test_thirty_programs_outlive_an_upgrade(host: Host, manager: t.Union[Systemd, Supervisor]) -> None:
    """Also those that come while the older program still runs, of which no file is left as it was."""
    program = LaidProgram(host.machine.folder / "lib")
    host.machine.program = program.start
    program.lay(older())
    manager.start()
    programs = [Program(host) for _each in range(20)]
    assert {each.answer() for each in programs} == {"ready"}
    assert "of an older release" in host.run("pkcs11-tool", "--module", CLIENT, "--show-info")
    program.lay(dict.fromkeys(older(), "raise SystemExit('half of an upgrade')"))
    programs += [Program(host) for _each in range(10)]
    assert {each.answer() for each in programs[20:]} == {"ready"}
    assert {each.sign() for each in programs} == {"signed"}
    program.lay(today())
    manager.end(signal.SIGTERM)
    for each in programs[:10]:
        each.ask()
    manager.start()
    assert {each.answer() for each in programs[:10]} == {STALE}
    assert {each.sign() for each in programs[10:]} == {STALE}
    assert {each.sign() for each in programs} == {"signed"}
    assert "of an older release" not in host.run("pkcs11-tool", "--module", CLIENT, "--show-info")
    assert end(programs) == {0}


def test_a_killed_keeper_leaves_no_service_that_holds_the_next_ones_sockets(host: Host) -> None:
    host.make("Corp card", keys=[KeySpecification(0x9A, KeyAlgorithm.ECC_P256)])
    supervisor = Supervisor(host)
    supervisor.start()
    supervisor.die()
    supervisor.start()
    program = Program(host)
    assert (program.answer(), program.sign()) == ("ready", "signed")
    assert end([program]) == {0}


def test_a_request_that_the_service_dies_over_is_answered_by_the_next(
    host: Host, manager: t.Union[Systemd, Supervisor]
) -> None:
    manager.start()
    program = Program(host)
    assert (program.answer(), program.sign()) == ("ready", "signed")
    manager.pause()
    program.ask()
    manager.end(signal.SIGKILL)
    manager.start()
    assert program.answer() == STALE
    assert program.sign() == "signed"
    assert end([program]) == {0}


def test_without_anybody_who_keeps_connections_a_program_is_killed(host: Host) -> None:
    """Why the service gives its connections away; p11-kit's side writes without a guard."""
    host.make("Corp card", keys=[KeySpecification(0x9A, KeyAlgorithm.ECC_P256)])
    host.start()
    program = Program(host)
    assert program.answer() == "ready"
    service = host.machine.service
    assert service is not None
    service.terminate()
    service.wait()
    assert program.sign() == ""
    assert program.process.wait() == -signal.SIGPIPE


def test_a_program_that_starts_while_the_service_is_away_has_no_slots_at_once(host: Host) -> None:
    host.make("Corp card", keys=[KeySpecification(0x9A, KeyAlgorithm.ECC_P256)])
    assert "No slots" in host.run("pkcs11-tool", "--module", CLIENT, "-L", ok=None)
    host.start()
    until(lambda: "Corp card" in host.run("pkcs11-tool", "--module", CLIENT, "-L"))
