# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose attestation key a CA has certified, for verifiers that are not ours."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, certificate, profiles
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer, Order
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import Assurance
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import CertificatePlace
from ansible_collections.hardbound.identity.tests.integration.attestation.bench import HOST, NAME, Bench, now
from cryptography import x509

IDENTITY = certificate.Identity(HOST)
SOFTWARE_TPM = "id:00001014"
"""What swtpm's EK certificates say. PyPI's webauthn knows the makers of the TCG's registry alone."""


class Corp:
    """A CA with one host: it certifies the AK that a verified host showed."""

    def __init__(self, folder: t.Any) -> None:
        self.folder = authority.CaFolder(folder)
        authority.create(self.folder, authority.Blueprint("Corp"), "correct horse battery staple", "", now())
        self.authority = authority.Authority(self.folder, "correct horse battery staple")
        self.ledger = Ledger(self.folder.ledger_url, create=True)
        self.issuer = Issuer(self.authority, self.ledger)

    @property
    def root(self) -> x509.Certificate:
        return x509.load_der_x509_certificate((self.folder.public / "root.cer").read_bytes())

    def order(self, bench: Bench) -> Order:
        verdict = bench.judge(bench.show())
        assert verdict.findings == () and verdict.ek is not None and verdict.ek.tpm is not None
        ak = verdict.cards[NAME].ak.spki()
        profile = profiles.SHIPPED[profiles.AK]
        return Order(CertificatePlace(HOST, NAME), profile, IDENTITY, ak, Assurance.RESTRICTED, tpm=verdict.ek.tpm.name)

    def chain(self, bench: Bench) -> t.Tuple[bytes, ...]:
        return self.issuer.issue(self.order(bench)).certificate.body, self.issuer.certificate


@pytest.fixture(scope="module")
def bench(tmp_path_factory, swtpm, maker):
    bench = Bench(tmp_path_factory.mktemp("store"), swtpm, maker)
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def corp(tmp_path_factory):
    corp = Corp(tmp_path_factory.mktemp("webauthn") / "ca")
    yield corp
    corp.ledger.close()


@pytest.fixture
def known_maker(monkeypatch):
    """The relying party also takes software TPMs, which is its own decision."""
    makers = pytest.importorskip("webauthn.helpers.tpm.structs").TPM_MANUFACTURERS
    monkeypatch.setitem(makers, SOFTWARE_TPM, makers["id:49465800"])
