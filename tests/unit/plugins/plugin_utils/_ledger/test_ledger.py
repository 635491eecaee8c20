# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import importlib.util
import multiprocessing
import os
import sqlite3
import typing as t
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import clock, database, schema
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Admission, Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import EventKind, Place, Reason, digest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.refusal import Code, Refusal


def new(path: Path, now: t.Any = clock.now) -> Ledger:
    return Ledger(f"sqlite:///{path}", now, create=True)


def reopened(path: Path) -> Ledger:
    return Ledger(f"sqlite:///{path}")


EK, OTHER_EK = "aa" * 32, "bb" * 32
BUNDLE = b'{"nonce": "00"}'
AK, OTHER_AK = "000b" + "cc" * 32, "000b" + "dd" * 32


def admit(ledger: Ledger, host: str, ek: str = EK, **given: t.Any) -> str:
    return ledger.admit(Admission(host, ek, given.pop("aks", {}), given.pop("evidence", BUNDLE), **given))


@pytest.fixture
def ledger(tmp_path: Path, watch: t.Any) -> t.Iterator[Ledger]:
    opened = new(tmp_path / "ledger.sqlite", watch)
    yield opened
    opened.close()


def code_of(work: t.Callable[[], object]) -> Code:
    with pytest.raises(Refusal) as refused:
        work()
    return refused.value.code


# ---------------------------------------------------------------- pins


def test_an_ek_is_pinned_to_the_host_that_first_shows_it(ledger: Ledger) -> None:
    admit(ledger, "ws-001")
    admit(ledger, "ws-001")
    assert ledger.endorsement_keys() == {"ws-001": EK}
    assert (ledger.host_of_ek(EK), ledger.ek_of_host("ws-001")) == ("ws-001", EK)
    assert (ledger.host_of_ek(OTHER_EK), ledger.ek_of_host("ws-002")) == (None, None)
    assert code_of(lambda: admit(ledger, "ws-002")) is Code.EK_SERVES_OTHER_HOST
    assert code_of(lambda: admit(ledger, "ws-002", replace_ek=True)) is Code.EK_SERVES_OTHER_HOST
    assert ledger.endorsement_keys() == {"ws-001": EK}


def test_another_ek_is_taken_only_where_that_is_said(ledger: Ledger) -> None:
    admit(ledger, "ws-001", source="inventory")
    assert code_of(lambda: admit(ledger, "ws-001", OTHER_EK)) is Code.EK_CHANGED
    admit(ledger, "ws-001", OTHER_EK, replace_ek=True)
    assert ledger.endorsement_keys() == {"ws-001": OTHER_EK}
    kinds = [(event.kind, event.code) for event in ledger.events("ws-001")]
    assert kinds == [(EventKind.EK_PINNED, ""), (EventKind.REFUSED, "EK_CHANGED"), (EventKind.EK_PINNED, "")]


def test_an_ak_is_pinned_to_one_card(ledger: Ledger) -> None:
    admit(ledger, "ws-001", aks={"card": AK})
    admit(ledger, "ws-001", aks={"card": AK})
    assert code_of(lambda: admit(ledger, "ws-001", aks={"other": AK})) is Code.AK_SERVES_OTHER_CARD
    elsewhere = {"aks": {"card": AK}, "replace_aks": frozenset({"card"})}
    assert code_of(lambda: admit(ledger, "ws-002", OTHER_EK, **elsewhere)) is Code.AK_SERVES_OTHER_CARD
    assert code_of(lambda: admit(ledger, "ws-001", aks={"card": OTHER_AK})) is Code.AK_CHANGED
    admit(ledger, "ws-001", aks={"card": OTHER_AK}, replace_aks=frozenset({"card"}))
    assert ledger.ak_of_card("ws-001", "card") == OTHER_AK
    assert ledger.ak_of_card("ws-001", "other") is None


def test_a_refused_host_leaves_nothing_but_the_refusal(ledger: Ledger) -> None:
    admit(ledger, "ws-001", aks={"card": AK})
    refused = {"aks": {"card": AK}, "evidence": b"forged"}
    assert code_of(lambda: admit(ledger, "ws-002", OTHER_EK, **refused)) is Code.AK_SERVES_OTHER_CARD
    assert ledger.endorsement_keys() == {"ws-001": EK}
    assert [event.kind for event in ledger.events("ws-002")] == [EventKind.REFUSED]
    with pytest.raises(InputError):
        ledger.evidence(hashlib.sha256(b"forged").hexdigest())


