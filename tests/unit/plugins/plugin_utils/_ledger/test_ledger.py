# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import importlib.util
import multiprocessing
import os
import sqlite3
import typing as t
import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import clock, database, schema
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.pins import (
    NAMES,
    Admission,
    CardClaim,
    CardPins,
    KnownCard,
    Standing,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import (
    CertificatePlace,
    EventKind,
    RevocationReason,
    digest,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.refusal import Refusal, RefusalCode
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.replacement import NOTHING, Replacement
from cryptography import x509


def new(path: Path, now: t.Any = clock.now) -> Ledger:
    return Ledger(f"sqlite:///{path}", now, create=True)


def reopened(path: Path) -> Ledger:
    return Ledger(f"sqlite:///{path}")


EK, OTHER_EK = "aa" * 32, "bb" * 32
ROOT, OTHER_ROOT = "000b" + "ee" * 32, "000b" + "ff" * 32
BUNDLE = b'{"nonce": "00"}'
AK, OTHER_AK = "000b" + "cc" * 32, "000b" + "dd" * 32
PINS = CardPins(AK, "01", "02", "03", "", "05", "")


def admission(host: str, ek: str = EK, root: str = ROOT, **given: t.Any) -> Admission:
    cards = {
        card: pins if isinstance(pins, CardClaim) else CardClaim(pins) for card, pins in given.pop("cards", {}).items()
    }
    return Admission(host, ek, root, cards, **given)


def admit(ledger: Ledger, host: str, ek: str = EK, root: str = ROOT, evidence: bytes = BUNDLE, **given: t.Any) -> str:
    """What a run does, with nothing to issue."""
    wanted = admission(host, ek, root, **given)
    ledger.examine(wanted)
    return ledger.settle(wanted, evidence, [])[0]


@pytest.fixture
def ledger(tmp_path: Path, watch: t.Any) -> t.Iterator[Ledger]:
    opened = new(tmp_path / "ledger.sqlite", watch)
    yield opened
    opened.close()


def tpm_of(ledger: Ledger, host: str) -> Replacement:
    """The permission to replace the TPM that the host has now."""
    return Replacement(ledger.known(host, "", "").fingerprint)


def goes(pins: CardPins) -> Replacement:
    return Replacement(cards={"card": pins.fingerprint})


def code_of(work: t.Callable[[], object]) -> RefusalCode:
    with pytest.raises(Refusal) as refused:
        work()
    return refused.value.code


# Pins.


def test_an_ek_and_a_storage_root_are_pinned_to_the_host_that_first_answers_for_them(ledger: Ledger) -> None:
    admit(ledger, "ws-001")
    admit(ledger, "ws-001")
    assert ledger.endorsement_keys() == {"ws-001": EK}
    known = ledger.known("ws-002", EK, ROOT)
    assert (known.ek_host, known.root_host, known.eks, known.root) == ("ws-001", "ws-001", (), None)
    known = ledger.known("ws-001", OTHER_EK, OTHER_ROOT)
    assert (known.ek_host, known.root_host, known.eks, known.root) == (None, None, (EK,), ROOT)
    assert code_of(lambda: admit(ledger, "ws-002", root=OTHER_ROOT)) is RefusalCode.EK_SERVES_OTHER_HOST
    assert (
        code_of(lambda: admit(ledger, "ws-002", root=OTHER_ROOT, replacement=tpm_of(ledger, "ws-001")))
        is RefusalCode.EK_SERVES_OTHER_HOST
    )
    assert ledger.endorsement_keys() == {"ws-001": EK}


@pytest.mark.parametrize("replaces", [False, True])
def test_one_tpm_is_one_host_whichever_of_its_eks_it_shows(ledger: Ledger, replaces: bool) -> None:
    admit(ledger, "ws-001")
    replacement = tpm_of(ledger, "ws-002") if replaces else NOTHING
    refused = code_of(lambda: admit(ledger, "ws-002", OTHER_EK, replacement=replacement))
    assert refused is RefusalCode.ROOT_SERVES_OTHER_HOST
    admit(ledger, "ws-001", OTHER_EK)
    assert ledger.known("ws-001", "", "").eks == (EK, OTHER_EK)
    assert code_of(lambda: admit(ledger, "ws-002", OTHER_EK, OTHER_ROOT)) is RefusalCode.EK_SERVES_OTHER_HOST


def test_another_tpm_is_taken_only_where_that_is_said(ledger: Ledger) -> None:
    admit(ledger, "ws-001", source="inventory")
    assert code_of(lambda: admit(ledger, "ws-001", OTHER_EK, OTHER_ROOT)) is RefusalCode.EK_CHANGED
    assert code_of(lambda: admit(ledger, "ws-001", EK, OTHER_ROOT)) is RefusalCode.ROOT_CHANGED
    admit(ledger, "ws-001", OTHER_EK, OTHER_ROOT, replacement=tpm_of(ledger, "ws-001"))
    assert ledger.endorsement_keys() == {"ws-001": OTHER_EK}
    assert ledger.known("ws-001", "", "").root == OTHER_ROOT
    codes = [event.code for event in ledger.events("ws-001") if event.kind is EventKind.REFUSED]
    assert codes == ["EK_CHANGED", "ROOT_CHANGED"]


def test_a_claim_that_nobody_has_answered_for_stands_in_nobodys_way(ledger: Ledger) -> None:
    ledger.examine(admission("liar", cards={"card": PINS}))
    admit(ledger, "ws-001", cards={"card": PINS})
    assert code_of(lambda: ledger.examine(admission("liar", cards={"card": PINS}))) is RefusalCode.EK_SERVES_OTHER_HOST


def test_an_ak_is_pinned_to_one_card(ledger: Ledger) -> None:
    admit(ledger, "ws-001", cards={"card": PINS})
    admit(ledger, "ws-001", cards={"card": PINS})
    bare = CardPins(AK)
    assert code_of(lambda: admit(ledger, "ws-001", cards={"other": bare})) is RefusalCode.AK_SERVES_OTHER_CARD
    elsewhere = {"cards": {"card": bare}, "replacement": Replacement(cards={"card": bare.fingerprint})}
    assert (
        code_of(lambda: admit(ledger, "ws-002", OTHER_EK, OTHER_ROOT, **elsewhere)) is RefusalCode.AK_SERVES_OTHER_CARD
    )
    other = replace(PINS, ak=OTHER_AK)
    assert code_of(lambda: admit(ledger, "ws-001", cards={"card": other})) is RefusalCode.AK_CHANGED
    admit(ledger, "ws-001", cards={"card": other}, replacement=goes(PINS))
    assert ledger.known("ws-001", "", "").cards["card"].pins == other
    assert [each.kind for each in ledger.events("ws-001")][-1] is EventKind.CARD_REPLACED


@pytest.mark.parametrize("name", NAMES)
def test_each_name_of_a_card_has_to_stay(ledger: Ledger, name: str) -> None:
    """The attestation key may be moved into another card: it is under the storage root."""
    admit(ledger, "ws-001", cards={"card": PINS})
    changed = replace(PINS, **{name: "66"})
    assert code_of(lambda: admit(ledger, "ws-001", cards={"card": changed})) is RefusalCode.CARD_CHANGED
    admit(ledger, "ws-001", cards={"card": changed}, replacement=goes(PINS))
    assert code_of(lambda: admit(ledger, "ws-001", cards={"card": PINS})) is RefusalCode.CARD_CHANGED


@pytest.mark.parametrize("name", ["ak", *NAMES])
def test_a_permission_to_replace_a_card_fits_what_it_names_alone(ledger: Ledger, name: str) -> None:
    """Left standing, it permits nothing more, though the new card has all but one Name of the old one."""
    admit(ledger, "ws-001", cards={"card": PINS})
    admit(ledger, "ws-001", cards={"card": replace(PINS, **{name: "66"})}, replacement=goes(PINS))
    again = replace(PINS, **{name: "67"})
    refused = code_of(lambda: admit(ledger, "ws-001", cards={"card": again}, replacement=goes(PINS)))
    assert refused is (RefusalCode.AK_CHANGED if name == "ak" else RefusalCode.CARD_CHANGED)


def test_a_permission_to_replace_a_tpm_fits_what_it_names_alone(ledger: Ledger) -> None:
    admit(ledger, "ws-001")
    first = tpm_of(ledger, "ws-001")
    admit(ledger, "ws-001", OTHER_EK, OTHER_ROOT, replacement=first)
    assert code_of(lambda: admit(ledger, "ws-001", EK, ROOT, replacement=first)) is RefusalCode.EK_CHANGED
    cleared = tpm_of(ledger, "ws-001")
    admit(
        ledger, "ws-001", OTHER_EK, ROOT, replacement=cleared
    )  # TPM2_Clear takes the storage root, and leaves the EK.
    assert code_of(lambda: admit(ledger, "ws-001", OTHER_EK, "0c", replacement=cleared)) is RefusalCode.ROOT_CHANGED


@pytest.mark.parametrize("name", ["genesis", "parent", "pin", "policy"])
@pytest.mark.parametrize("at_once", [True, False])
def test_two_cards_share_nothing(ledger: Ledger, name: str, at_once: bool) -> None:
    other = CardPins(OTHER_AK, "a1", "a2", "a3", "", "a5", "")
    twin = replace(other, **{name: getattr(PINS, name)})
    first = {} if at_once else {"a": PINS}
    if first:
        admit(ledger, "ws-001", cards=first)
    cards = {"a": PINS, "b": twin} if at_once else {"b": twin}
    assert code_of(lambda: admit(ledger, "ws-001", cards=cards)) is RefusalCode.CARDS_SHARE
    admit(ledger, "ws-001", cards={"b": other})


def test_cards_of_two_hosts_may_look_alike(ledger: Ledger) -> None:
    """A host makes an index of any Name that it has read of another: that proves nothing, and stops nobody."""
    admit(ledger, "liar", OTHER_EK, OTHER_ROOT, cards={"card": replace(PINS, ak=OTHER_AK)})
    admit(ledger, "ws-001", cards={"card": PINS})


def test_a_card_is_sealed_once_its_tpm_was_restarted(ledger: Ledger) -> None:
    def shown(resets: t.Optional[int], proven: bool) -> KnownCard:
        admit(ledger, "ws-001", cards={"card": CardClaim(PINS, resets, proven)})
        return ledger.known("ws-001", "", "").cards["card"]

    assert shown(None, False).first_reset is None
    assert shown(7, False).standing is Standing.ENROLLED
    assert shown(8, False).standing is Standing.ENROLLED  # Nothing says that the genesis object was of no lasting kind.
    assert shown(7, True).standing is Standing.ENROLLED
    sealed = shown(9, True)
    assert (sealed.standing, sealed.first_reset, sealed.last_reset) == (Standing.SEALED, 7, 9)
    assert shown(9, False).standing is Standing.SEALED
    assert [each.kind for each in ledger.events("ws-001")].count(EventKind.SEALED) == 1
    at_once = CardClaim(replace(PINS, ak="000b", genesis="e1", parent="e2", pin="e3", policy="e5"), 9, True, 8)
    admit(ledger, "ws-001", cards={"other": at_once})  # Restarted between its making and its first evidence.
    assert ledger.known("ws-001", "", "").cards["other"].standing is Standing.SEALED
    another = CardClaim(replace(PINS, ak=OTHER_AK), 9, True)
    admit(ledger, "ws-001", cards={"card": another}, replacement=goes(PINS))
    fresh = ledger.known("ws-001", "", "").cards["card"]
    assert (fresh.standing, fresh.first_reset) == (Standing.ENROLLED, 9)


def test_a_refused_host_leaves_nothing_but_the_refusal(ledger: Ledger) -> None:
    admit(ledger, "ws-001", cards={"card": PINS})
    refused = admission("ws-002", OTHER_EK, OTHER_ROOT, cards={"card": PINS})
    assert code_of(lambda: ledger.settle(refused, b"forged", [])) is RefusalCode.AK_SERVES_OTHER_CARD
    assert ledger.endorsement_keys() == {"ws-001": EK}
    assert [event.kind for event in ledger.events("ws-002")] == [EventKind.REFUSED]
    with pytest.raises(InputError):
        ledger.evidence(hashlib.sha256(b"forged").hexdigest())


def test_a_released_host_lets_its_tpm_go(ledger: Ledger) -> None:
    admit(ledger, "ws-001", cards={"card": PINS})
    ledger.release("ws-001", "card")
    admit(ledger, "ws-001", cards={"card": replace(PINS, ak=OTHER_AK)})
    assert code_of(lambda: admit(ledger, "ws-002")) is RefusalCode.EK_SERVES_OTHER_HOST
    ledger.release("ws-001")
    admit(ledger, "ws-002")


# Challenges.


def test_a_challenge_is_answered_once(ledger: Ledger) -> None:
    challenge = ledger.open_challenge("ws-001", "card")
    ledger.spend_challenge(challenge, "ws-001", "card")
    assert code_of(lambda: ledger.spend_challenge(challenge, "ws-001", "card")) is RefusalCode.CHALLENGE_SPENT


def test_a_stolen_challenge_is_refused_and_burnt(ledger: Ledger) -> None:
    challenge = ledger.open_challenge("ws-001", "card")
    assert code_of(lambda: ledger.spend_challenge(challenge, "ws-666", "card")) is RefusalCode.CHALLENGE_OTHER_REQUESTER
    assert code_of(lambda: ledger.spend_challenge(challenge, "ws-001", "card")) is RefusalCode.CHALLENGE_SPENT
    other = ledger.open_challenge("ws-001", "card")
    assert code_of(lambda: ledger.spend_challenge(other, "ws-001", "other")) is RefusalCode.CHALLENGE_OTHER_REQUESTER


def test_a_late_answer_is_refused(ledger: Ledger, watch: t.Any) -> None:
    challenge = ledger.open_challenge("ws-001", "card", timedelta(minutes=5))
    watch.turn(minutes=5)
    assert code_of(lambda: ledger.spend_challenge(challenge, "ws-001", "card")) is RefusalCode.CHALLENGE_EXPIRED
    assert code_of(lambda: ledger.spend_challenge("no such", "ws-001", "card")) is RefusalCode.CHALLENGE_UNKNOWN


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
    workers = [context.Process(target=_spend, args=(path, challenge, start, results)) for _each in range(5)]
    for worker in workers:
        worker.start()
    start.set()
    answers = sorted(results.get(timeout=60) for _each in workers)
    for worker in workers:
        worker.join()
    assert answers == ["CHALLENGE_SPENT"] * 4 + ["answered"]


# Evidence, revocation.


def test_evidence_is_kept_once_and_read_back(ledger: Ledger) -> None:
    bundle = BUNDLE * 100
    kept = admit(ledger, "ws-001", evidence=bundle)
    assert admit(ledger, "ws-001", evidence=bundle) == kept
    assert ledger.evidence(kept) == bundle
    with pytest.raises(InputError, match="which the ledger does not hold"):
        ledger.evidence("00")


@pytest.mark.parametrize("body", [zlib.compress(b"{}"), b"no zlib", zlib.compress(bytes(1 << 20))])
def test_evidence_that_was_replaced_in_the_ledger_is_not_given_out(ledger: Ledger, body: bytes) -> None:
    kept = admit(ledger, "ws-001")
    change = sa.update(schema.evidence).values(body=body)
    ledger.writing(lambda connection: connection.execute(change))
    with pytest.raises(StateError, match="was changed in the ledger"):
        ledger.evidence(kept)


def test_revoking_finds_what_is_named_and_nothing_else(corp: t.Any) -> None:
    places = [
        CertificatePlace("ws-001", "a", "authentication"),
        CertificatePlace("ws-001", "b", "authentication"),
        CertificatePlace("ws-002", "a", "x"),
    ]
    serials = [corp.issuer.issue(corp.order(place=place)).certificate.serial for place in places]
    revoke = corp.ledger.revoke
    own = corp.authority.identifier
    assert [
        each.serial for each in revoke({"host": "ws-001", "card": "b"}, RevocationReason.KEY_COMPROMISE, own)
    ] == serials[1:2]
    assert revoke({"host": "ws-001", "card": "b"}, RevocationReason.UNSPECIFIED, own) == []
    assert corp.ledger.find(serials[1]).reason == "keyCompromise"
    assert revoke({"host": "ws-002"}, RevocationReason.UNSPECIFIED, "another CA") == []
    assert [each.serial for each in corp.ledger.revocable({"host": "ws-001"}, own)] == serials[:1]
    for nothing in ({}, {"profile": "x"}):
        with pytest.raises(InputError, match="names no certificate"):
            revoke(nothing, RevocationReason.UNSPECIFIED, own)


def test_parts_of_a_digest_can_t_pose_as_others() -> None:
    assert digest("ab", "c") != digest("a", "bc") != digest("abc")


# Trouble.


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
        ledger.record(EventKind.REFUSED, CertificatePlace(f"ws-{number}"), detail="x" * 200)
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
    with pytest.raises(StateError, match="has version 99, and this release knows 5: use the release that wrote it"):
        reopened(path)


VERSION_1 = """
CREATE TABLE enrollment_version (id INTEGER NOT NULL PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE enrollment_certificate (
    serial VARCHAR(40) NOT NULL PRIMARY KEY, authority VARCHAR(64) NOT NULL, kind VARCHAR(48) NOT NULL,
    host VARCHAR(255) NOT NULL, card VARCHAR(255) NOT NULL, slot VARCHAR(48) NOT NULL, "key" VARCHAR(64) NOT NULL,
    profile VARCHAR(255) NOT NULL, claim VARCHAR(64) NOT NULL, generation INTEGER NOT NULL,
    content VARCHAR(64) NOT NULL, identity TEXT NOT NULL, assurance VARCHAR(48) NOT NULL,
    evidence VARCHAR(64) NOT NULL, not_before BIGINT NOT NULL, not_after BIGINT NOT NULL, body BLOB NOT NULL,
    issued_at BIGINT NOT NULL, activated_at BIGINT, revoked_at BIGINT, reason VARCHAR(48),
    CONSTRAINT enrollment_certificate_once UNIQUE (claim, generation));
CREATE TABLE enrollment_endorsement_key (
    ek VARCHAR(64) NOT NULL PRIMARY KEY, host VARCHAR(255) NOT NULL UNIQUE, source VARCHAR(48) NOT NULL,
    pinned_at BIGINT NOT NULL);
CREATE TABLE enrollment_attestation_key (
    ak VARCHAR(132) NOT NULL PRIMARY KEY, host VARCHAR(255) NOT NULL, card VARCHAR(255) NOT NULL,
    ek VARCHAR(64) NOT NULL, pinned_at BIGINT NOT NULL,
    CONSTRAINT enrollment_attestation_key_once UNIQUE (host, card));
CREATE TABLE enrollment_challenge (
    id VARCHAR(64) NOT NULL PRIMARY KEY, host VARCHAR(255) NOT NULL, card VARCHAR(255) NOT NULL,
    nonce VARCHAR(64) NOT NULL, state VARCHAR(48) NOT NULL, expires_at BIGINT NOT NULL);
CREATE TABLE enrollment_evidence (
    digest VARCHAR(64) NOT NULL PRIMARY KEY, host VARCHAR(255) NOT NULL, at BIGINT NOT NULL, body BLOB NOT NULL);
CREATE TABLE enrollment_event (
    id INTEGER NOT NULL PRIMARY KEY, at BIGINT NOT NULL, kind VARCHAR(48) NOT NULL, host VARCHAR(255) NOT NULL,
    card VARCHAR(255) NOT NULL, code VARCHAR(48) NOT NULL, serial VARCHAR(40) NOT NULL, detail TEXT NOT NULL);
CREATE TABLE enrollment_crl (
    authority VARCHAR(64) NOT NULL, number BIGINT NOT NULL, this_update BIGINT NOT NULL, next_update BIGINT NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (authority, number));
INSERT INTO enrollment_version VALUES (1, 1);
"""
"""The tables of the first version, as it made them."""


def first_version(path: Path, *rows: t.Tuple[str, t.Tuple[t.Any, ...]]) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript(VERSION_1)
        for table, values in rows:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)


def test_a_ledger_of_the_first_version_keeps_every_certificate_and_pin(tmp_path: Path, corp: t.Any) -> None:
    path = tmp_path / "ledger.sqlite"
    certificate = replace(corp.issuer.issue(corp.order()).certificate, activated_at=1)
    claimed = replace(certificate, serial="cc", number="cc", claim="cc", activated_at=None)
    external = replace(certificate, serial="ee", kind="external", claim="ee")
    unanswered = replace(external, serial="ff", claim="ff", activated_at=None)

    def row(found: t.Any, **changes: str) -> t.Tuple[str, t.Tuple[t.Any, ...]]:
        values = {name: value for name, value in {**found.row(), **changes}.items() if name != "number"}
        return "enrollment_certificate", tuple(values.values())

    first_version(
        path,
        row(certificate),
        row(claimed),
        row(external, kind="outside"),
        row(unanswered, kind="outside"),
        ("enrollment_endorsement_key", (EK, "ws-001", "inventory", 5)),
        ("enrollment_attestation_key", (AK, "ws-001", "card", EK, 6)),
        ("enrollment_challenge", ("00", "ws-001", "card", "00", "open", 1)),
        ("enrollment_event", (1, 5, "ak_pinned", "ws-001", "card", "", "", AK)),
    )
    ledger = reopened(path)
    assert ledger.find(certificate.serial) == certificate
    number = f"{x509.load_der_x509_certificate(certificate.body).serial_number:x}"
    assert ledger.find("ee") == replace(external, number=number)
    assert ledger.find("ff") == replace(unanswered, number=number, body=b"")  # Its number says what to revoke.
    assert ledger.find("cc") == replace(claimed, body=b"")  # Nobody has answered for it: what lay open is gone.
    assert ledger.endorsement_keys() == {"ws-001": EK} and len(ledger.events()) == 1
    known = ledger.known("ws-001", EK, ROOT)
    assert (known.eks, known.root, known.cards) == ((EK,), None, {"card": KnownCard(CardPins(AK))})
    reopened(path)


def test_a_card_of_the_first_version_is_asked_for_its_names_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    rows = [
        ("enrollment_endorsement_key", (EK, "ws-001", "x", 5)),
        ("enrollment_attestation_key", (AK, "ws-001", "card", EK, 6)),
    ]
    first_version(path, *rows)
    ledger = reopened(path)
    assert (
        code_of(lambda: admit(ledger, "ws-001", cards={"card": replace(PINS, ak=OTHER_AK)})) is RefusalCode.AK_CHANGED
    )
    assert code_of(lambda: admit(ledger, "ws-001", OTHER_EK, cards={"card": PINS})) is RefusalCode.EK_CHANGED
    admit(ledger, "ws-001", cards={"card": PINS})
    assert ledger.known("ws-001", "", "").cards["card"].pins == PINS
    assert code_of(lambda: admit(ledger, "ws-001", cards={"card": replace(PINS, pin="66")})) is RefusalCode.CARD_CHANGED


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
