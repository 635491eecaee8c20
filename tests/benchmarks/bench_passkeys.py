# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What passkeys cost over the TPM that carries them. Ratios of one run; the TPM as it is, and as slow as others."""

from __future__ import annotations

import functools
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import pytest

pytest.importorskip("fido2.features", reason="needs PyPI's fido2: tests/requirements/pip-old.txt")

from ansible_collections.hardbound.identity.plugins.module_utils._card.passkey import PasskeyUser, WantedPasskey
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.authenticator import Authenticator
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.cbor import encode
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.tests.benchmarks.bench_card import rate, raw_signer
from ansible_collections.hardbound.identity.tests.integration.fido2.client import HASH, RP, Program
from ansible_collections.hardbound.identity.tests.support.card_bench import PIN, Bench
from ansible_collections.hardbound.identity.tests.support.command_log import PROFILES, CommandLog, kind
from ansible_collections.hardbound.identity.tests.support.hid_device import PluggedIn
from ansible_collections.hardbound.identity.tests.support.relay import read_message
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm

ROUNDS = {"swtpm": 30, "firmware TPM": 10, "discrete TPM": 5}
MANY = 100


class TimedLog(CommandLog):
    """Also counts the seconds that the TPM itself takes."""

    seconds = 0.0

    def _relay(self, client, tpm):
        command = read_message(client)
        if command is None:
            return False
        began = time.perf_counter()
        name = kind(command)
        self.kinds.append(name)
        tpm.sendall(command)
        response = read_message(tpm)
        time.sleep(self.delays.get(name, 0.0))
        self.seconds += time.perf_counter() - began
        client.sendall(response or b"")
        return True


class TimedTransport:
    """A connection that counts the seconds in which the card waits for it, to take a command or to give an answer.

    What the card does while the TPM is at a command is its own time, and not the command's.
    """

    seconds = 0.0

    def __init__(self, transport):
        self._transport = transport

    def send(self, command):
        began = time.perf_counter()
        self._transport.send(command)
        TimedTransport.seconds += time.perf_counter() - began

    def receive(self):
        began = time.perf_counter()
        response = self._transport.receive()
        TimedTransport.seconds += time.perf_counter() - began
        return response

    def close(self):
        self._transport.close()


class Desk:
    """A card in a TPM, behind a relay if it is to be slow."""

    def __init__(self, place: pathlib.Path, tpm: SoftwareTpm, relayed: bool) -> None:
        self.log = TimedLog(tpm.socket, place / "relay")
        self.bench = Bench(place / "store", self.log.tcti if relayed else tpm.tcti)
        self.card = self.bench.open(self.bench.make(pin_retries=8))
        self.errors = []
        self.authenticator = Authenticator(self.card, self.errors.append)

    def timed(self, act):
        """Returns the seconds of an action, and those that the TPM took of them."""
        before, began = self.log.seconds, time.perf_counter()
        with self.bench.store.glance():  # as the card service does for each message
            answer = act()
        seconds = time.perf_counter() - began
        assert self.errors == []
        return seconds, self.log.seconds - before, answer


@pytest.fixture(params=["relayed"])
def desk(request, monkeypatch):
    connect = Tcti.connect
    monkeypatch.setattr(Tcti, "connect", lambda tcti: TimedTransport(connect(tcti)))
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        place = pathlib.Path(folder)
        for name in ("tpm", "store"):
            (place / name).mkdir()
        tpm = SoftwareTpm(place / "tpm")
        tpm.start()
        desk = Desk(place, tpm, request.param == "relayed")
        yield desk
        desk.bench.tpm.close()
        tpm.stop()


def made(program, discoverable=False):
    """A request of authenticatorMakeCredential, and the token that it needs is fresh."""
    token = program.token("MAKE_CREDENTIAL", rp=RP)
    user = {"id": b"alice", "name": "alice"}
    asked = {1: HASH, 2: {"id": RP}, 3: user, 4: [{"type": "public-key", "alg": -7}], 7: {"rk": discoverable}}
    return b"\x01" + encode({**asked, 8: program.mac(token, HASH), 9: program.protocol.VERSION})


def got(program, identifier):
    token = program.token("GET_ASSERTION", rp=RP)
    listed = [{"id": identifier, "type": "public-key"}]
    return b"\x02" + encode({1: RP, 2: HASH, 3: listed, 6: program.mac(token, HASH), 7: program.protocol.VERSION})


def made_often(desk, program, rounds):
    """Returns medians of the whole's seconds, of the card's waiting for its commands, and of the TPM's own."""
    whole, waited, own = [], [], []
    for _unused in range(rounds):
        request = made(program)
        desk.bench.workbench.prepare(False)  # as the card service does after each message
        before = TimedTransport.seconds
        seconds, tpm, answer = desk.timed(functools.partial(desk.authenticator.transmit, request))
        assert answer[0] == 0
        whole.append(seconds)
        waited.append(TimedTransport.seconds - before)
        own.append(tpm)
    return [statistics.median(times) for times in (whole, waited, own)]


@pytest.mark.parametrize("desk", ["as it is"], indirect=True)
def test_make_credential_over_the_wait_for_its_commands(desk):
    """On a TPM that answers within a millisecond, going there and back is a part of what a command takes."""
    with PluggedIn(desk.authenticator, time.monotonic) as plugged_in:
        program = Program(plugged_in, PIN.decode())
        program.make()  # what the first one alone takes
        whole, waited, _own = made_often(desk, program, ROUNDS["swtpm"])
    print(f"\nMakeCredential, P-256, swtpm, no relay {whole / waited:5.2f} times the wait for its commands,")
    print(f"{1000 * whole:.2f} ms over {1000 * waited:.2f} ms")


