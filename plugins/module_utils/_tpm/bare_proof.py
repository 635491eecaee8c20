# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PIN proved to the TPM in bare commands, few of them: TPM2_PolicySecret in a salted session of its own."""

from __future__ import annotations

import struct
import typing as t

from .._encoding import command as wire
from .._encoding.authorization import SaltedSession
from .._encoding.command import CommandCode
from .connection import Tpm
from .errors import SaltRefused, TpmError
from .session import Ticket
from .storage_root import FoundKey


class Secured(t.Protocol):
    """An NV index whose authValue is proved."""

    @property
    def handle(self) -> int: ...
    @property
    def name(self) -> bytes: ...


def prove(tpm: Tpm, root: FoundKey, policy: t.Tuple[int, bytes], index: Secured, auth: bytes, seconds: int) -> Ticket:
    """Proves an index' authValue, and returns the ticket for it.

    :param root: a storage key of this TPM
    :param policy: handle and nonce of a policy session, in which the step is carried out
    :raises TpmError: if the TPM refuses
    """
    session = SaltedSession(root.handle, tpm.salts.take(root))
    try:
        session.started(tpm.run(session.start))
    except TpmError as error:
        raise SaltRefused(error.code) from error  # pylint: disable=bad-exception-cause
    try:
        answer = _policy_secret(tpm, session, policy, index, auth, seconds)
    except BaseException:
        tpm.flush(session.handle)
        raise
    timeout, at = wire.take_sized(answer)
    return Ticket(index.name, timeout, answer[at:])


def _policy_secret(
    tpm: Tpm, salted: SaltedSession, policy: t.Tuple[int, bytes], index: Secured, auth: bytes, seconds: int
) -> bytes:
    session, nonce = policy
    handles = {index.handle: index.name, session: struct.pack(">I", session)}
    body = wire.policy_secret(nonce, seconds)
    response = tpm.run(salted.authorise(CommandCode.POLICY_SECRET, handles, body, auth))
    with tpm.checking():
        return salted.checked(CommandCode.POLICY_SECRET, response, auth)
