# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A software TPM: a real one, with a folder and a socket of its own."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import typing as t

from ansible_collections.hardbound.identity.tests.support.waiting import until

_PATIENCE = 10.0

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
    """A swtpm that can be stopped and started again, with or without an orderly shutdown."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.socket = folder / "tpm.sock"
        self._process: t.Optional[subprocess.Popen[bytes]] = None

    @property
    def tcti(self) -> str:
        return f"swtpm:path={self.socket}"

    def start(self) -> None:
        for name in (self.socket, pathlib.Path(f"{self.socket}.ctrl")):
            name.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                *("swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}"),
                *("--server", f"type=unixio,path={self.socket}"),
                *("--ctrl", f"type=unixio,path={self.socket}.ctrl"),
                *("--flags", "not-need-init,startup-clear"),
            ],
            stderr=subprocess.DEVNULL,  # It reports every client that leaves.
        )
        until(self._listens, "swtpm did not start")

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
        return True

    def is_free(self) -> bool:
        """Whether no program is connected to it: proc(5) lists a connected socket under the listener's path."""
        sockets = pathlib.Path("/proc/net/unix").read_text().splitlines()
        return not any(line.endswith(f" {self.socket}") and line.split()[5] == "03" for line in sockets)

    def processor_time(self) -> float:
        """Returns the seconds that it has taken since it was started."""
        assert self._process is not None
        fields = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # proc(5): utime, stime

    @contextlib.contextmanager
    def hanging(self) -> t.Iterator[None]:
        """It takes commands, and answers none."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        assert self._process is not None
        subprocess.run(["swtpm_ioctl", "--unix", f"{self.socket}.ctrl", "-s"], check=False, capture_output=True)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def cut_power(self) -> None:
        """Ends it without a word, and starts it again."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self.start()

    def restart(self) -> None:
        self.stop()
        self.start()


class TpmMaker:
    """Makes software TPMs with EK certificates of a CA of its own."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "localca.conf").write_text(_LOCALCA_CONF.format(folder=folder))
        (folder / "localca.options").write_text(_LOCALCA_OPTIONS)
        (folder / "setup.conf").write_text(_SETUP_CONF.format(folder=folder))
        _give_to_tss(folder)

    def make(self, folder: pathlib.Path) -> SoftwareTpm:
        """Makes a TPM and starts it."""
        self.manufacture(folder)
        tpm = SoftwareTpm(folder)
        tpm.start()
        return tpm

    def manufacture(self, folder: pathlib.Path) -> None:
        """Makes the state of a TPM, for whoever starts it."""
        folder.mkdir(parents=True, exist_ok=True)
        _give_to_tss(folder)
        command = ["swtpm_setup", "--tpm2", "--tpmstate", str(folder), "--create-ek-cert", "--overwrite"]
        done = subprocess.run(
            [*command, "--config", str(self.folder / "setup.conf")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        for file in (folder, *folder.rglob("*")):
            os.chown(file, os.getuid(), os.getgid())

    @property
    def anchors(self) -> pathlib.Path:
        """The CA that issues the EK certificates, PEM."""
        return self.folder / "issuercert.pem"

    @property
    def root(self) -> pathlib.Path:
        """The CA above it, PEM."""
        return self.folder / "swtpm-localca-rootca-cert.pem"


def _give_to_tss(folder: pathlib.Path) -> None:
    """swtpm_setup run by root works as the user tss."""
    if os.getuid():
        return
    shutil.chown(folder, "tss")
    for parent in folder.parents:
        if parent.name.startswith("pytest-"):
            parent.chmod(0o755)
