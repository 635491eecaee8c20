# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A passphrase that has opened a key is known to the processes of a run, and no other is taken for it."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._cryptography import ec
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, keyfile
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.authority import Authority
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.known_passphrases import KnownPassphrases

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
    monkeypatch.setattr(authority, "_KNOWN", KnownPassphrases())
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


def test_a_key_is_opened_for_the_first_host_alone(corp: t.Any, opened: t.List[str]) -> None:
    in_another_process(Authority(corp.folder, PASSPHRASE).check_passphrase)
    Authority(corp.folder, PASSPHRASE).check_passphrase()
    assert not opened
    Authority(corp.folder, PASSPHRASE).issuing()
    assert len(opened) == 1


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


def test_two_runs_know_nothing_of_each_other() -> None:
    one, other = KnownPassphrases(), KnownPassphrases()
    one.add(b"key", PASSPHRASE)
    other._page[:] = one._page[:32] + other._page[32:]
    assert one.has(b"key", PASSPHRASE) and not other.has(b"key", PASSPHRASE)
    other._page[32:] = one._page[32:]
    assert other.has(b"key", PASSPHRASE)
    other._page[:32] = bytes(32)
    assert not other.has(b"key", PASSPHRASE)


def test_what_is_shared_holds_no_secret_of_the_ca(corp: t.Any, opened: t.List[str]) -> None:
    opener = Authority(corp.folder, PASSPHRASE)
    opener.check_passphrase()
    page = authority._KNOWN._page[:]
    secret = opener.issuing().key.private_numbers().private_value.to_bytes(32, "big")
    assert any(page[32:]) and PASSPHRASE.encode() not in page and secret not in page
