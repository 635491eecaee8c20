# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process keeps of a card between two logins: of use with the PIN, of none to who steals its memory."""

from __future__ import annotations

import hashlib
import os
import pathlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.derivation import unbox
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import (
    Blocked,
    CardGone,
    CardLost,
    NotVerified,
    WrongSecret,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.gate import Gates
from ansible_collections.hardbound.identity.plugins.module_utils._card.host import CardHost
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import command as wire
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import Algorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.policy import Command
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import sized as wire_sized
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import nv
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import TpmError, TpmUnreachable
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.session import Given, obtain_ticket
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench
from ansible_collections.hardbound.identity.tests.support.relay import Relay, read_message
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

pytestmark = pytest.mark.tpm

PIN, NEW_PIN, PUK = b"123456", b"654321", b"87654321"
MESSAGE = b"what is signed"
DIGEST = hashlib.sha256(MESSAGE).digest()
SLOT = 0x9A


@pytest.fixture
def record(bench):
    record = bench.make()
    with bench.open(record, PIN) as card:
        card.make_key(KeySpecification(SLOT, KeyAlgorithm.ECC_P256))
        record = card.record
    bench.tpm.release()
    return record


@pytest.fixture
def host(bench, record):
    """A card service that has had the card in use, and closed it."""
    host = CardHost(bench.store.folder)
    signs(host, record)
    yield host
    host.close()


def signs(host, record, pin=PIN):
    """What a new program does."""
    with host.open(record.number) as card:
        card.verify(pin)
        signature = card.sign(SLOT, DIGEST)
        load_der_public_key(card.keys()[SLOT].public).verify(signature, MESSAGE, ec.ECDSA(hashes.SHA256()))
    host.idle()


@pytest.fixture
def memory(host, record):
    """What a thief finds in the service's memory while nobody is logged in."""
    return host.open(record.number)._session.kept


def only_workbench(host):
    assert len(host._benches) == 1
    return next(iter(host._benches.values()))


@pytest.fixture
def commands(host, monkeypatch):
    """Codes of the commands that the service's TPM gets."""
    bench = only_workbench(host)
    codes, begin = [], bench.tpm.begin

    def noted(command):
        codes.append(int.from_bytes(command[6:10], "big"))
        begin(command)

    monkeypatch.setattr(bench.tpm, "begin", noted)
    return codes


def test_a_second_program_unseals_and_loads_nothing(host, record, commands):
    signs(host, record)
    assert 0x161 in commands and not {0x157, 0x15E, 0x14E} & set(commands)  # Load, Unseal, NV_Read


def test_protected_objects_open_again(bench, host, record):
    with host.open(record.number) as card:
        card.verify(PIN)
        card.store_protected(0x5FC103, b"fingerprints")
        card.make_key(KeySpecification(0x9C, KeyAlgorithm.ECC_P256))
    with host.open(record.number) as card:
        with pytest.raises(NotVerified):
            card.protected(0x5FC103)
        card.verify(PIN)
        assert card.protected(0x5FC103) == b"fingerprints"


def test_a_wrong_pin_is_counted_and_closes_the_card(bench, host, record):
    with host.open(record.number) as card:
        card.verify(PIN)
        for left in (2, 1):
            with pytest.raises(WrongSecret) as caught:
                card.verify(b"wrong1")
            assert caught.value.left == left
            assert card.tries(Reference.PIN).left == left
            with pytest.raises(NotVerified):
                card.sign(SLOT, DIGEST)
        with pytest.raises(WrongSecret):
            card.verify(b"wrong1")
        with pytest.raises(Blocked):
            card.verify(PIN)
        card.unblock(PUK, NEW_PIN)
    signs(host, record, NEW_PIN)


def test_a_try_that_another_process_has_spent_is_seen(bench, host, record):
    with host.open(record.number) as card:
        assert card.tries(Reference.PIN).left == 3
        host.idle()
        with pytest.raises(WrongSecret):
            bench.open(record).check(Reference.PIN, b"wrong1")
        bench.tpm.release()
        assert card.tries(Reference.PIN).left == 2
        host.idle()
        bench.open(record, PIN).close()
        bench.tpm.release()
        assert card.tries(Reference.PIN).left == 3


def test_a_pin_that_another_process_has_set_holds(bench, host, record):
    bench.open(record).change(Reference.PIN, PIN, NEW_PIN)
    bench.tpm.release()
    with host.open(record.number) as card, pytest.raises(WrongSecret):
        card.verify(PIN)
    for _unused in range(2):
        signs(host, record, NEW_PIN)


def test_a_key_that_another_process_has_made_anew_is_the_one_that_signs(bench, host, record):
    with bench.open(record, PIN) as card:
        card.make_key(KeySpecification(SLOT, KeyAlgorithm.ECC_P256))
    bench.tpm.release()
    signs(host, record)


def test_a_restart_of_the_tpm_costs_no_more_than_another_first_login(bench, host, record, software_tpm):
    software_tpm.restart()
    for _unused in range(2):
        signs(host, record)


def test_a_cleared_tpm_is_told_as_such(bench, host, record):
    """TPM2_Clear takes the indices and the storage root key."""
    for handle in bench.card_indices():
        with bench.tpm.taken():
            nv.undefine(bench.tpm, handle)
    bench.tpm.release()
    with host.open(record.number) as card, pytest.raises(CardLost):
        card.verify(PIN)


# The thief of the service's memory.


def test_a_stolen_context_signs_nothing(bench, memory):
    """No password, no empty policy, no ticket of another index opens it."""
    stolen = memory.keys[SLOT]
    other = bench.open(bench.make("other"), PIN)
    others = other._session.opened.ticket
    with bench.tpm.taken() as tpm:
        handle = wire.first_handle(tpm.run(wire.context_load(stolen.context)))
        empty = wire.first_handle(tpm.run(wire.start_policy_session()))
        for session in (0x40000009, empty):
            with pytest.raises(TpmError):
                tpm.run(wire.sign_ecdsa(handle, session, DIGEST, Algorithm.SHA256))
        tpm.flush(handle)
    with pytest.raises(TpmError):
        bench.workbench.sign(stolen, others, DIGEST)


def test_a_stolen_context_signs_with_the_right_ticket_alone(bench, host, record, memory):
    """The other side of the test before: it is the ticket that was missing there."""
    stolen = memory.keys[SLOT]
    ticket = bench.open(record, PIN)._session.opened.ticket
    assert bench.workbench.sign(stolen, ticket, DIGEST)


def test_a_stolen_box_opens_with_nothing_that_the_thief_has(bench, record, memory):
    """It is under what the SECRET index holds, and the TPM gives that to nobody without the PIN."""
    model = record.model
    index = model.indices[Role.SECRET]
    with bench.tpm.taken() as tpm:
        gates = Gates(tpm, record)
        for steps in (index.authorise(model.by(Role.PIN, Command.NV_READ)), ()):
            with pytest.raises((TpmError, KeyError)):
                nv.read(tpm, gates.entity(Role.SECRET), 32, steps, Given({}, {}))
    for guess in (bytes(32), os.urandom(32), record.salt * 2, gates.auth(Role.PIN, PIN)):
        with pytest.raises(ValueError):
            unbox(guess, record.serial + b"kept", memory._boxed)
    assert PIN not in memory._boxed


def test_contexts_of_a_destroyed_card_are_worth_nothing(bench, host, record, memory):
    """Not even to who knows the PIN, kept the contexts, and makes the index anew with the owner's rights."""
    stolen = memory.keys[SLOT]
    watching = host.open(record.number)
    bench.destroy(record)
    with pytest.raises(CardGone):
        watching.verify(PIN)
    assert watching._session.kept.keys == {} and not watching._session.kept.fits(record)
    host.idle()
    model = record.model
    with bench.tpm.taken() as tpm:
        auth = Gates(tpm, record).auth(Role.PIN, PIN)
        counter, ordinary = (nv.define(tpm, model.indices[role], auth) for role in (Role.PIN, Role.POLICY))
        with pytest.raises(TpmError):
            obtain_ticket(tpm, model.name(Role.PIN), counter, 60)
        ticket = obtain_ticket(tpm, model.name(Role.PIN), ordinary, 60)
        with pytest.raises(TpmError):
            bench.workbench.sign(stolen, ticket, DIGEST)


def test_the_session_in_which_the_pin_was_proved_is_gone_after_logout(bench, host, record):
    with host.open(record.number) as card:
        card.verify(PIN)
        workbench = only_workbench(host)
        session = workbench._session
        assert session in workbench.tpm.handles(wire.LOADED_SESSIONS)
        card.logout()
        assert session not in workbench.tpm.handles(wire.LOADED_SESSIONS)


def test_a_key_that_stays_loaded_after_logout_signs_for_nobody(bench, host, record):
    """Between two logins of one process it may lie in the TPM. Who gets at it there needs the PIN as before."""
    with host.open(record.number) as card:
        card.verify(PIN)
        signature = card.sign(SLOT, DIGEST)
        card.logout()
        workbench = only_workbench(host)
        tpm, handle = workbench.tpm, workbench._handle
        assert signature and handle in tpm.handles(wire.TRANSIENT)
        assert workbench._entered is None and not workbench._is_ready
        for session in (0x40000009, wire.first_handle(tpm.run(wire.start_policy_session()))):
            with pytest.raises(TpmError):
                tpm.run(wire.sign_ecdsa(handle, session, DIGEST, Algorithm.SHA256))
        left = workbench._session  # The session of the last signature goes on, and proves nothing any more.
        for step in wire.policy_steps(left, workbench._key.rest):
            with pytest.raises(TpmError):
                tpm.run(step)
        with pytest.raises(TpmError):
            tpm.run(wire.sign_ecdsa(handle, left, DIGEST, Algorithm.SHA256))
        with pytest.raises(NotVerified):
            card.sign(SLOT, DIGEST)


def test_what_another_process_changes_takes_a_loaded_key_away(bench, host, record):
    with host.open(record.number) as card:
        card.verify(PIN)
        card.sign(SLOT, DIGEST)
        workbench = only_workbench(host)
        handle = workbench._handle
        bench.store.write(bench.store.read(record.number).with_key(SLOT, record.keys[SLOT]))
        card._session._end()
        with pytest.raises(WrongSecret):
            card.verify(b"000000")
        assert handle not in workbench.tpm.handles(wire.TRANSIENT)


def test_an_idle_service_leaves_nothing_to_a_resource_manager(bench, record, monkeypatch):
    """It would have to save and load it for each command of others, until it runs out of room for such gaps."""
    monkeypatch.setattr(Tcti, "managed", True)
    host = CardHost(bench.store.folder)
    card = host.open(record.number)
    card.verify(PIN)
    workbench = only_workbench(host)
    for _unused in range(2):
        card.sign(SLOT, DIGEST)
        host.prepare()
        assert workbench.tpm.handles(wire.LOADED_SESSIONS)
        assert not host.is_at_rest
        host.idle()
        assert host.is_at_rest and workbench.tpm.is_settled
        assert workbench.tpm.handles(wire.LOADED_SESSIONS) == []
        assert workbench.tpm.handles(wire.TRANSIENT) == []
    assert card.sign(SLOT, DIGEST)
    host.close()


def test_the_session_of_one_card_signs_with_no_key_of_another(bench, host, record):
    other = bench.make("other")
    with bench.open(other, PIN) as card:
        card.make_key(KeySpecification(SLOT, KeyAlgorithm.ECC_P256))
    bench.tpm.release()
    signs(host, bench.store.read(other.number))
    with host.open(record.number) as card, host.open(other.number) as second:
        card.verify(PIN)
        with pytest.raises(NotVerified):
            second.sign(SLOT, DIGEST)
        second.verify(PIN)
        assert card.sign(SLOT, DIGEST) and second.sign(SLOT, DIGEST)


def test_an_answer_that_was_changed_on_its_way_opens_nothing(bench, host, record, monkeypatch):
    """Somebody on the TPM's bus says "right" to a wrong PIN."""
    with host.open(record.number) as card:
        workbench = only_workbench(host)
        card.verify(PIN)
        card.logout()
        run = workbench.tpm.run

        def forged(command):
            if int.from_bytes(command[6:10], "big") != 0x151:
                return run(command)
            with pytest.raises(TpmError):
                run(command)
            body = wire.sized(bytes(8)) + bytes.fromhex("8023 40000001") + wire.sized(bytes(32))
            area = wire.sized(bytes(32)) + b"\0" + wire.sized(bytes(32))
            size = 14 + len(body) + len(area)
            return b"\x80\x02" + size.to_bytes(4, "big") + bytes(4) + len(body).to_bytes(4, "big") + body + area

        monkeypatch.setattr(workbench.tpm, "run", forged)
        with pytest.raises(TpmUnreachable, match="changed on its way"):
            card.verify(b"wrong1")
        assert not card.verified


def secret_of(card):
    return card._session.require_pin().contents().secret


def test_what_the_secret_index_holds_does_not_travel_in_the_clear(host, record, monkeypatch):
    with host.open(record.number) as card:
        workbench, seen = only_workbench(host), []
        run = workbench.tpm.run

        def listening(command, *what):
            seen.extend((command, run(command, *what)))
            return seen[-1]

        monkeypatch.setattr(workbench.tpm, "run", listening)
        card.verify(PIN)
        secret = secret_of(card)
        assert any(int.from_bytes(each[6:10], "big") == wire.CommandCode.NV_READ for each in seen)
        assert len(secret) == 32 and not any(secret in each for each in seen)


@pytest.mark.parametrize("at", [16, -1])
def test_a_secret_that_was_changed_on_its_way_is_none(host, record, monkeypatch, at):
    """Somebody on the TPM's bus changes a bit of what is encrypted, or of the answer's HMAC."""
    with host.open(record.number) as card:
        workbench = only_workbench(host)
        card.verify(PIN)
        run = workbench.tpm.run

        def changed(command, *what):
            response = bytearray(run(command, *what))
            if int.from_bytes(command[6:10], "big") == wire.CommandCode.NV_READ:
                response[at] ^= 1
            return bytes(response)

        monkeypatch.setattr(workbench.tpm, "run", changed)
        with pytest.raises(TpmUnreachable, match="changed on its way"):
            secret_of(card)


def test_an_index_that_was_made_anew_is_told_as_a_lost_card(bench, host, record):
    """The owner's rights are enough to make it anew, and not to give it its Name."""
    with host.open(record.number) as card:
        card.verify(PIN)
        workbench = only_workbench(host)
        tpm, index = workbench.tpm, record.model.indices[Role.SECRET]
        nv.undefine(tpm, index.handle)
        nv.define(tpm, index, b"")
        with pytest.raises(CardLost):
            secret_of(card)


class Interposer(Relay):
    """Sits on the TPM's bus, and shows a storage root key of its own under the Name of the right one."""

    def __init__(self, *where):
        self.key = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
        self.proofs = 0
        super().__init__(*where)

    def _relay(self, client, tpm):
        command = read_message(client)
        if command is None:
            return False
        tpm.sendall(command)
        response = read_message(tpm)
        code, handle = int.from_bytes(command[6:10], "big"), command[10:14]
        self.proofs += code == wire.CommandCode.POLICY_SECRET
        if code == wire.CommandCode.READ_PUBLIC and handle == bytes.fromhex("81000001"):
            end = wire.take_sized(response, 10)[1]
            point = wire_sized(self.key.x.to_bytes(32, "big")) + wire_sized(self.key.y.to_bytes(32, "big"))
            response = response[: end - len(point)] + point + response[end:]
        client.sendall(response)
        return True


def test_no_pin_is_hidden_by_a_key_of_somebody_on_the_bus(bench, record, short_path):
    """Whoever has its private half knows the salt, and could guess the PIN without the TPM's counting."""
    relay = Interposer(pathlib.Path(Tcti.parse(bench.tcti).options["path"]), short_path / "relay")
    with Tpm(Tcti.parse(relay.tcti), bench.store.folder).taken() as tpm:
        card = Card(bench.store, Workbench(tpm), record.number)
        with pytest.raises(StateError, match="another storage root key"):
            card.verify(PIN)
        with pytest.raises(StateError, match="another storage root key"):
            card.change(Reference.PIN, PIN, NEW_PIN)
        assert Gates(tpm, record).found_root() is None
    assert relay.proofs == 0
    with bench.open(record, PIN) as card:
        assert card.tries(Reference.PIN).left == card.tries(Reference.PIN).limit