def test_a_released_host_lets_its_ek_go(ledger: Ledger) -> None:
    admit(ledger, "ws-001", aks={"card": AK})
    ledger.release("ws-001", "card")
    admit(ledger, "ws-001", aks={"card": OTHER_AK})
    assert code_of(lambda: admit(ledger, "ws-002")) is Code.EK_SERVES_OTHER_HOST
    ledger.release("ws-001")
    admit(ledger, "ws-002")


# ---------------------------------------------------------------- challenges


def test_a_challenge_is_answered_once(ledger: Ledger) -> None:
    challenge = ledger.open_challenge("ws-001", "card")
    assert len(challenge.nonce) == 32
    assert ledger.spend_challenge(challenge.id, "ws-001", "card") == challenge.nonce
    assert code_of(lambda: ledger.spend_challenge(challenge.id, "ws-001", "card")) is Code.CHALLENGE_SPENT


def test_a_stolen_challenge_is_refused_and_burnt(ledger: Ledger) -> None:
    challenge = ledger.open_challenge("ws-001", "card")
    assert code_of(lambda: ledger.spend_challenge(challenge.id, "ws-666", "card")) is Code.CHALLENGE_OTHER_REQUESTER
    assert code_of(lambda: ledger.spend_challenge(challenge.id, "ws-001", "card")) is Code.CHALLENGE_SPENT
    other = ledger.open_challenge("ws-001", "card")
    assert code_of(lambda: ledger.spend_challenge(other.id, "ws-001", "other")) is Code.CHALLENGE_OTHER_REQUESTER


def test_a_late_answer_is_refused(ledger: Ledger, watch: t.Any) -> None:
    challenge = ledger.open_challenge("ws-001", "card", timedelta(minutes=5))
    watch.turn(minutes=5)
    assert code_of(lambda: ledger.spend_challenge(challenge.id, "ws-001", "card")) is Code.CHALLENGE_EXPIRED
    assert code_of(lambda: ledger.spend_challenge("no such", "ws-001", "card")) is Code.CHALLENGE_UNKNOWN


def test_old_challenges_don_t_pile_up(ledger: Ledger, watch: t.Any) -> None:
    for _day in range(5):
        ledger.open_challenge("ws-001", "card")
        watch.turn(days=2)
    count = sa.select(sa.func.count()).select_from(schema.challenges)
    assert ledger.reading(lambda connection: connection.execute(count).scalar()) == 1


def _spend(path: Path, id: str, start: t.Any, results: t.Any) -> None:
    ledger = reopened(path)
    start.wait()
    try:
        ledger.spend_challenge(id, "ws-001", "card")
        results.put("answered")
    except Refusal as refusal:
        results.put(refusal.code.name)


def test_processes_that_answer_one_challenge_at_once_have_one_winner(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = new(path)
    challenge = ledger.open_challenge("ws-001", "card")
    ledger.close()
    context = multiprocessing.get_context("fork")
    start, results = context.Event(), context.Queue()
    workers = [context.Process(target=_spend, args=(path, challenge.id, start, results)) for _each in range(5)]
    for worker in workers:
        worker.start()
    start.set()
    answers = sorted(results.get(timeout=60) for _each in workers)
    for worker in workers:
        worker.join()
    assert answers == ["CHALLENGE_SPENT"] * 4 + ["answered"]


# ---------------------------------------------------------------- evidence, revocation


def test_evidence_is_kept_once_and_read_back(ledger: Ledger) -> None:
    bundle = BUNDLE * 100
    kept = admit(ledger, "ws-001", evidence=bundle)
    assert admit(ledger, "ws-001", evidence=bundle) == kept
    assert ledger.evidence(kept) == bundle
    with pytest.raises(InputError, match="which the ledger does not hold"):
        ledger.evidence("00")


def test_revoking_finds_what_is_named_and_nothing_else(corp: t.Any) -> None:
    places = [Place("ws-001", "a", "authentication"), Place("ws-001", "b", "authentication"), Place("ws-002", "a", "x")]
    serials = [corp.issuer.issue(corp.order(place=place)).certificate.serial for place in places]
    revoke = corp.ledger.revoke
    own = corp.authority.identifier
    assert [each.serial for each in revoke({"host": "ws-001", "card": "b"}, Reason.KEY_COMPROMISE, own)] == serials[1:2]
    assert revoke({"host": "ws-001", "card": "b"}, Reason.UNSPECIFIED, own) == []
    assert corp.ledger.find(serials[1]).reason == "keyCompromise"
    assert revoke({"host": "ws-002"}, Reason.UNSPECIFIED, "another CA") == []
    assert [each.serial for each in corp.ledger.revocable({"host": "ws-001"}, own)] == serials[:1]
    for nothing in ({}, {"profile": "x"}):
        with pytest.raises(InputError, match="names no certificate"):
            revoke(nothing, Reason.UNSPECIFIED, own)


def test_parts_of_a_digest_can_t_pose_as_others() -> None:
    assert digest("ab", "c") != digest("a", "bc") != digest("abc")


# ---------------------------------------------------------------- trouble


def test_a_locked_ledger_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    ledger = new(tmp_path / "ledger.sqlite")
    holder = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StateError, match=r"ledger\.sqlite was held by another process .*: let the other run end"):
        admit(ledger, "ws-001")
    holder.execute("ROLLBACK")
    admit(ledger, "ws-001")


