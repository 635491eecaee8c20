# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the TPM is: TCTI strings as the TPM2 software stack writes them, ``name:configuration``."""

from __future__ import annotations

import os
import socket
import stat
import struct
import typing as t
from dataclasses import dataclass

from .._errors import InputError
from .errors import TpmUnreachable

DEFAULT = "device:/dev/tpmrm0"
HOSTS_OWN = "/etc/hardbound/tpm"
"""Where the role tpm_host writes down which TPM this host has: a TCTI string."""
_NAMES = ("device", "swtpm", "tabrmd")
_BUFFER = 4096
_HEADER = 10
"""Bytes of a response's header, which begins with its tag and its size: TPM 2.0 part 1, clause 18."""
_LAST_PORT = 65535
_PATIENCE = 120.0
"""Seconds that a TPM may take for one command; making a large RSA key is the slowest."""


class Transport(t.Protocol):
    """A way to a TPM that takes one command at a time."""

    def send(self, command: bytes) -> None:
        """Sends a command; its response is to be received before the next one."""

    def receive(self) -> bytes:
        """Waits for the response and returns it."""

    def close(self) -> None:
        """Ends the connection."""


@dataclass(frozen=True)
class Tcti:
    """A place where a TPM is reached."""

    name: str
    configuration: str

    @classmethod
    def parse(cls, text: str, field: str = "tpm") -> Tcti:
        """Reads ``device:/dev/tpmrm0``, ``swtpm:path=/a/socket``, ``swtpm:host=h,port=n`` or ``tabrmd:``.

        :raises InputError: for any other form
        """
        name, colon, configuration = text.partition(":")
        if not colon or name not in _NAMES:
            raise InputError(
                field, f"is {text!r}, which is no known TCTI", f"write one of {', '.join(_NAMES)}, a colon, and where"
            )
        if name == "device" and not configuration:
            configuration = DEFAULT.partition(":")[2]
        port = cls(name, configuration).options.get("port", "0") if name == "swtpm" else "0"
        if not port.isascii() or not port.isdigit() or int(port) > _LAST_PORT:
            raise InputError(field, f"is {text!r}, whose port is none", f"give a number up to {_LAST_PORT}")
        return cls(name, configuration)

    @classmethod
    def of_task(cls, text: t.Optional[str], hosts_own: str = HOSTS_OWN) -> Tcti:
        """The TPM that a task names; else the host's own, which is ``/dev/tpmrm0`` where nothing was written down.

        :raises InputError: if what was named or written down is no TCTI
        """
        if text is not None:
            return cls.parse(text)
        try:
            with open(hosts_own, encoding="utf-8") as file:
                return cls.parse(file.read().strip(), hosts_own)
        except FileNotFoundError:
            return cls.parse(DEFAULT)

    def __str__(self) -> str:
        return f"{self.name}:{self.configuration}"

    @property
    def managed(self) -> bool:
        """Whether a resource manager keeps programs apart; otherwise one program at a time has the TPM."""
        return self.name == "tabrmd" or (self.name == "device" and "tpmrm" in self.configuration)

    @property
    def options(self) -> t.Dict[str, str]:
        pairs = (item.partition("=") for item in self.configuration.split(",") if item)
        return {key: value for key, _unused, value in pairs}

    @property
    def is_plain(self) -> bool:
        """Whether the standard library alone can talk to it."""
        return self.name in ("device", "swtpm")

    def connect(self) -> Transport:
        """Opens a plain connection.

        :raises TpmUnreachable: if nothing answers there, or access is refused
        """
        try:
            return _Device(self.configuration) if self.name == "device" else _Socket(self.options)
        except OSError as error:
            raise self.unreachable(error.strerror or str(error)) from error

    def unreachable(self, why: str) -> TpmUnreachable:
        """Returns the error that says why there is no way to this TPM, and what to do."""
        if self.name == "device":
            return TpmUnreachable(f"no access to the TPM at {self.configuration} ({why})", self._device_remedy())
        return TpmUnreachable(f"no TPM answers at {self} ({why})", "start it, or name another one in tpm")

    def _device_remedy(self) -> str:
        if os.path.exists(self.configuration) and os.access(self.configuration, os.R_OK | os.W_OK):
            return "this is no TPM: name the device of one, such as /dev/tpmrm0"
        if os.path.exists(self.configuration):
            return "use become, or add the user to the group tss"
        if os.path.exists("/sys/class/tpm/tpm0") and not os.path.exists("/dev/tpmrm0"):
            return "this machine has a TPM 1.2, and a card needs a TPM 2.0: change it in the firmware settings"
        return "enable a TPM 2.0 in the firmware settings, or name another TPM in tpm"


class _Device:
    """A TPM character device: one write, one read."""

    def __init__(self, path: str) -> None:
        if not stat.S_ISCHR(os.stat(path).st_mode):
            raise OSError(0, "not a character device")
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def send(self, command: bytes) -> None:
        os.write(self._fd, command)

    def receive(self) -> bytes:
        return os.read(self._fd, _BUFFER)

    def close(self) -> None:
        os.close(self._fd)


def _timed_out() -> OSError:
    return OSError(0, f"no answer within {_PATIENCE:.0f} seconds")


class _Socket:
    """The data channel of swtpm, over a Unix or a TCP socket."""

    def __init__(self, options: t.Mapping[str, str]) -> None:
        if "path" in options:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._connect(options["path"])
        else:
            address = (options.get("host", "127.0.0.1"), int(options.get("port", "2321")))
            self._socket = socket.create_connection(address, _PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._let_the_kernel_watch_the_time()

    def _connect(self, path: str) -> None:
        self._socket.settimeout(_PATIENCE)
        try:
            self._socket.connect(path)
        except OSError:
            self._socket.close()
            raise

    def _let_the_kernel_watch_the_time(self) -> None:
        """Python would ask by a system call of its own, before each other one, whether there is anything to read."""
        self._socket.settimeout(None)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._socket.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", int(_PATIENCE), 0))

    def send(self, command: bytes) -> None:
        try:
            self._socket.sendall(command)
        except BlockingIOError:
            raise _timed_out() from None

    def receive(self) -> bytes:
        response = self._read()
        while len(response) < max(_HEADER, int.from_bytes(response[2:6], "big")):
            response += self._read()
        return response

    def _read(self) -> bytes:
        """Returns what is there: a whole response as a rule, and never more than one."""
        try:
            piece = self._socket.recv(_BUFFER)
        except BlockingIOError:
            raise _timed_out() from None
        if not piece:
            raise OSError(0, "the connection was closed")
        return piece

    def close(self) -> None:
        self._socket.close()
