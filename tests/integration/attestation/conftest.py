# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Software TPMs for each session, with EK certificates from a CA of their own."""

from __future__ import annotations

import shutil
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm, TpmMaker

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")


@pytest.fixture(scope="session")
def maker(tmp_path_factory: pytest.TempPathFactory) -> TpmMaker:
    for program in ("swtpm", "swtpm_setup", "swtpm_localca"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}, as in Debian's swtpm-tools")
    return TpmMaker(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def swtpm(tmp_path_factory: pytest.TempPathFactory, maker: TpmMaker) -> t.Iterator[SoftwareTpm]:
    tpm = maker.make(tmp_path_factory.mktemp("tpm"))
    yield tpm
    tpm.stop()


@pytest.fixture(scope="session")
def other_swtpm(tmp_path_factory: pytest.TempPathFactory, maker: TpmMaker) -> t.Iterator[SoftwareTpm]:
    tpm = maker.make(tmp_path_factory.mktemp("tpm"))
    yield tpm
    tpm.stop()
