# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA on the disk, a clock that can be turned, and orders for it."""

from __future__ import annotations

import datetime
import shutil
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, profiles
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer, Order
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import Assurance
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.signer import public_der
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.tpm_name import TpmName
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import CertificatePlace
from cryptography.hazmat.primitives.asymmetric import ec

START = datetime.datetime(2026, 3, 1, 12, 0, tzinfo=datetime.timezone.utc)
PASSPHRASE = "correct horse battery staple"
SID = "S-1-5-21-1004336348-1177238915-682003330-512"
ALICE = Identity.parse(
    {
        "common_name": "Alice",
        "upn": "alice@corp.example",
        "sid": SID,
        "principal": "alice@CORP.EXAMPLE",
        "email": "alice@corp.example",
        "ssh_principals": ["alice"],
    }
)
LAB_TPM = TpmName("id:4C414200", "Lab", "id:00010002")
BLUEPRINT = authority.Blueprint(
    name="Corp Issuing CA",
    organization="Corp",
    permitted_domains=("corp.example",),
    crl_urls=("http://pki.corp.example/issuing.crl",),
)


@dataclass
class Watch:
    """A clock that stands still until it is turned."""

    at: datetime.datetime = START

    def __call__(self) -> datetime.datetime:
        return self.at

    def turn(self, **delta: int) -> None:
        self.at += datetime.timedelta(**delta)


@dataclass
class Corp:
    """A CA with its ledger, and how to order from it."""

    folder: authority.CaFolder
    watch: Watch
    passphrase: str = PASSPHRASE
    ledger: Ledger = field(init=False)
    authority: authority.Authority = field(init=False)
    issuer: Issuer = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.folder.ledger_url, self.watch, create=True)
        self.reopen()

    def reopen(self) -> None:
        self.authority = authority.Authority(self.folder, self.passphrase)
        self.issuer = Issuer(self.authority, self.ledger)

    def order(self, profile: str = "ad_smartcard_logon", **given: t.Any) -> Order:
        values: t.Dict[str, t.Any] = {
            "place": CertificatePlace("ws-001", "card", "authentication"),
            "profile": profiles.SHIPPED[profile],
            "identity": ALICE,
            "assurance": Assurance.RESTRICTED if profile == profiles.AK else Assurance.FIXED,
            "tpm": LAB_TPM if profile == profiles.AK else None,
        }
        values.update(given)
        values.setdefault("public_key", None)
        if values["public_key"] is None:
            values["public_key"] = new_key()
        return Order(**values)


def new_key() -> bytes:
    return public_der(ec.generate_private_key(ec.SECP256R1()).public_key())


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("made") / "ca"
    authority.create(authority.CaFolder(path), BLUEPRINT, PASSPHRASE, "", START)
    return path


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def corp(made_once: Path, tmp_path: Path, watch: Watch) -> t.Iterator[Corp]:
    shutil.copytree(made_once, tmp_path / "ca")
    corp = Corp(authority.CaFolder(tmp_path / "ca"), watch)
    yield corp
    corp.ledger.close()