def test_make_credential_over_the_sum_of_its_tpm_commands(desk):
    print()
    with PluggedIn(desk.authenticator, time.monotonic) as plugged_in:
        program = Program(plugged_in, PIN.decode())
        program.make()  # what the first one alone takes
        for name, delays in PROFILES.items():
            desk.log.delays = dict(delays)
            made_often(desk, program, 1)  # which leaves ESAPI
            request = made(program)
            before = len(desk.log.kinds)
            assert desk.authenticator.transmit(request)[0] == 0
            kinds = desk.log.kinds[before:]
            whole, waited, own = made_often(desk, program, ROUNDS[name])
            print(f"MakeCredential, P-256, {name:<14} {len(kinds):3} commands, {whole / own:5.2f} times the TPM's own")
            print(f"{'':<24}time, {whole / waited:5.2f} times the wait for them: {' '.join(kinds)}")


@pytest.mark.parametrize("desk", ["as it is", "relayed"], indirect=True)
def test_get_assertion_against_two_raw_commands(desk, request):
    print()
    relayed = request.node.callspec.params["desk"] == "relayed"
    names = [name for name in PROFILES if (name != "swtpm") == relayed]
    with PluggedIn(desk.authenticator, time.monotonic) as plugged_in:
        program = Program(plugged_in, PIN.decode())
        identifier = program.make().auth_data.credential_data.credential_id
        program.get(allowed=[identifier])
        for name in names:
            desk.log.delays = dict(PROFILES[name])
            inside, outside, raw = [], [], []
            for _unused in range(ROUNDS[name]):
                request = got(program, identifier)
                desk.bench.workbench.prepare(False)  # as the card service does after each message
                seconds, _tpm, answer = desk.timed(lambda: desk.authenticator.transmit(request))  # noqa: B023
                assert answer[0] == 0
                inside.append(seconds)
                token = program.token("GET_ASSERTION", rp=RP)
                desk.bench.workbench.prepare(False)
                outside.append(desk.timed(lambda: program.get(token, allowed=[identifier]))[0])  # noqa: B023
                program.token("GET_ASSERTION", rp=RP)
                desk.card.passkeys.sign(desk.card.passkeys.find(RP, identifier), bytes(32))
                with raw_signer(desk.bench.tpm, desk.card, "P-256", identifier) as sign:
                    sign()
                    raw.append(desk.timed(sign)[0])
            two = statistics.median(raw)
            for where, times in (("the authenticator", inside), ("python-fido2 over HID", outside)):
                print(
                    f"GetAssertion at {where:<24} {name:<14} {two / statistics.median(times):5.2f} of two raw commands"
                )
    print(f"python-fido2 over HID alone, of an answer that is there: {1000 * of_the_client():.1f} ms")


class Known:
    """An authenticator that has its answers at once: what is left is the client's own time, and HID's."""

    def __init__(self, answers):
        self._answers = answers

    def transmit(self, request, _channel, _present=False):
        return self._answers[request[0]]


def of_the_client():
    info = encode({1: ["FIDO_2_0", "FIDO_2_1"], 2: [], 3: bytes(16), 4: {"clientPin": True}, 6: [2]})
    assertion = {1: {"id": bytes(400), "type": "public-key"}, 2: bytes(37), 3: bytes(71)}
    with PluggedIn(Known({4: b"\0" + info, 2: b"\0" + encode(assertion)}), time.monotonic) as plugged_in:
        program = Program(plugged_in, PIN.decode())
        listed = [{"id": bytes(400), "type": "public-key"}]
        return 1 / rate(lambda: program.ctap.get_assertion(RP, HASH, listed), 100)


def test_a_hundred_discoverable_passkeys_and_the_service_s_memory(desk):
    """The resident memory of a process with the service's modules and one card, as /proc knows it."""
    passkeys = desk.card.passkeys
    desk.card.verify(PIN)
    times = []
    for number in range(MANY):
        user = PasskeyUser(number.to_bytes(2, "big"), f"user{number}@corp.example", f"User number {number}")
        times.append(desk.timed(lambda: passkeys.make(WantedPasskey(RP, user, discoverable=True)))[0])  # noqa: B023
    assert len(passkeys.listed()) == MANY
    desk.card.logout()
    desk.bench.tpm.release()
    print(f"\n{MANY} discoverable passkeys: the first takes {times[0]:.3f} s, the last {times[-1]:.3f} s")
    print(f"{passkeys.room} bytes are left of the card's room")
    command = [sys.executable, "-c", SERVICE, desk.bench.store.folder, str(MANY)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    print(f"the service with that card: {done.stdout.strip()}")


SERVICE = """
import os, resource, selectors, sys, time
from ansible_collections.hardbound.identity.plugins.module_utils._card.host import CardHost
from ansible_collections.hardbound.identity.plugins.module_utils._edge import service
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2 import cbor
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.authenticator import Authenticator
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.cbor import encode
cbor.require()
host = CardHost(sys.argv[1], "/nonexistent")
card = host.open(0)
authenticator = Authenticator(card)
assert authenticator.transmit(bytes((4,)))[0] == 0
assert len(card.passkeys.listed()) == int(sys.argv[2])
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print({name: status[name].strip() for name in ("VmHWM", "VmRSS", "RssAnon")})
host.close()
"""
