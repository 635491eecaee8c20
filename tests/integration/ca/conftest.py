# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA on the disk, and keys to certify."""

from __future__ import annotations

import glob
import importlib.util
import os
import shutil
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, profiles
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Order
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import Assurance
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.signer import public_der
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import clock
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import CertificatePlace
from cryptography.hazmat.primitives.asymmetric import ec

PASSPHRASE = "correct horse battery staple"
DRIVER = next((name for name in ("psycopg2", "psycopg") if importlib.util.find_spec(name)), None)


@dataclass(frozen=True)
class Corp:
    """A CA whose ledger lies in its folder."""

    folder: authority.CaFolder

    def open(self) -> authority.Authority:
        return authority.Authority(self.folder, PASSPHRASE)

    def order(self, host: str, profile: str, key: t.Any = None, **names: t.Any) -> Order:
        key = key or ec.generate_private_key(ec.SECP256R1())
        place = CertificatePlace(host, "card", "authentication")
        identity = Identity.parse({"common_name": host, **names})
        public_key = public_der(key.public_key())
        return Order(place, profiles.SHIPPED[profile], identity, public_key, Assurance.FIXED)


@pytest.fixture
def corp(tmp_path: Path) -> Corp:
    folder = authority.CaFolder(tmp_path / "ca")
    authority.create(folder, authority.Blueprint("Corp"), PASSPHRASE, "", clock.now())
    Ledger(folder.ledger_url, create=True).close()
    return Corp(folder)


@pytest.fixture(scope="session")
def server(need_program: t.Callable[..., str]) -> t.Iterator[str]:
    """Runs a PostgreSQL as its own user, on a Unix socket, and gives the URL of a database."""
    if DRIVER is None:
        pytest.skip("needs psycopg2 or psycopg, a PostgreSQL driver")
    initdb = need_program("initdb", *sorted(glob.glob("/usr/lib/postgresql/*/bin")))
    control = str(Path(os.path.realpath(initdb)).parent / "pg_ctl")
    if os.geteuid():
        pytest.skip("needs root, to become the user postgres")
    folder = tempfile.mkdtemp(prefix="hb-pg-")
    shutil.chown(folder, "postgres")
    become = ("runuser", "-u", "postgres", "--")
    quietly = {"stdout": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run([*become, initdb, "-D", f"{folder}/data", "-A", "trust", "-U", "ca"], check=True, **quietly)
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run(
        [*become, control, "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options, "start"],
        check=True,
        **quietly,
    )
    yield f"postgresql+{DRIVER}://ca@/postgres?host={folder}"
    subprocess.run([*become, control, "-D", f"{folder}/data", "-m", "immediate", "stop"], check=True, **quietly)
    shutil.rmtree(folder)


@pytest.fixture
def url(server: str) -> t.Iterator[str]:
    """An empty database for each test."""
    connection = importlib.import_module(str(DRIVER)).connect(server.replace(f"+{DRIVER}", ""))
    connection.autocommit = True
    connection.cursor().execute("DROP DATABASE IF EXISTS ledger WITH (FORCE)")
    connection.cursor().execute("CREATE DATABASE ledger")
    connection.close()
    yield server.replace("/postgres?", "/ledger?")
