# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A computer with a kernel, a TPM behind the kernel's driver, systemd, sshd, and power that can be cut."""

from __future__ import annotations

import base64
import collections
import functools
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
import typing as t

from ansible_collections.hardbound.identity.tests.support.machine_image import Image, Unavailable
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm
from ansible_collections.hardbound.identity.tests.support.waiting import until

ADMIN = "admin"
"""Who Ansible comes as: may use sudo, with a password."""
ADMIN_PASSWORD = "admin"

QEMU = "qemu-system-x86_64"
MEMORY = 2048
"""What a machine takes of its host, in MiB."""
STARTS = 5
"""How often it is switched on at most until the TPM answers in time."""
_GUEST_MEMORY = 1536  # MiB; the rest is the emulator's
_SUDO = "sudo --stdin --prompt= sh -c "
_BOOT = 1800.0  # seconds, on an emulated processor that shares its host
_LOGIN = 120.0  # seconds
_COMMAND = 1800.0  # seconds
# Services may take long to start, and devices to appear (systemd(1), kernel command line; the second not before 254).
_PATIENT = "systemd.default_timeout_start_sec=900 systemd.default_device_timeout_sec=900 systemd.service_watchdogs=0"
_PROBE = 20.0  # seconds within which a kernel that runs on KVM has said its name
# TPM2_Clear by the platform, whose authorisation is empty until the firmware hands over (TPM 2.0 Part 3, 24.6).
_CLEAR = bytes.fromhex("8002 0000001b 00000126 4000000c 00000009 40000009 0000 01 0000")
_ACCEPTS = "00010000"  # a flag of a socket in /proc/net/unix: it listens
_NO_TPM = "is not emulating TPM device"  # QEMU, which gives it 1 s for each of two questions
_HIERARCHY_CONTROL = 0x121  # command code (Part 2, 6.5.2)
_COMMAND_CODE = re.compile(r"SWTPM_IO_Read: length \d+\n (?:[0-9A-F]{2} ){6}((?:[0-9A-F]{2} ){4})")


class Snapshot(t.NamedTuple):
    """What is left of a machine that was switched off: layers over an image, and the state of its TPM."""

    folder: pathlib.Path

    @property
    def disk(self) -> pathlib.Path:
        return self.folder / "disk.qcow2"

    @property
    def tpm(self) -> pathlib.Path:
        return self.folder / "tpm"


