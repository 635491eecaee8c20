# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a card that tasks manage: a key, its certificate, a request for one."""

from __future__ import annotations

import base64
import contextlib
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import certificate as card_certificate
from ansible_collections.hardbound.identity.plugins.module_utils._card import request as card_request
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import PinDue
from ansible_collections.hardbound.identity.plugins.module_utils._card.request import RequestSpecification
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError
from ansible_collections.hardbound.identity.plugins.module_utils._spine import Plan
from ansible_collections.hardbound.identity.plugins.module_utils._task import (
    certificate,
    external_request,
    key,
    request,
)
from ansible_collections.hardbound.identity.plugins.module_utils._task.external_request import (
    ExternalRequest,
    RequestSigner,
    Sign,
)
from ansible_collections.hardbound.identity.tests.support.task_cards import (
    LIMIT,
    PIN,
    TaskCard,
    Tpm,
    key_record,
    record,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRIVATE = ec.generate_private_key(ec.SECP256R1())
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
SLOT = 0x9C


def run(
    noun: t.Any, arguments: t.Any, card: TaskCard, check: bool = False, **given: t.Any
) -> t.Tuple[Plan[t.Any], t.Any]:
    unsaid = {name: argument.get("default") for name, argument in arguments.items()}
    task = {**unsaid, "name": "card", "store": card.store.folder, "slot": "signature", "pin": PIN.decode(), **given}
    made = noun.from_task(task)
    found = made.read()
    plan = made.plan(found)
    return plan, made.apply(plan, found) if plan.changed and not check else made.report(plan, found)


def has_key(card: TaskCard) -> None:
    card.store.write(record(has_puk=True, keys={SLOT: key_record(PUBLIC)}))


# A key.


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> t.List[t.Any]:
    """The keys that were made."""
    keys: t.List[t.Any] = []

    def make(card: TaskCard, wanted: t.Any) -> None:
        keys.append(wanted)
        card.store.write(card.record.with_key(wanted.slot, key_record(PUBLIC)))

    monkeypatch.setattr(card_certificate, "make_shown_key", make)
    monkeypatch.setattr(key, "check_algorithms", lambda *_unused: None)
    return keys


def run_key(card: TaskCard, **given: t.Any) -> t.Tuple[Plan[t.Any], t.Any]:
    return run(key.SmartcardKey, key.ARGUMENTS, card, **{"algorithm": "ecc_p256", **given})


def test_a_key_is_made_once_and_removed_once(card: TaskCard, made: t.List[t.Any]) -> None:
    plan, told = run_key(card, check=True)
    assert plan.changed and told["key"] is None and made == []
    plan, told = run_key(card)
    assert [each.slot for each in made] == [SLOT] and told["key"]["slot"] == "signature" and card.tried == [PIN]
    plan, told = run_key(card)
    assert not plan.changed and told["key"]["algorithm"] == "ecc_p256" and len(made) == 1
    plan, told = run_key(card, state="absent")
    assert plan.changed and told["key"] is None and "remove key" in card.done
    plan, _told = run_key(card, state="absent")
    assert not plan.changed


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pin": None}, "pin is missing, and a new key needs it: give it"),
        ({"pin": "wrong-00"}, "pin is wrong, and has 4 tries left: give the right one"),
        ({"slot": "container_0", "algorithm": "rsa_2048"}, "slot is"),
    ],
)
def test_a_key_that_can_not_be_made(
    card: TaskCard, made: t.List[t.Any], given: t.Dict[str, t.Any], message: str
) -> None:
    with pytest.raises(HardboundError, match=message):
        run_key(card, **given)
    assert made == []


def test_a_key_of_another_type_is_not_overwritten(card: TaskCard, made: t.List[t.Any]) -> None:
    has_key(card)
    with pytest.raises(
        HardboundError, match="algorithm is rsa_2048, but slot signature of the card 'card' holds a key"
    ):
        run_key(card, algorithm="rsa_2048")


# Its certificate.


def issue(private: t.Any = PRIVATE) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Alice")])
    import datetime

    start = datetime.datetime(2024, 1, 1)
    builder = x509.CertificateBuilder(name, name, private.public_key(), 7, start, start.replace(year=2044))
    return builder.sign(private, hashes.SHA256())


def run_certificate(card: TaskCard, text: t.Optional[str], **given: t.Any) -> t.Tuple[Plan[t.Any], t.Any]:
    return run(certificate.SmartcardCertificate, certificate.ARGUMENTS, card, certificate=text, **given)


def test_a_certificate_is_put_once_and_removed_once(card: TaskCard) -> None:
    has_key(card)
    text = issue().public_bytes(Encoding.PEM).decode()
    plan, told = run_certificate(card, text)
    assert plan.changed and told["certificate"]["pem"] == text and "Alice" in str(plan.after)
    plan, told = run_certificate(card, text)
    assert not plan.changed and told["certificate"]["pem"] == text
    plan, told = run_certificate(card, None, state="absent")
    assert plan.changed and told["certificate"] is None
    assert not run_certificate(card, None, state="absent")[0].changed


def test_a_certificate_that_is_not_the_keys(card: TaskCard) -> None:
    text = issue().public_bytes(Encoding.PEM).decode()
    with pytest.raises(HardboundError, match="slot is signature, which holds no key on the card 'card': make the key"):
        run_certificate(card, text)
    has_key(card)
    other = issue(ec.generate_private_key(ec.SECP256R1())).public_bytes(Encoding.PEM).decode()
    with pytest.raises(HardboundError, match="certificate is for another key than the one in slot signature"):
        run_certificate(card, other)
    with pytest.raises(HardboundError, match="certificate "):
        run_certificate(card, "no PEM")


