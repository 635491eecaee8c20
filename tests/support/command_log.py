# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay in front of a software TPM that notes the commands it sees by kind, and may hold each kind up for a while."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import time
import typing as t
from collections import Counter

from ansible_collections.hardbound.identity.plugins.module_utils._encoding import command as wire
from ansible_collections.hardbound.identity.tests.support.relay import Relay, read_message
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm
from tpm2_pytss import TPM2_CC

_NAMES = {int(code): name for name, code in vars(TPM2_CC).items() if name[0] != "_" and name not in ("FIRST", "LAST")}
_START, _RH_NULL = "StartAuthSession", 0x40000007
SALTED = f"{_START} salted"
ASYMMETRIC = frozenset(
    (
        f"{SALTED},Sign,Load,Create,CreatePrimary,Certify,CertifyCreation,NV_Certify,Import,RSA_Decrypt,ECDH_ZGen,"
        "ActivateCredential"
    ).split(",")
)
"""Kinds with an operation of elliptic curves or RSA in them, which take a TPM long."""


def delays(asymmetric: float, other: float) -> t.Dict[str, float]:
    """Returns how long a TPM takes for each kind, in seconds, by what is typical of it."""
    return {name: asymmetric if name in ASYMMETRIC else other for name in (SALTED, *_NAMES.values())}


PROFILES: t.Mapping[str, t.Mapping[str, float]] = {
    "swtpm": {},
    "firmware TPM": delays(0.05, 0.002),
    "discrete TPM": delays(0.2, 0.008),
}


def kind(command: bytes) -> str:
    """Returns the name of a command: TPM 2.0 part 2, clause 6.5.2. Salted sessions have a kind of their own.

    Who looks for a TPM may send a command that TPM 2.0 has not. Its kind is its code.
    """
    code = int.from_bytes(command[6:10], "big")
    name = _NAMES.get(code, hex(code))
    salted = name == _START and int.from_bytes(command[10:14], "big") != _RH_NULL
    return SALTED if salted else name


class CommandLog(Relay):
    """:param delays: seconds by which the TPM takes longer for each kind"""

    def __init__(
        self, tpm: pathlib.Path, relay: pathlib.Path, delays: t.Optional[t.Mapping[str, float]] = None
    ) -> None:
        self.kinds: t.List[str] = []
        self.delays = dict(delays or {})
        super().__init__(tpm, relay)

    @contextlib.contextmanager
    def counting(self) -> t.Iterator[t.Counter[str]]:
        """Gives what a block has the TPM do, once the block has ended."""
        start, counts = len(self.kinds), Counter[str]()
        yield counts
        counts.update(self.kinds[start:])

    def flush(self) -> None:
        """Removes what programs that have gone had loaded, as a resource manager does, and does not note it."""
        with socket.socket(socket.AF_UNIX) as tpm:
            tpm.connect(str(self._tpm))
            for first in (wire.TRANSIENT, wire.LOADED_SESSIONS, wire.SAVED_SESSIONS):
                response = _ask(tpm, wire.get_capability(wire.Capability.HANDLES, first, 254))
                for (handle,) in wire.capability_list(response, ">I")[1]:
                    _ask(tpm, wire.flush_context(handle))

    def _relay(self, client: socket.socket, tpm: socket.socket) -> bool:
        command = read_message(client)
        if command is None:
            return False
        name = kind(command)
        self.kinds.append(name)
        tpm.sendall(command)
        response = read_message(tpm)
        time.sleep(self.delays.get(name, 0.0))
        client.sendall(response or b"")
        return True


class SlowTpm:
    """A software TPM behind such a relay, for whoever asks for a software TPM."""

    def __init__(self, tpm: SoftwareTpm) -> None:
        self.socket = tpm.folder / "relay"
        self.log = CommandLog(tpm.socket, self.socket)
        self.tcti = self.log.tcti


def _ask(tpm: socket.socket, command: bytes) -> bytes:
    tpm.sendall(command)
    return read_message(tpm) or b""
