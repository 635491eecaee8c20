# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cards in a software TPM as authenticators, and python-fido2 as their client, over CTAPHID."""

from __future__ import annotations

import contextlib
import pathlib
import tempfile
import typing as t

import pytest

pytest.importorskip("cbor2", reason="needs cbor2, as in Debian's python3-cbor2")
pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")
WHICH = "of a release that runs beside cryptography 38: tests/requirements/pip-old.txt"
hid = pytest.importorskip("fido2.hid", reason=f"needs PyPI's fido2 {WHICH}")
pytest.importorskip("fido2.features", reason=f"needs PyPI's fido2 {WHICH}")

from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.authenticator import Authenticator
from ansible_collections.hardbound.identity.tests.integration.fido2.client import Program
from ansible_collections.hardbound.identity.tests.support.card_bench import PIN, Bench
from ansible_collections.hardbound.identity.tests.support.hid_device import PluggedIn, SettableClock
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, swtpm: t.Any) -> t.Iterator[Bench]:
    bench = Bench(tmp_path_factory.mktemp("store"), swtpm.tcti)
    yield bench
    bench.tpm.close()


@pytest.fixture(scope="module")
def swtpm(require_swtpm: None) -> t.Iterator[SoftwareTpm]:
    with started_tpm() as tpm:
        yield tpm


@pytest.fixture
def other_tpm(require_swtpm: None) -> t.Iterator[SoftwareTpm]:
    with started_tpm() as tpm:
        yield tpm


@contextlib.contextmanager
def started_tpm() -> t.Iterator[SoftwareTpm]:
    """A TPM fresh from the factory, in a folder whose path fits into the address of a socket."""
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        tpm = SoftwareTpm(pathlib.Path(folder))
        tpm.start()
        try:
            yield tpm
        finally:
            tpm.stop()


@pytest.fixture
def bench_type() -> t.Type[Bench]:
    return Bench


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def card(bench: Bench) -> t.Iterator[t.Any]:
    """A card whose PIN nobody has given yet."""
    record = bench.make(pin_retries=8)
    card = bench.open(record)
    yield card
    card.close()
    bench.destroy(record)


@pytest.fixture
def unexpected() -> t.Iterator[t.List[Exception]]:
    """The errors of the authenticator that are no answers: there are none."""
    errors: t.List[Exception] = []
    yield errors
    assert errors == []


@pytest.fixture
def plugged_in(card: t.Any, clock: SettableClock, unexpected: t.List[Exception]) -> t.Iterator[PluggedIn]:
    with PluggedIn(Authenticator(card, unexpected.append, clock), clock) as plugged_in:
        yield plugged_in


@pytest.fixture
def program(plugged_in: PluggedIn) -> Program:
    return Program(plugged_in, PIN.decode())