def test_what_is_no_certificate_is_described_so(card: TaskCard) -> None:
    card.store.write(record(keys={SLOT: key_record(PUBLIC)}, certificates={SLOT: b"none"}))
    plan, _told = run_certificate(card, None, check=True, state="absent")
    assert plan.before == {"subject": "what is no certificate"}


# A request for one.


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> None:
    def sign(_self: t.Any, _card: t.Any, _slot: int) -> bytes:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "alice")])
        made = x509.CertificateSigningRequestBuilder(name).sign(PRIVATE, hashes.SHA256())
        return made.public_bytes(Encoding.DER)

    monkeypatch.setattr(RequestSpecification, "sign", sign)


def run_request(card: TaskCard, path: Path, **given: t.Any) -> t.Tuple[Plan[t.Any], t.Any]:
    task = {"subject": {"CN": "alice"}, "subject_alt_name": [], "path": str(path), **given}
    return run(request.SmartcardRequest, request.ARGUMENTS, card, **task)


def test_a_request_is_written_once(card: TaskCard, signed: None, tmp_path: Path) -> None:
    has_key(card)
    path = tmp_path / "a.csr"
    plan, told = run_request(card, path, check=True)
    assert plan.changed and told["csr"] is None and not path.exists()
    plan, told = run_request(card, path)
    assert path.read_text() == told["csr"] and card.tried == [PIN]
    plan, told = run_request(card, path, pin=None)
    assert not plan.changed and told["csr"] == path.read_text()
    plan, _told = run_request(card, path, check=True, subject={"CN": "bob"})
    assert plan.before == {"path": str(path), "subject": "another request"}


def test_a_request_that_can_not_be_made(card: TaskCard, signed: None, tmp_path: Path) -> None:
    with pytest.raises(HardboundError, match="slot is signature, which holds no key on the card 'card': make the key"):
        run_request(card, tmp_path / "a.csr")
    has_key(card)
    with pytest.raises(HardboundError, match="pin is missing, and a new request needs it: give it"):
        run_request(card, tmp_path / "a.csr", pin=None)
    with pytest.raises(HardboundError, match="pin is wrong, and has 4 tries left"):
        run_request(card, tmp_path / "a.csr", pin="wrong-00")
    with pytest.raises(HardboundError, match=r"path is .*, whose folder does not exist: make the folder first"):
        run_request(card, tmp_path / "none/a.csr")
    with pytest.raises(HardboundError, match=r"can't be read .*: name a file, not a folder"):
        run_request(card, tmp_path)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(HardboundError, match="exists and holds no certification request: remove it"):
        run_request(card, tmp_path / "text")


def test_a_request_that_can_not_be_written(
    card: TaskCard, signed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_unused: t.Any) -> None:
        raise PermissionError(13, "Permission denied")

    has_key(card)
    monkeypatch.setattr(request, "write_atomically", refuse)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(HardboundError, match=r"can't be written .Permission denied.: use become"):
        run_request(card, tmp_path / "a.csr")


# Requests that the controller words, for another CA.


@pytest.fixture
def sign_asked(monkeypatch: pytest.MonkeyPatch) -> t.List[int]:
    slots: t.List[int] = []

    def sign(_card: t.Any, slot: int, _subject: bytes, _attributes: bytes) -> bytes:
        slots.append(slot)
        return b"signature"

    monkeypatch.setattr(card_request, "sign_asked", sign)
    return slots


ASKED = ExternalRequest(SLOT, b"0\0", b"\xa0\0", True)
SIGNATURES = {"signature": base64.b64encode(b"signature").decode()}


def signer(card: TaskCard, pin: str = PIN.decode()) -> RequestSigner:
    return RequestSigner(card.store, t.cast(t.Any, Tpm()), card.record, pin)


def test_requests_are_signed_with_the_pin_of_the_task(card: TaskCard, sign_asked: t.List[int]) -> None:
    assert signer(card).sign(Sign(new=(ASKED,))) == SIGNATURES
    assert signer(card).sign(Sign(old=(ASKED,))) == SIGNATURES
    assert signer(card, "").sign(Sign(new=(ASKED,))) == {} and sign_asked == [SLOT, SLOT]


def test_a_pin_that_may_have_been_changed_is_tried_once_at_most(card: TaskCard, sign_asked: t.List[int]) -> None:
    assert signer(card, "wrong-00").sign(Sign(old=(ASKED,))) == {}
    assert card.left[Reference.PIN] == LIMIT - 1
    assert signer(card, "wrong-00").sign(Sign(old=(ASKED,))) == {}
    assert card.left[Reference.PIN] == LIMIT - 1 and sign_asked == []


def test_a_pin_that_has_to_be_changed_signs_nothing(
    card: TaskCard, sign_asked: t.List[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def due(*_unused: t.Any, **_named: t.Any) -> None:
        raise PinDue("has expired")

    monkeypatch.setattr(TaskCard, "verify", due)
    assert signer(card).sign(Sign(old=(ASKED,))) == {}
    with contextlib.suppress(PinDue):
        signer(card).sign(Sign(new=(ASKED,)))
        pytest.fail("a card that was made now has the PIN of the task")


def test_the_secret_of_a_signer_is_not_shown(card: TaskCard) -> None:
    assert PIN.decode() not in repr(signer(card)) and external_request.LARGEST == 8192
