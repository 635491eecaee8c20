# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key that was opened is found by the processes of a run that have its file and its passphrase, and by no others."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._cryptography import ec
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, keyfile
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.authority import Authority
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.opened_keys import OpenedKeys

PASSPHRASE = "correct horse battery staple"
WRONG = "incorrect donkey battery"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> t.List[str]:
    """The files that were opened with scrypt, in a run that has just begun."""
    files: t.List[str] = []
    unlock = keyfile.unlock

    def counted(pem: bytes, passphrase: str, name: str) -> t.Any:
        files.append(name)
        return unlock(pem, passphrase, name)

    monkeypatch.setattr(keyfile, "unlock", counted)
    monkeypatch.setattr(authority, "_OPENED", OpenedKeys())
    return files


def in_another_process(work: t.Callable[[], object]) -> None:
    """As Ansible does for each task of each host."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_key_is_opened_for_the_first_host_alone(
    corp: t.Any, opened: t.List[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_another_process(Authority(corp.folder, PASSPHRASE).issuing)
    Authority(corp.folder, PASSPHRASE).check_passphrase()
    shared = Authority(corp.folder, PASSPHRASE).issuing().key
    assert not opened
    monkeypatch.setattr(authority, "_OPENED", OpenedKeys())
    assert Authority(corp.folder, PASSPHRASE).issuing().key.private_numbers() == shared.private_numbers()
    assert len(opened) == 1


def test_a_key_that_has_no_certificate_is_shared_too(corp: t.Any, opened: t.List[str]) -> None:
    in_another_process(Authority(corp.folder, PASSPHRASE).ssh_key)
    assert Authority(corp.folder, PASSPHRASE).ssh_key() and not opened


def test_the_roots_key_is_shared_with_nobody(corp: t.Any, opened: t.List[str]) -> None:
    for _each in range(2):
        Authority(corp.folder, PASSPHRASE).root()
    assert len(opened) == 2 and not any(authority._OPENED._page[32:])


def test_a_wrong_passphrase_is_refused_however_often_the_right_one_was_given(corp: t.Any, opened: t.List[str]) -> None:
    for _each in range(2):
        Authority(corp.folder, PASSPHRASE).check_passphrase()
        for wrong in (WRONG, PASSPHRASE[:-1], f"{PASSPHRASE} "):
            with pytest.raises(StateError, match=r"issuing\.key does not open with this passphrase"):
                Authority(corp.folder, wrong).check_passphrase()


def test_a_key_that_was_replaced_is_opened_again(corp: t.Any, opened: t.List[str]) -> None:
    Authority(corp.folder, PASSPHRASE).check_passphrase()
    path = corp.folder.private_key("issuing")
    path.write_bytes(keyfile.lock(ec.generate_private_key(ec.SECP256R1()), PASSPHRASE))
    for _each in range(2):
        with pytest.raises(StateError, match="does not belong to the issuing certificate"):
            Authority(corp.folder, PASSPHRASE).check_passphrase()
    path.unlink()
    with pytest.raises(StateError, match=r"issuing\.key is not there"):
        Authority(corp.folder, PASSPHRASE).check_passphrase()


def test_a_key_is_found_by_its_file_and_passphrase_alone() -> None:
    keys = OpenedKeys()
    keys.keep(b"file", PASSPHRASE, b"key")
    assert keys.find(b"file", PASSPHRASE) == b"key"
    assert keys.find(b"file", WRONG) is None and keys.find(b"fiLe", PASSPHRASE) is None


def test_two_runs_know_nothing_of_each_other() -> None:
    one, other = OpenedKeys(), OpenedKeys()
    one.keep(b"file", PASSPHRASE, b"key")
    other._page[32:] = one._page[32:]
    assert other.find(b"file", PASSPHRASE) is None
    other._page[:32] = one._page[:32]
    assert other.find(b"file", PASSPHRASE) == b"key"


def test_a_place_that_is_half_written_holds_nothing() -> None:
    keys, size = OpenedKeys(), 3000
    assert keys.find(b"file", PASSPHRASE) is None
    keys.keep(b"file", PASSPHRASE, bytes(size))
    at = keys._page[:].index(keys._page[32:].lstrip(b"\0")[:64])
    for cut in range(0, size, 500):
        before = keys._page[at + cut]
        keys._page[at + cut] = before ^ 1
        assert keys.find(b"file", PASSPHRASE) is None
        keys._page[at + cut] = before
    assert keys.find(b"file", PASSPHRASE) == bytes(size)


def test_a_key_that_is_too_long_for_its_place_is_left_out() -> None:
    keys = OpenedKeys()
    for size, is_kept in ((4066, True), (4067, False)):
        keys.keep(b"file %d" % size, PASSPHRASE, bytes(size))
        assert (keys.find(b"file %d" % size, PASSPHRASE) is not None) is is_kept


def test_what_is_shared_holds_no_secret_of_the_ca(corp: t.Any, opened: t.List[str]) -> None:
    secret = Authority(corp.folder, PASSPHRASE).issuing().key.private_numbers().private_value.to_bytes(32, "big")
    page = authority._OPENED._page[:]
    assert any(page[32:]) and PASSPHRASE.encode() not in page and secret not in page
