# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cards for the nouns of ``_task``: records in a real store, and a TPM and secrets in memory."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import replace

from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminKey
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import Blocked, WrongSecret
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import PinUse
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import KeyRecord, Record, State
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference, Tries
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.blob import Blob, Creation
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy

TCTI = "device:/dev/tpmrm0"
PIN, PUK = b"pin-0815", b"puk-0815"
LIMIT = 5


def record(number: int = 0, name: str = "card", **fields: t.Any) -> Record:
    """A card that is ready, as the disk knows it."""
    whole: t.Dict[str, t.Any] = {
        "serial": bytes(16),
        "tcti": TCTI,
        "first_handle": 0x01815000 + 8 * number,
        "genesis": bytes(34),
        "salt": bytes(16),
        "pin_policy": PinPolicy(maxlen=8),
        "pin_retries": LIMIT,
        "puk_retries": LIMIT,
        "state": State.READY,
        **fields,
    }
    return Record(number, name, **whole)


def key_record(public: bytes = b"public", algorithm: KeyAlgorithm = KeyAlgorithm.ECC_P256) -> KeyRecord:
    return KeyRecord(algorithm, PinUse.ONCE, Blob(b"private", b"public"), public, Creation(b"data", b"hash", b"ticket"))


class Tpm:
    """Counts how often it was taken."""

    def __init__(self) -> None:
        self.taken_times = 0

    @contextlib.contextmanager
    def taken(self) -> t.Iterator[Tpm]:
        self.taken_times += 1
        yield self


class TaskCard:
    """What a task asks of a card that exists, with its secrets in memory. ``tried`` are the secrets that were tried.

    :param by_task: the secrets that a task has set: the disk tells which of given ones they are
    """

    def __init__(self, store: Store, number: int = 0, by_task: t.Collection[Reference] = ()) -> None:
        self.store = store
        self.number = number
        self.secrets = {Reference.PIN: PIN, Reference.PUK: PUK}
        self.left = dict.fromkeys(self.secrets, LIMIT)
        self.admin_key: t.Optional[AdminKey] = None
        self.by_task = set(by_task)
        self.tried: t.List[bytes] = []
        self.done: t.List[str] = []

    @property
    def record(self) -> Record:
        return self.store.read(self.number)

    def has(self, reference: Reference) -> bool:
        return reference is Reference.PIN or self.record.has_puk

    def tries(self, reference: Reference) -> Tries:
        return Tries(self.left[reference], LIMIT)

    def set_by_task(self, reference: Reference) -> bool:
        return reference in self.by_task

    def candidates(self, reference: Reference, secrets: t.Sequence[bytes]) -> t.List[bytes]:
        return [each for each in secrets if reference not in self.by_task or each == self.secrets[reference]]

    def check(self, reference: Reference, secret: bytes) -> None:
        self.tried.append(secret)
        if not self.left[reference]:
            raise Blocked(reference)
        if secret != self.secrets[reference]:
            self.left[reference] -= 1
            raise WrongSecret(reference, self.left[reference])
        self.left[reference] = LIMIT

    def verify(self, pin: bytes, provisioning: bool = False) -> None:
        self.check(Reference.PIN, pin)

    def _revise(self, what: str, **changes: t.Any) -> None:
        self.done.append(what)
        self.store.write(replace(self.record, **changes))

    def _set_pin(self, what: str, new: bytes, must_change: bool) -> None:
        self.secrets[Reference.PIN] = new
        self.left[Reference.PIN] = LIMIT
        self._revise(what, pin=replace(self.record.pin, must_change=must_change))

    def must_change_pin(self) -> None:
        self._revise("mark", pin=replace(self.record.pin, must_change=True))

    def change(
        self, reference: Reference, old: bytes, new: bytes, by_task: bool = False, must_change: bool = False
    ) -> None:
        self.check(reference, old)
        if reference is Reference.PIN:
            self._set_pin("change pin", new, must_change)
        else:
            self.secrets[reference] = new
            self._revise("change puk")

    def unblock(self, puk: bytes, new_pin: bytes, by_task: bool = False, must_change: bool = False) -> None:
        self.check(Reference.PUK, puk)
        self._set_pin("unblock", new_pin, must_change)

    def administer(self, key: AdminKey) -> None:
        self.admin_key = key

    def reset_pin(self, new_pin: bytes, by_task: bool = False, must_change: bool = False) -> None:
        self._set_pin("reset", new_pin, must_change)

    def store_certificate(self, slot: int, certificate: t.Optional[bytes]) -> None:
        self._revise("certificate", certificates={**self.record.certificates, slot: certificate} if certificate else {})

    def remove_key(self, slot: int) -> None:
        self.done.append("remove key")
        self.store.write(self.record.without_key(slot))

    def close(self) -> None:
        self.done.append("close")