class Machine:
    """A virtual machine. Use it as a context manager, or :meth:`start` and :meth:`discard` it."""

    def __init__(self, image: Image, before: Snapshot, port: t.Optional[int] = None) -> None:
        """Makes it from an image, with the disk of a snapshot if that has one, and the TPM of that snapshot.

        :param port: of this computer, by which the machine's sshd is reached; a free one if left out
        """
        check_host()
        self.image = image
        self._kernel, self._initrd = image.kernel, image.initrd
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hb-machine-"))
        self.port = port or _free_port()
        self._disk = self.folder / "disk.qcow2"
        base, kind = (before.disk, "qcow2") if before.disk.exists() else (image.disk, "raw")
        _call("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base), "-F", kind, str(self._disk))
        shutil.copytree(before.tpm, self.folder / "tpm")
        self.between: t.Optional[t.Callable[[pathlib.Path, pathlib.Path], object]] = None
        """Makes what stands between QEMU and swtpm: from where swtpm listens, and where QEMU shall connect."""
        self._tpm: t.Optional[subprocess.Popen[bytes]] = None
        self._qemu: t.Optional[subprocess.Popen[bytes]] = None

    def __enter__(self) -> Machine:
        try:
            self.start()
        except BaseException:
            self.discard()
            raise
        return self

    def __exit__(self, *_details: object) -> None:
        self.discard()

    # ------------------------------------------------------------ power

    def start(self) -> None:
        """Switches it on, and waits for sshd. Does so again where QEMU or the firmware gave the TPM up.

        :raises Unavailable: its port is taken, QEMU ends, or the TPM is given up each time
        """
        for _attempt in range(STARTS):
            _check_port(self.port)
            self._start_tpm()
            self._start_qemu()
            until(lambda: self._has_ended() or self._tpm_is_given_up() or self.answers(), self._story, _BOOT)
            if not self._tpm_is_given_up():
                self._check_runs()
                return
            self.cut_power()
        raise Unavailable(f"the TPM did not answer in time, in {STARTS} starts: the host is too busy")

    def _tpm_is_given_up(self) -> bool:
        """Whether swtpm, on a busy host, did not answer in time: QEMU, which ends then, or SeaBIOS.

        SeaBIOS disables the hierarchies of owner and endorsement until the next start: nobody could make a card.
        """
        return _NO_TPM in self._log() or _HIERARCHY_CONTROL in self.tpm_commands()

    def _start_tpm(self) -> None:
        control = self._socket = self.folder / "tpm.sock"
        control.unlink(missing_ok=True)
        state, way = f"dir={self.folder / 'tpm'}", f"type=unixio,path={control}"
        log = f"file={self.folder / 'tpm.log'},level=20,truncate"  # each command, in hexadecimal digits
        command = ["swtpm", "socket", "--tpm2", "--tpmstate", state, "--ctrl", way, "--log", log]
        self._tpm = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: _listens(control), "swtpm did not start")
        if self.between is not None:
            self._socket = self.folder / "between.sock"
            self._socket.unlink(missing_ok=True)
            self.between(control, self._socket)

    def _start_qemu(self) -> None:
        with (self.folder / "qemu.log").open("wb") as log:
            self._qemu = subprocess.Popen([QEMU, *accelerator(self.image), *self._parts()], stdout=log, stderr=log)

    def _parts(self) -> t.List[str]:
        return [
            *("-smp", "2", "-m", str(_GUEST_MEMORY), "-display", "none", "-serial", f"file:{self.folder}/console"),
            *("-kernel", str(self._kernel), "-initrd", str(self._initrd)),
            *("-append", f"root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet {_PATIENT}"),
            *("-drive", f"file={self._disk},if=virtio,format=qcow2"),
            *("-nic", f"user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:{self.port}-:22"),
            *("-chardev", f"socket,id=control,path={self._socket}"),
            *("-tpmdev", "emulator,id=tpm,chardev=control", "-device", "tpm-tis,tpmdev=tpm"),
        ]

    def is_up(self) -> bool:
        """Whether sshd answers.

        :raises Unavailable: QEMU has ended
        """
        self._check_runs()
        return self.answers()

    def answers(self) -> bool:
        """Whether sshd lets somebody in. A login that hangs is no answer: the machine is not up yet."""
        try:
            return self._ssh("true", ADMIN, "", _LOGIN).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def _check_runs(self) -> None:
        if self._has_ended():
            raise Unavailable(f"QEMU ended: {self._log()}")

    def _has_ended(self) -> bool:
        assert self._qemu is not None
        return self._qemu.poll() is not None

    def _log(self) -> str:
        return " ".join((self.folder / "qemu.log").read_text(errors="replace").split())[-300:]

    def _story(self) -> str:
        console = (self.folder / "console").read_text(errors="replace")[-2000:]
        return f"the machine did not start: {self._log()}\n{console}"

    def switch_off(self) -> None:
        """Shuts it down in order."""
        self.root("systemctl poweroff", check=False)
        assert self._qemu is not None
        self._qemu.wait(_BOOT)
        self._end_tpm()

    def _end_tpm(self) -> None:
        """By force: QEMU has told it to store what it has, and it holds its folder until it ends."""
        assert self._tpm is not None
        self._tpm.kill()
        self._tpm.wait()

    def cut_power(self) -> None:
        """Ends it without a word, and the TPM with it. What the kernel had not written yet is lost."""
        assert self._qemu is not None
        self._qemu.kill()
        self._qemu.wait()
        self._end_tpm()

    def take_kernel(self) -> None:
        """Has it start with the newest kernel that is installed in it from now on, as a boot loader would."""
        for name, link in (("kernel", "/vmlinuz"), ("initrd", "/initrd.img")):
            (self.folder / name).write_bytes(base64.b64decode(self.root(f"base64 {link}").stdout))
        self._kernel, self._initrd = self.folder / "kernel", self.folder / "initrd"

    def clear_tpm(self) -> None:
        """Clears the TPM of a machine that is off, as its firmware does when somebody asks for that."""
        tpm = SoftwareTpm(self.folder / "tpm")
        tpm.start()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(tpm.socket))
            connection.sendall(_CLEAR)
            answer = connection.recv(4096)
        tpm.stop()
        assert answer[6:10] == bytes(4), answer.hex()

    def tpm_commands(self) -> t.Counter[int]:
        """Returns how often the TPM got each command since the machine was switched on, by code (Part 2, 6.5.2)."""
        found = _COMMAND_CODE.findall((self.folder / "tpm.log").read_text(errors="replace"))
        return collections.Counter(int(code.replace(" ", ""), 16) for code in found)

    def discard(self) -> None:
        """Ends it, and forgets its disk and its TPM."""
        for process in (self._qemu, self._tpm):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self, target: pathlib.Path) -> Snapshot:
        """Switches it off and copies what is left of it to a folder of that name."""
        self.switch_off()
        draft = target.with_name(f"{target.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        shutil.copy(self._disk, Snapshot(draft).disk)
        shutil.copytree(self.folder / "tpm", Snapshot(draft).tpm)
        draft.rename(target)
        return Snapshot(target)

    # ------------------------------------------------------------ commands

    @property
    def ssh_options(self) -> t.List[str]:
        return [
            *("-o", "HostKeyAlias=machine", "-o", f"UserKnownHostsFile={self.image.known_hosts}"),
            *("-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=60"),
            *("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=8"),  # in a power cut, nobody says goodbye
        ]

    def _way(self, command: str, user: str) -> t.List[str]:
        way = ["ssh", "-i", str(self.image.key), "-p", str(self.port), *self.ssh_options]
        return [*way, *("-o", "BatchMode=yes", "-o", "LogLevel=ERROR"), f"{user}@127.0.0.1", command]

    def _ssh(self, command: str, user: str, given: str, patience: float) -> subprocess.CompletedProcess[str]:
        way = self._way(command, user)
        return subprocess.run(way, input=given, capture_output=True, text=True, check=False, timeout=patience)

    def begin(self, command: str, user: str = ADMIN) -> subprocess.Popen[str]:
        """Starts a shell command as a user, over ssh, and does not wait. Its standard streams are pipes."""
        pipe = subprocess.PIPE
        return subprocess.Popen(self._way(command, user), stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def run(
        self, command: str, user: str = ADMIN, given: str = "", check: bool = True, patience: float = _COMMAND
    ) -> subprocess.CompletedProcess[str]:
        """Runs a shell command as a user, over ssh, and fails if the command does.

        :param given: for its standard input
        :param check: False, if the command may fail
        :param patience: seconds
        """
        done = self._ssh(command, user, given, patience)
        assert not (check and done.returncode), f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def root(
        self, command: str, given: str = "", check: bool = True, patience: float = _COMMAND
    ) -> subprocess.CompletedProcess[str]:
        """The same by sudo, with the password."""
        return self.run(
            _SUDO + shlex.quote(command), given=f"{ADMIN_PASSWORD}\n{given}", check=check, patience=patience
        )

    def begin_root(self, command: str) -> subprocess.Popen[str]:
        """Starts a shell command as root and does not wait."""
        begun = self.begin(_SUDO + shlex.quote(command))
        assert begun.stdin is not None
        begun.stdin.write(f"{ADMIN_PASSWORD}\n")
        begun.stdin.flush()
        return begun

    def boot_id(self) -> str:
        """What the kernel draws anew at each start."""
        return self.run("cat /proc/sys/kernel/random/boot_id").stdout.strip()

    def host_variables(self) -> t.Dict[str, t.Any]:
        """How Ansible reaches it: over ssh, as a user who may use sudo with a password."""
        return {
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": ADMIN,
            "ansible_become_password": ADMIN_PASSWORD,
            "ansible_ssh_private_key_file": str(self.image.key),
            "ansible_ssh_common_args": shlex.join(self.ssh_options),
            "ansible_python_interpreter": "/usr/bin/python3",
        }


def check_host() -> None:
    """Raises Unavailable where a machine can't be had: no QEMU, no swtpm, or no memory."""
    for program in (QEMU, "qemu-img", "swtpm", "ssh"):
        if shutil.which(program) is None:
            raise Unavailable(f"no {program}")
    lines = dict(line.split(":") for line in pathlib.Path("/proc/meminfo").read_text().splitlines())
    free = int(lines["MemAvailable"].split()[0]) // 1024
    if free < MEMORY:
        raise Unavailable(f"no memory: a machine takes {MEMORY} MiB, and {free} MiB are free")


@functools.cache
def accelerator(image: Image) -> t.Tuple[str, ...]:
    """Returns QEMU's options for a processor: KVM where a kernel runs on it, else an emulated one."""
    emulated = ("-accel", "tcg,thread=multi", "-cpu", "max")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return emulated
    real = ("-accel", "kvm", "-cpu", "host")
    with tempfile.TemporaryDirectory() as name:
        console = pathlib.Path(name, "console")
        parts = ["-m", "256", "-display", "none", "-no-reboot", "-serial", f"file:{console}"]
        parts += ["-kernel", str(image.kernel), "-append", "console=ttyS0 earlyprintk=serial panic=-1"]
        qemu = subprocess.Popen([QEMU, *real, *parts], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return real if _says_its_name(qemu, console) else emulated
        finally:
            qemu.kill()
            qemu.wait()


def _says_its_name(qemu: subprocess.Popen[bytes], console: pathlib.Path) -> bool:
    end = time.monotonic() + _PROBE
    while time.monotonic() < end and qemu.poll() is None:
        if console.exists() and b"Linux version" in console.read_bytes():
            return True
        time.sleep(0.1)
    return False


def _listens(path: pathlib.Path) -> bool:
    """Whether a program listens there, by proc(5), since to connect would be to be swtpm's one client."""
    sockets = [line.split() for line in pathlib.Path("/proc/net/unix").read_text().splitlines()]
    return any(each[3] == _ACCEPTS and each[7:] == [str(path)] for each in sockets)


def _check_port(port: int) -> None:
    """QEMU would end then; whoever has the port may let a client wait for long."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that ended are no hindrance
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Unavailable(f"port {port} is taken: {error.strerror}") from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _call(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