@pytest.mark.parametrize("loss", ["file", "tables"])
def test_a_lost_ledger_does_not_pass_as_one_without_revocations(tmp_path: Path, loss: str) -> None:
    path = tmp_path / "ledger.sqlite"
    new(path).close()
    path.unlink()
    if loss == "tables":
        path.touch()
    with pytest.raises(StateError, match=r"ledger\.sqlite (is empty|can't be opened)"):
        reopened(path)


@pytest.mark.parametrize("damage", ["header", "pages"])
def test_a_damaged_ledger_is_one_clear_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = new(path)
    for number in range(200):
        ledger.record(EventKind.REFUSED, Place(f"ws-{number}"), detail="x" * 200)
    ledger.close()
    content = bytearray(path.read_bytes())
    if damage == "header":
        content[:16] = b"not a database.."
    else:
        content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StateError, match=r"ledger\.sqlite is damaged: restore it from a backup"):
        reopened(path).events()


def test_a_full_disk_is_one_clear_line_and_costs_nothing_that_was_there(tmp_path: Path) -> None:
    ledger = new(tmp_path / "ledger.sqlite")
    admit(ledger, "ws-001")

    def limit(connection: t.Any, _record: t.Any) -> None:
        connection.execute("PRAGMA max_page_count=1")  # SQLite takes the present size as the least

    sa.event.listen(ledger._engine, "connect", limit)
    ledger.close()
    with pytest.raises(StateError, match="has no room on its disk: make room"):
        admit(ledger, "ws-001", evidence=os.urandom(1_000_000))
    assert ledger.endorsement_keys() == {"ws-001": EK}


def test_a_ledger_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    new(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE enrollment_version SET version = 99")
    with pytest.raises(StateError, match="has version 99, and this release knows 1: use the release that wrote it"):
        reopened(path)


def test_an_older_ledger_is_brought_up_and_keeps_its_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.sqlite"
    old = new(path)
    admit(old, "ws-001")
    old.close()

    def add_column(connection: sa.engine.Connection) -> None:
        connection.execute(sa.text("ALTER TABLE enrollment_endorsement_key ADD COLUMN model VARCHAR(64)"))

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, add_column))
    brought_up = reopened(path)
    assert brought_up.reading(schema.found_version) == 2
    assert brought_up.endorsement_keys() == {"ws-001": EK}
    assert "model" in {
        column["name"] for column in sa.inspect(brought_up._engine).get_columns("enrollment_endorsement_key")
    }
    reopened(path)


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("ledger.sqlite", "is no database URL"),
        ("sqlite://", "keeps nothing in memory"),
        ("sqlite:///:memory:", "keeps nothing in memory"),
        ("nosuch://host/x", "is no database URL"),
    ],
)
def test_a_url_that_is_none_is_refused(url: str, fault: str) -> None:
    with pytest.raises(InputError, match=f"ledger {fault}"):
        Ledger(url)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="can't be opened: No such file or directory"):
        new(tmp_path / "nowhere" / "ledger.sqlite")


def test_the_password_of_a_database_is_never_shown() -> None:
    drivers = [name for name in ("psycopg2", "psycopg") if importlib.util.find_spec(name)]
    if not drivers:
        pytest.skip("no PostgreSQL driver is installed")
    url = f"postgresql+{drivers[0]}://ca:s3cr3t-word@127.0.0.1:9/ledger"
    with pytest.raises(StateError) as refused:
        Ledger(url)
    assert "127.0.0.1" in str(refused.value)
    assert "s3cr3t-word" not in str(refused.value)
