# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lies in every field of every answer of a host: always a refusal with a code, never a traceback, never a certificate.

An input is an answer of a host that was changed in one to eight places: a value of another kind in place of what was
there, a member more or less or twice, bytes that were changed within base64. One costs a whole enrolment, so there
are a tenth as many as of other inputs.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import pathlib
import random
import shutil
import tempfile
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.evidence import Evidence
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.finding import Code
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.enrollment import Status
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import schema
from ansible_collections.hardbound.identity.tests.fuzz.mutation import COUNT, SEED, Source
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.site import (
    BLUEPRINT,
    PASSPHRASE,
    Site,
)

ANSWERS = max(1, COUNT // 10)
KEPT = 100
"""Answers after which the ledger is emptied."""
CODES = {code.name for code in Code}
"""Of the verifier. Whatever a host says, the fault is neither the inventory's nor the controller's."""

Path = t.Tuple[t.Union[str, int], ...]


@pytest.fixture
def site() -> t.Iterator[Site]:
    """In memory where there is such a folder: each refusal is written to the ledger, and onto its disk."""
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = pathlib.Path(tempfile.mkdtemp(dir=shared))
    authority.create(authority.CaFolder(folder / "ca"), BLUEPRINT, PASSPHRASE, "", forge.NOW - forge.DAY)
    made = Site(folder / "ca")
    yield made
    made.ledger.close()
    shutil.rmtree(folder)


class Liar:
    """Changes JSON documents."""

    def __init__(self, name: str) -> None:
        self.random = random.Random(f"{SEED} {name}")
        self._bytes = Source(name, [b""])

    def changed(self, document: t.Any) -> t.Any:
        lie = copy.deepcopy(document)
        for _each in range(self.random.choice((1, 1, 1, 1, 2, 4, 8))):
            places = list(_places(lie))
            if len(places) < 2:
                return self.value()
            self._change(lie, self.random.choice(places[1:]))
        return lie

    def _change(self, document: t.Any, path: Path) -> None:
        above = _at(document, path[:-1])
        last, choice = path[-1], self.random.randrange(5)
        if choice == 0:
            del above[last]
        elif choice == 1 and isinstance(above, list):
            above.append(above[self.random.randrange(len(above))])
        elif choice == 2:
            above[last] = copy.deepcopy(_at(document, self.random.choice(list(_places(document)))))
        elif choice == 3 and isinstance(above[last], str):
            above[last] = self._text(above[last])
        else:
            above[last] = self.value()

    def _text(self, valid: str) -> str:
        """Bytes that were changed, where it is base64; else characters."""
        try:
            return base64.b64encode(self._bytes.changed(base64.b64decode(valid, validate=True))).decode()
        except ValueError:
            return self._bytes.changed(valid.encode("utf-8", "surrogatepass")).decode("latin-1")

    def value(self, depth: int = 3) -> t.Any:
        pick = self.random.randrange(12 if depth else 9)
        plain: t.Sequence[t.Any] = (None, True, False, 0, -1, 2 ** self.random.randrange(130), 0.5, float("nan"))
        if pick < 8:
            return plain[pick]
        if pick == 8:
            words = ("", "\x1b[2J", "\u202e", "\ud800", "x" * 5000, forge.CARD, "authentication", "AAAA", "\x00")
            return self.random.choice(words)
        if pick == 9:
            return [self.value(depth - 1) for _each in range(self.random.randrange(4))]
        if pick == 10:
            return {f"{self.value(0)}": self.value(depth - 1) for _each in range(self.random.randrange(4))}
        deep: t.Any = self.value(0)
        for _each in range(200):
            deep = [deep]
        return deep


def _at(document: t.Any, path: Path) -> t.Any:
    for name in path:
        document = document[name]
    return document


def _places(value: t.Any, path: Path = (), depth: int = 0) -> t.Iterator[Path]:
    yield path
    if depth < 30:
        members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for name, member in members:
            yield from _places(member, (*path, name), depth + 1)


def _proof(document: t.Any) -> Evidence:
    """What of evidence has to be there: CAs' certificates beside the EK's help to build a path, or not; and a card
    without a proof about its genesis object is one that is not sealed.
    """
    evidence = Evidence.parse(document)
    cards = tuple(replace(card, genesis_proof=None) for card in evidence.cards)
    return replace(evidence, certificates=evidence.certificates[:1], cards=cards)


def _refused(enrollment: t.Any) -> bool:
    """Looks at what came of an answer; tells whether it is a refusal."""
    told = [enrollment.cards(), enrollment.before(), enrollment.after(), enrollment.warnings, enrollment.answer.before]
    text = json.dumps(told, ensure_ascii=False)
    lines = [each.line for each in enrollment.refused]
    assert "CERTIFICATE-----" not in text and "\x1b" not in "".join((text, *lines))
    assert {each.code for each in enrollment.refused} <= CODES, lines
    assert all(line.isprintable() and len(line) < 5000 for line in lines), lines
    return bool(enrollment.status is Status.REFUSED)


def _forget(site: Site) -> None:
    """Sees that nothing counts of what was signed so far, and empties the ledger of it: it is all of one host's key,
    and is read again for each answer.
    """
    assert all(each.revoked_at and not each.activated_at for each in site.ledger.certificates())
    for table in (schema.certificates, schema.events):
        site.ledger.writing(lambda connection, table=table: connection.execute(table.delete()))


@pytest.mark.parametrize("puk", [False, True])
def test_no_lie_in_the_first_answer_gets_a_certificate(site: Site, puk: bool) -> None:
    site.host = forge.ForgedHost(authorities=site.host.authorities, puk=puk)
    changes = {"card_puk": "12345678", "card_puk_retries": forge.RETRIES} if puk else {}
    liar = Liar(f"first answer {puk}")
    honest = {"changed": True, "warnings": ["a warning"], "diff": {"before": {forge.CARD: {}}, "after": {"x": 1}}}
    escrow = {"pin_escrow": "eyJ", "admin_key_escrow": None, "signatures": {"authentication": "AAAA"}}
    passed = 0
    for number in range(ANSWERS // 2):
        if number % KEPT == 0:
            _forget(site)
        enrollment = site.enrollment(**changes)
        shown = {**site.shown(enrollment), **honest}
        shown["cards"][0].update(escrow)
        lie = liar.changed(shown)
        enrollment.judge(lie)
        if _refused(enrollment):
            assert not enrollment.challenges() and enrollment.evidence == ""
        else:
            passed += 1
            assert _proof(lie["evidence"]) == _proof(shown["evidence"])
            enrollment.close()
    assert passed < ANSWERS / 4 + 8  # What a host says beside its evidence costs it nothing.
    _forget(site)


def test_no_lie_in_the_second_answer_activates_anything(site: Site) -> None:
    liar = Liar("second answer")
    enrollment = site.enrollment()
    enrollment.judge(site.shown(enrollment))
    right = site.answered(enrollment)
    [progress] = enrollment.progress.values()
    pending = progress.pending
    assert pending is not None
    for _each in range(ANSWERS):
        lie = liar.changed(right)
        given = (
            [each.get("answer") for each in lie.get("cards") or () if isinstance(each, dict)] if _is_told(lie) else []
        )
        if right["cards"][0]["answer"] in given:
            continue
        progress.answered, progress.refused, pending._spent = False, [], False
        progress.challenge = site.ledger.open_challenge(forge.HOST, forge.CARD)
        enrollment.accept(lie)
        assert _refused(enrollment) and [each.code for each in enrollment.refused] == ["CHALLENGE_ANSWER"]
    assert all(each.activated_at is None for each in site.ledger.certificates())


def _is_told(lie: t.Any) -> bool:
    return isinstance(lie, dict) and isinstance(lie.get("cards"), list)
