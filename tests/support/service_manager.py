# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs the card service on a host, and keeps programs' connections while it restarts; and such programs."""

from __future__ import annotations

import array
import fcntl
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11.reference import Rv
from ansible_collections.hardbound.identity.tests.support import pkcs11_module
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import CLIENT, Host
from ansible_collections.hardbound.identity.tests.support.waiting import until

KEEPER = pathlib.Path(__file__).parents[2] / "roles/tpm_host/files/connection_keeper.py"
_FIRST = 3
STALE = hex(Rv.SESSION_HANDLE_INVALID)
"""What a program is answered that used its session after a restart."""


class Systemd:
    """What systemd does for the service: holds its socket and its connections, and gives them to the next process."""

    def __init__(self, host: Host) -> None:
        self._host = host
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(host.machine.socket))
        listener.listen(64)
        self._kept: t.List[t.Tuple[str, int]] = [("hardbound-pkcs11", listener.detach())]
        self.address = str(host.machine.folder / "notify")
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(self.address)
        threading.Thread(target=self._take, daemon=True).start()

    def start(self) -> None:
        """Starts the service with what is held, from file descriptor 3 on."""
        numbers = [fcntl.fcntl(number, fcntl.F_DUPFD, 100) for _name, number in self._kept]
        names = ":".join(name for name, _number in self._kept)
        places = "; ".join(f"os.dup2({number}, {place})" for place, number in enumerate(numbers, _FIRST))
        more = {"LISTEN_FDS": str(len(numbers)), "LISTEN_FDNAMES": names, "NOTIFY_SOCKET": self.address}
        start = f"import os; {places}; os.environ.update({more!r}, LISTEN_PID=str(os.getpid()));"
        self._host.machine.start_service(before=start, pass_fds=numbers)
        for number in numbers:
            os.close(number)

    def _take(self) -> None:
        """Takes what the service gives, whenever it does."""
        while True:
            message, rights, _flags, _address = self._notify.recvmsg(1024, socket.CMSG_SPACE(4))
            fields = dict(line.split("=") for line in message.decode().split("\n"))
            assert fields["FDSTORE"] == "1"
            self._kept.append((fields["FDNAME"], array.array("i", rights[0][2])[0]))

    def pause(self) -> None:
        assert self._host.machine.service is not None
        self._host.machine.service.send_signal(signal.SIGSTOP)

    def end(self, number: int) -> None:
        service = self._host.machine.service
        assert service is not None
        service.send_signal(number)
        service.wait()


class Supervisor:
    """What runs the service where there is no systemd: the role's own program."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._keeper: t.Optional[subprocess.Popen[bytes]] = None

    def start(self) -> None:
        """Starts the program; it starts the service again by itself."""
        if self._keeper is None:
            self._keeper = self._host.machine.start_service(run_by=[str(KEEPER), str(self._host.machine.socket)])
        until(lambda: self._children() != [])

    def _children(self) -> t.List[int]:
        assert self._keeper is not None
        listed = pathlib.Path(f"/proc/{self._keeper.pid}/task/{self._keeper.pid}/children").read_text()
        return [int(each) for each in listed.split()]

    def end(self, number: int) -> None:
        """Ends the service, by a signal or as the role has it restarted."""
        assert self._keeper is not None
        (child,) = self._children()
        if number == signal.SIGTERM:
            self._keeper.send_signal(signal.SIGHUP)
        else:
            os.kill(child, number)
        until(lambda: child not in self._children())

    def die(self) -> None:
        """Is killed, and waits until its service has ended, too."""
        assert self._keeper is not None
        (child,) = self._children()
        self._keeper.kill()
        self._keeper.wait()
        self._keeper = None
        until(lambda: not _runs(child), "the service runs on without its keeper")

    def pause(self) -> None:
        (child,) = self._children()
        os.kill(child, signal.SIGSTOP)


def _runs(number: int) -> bool:
    """Tells a process from one that has ended and that nobody has asked about yet."""
    try:
        return pathlib.Path(f"/proc/{number}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


class Program:
    """A program in C, as far as signals go, that signs when it is told to."""

    def __init__(self, host: Host) -> None:
        command = [sys.executable, pkcs11_module.__file__, CLIENT]
        environment = {**os.environ, "PIN": PIN, "P11_KIT_SERVER_ADDRESS": f"unix:path={host.machine.socket}"}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)

    def ask(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("sign\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def sign(self) -> str:
        self.ask()
        return self.answer()


def end(programs: t.Sequence[Program]) -> t.Set[int]:
    """Ends programs as they end by themselves, and returns their exit codes."""
    for each in programs:
        assert each.process.stdin is not None
        each.process.stdin.close()
    return {each.process.wait() for each in programs}
