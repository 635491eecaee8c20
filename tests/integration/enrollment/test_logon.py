# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real logons with enrolled cards: with the PIN, without it, with a wrong one, and after the card was retired.

The tests go on from each other: what is retired stays retired.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import typing as t

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.tests.integration.enrollment.logon import (
    HOSTS,
    KEYS,
    MODULE,
    SERVICES,
    Service,
    add,
    owner,
)
from ansible_collections.hardbound.identity.tests.support.card_machine import CardMachine
from ansible_collections.hardbound.identity.tests.support.fleet import PIN, Fleet, new_fleet

pytestmark = pytest.mark.slow

WRONG_PIN = "pin-0000"
RETIRE = "hardbound.identity.retire"


class Site(t.NamedTuple):
    """Two hosts with an enrolled card each, and services that know the CA."""

    fleet: Fleet
    machines: t.Dict[str, CardMachine]
    services: t.Dict[str, Service]


@pytest.fixture(scope="module")
def site() -> t.Iterator[Site]:
    if os.geteuid() != 0:
        pytest.skip("needs root, for namespaces and pcscd")
    needed = ("pcscd", "nsenter", "ss", *(program for each in SERVICES.values() for program in each.programs))
    missing = [program for program in needed if shutil.which(program) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    with new_fleet() as fleet, owner(fleet):
        machines = {host: add(fleet, host, algorithm) for host, algorithm in KEYS.items()}
        services: t.Dict[str, Service] = {}
        try:
            run = fleet.play()
            assert run.statuses() == dict.fromkeys(KEYS, "enrolled"), run.output
            fleet.sign_lists()
            for host, machine in machines.items():
                [card] = run.results[host]["cards"]
                (fleet.folder / f"{host}.pem").write_text(card["certificates"][0]["certificate"])
                machine.start()
            (fleet.ca / "public/ssh.revoked").touch()
            for name, service in SERVICES.items():
                services[name] = service(machines[HOSTS[name]], fleet, fleet.folder / f"{HOSTS[name]}.pem")
                services[name].start()
            yield Site(fleet, machines, services)
        finally:
            for each in services.values():
                each.stop()
            for machine in machines.values():
                machine.stop()


@pytest.fixture(params=SERVICES)
def service(site, request):
    return site.services[request.param]


def test_with_the_pin(service):
    said = service.logon(PIN)
    assert service.welcome in said, said + (service.folder / "log").read_text() + service.machine.log()


def test_without_the_pin(service):
    assert service.welcome not in service.logon(None)


def test_with_a_wrong_pin_and_then_with_the_right_one(service):
    assert service.welcome not in service.logon(WRONG_PIN)
    assert service.welcome in service.logon(PIN)


@pytest.mark.parametrize("name", ["ssh", "ssh_agent", "ssh_certificate"])
def test_a_wrong_pin_costs_ssh_one_try(site, name):
    """With a certificate, too, where the server does not take the bare key beside it."""
    service = site.services[name]
    [card] = service.machine.store.records()
    before = service.machine.tries(card)
    assert service.welcome not in service.logon(WRONG_PIN)
    assert service.machine.tries(card)[0] == before[0] - 1
    assert service.welcome in service.logon(PIN)


@pytest.fixture(scope="module")
def revoked(site):
    """Both hosts were stolen: they don't answer when they are retired, and their cards work as ever."""
    honest = {host: dict(variables) for host, variables in site.fleet.inventory.items()}
    for variables in site.fleet.inventory.values():
        variables.update(ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=1)
    run = site.fleet.play("-e", "smartcard_enrollment_hosts=all", playbook=RETIRE)
    assert "HOST_UNREACHABLE" in run.output, run.output
    site.fleet.inventory.update(honest)
    for service in site.services.values():
        service.start()
    return site


def test_a_card_that_was_retired_from_afar_is_refused_by_the_service(revoked, service):
    """The card signs with the PIN, as before; who lets it in is the one who has to know."""
    sign = ["pkcs11-tool", "--module", MODULE, "--login", "--pin", PIN, "--sign", "--id", "01"]
    mechanism = "SHA256-RSA-PKCS" if service.machine is revoked.machines["rsa"] else "ECDSA"
    (service.folder / "data").write_bytes(bytes(32))
    files = ["--input-file", str(service.folder / "data"), "--output-file", str(service.folder / "signature")]
    service.machine.run(*sign, "--mechanism", mechanism, *files)
    said = service.logon(PIN)
    assert service.welcome not in said, said


@pytest.fixture(scope="module")
def destroyed(revoked):
    """The hosts answer now, and are retired with their cards."""
    run = revoked.fleet.play("-e", "smartcard_enrollment_hosts=all", playbook=RETIRE)
    assert run.code == 0 and run.statuses() == dict.fromkeys(KEYS, "retired"), run.output
    return revoked


def test_a_card_that_was_retired_is_gone(destroyed, service):
    assert service.welcome not in service.logon(PIN)
    assert not list(pathlib.Path(service.machine.store.folder, "cards").glob("*.json"))
