# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A software TPM of its own for each session, with EK certificates from a CA of its own."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import time

import pytest

tpm2_pytss = pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

_LOCALCA_CONF = """\
statedir = {folder}
signingkey = {folder}/signkey.pem
issuercert = {folder}/issuercert.pem
certserial = {folder}/certserial
"""
_LOCALCA_OPTIONS = "--platform-manufacturer Lab\n--platform-version 1\n--platform-model Lab\n"
_SETUP_CONF = """\
create_certs_tool = /usr/bin/swtpm_localca
create_certs_tool_config = {folder}/localca.conf
create_certs_tool_options = {folder}/localca.options
active_pcr_banks = sha256
"""


class SoftwareTpm:
    """A running swtpm."""

    def __init__(self, folder: pathlib.Path, ca: pathlib.Path) -> None:
        self.ca = ca
        self._folder = folder
        self._socket = folder / "socket"
        command = ["swtpm_setup", "--tpm2", "--tpmstate", str(folder), "--create-ek-cert", "--overwrite"]
        command += ["--config", str(ca / "setup.conf")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        for file in (folder, *folder.rglob("*")):
            os.chown(file, os.getuid(), os.getgid())
        self._process = subprocess.Popen(
            [
                *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={folder}"),
                *("--server", f"type=unixio,path={self._socket}"),
                *("--ctrl", f"type=unixio,path={self._socket}.ctrl"),
                *("--flags", "not-need-init,startup-clear"),
            ],
            stderr=subprocess.DEVNULL,  # It reports every client that leaves.
        )
        deadline = time.monotonic() + 10
        while not self._socket.exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    def open(self) -> tpm2_pytss.ESAPI:
        return tpm2_pytss.ESAPI(self.tcti)

    @property
    def tcti(self) -> str:
        return f"swtpm:path={self._socket}"

    @property
    def intermediate(self) -> bytes:
        return (self.ca / "issuercert.pem").read_bytes()

    @property
    def root(self) -> bytes:
        return (self.ca / "swtpm-localca-rootca-cert.pem").read_bytes()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@pytest.fixture(scope="session")
def swtpm_ca(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    for program in ("swtpm", "swtpm_setup", "swtpm_localca"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}, as in Debian's swtpm-tools")
    folder = tmp_path_factory.mktemp("ca")
    (folder / "localca.conf").write_text(_LOCALCA_CONF.format(folder=folder))
    (folder / "localca.options").write_text(_LOCALCA_OPTIONS)
    (folder / "setup.conf").write_text(_SETUP_CONF.format(folder=folder))
    _open_to_tss(folder)
    return folder


def _open_to_tss(folder: pathlib.Path) -> None:
    """swtpm_setup run by root works as the user tss."""
    if os.getuid():
        return
    shutil.chown(folder, "tss")
    for parent in folder.parents:
        if parent.name.startswith("pytest-"):
            parent.chmod(0o755)


def _make(tmp_path_factory: pytest.TempPathFactory, ca: pathlib.Path) -> SoftwareTpm:
    folder = tmp_path_factory.mktemp("tpm")
    _open_to_tss(folder)
    return SoftwareTpm(folder, ca)


@pytest.fixture(scope="session")
def swtpm(tmp_path_factory, swtpm_ca):
    tpm = _make(tmp_path_factory, swtpm_ca)
    yield tpm
    tpm.stop()


@pytest.fixture(scope="session")
def other_swtpm(tmp_path_factory, swtpm_ca):
    tpm = _make(tmp_path_factory, swtpm_ca)
    yield tpm
    tpm.stop()
