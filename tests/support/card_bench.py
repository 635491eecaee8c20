# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cards in a software TPM, and what a test needs to know of both."""

from __future__ import annotations

import pathlib
import typing as t
from dataclasses import replace

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.plugins.module_utils._card import lifecycle
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import Secrets, Specification
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import command as wire
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.capability import identify
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench

PIN = b"123456"
PUK = b"87654321"


class Bench:
    """A TPM, a store, and cards made in them."""

    def __init__(self, folder: pathlib.Path, tcti: str) -> None:
        self.tcti = tcti
        self.store = Store(str(folder))
        self.store.prepare()
        self.tpm = Tpm(Tcti.parse(tcti), str(folder))
        self.workbench = Workbench(self.tpm)
        self.specification = Specification(
            "test",
            Tcti.parse(tcti),
            pin_policy=PinPolicy(minlen=4, maxlen=8),
            pin_retries=3,
            puk_retries=3,
            has_puk=True,
        )
        self.secrets = Secrets(PIN.decode(), PUK.decode())

    def make(self, name: str = "test", **changes: t.Any) -> Record:
        """Makes a card; ``has_puk=False`` makes one without PUK, ``admin_key`` one with that key."""
        admin_key = changes.pop("admin_key", None)
        specification = replace(self.specification, name=name, has_admin=admin_key is not None, **changes)
        secrets = replace(self.secrets, admin_key=admin_key)
        if not specification.has_puk:
            secrets = replace(secrets, puk=None)
        if self.tpm.is_held:
            self.workbench.clear()  # As whoever makes a card anew does: it takes all of a TPM's three places.
        return lifecycle.create(self.store, self.tpm, specification, secrets)

    def open(self, record: Record, pin: t.Optional[bytes] = None) -> Card:
        card = Card(self.store, self.workbench, record.number)
        if pin is not None:
            card.verify(pin)
        return card

    def destroy(self, record: Record) -> None:
        lifecycle.destroy(self.store, self.tpm, record.number)

    def recover(self) -> t.List[Record]:
        return lifecycle.recover(self.store, lambda tcti: self.tpm)

    def lockout_counter(self) -> int:
        with self.tpm.taken():
            return identify(self.tpm).lockout.counter

    def card_indices(self) -> t.List[int]:
        """NV indices in the range of cards."""
        with self.tpm.taken():
            handles = self.tpm.handles(wire.NV)
        return [handle for handle in handles if lifecycle.FIRST_HANDLE <= handle < lifecycle.FIRST_HANDLE + 0x1000]

    def loaded(self) -> t.List[int]:
        """Objects and sessions that stayed in the TPM after everybody let go of it. Looks without flushing."""
        self.tpm.release()
        transport = Tcti.parse(self.tcti).connect()
        try:
            found: t.List[int] = []
            for kind in (wire.TRANSIENT, wire.LOADED_SESSIONS, wire.SAVED_SESSIONS):
                transport.send(wire.get_capability(wire.Capability.HANDLES, kind, 254))
                response = transport.receive()
                found += [entry[0] for entry in wire.capability_list(response, ">I")[1]]
            return found
        finally:
            transport.close()


@pytest.fixture
def bench_type() -> t.Type[Bench]:
    return Bench


@pytest.fixture
def bench(software_tpm: t.Any, short_path: pathlib.Path) -> t.Iterator[Bench]:
    folder = short_path / "store"
    folder.mkdir()
    bench = Bench(folder, software_tpm.tcti)
    yield bench
    bench.tpm.close()
