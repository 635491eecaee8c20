# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a TPM is asked for each thing that a user does, held against the list in tpm_commands.yml.

The commands are those that go to /dev/tpmrm0: the TPM is taken as one that a resource manager guards.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import tempfile
from collections import Counter

import pytest
import yaml

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.plugins.module_utils._card.activation import activate_cards
from ansible_collections.hardbound.identity.plugins.module_utils._card.evidence import Question, collect
from ansible_collections.hardbound.identity.plugins.module_utils._card.host import CardHost
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._card.wholeness import is_whole
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.challenge import Challenge, seal
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.credential import make_credential
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.payload import Payload
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import Public
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.tests.support.command_log import ASYMMETRIC, CommandLog
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm

pytestmark = pytest.mark.tpm

LISTED = yaml.safe_load(pathlib.Path(__file__).with_name("tpm_commands.yml").read_text())
PIN, NEW_PIN = b"123456", b"654321"
DIGEST = hashlib.sha256(b"what is signed").digest()
SLOT, ALGORITHM = 0x9A, KeyAlgorithm.ECC_P256
ACTIONS = (
    "card made",
    "key made",
    "card looked at",
    "tries shown, first time",
    "PIN verified, first time since the TPM's start",
    "signature, first time since the TPM's start",
    "further signature",
    "new process: tries shown, PIN verified, signature, end",
    "PIN changed",
    "renewal, evidence",
    "renewal, certificate handed over",
    "card destroyed",
)


class User:
    """Does what users do, and notes what each takes of the TPM."""

    def __init__(self, bench, log):
        self._bench, self._log = bench, log
        self.taken = {}

    def does(self, what, action):
        with self._log.counting() as counts:
            found = action()
        self.taken[what] = dict(counts)
        return found

    def do_all(self):
        actions, bench = iter(ACTIONS), self._bench
        record = self.does(next(actions), bench.make)
        card = bench.open(record, PIN)
        self.does(next(actions), lambda: card.make_key(KeySpecification(SLOT, ALGORITHM)))
        card.close()
        with bench.tpm.taken():
            self.does(next(actions), lambda: is_whole(bench.tpm, record))
        self._end(bench.tpm)
        host = CardHost(bench.store.folder)
        program = host.open(record.number)
        self.does(next(actions), lambda: self._show_tries(program))
        self.does(next(actions), lambda: program.verify(PIN))
        for _unused in range(2):
            self.does(next(actions), lambda: program.sign(SLOT, DIGEST))
        program.close()
        host.idle()
        self.does(next(actions), lambda: self._sign_once(host, record.number))
        self._end(host)
        self.does(next(actions), lambda: bench.open(record).change(Reference.PIN, PIN, NEW_PIN))
        self._renew(actions, record)
        self.does(next(actions), lambda: bench.destroy(record))

    def _end(self, program):
        program.close()
        self._log.flush()

    def _sign_once(self, host, number):
        card = host.open(number)
        self._show_tries(card)
        card.verify(PIN)
        card.sign(SLOT, DIGEST)
        card.close()
        host.idle()

    @staticmethod
    def _show_tries(card):
        for reference in (Reference.PIN, Reference.PUK):
            assert card.tries(reference).left == 3

    def _renew(self, actions, record):
        store, tpm = self._bench.store, self._bench.tpm
        question = Question(record.number, os.urandom(32), frozenset((SLOT,)))
        self._end(tpm)
        evidence = self.does(next(actions), lambda: collect(store, tpm, [question]))
        self._end(tpm)
        secret, (card,) = os.urandom(32), evidence.cards
        credential = make_credential(Public.parse(evidence.ek), Public.parse(card.ak).name, secret)
        payload = Payload({}, b"a certificate").encode()
        challenge = Challenge(record.name, credential, seal(secret, record.name, payload))
        (activation,) = self.does(next(actions), lambda: activate_cards(store, tpm, [challenge]))
        self._end(tpm)
        assert activation.changed, activation.failure


@pytest.fixture(scope="module")
def taken(require_swtpm):
    from ansible_collections.hardbound.identity.tests.support.card_bench import Bench

    with tempfile.TemporaryDirectory(prefix="hb-") as folder, pytest.MonkeyPatch.context() as patch:
        place = pathlib.Path(folder)
        for name in ("tpm", "store"):
            (place / name).mkdir()
        tpm = SoftwareTpm(place / "tpm")
        tpm.start()
        patch.setattr(Tcti, "managed", True)
        log = CommandLog(tpm.socket, place / "relay")
        bench = Bench(place / "store", log.tcti)
        user = User(bench, log)
        user.do_all()
        bench.tpm.close()
        tpm.stop()
        return user.taken


def test_the_list_is_of_these_actions():
    assert tuple(LISTED) == ACTIONS


@pytest.mark.parametrize("action", ACTIONS)
def test_the_tpm_is_asked_what_is_listed(taken, action):
    found = yaml.safe_dump({action: taken[action]}, sort_keys=True)
    assert taken[action] == LISTED[action], f"tpm_commands.yml is not as it is:\n{found}"


def test_a_new_process_takes_few_commands():
    """The card was used before since the TPM's start."""
    counts = Counter(LISTED[ACTIONS[7]])
    assert sum(counts.values()) <= 12
    assert sum(count for kind, count in counts.items() if kind in ASYMMETRIC and kind != "Sign") <= 2
