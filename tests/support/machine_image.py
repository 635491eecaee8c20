# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a virtual machine starts from: a Debian that is made from packages alone, and kept by what goes into it."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import typing as t

import yaml

_ROOT = pathlib.Path(__file__).parents[2]
_MAKER = _ROOT / "tests/machine/image.sh"
_DISTRIBUTIONS = _ROOT / "roles/tpm_host/vars"
_WANTED_BY_ROLE = ("always", "pcsc", "pkcs11", "access", "firewall")

SUITES = {"bookworm": 12, "trixie": 13}
_SYSTEM = (
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "linux-image-amd64", "initramfs-tools", "adduser", "procps"),
    *("openssh-server", "openssh-client", "python3", "python3-apt", "iproute2", "sudo"),
)
_OTHER_USERS_OF_A_TPM = (
    *("tpm2-tools", "libtpm2-pkcs11-1", "libtpm2-pkcs11-tools"),
    *("cryptsetup-bin", "dmsetup", "libtss2-rc0", "libtss2-tcti-device0"),
)
_CLIENTS = ("openssl", "yubico-piv-tool")
_ADDED = {"bookworm": (), "trixie": ("systemd-cryptsetup",)}  # a package of its own since Debian 13


class Unavailable(Exception):
    """Why no virtual machine can be had here, in one line."""


@dataclasses.dataclass(frozen=True)
class Image:
    """The files of an image. Nobody writes to its disk: machines write to a layer upon it."""

    folder: pathlib.Path
    suite: str

    @property
    def disk(self) -> pathlib.Path:
        """The root file system, raw."""
        return self.folder / "disk"

    @property
    def kernel(self) -> pathlib.Path:
        return self.folder / "kernel"

    @property
    def initrd(self) -> pathlib.Path:
        return self.folder / "initrd"

    @property
    def key(self) -> pathlib.Path:
        """The key that opens the machine to its users, for OpenSSH."""
        return self.folder / "key"

    @property
    def known_hosts(self) -> pathlib.Path:
        """The machine's host key, under the name "machine"."""
        return self.folder / "known_hosts"


def cache() -> pathlib.Path:
    """Where images are kept, as ``run`` keeps environments."""
    home = os.environ.get("XDG_CACHE_HOME") or str(pathlib.Path.home() / ".cache")
    return pathlib.Path(os.environ.get("HARDBOUND_CACHE") or f"{home}/hardbound") / "machines"


def packages(suite: str, *added: str) -> t.List[str]:
    """Returns what goes into the image: also what the role tpm_host would install, which is slow in the machine."""
    variables = yaml.safe_load((_DISTRIBUTIONS / f"Debian-{SUITES[suite]}.yml").read_text())
    by_role = [name for need in _WANTED_BY_ROLE for name in variables["__tpm_host_packages"][need]]
    return sorted({*_SYSTEM, *_OTHER_USERS_OF_A_TPM, *_CLIENTS, *_ADDED[suite], *by_role, *added})


def image(suite: str, *added: str) -> Image:
    """Returns the image of a suite of Debian, which is made if it is not there: some minutes, and 2 GiB of disk.

    :param added: packages that a scenario needs beyond what all have
    :raises Unavailable: it is not there and can't be made
    """
    recipe = "\n".join([suite, *packages(suite, *added), _MAKER.read_text()])
    home = cache() / f"{suite}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    home.parent.mkdir(parents=True, exist_ok=True)
    with _locked(home):
        if not home.exists():
            _make(suite, packages(suite, *added), home)
    return Image(home, suite)


@contextlib.contextmanager
def _locked(home: pathlib.Path) -> t.Iterator[None]:
    """Whoever else wants to make the same folder waits."""
    with pathlib.Path(f"{home}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(suite: str, wanted: t.Sequence[str], home: pathlib.Path) -> None:
    if os.geteuid():
        raise Unavailable("no rights to make the image of a machine: run this as root")
    for program in ("mmdebstrap", "mkfs.ext4", "ssh-keygen"):
        if shutil.which(program) is None:
            raise Unavailable(f"no {program}, which makes the image of a machine")
    draft = home.with_name(f"{home.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    command = [str(_MAKER), suite, str(draft), ",".join(wanted)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"no image of {suite}: {' '.join(done.stdout.split())[-300:]}")
    draft.rename(home)
