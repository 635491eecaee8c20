# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task lets the TPM go, with its lock files, however the task ends: planned, refused, or broken off."""

from __future__ import annotations

import pathlib
import types
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import evidence
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._task import card_steps, key, tpm_card, tpm_lockout
from ansible_collections.hardbound.identity.plugins.module_utils._task.card import Smartcard
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import Module, converge
from ansible_collections.hardbound.identity.plugins.module_utils._task.enrollment import EvidenceVisit
from ansible_collections.hardbound.identity.plugins.module_utils._task.key import SmartcardKey
from ansible_collections.hardbound.identity.plugins.module_utils._task.tpm_lockout import TpmLockout
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.capability import Lockout
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.lockout import WrongLockoutAuth
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.tests.support.open_files import open_below
from ansible_collections.hardbound.identity.tests.support.task_cards import key_record, record
from ansible_collections.hardbound.identity.tests.support.tasks import card_task, visit_task, visited_card

TCTI = "swtpm:path=/nonexistent"
NO_HANDLES = bytes.fromhex("8001 00000013 00000000 00 00000001 00000000")
"""The answer to TPM2_GetCapability of a TPM that holds nothing: TPM 2.0 part 3, clause 30.2."""
BROKE = StateError("the TPM broke", "mend it")
AUTH_SET = Lockout(0, 32, 600, 86400, False, True)


class Transport:
    def __init__(self, opened: t.List[Transport]) -> None:
        opened.append(self)
        self.opened = opened

    def send(self, command: bytes) -> None:
        pass

    def receive(self) -> bytes:
        return NO_HANDLES

    def close(self) -> None:
        self.opened.remove(self)


class Bench:
    """A host with a card in a TPM, and what is open there."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.transports: t.List[Transport] = []
        self.most = 0
        store = Store(str(folder))
        store.prepare()
        store.write(record(tcti=TCTI, keys={0x9A: key_record()}))

    def connect(self) -> Transport:
        made = Transport(self.transports)
        self.most = max(self.most, len(self.transports))
        return made

    @property
    def lock_files(self) -> t.List[str]:
        return [each for each in open_below(self.folder) if "/tpm-" in each]

    def run(self, make: t.Callable[[], t.Any], check: bool) -> t.Dict[str, t.Any]:
        """Returns what the task said at its end."""
        said: t.Dict[str, t.Any] = {}

        def end(**result: t.Any) -> None:
            said.update(result)
            raise SystemExit

        module = types.SimpleNamespace(
            check_mode=check,
            argument_spec={},
            params={},
            no_log_values=set(),
            warn=lambda _warning: None,
            fail_json=end,
            exit_json=end,
        )
        with pytest.raises(SystemExit):
            converge(t.cast(Module, module), make)
        return said


@pytest.fixture
def bench(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench(tmp_path / "store")
    monkeypatch.setattr(Tcti, "connect", made.connect)
    monkeypatch.setattr(tpm_card, "is_whole", lambda _tpm, _card: True)
    monkeypatch.setattr(key, "check_algorithms", lambda _tpm, _keys, _field: None)
    lockout = types.SimpleNamespace(lockout=AUTH_SET)
    monkeypatch.setattr(tpm_lockout, "identify", lambda _tpm: lockout)
    monkeypatch.setattr(tpm_lockout, "set_parameters", broken(WrongLockoutAuth(0x98E)))
    monkeypatch.setattr(card_steps, "equip", broken())
    monkeypatch.setattr(evidence, "find_endorsement", broken())
    monkeypatch.setattr(Card, "remove_key", broken())
    return made


def broken(error: Exception = BROKE) -> t.Callable[..., t.NoReturn]:
    def breaks(*_arguments: t.Any) -> t.NoReturn:
        raise error

    return breaks


def lockout(folder: str, **given: t.Any) -> TpmLockout:
    unsaid = {name: argument.get("default") for name, argument in tpm_lockout.ARGUMENTS.items()}
    return TpmLockout.from_task({**unsaid, "tpm": TCTI, "store": folder, **given})


def smartcard(folder: str, **given: t.Any) -> Smartcard:
    return Smartcard.from_task(card_task(tpm=TCTI, store=folder, **given))


def smartcard_key(folder: str, **given: t.Any) -> SmartcardKey:
    unsaid = {name: argument.get("default") for name, argument in key.ARGUMENTS.items()}
    return SmartcardKey.from_task({**unsaid, "name": "card", "store": folder, **given})


def visit(folder: str, **given: t.Any) -> EvidenceVisit:
    return EvidenceVisit({**visit_task(folder, visited_card("card", **given)), "tpm": TCTI})


PLANNED: t.Dict[str, t.Callable[[str], t.Any]] = {
    "lockout": lambda folder: lockout(folder, max_tries=10, value="s3cr3t"),
    "card": lambda folder: smartcard(folder, attestation="aik_only"),
    "key": lambda folder: smartcard_key(folder, slot="signature", pin="12345678"),
}
REFUSED: t.Dict[str, t.Callable[[str], t.Any]] = {
    "lockout": lambda folder: lockout(folder, max_tries=10),
    "card": lambda folder: smartcard(folder, pin_retries=7),
    "visit": lambda folder: visit(folder, pin_retries=7),
}
BROKEN: t.Dict[str, t.Callable[[str], t.Any]] = {
    "lockout": PLANNED["lockout"],
    "card": PLANNED["card"],
    "key": lambda folder: smartcard_key(folder, slot="authentication", state="absent"),
    "visit": lambda folder: visit(folder, owner="alice"),
}


def check_that_all_is_closed(bench: Bench) -> None:
    assert bench.most == 1, "the TPM was not even opened, or twice at a time"
    assert bench.transports == [] and bench.lock_files == []


@pytest.mark.parametrize("make", PLANNED.values(), ids=PLANNED)
def test_a_task_that_only_plans_closes_the_tpm(bench: Bench, make: t.Callable[[str], t.Any]) -> None:
    said = bench.run(lambda: make(str(bench.folder)), check=True)
    assert said["changed"], said
    check_that_all_is_closed(bench)


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_a_plan_that_refuses_closes_the_tpm(bench: Bench, make: t.Callable[[str], t.Any]) -> None:
    said = bench.run(lambda: make(str(bench.folder)), check=False)
    assert "is missing, and the lockout's" in said["msg"] or "was made with 5" in said["msg"]
    check_that_all_is_closed(bench)


@pytest.mark.parametrize("make", BROKEN.values(), ids=BROKEN)
def test_a_step_that_fails_closes_the_tpm(bench: Bench, make: t.Callable[[str], t.Any]) -> None:
    said = bench.run(lambda: make(str(bench.folder)), check=False)
    assert "the TPM broke" in said["msg"] or "refuses the lockout authorisation" in said["msg"]
    check_that_all_is_closed(bench)


def test_an_open_lock_file_is_noticed(bench: Bench) -> None:
    noun = lockout(str(bench.folder), max_tries=10)
    with noun._tpm.taken():
        assert bench.lock_files and bench.transports
    check_that_all_is_closed(bench)
