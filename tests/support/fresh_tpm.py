# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Software TPMs for the tests."""

from __future__ import annotations

import pathlib
import shutil
import tempfile
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm


@pytest.fixture(scope="session")
def require_swtpm() -> None:
    if shutil.which("swtpm") is None:
        pytest.skip("needs swtpm, as in Debian's package of that name")


@pytest.fixture
def short_path() -> t.Iterator[pathlib.Path]:
    """A folder whose path fits into the address of a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="hb-") as folder:
        yield pathlib.Path(folder)


@pytest.fixture
def software_tpm(require_swtpm: None, short_path: pathlib.Path) -> t.Iterator[SoftwareTpm]:
    """A TPM fresh from the factory."""
    folder = short_path / "tpm"
    folder.mkdir()
    tpm = SoftwareTpm(folder)
    tpm.start()
    yield tpm
    tpm.stop()
