# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TPM's own protection against guessing, and who may reset it: TPM 2.0 part 1, clause 17.8; part 3, clause 25.

A wrong lockout authorisation closes the lockout to everybody for a while, so nothing here ever tries one
without need.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

from .connection import Tpm
from .errors import WRONG_VALUE, Reason, TpmError
from .pytss import load
from .session import Protect, authorising

LONGEST_AUTH = 32
"""Bytes; more than the TPM's hash has, SHA-256 at least, it does not take."""
LONGEST_TIME = 0xFFFFFFFF
"""Seconds, and tries: TPM2_DictionaryAttackParameters takes 32 bits."""


@dataclass(frozen=True)
class Parameters:
    """TPM2_DictionaryAttackParameters: part 3, clause 25.3. Times in seconds.

    :param recovery: after this the TPM forgets one failure; 0 never locks
    :param lockout_recovery: after this a wrong lockout authorisation is forgiven; 0: at the next restart
    """

    max_tries: int
    recovery: int
    lockout_recovery: int


class WrongLockoutAuth(TpmError):
    """The lockout authorisation was wrong, or one that was is not forgiven yet."""


def set_parameters(tpm: Tpm, parameters: Parameters, auth: bytes) -> None:
    """:raises WrongLockoutAuth:"""
    with _allowed_by(tpm, auth, "setting the lockout's parameters") as (esapi, session):
        esapi.dictionary_attack_parameters(
            new_max_tries=parameters.max_tries,
            new_recovery_time=parameters.recovery,
            lockout_recovery=parameters.lockout_recovery,
            lock_handle=load().ESYS_TR.LOCKOUT,
            session1=session,
        )


def forget_failures(tpm: Tpm, auth: bytes) -> None:
    """Ends a lockout: TPM2_DictionaryAttackLockReset, part 3, clause 25.2.

    :raises WrongLockoutAuth:
    """
    with _allowed_by(tpm, auth, "resetting the lockout") as (esapi, session):
        esapi.dictionary_attack_lock_reset(lock_handle=load().ESYS_TR.LOCKOUT, session1=session)


def set_authorisation(tpm: Tpm, new: bytes, auth: bytes) -> None:
    """Gives the lockout another authorisation, which travels encrypted.

    :raises WrongLockoutAuth:
    """
    pytss = load()
    with _allowed_by(tpm, auth, "setting the lockout's authorisation", Protect.COMMAND) as (esapi, session):
        esapi.hierarchy_change_auth(auth_handle=pytss.ESYS_TR.LOCKOUT, new_auth=pytss.TPM2B_AUTH(new), session1=session)


@contextlib.contextmanager
def _allowed_by(
    tpm: Tpm, auth: bytes, what: str, protect: Protect = Protect.NOTHING
) -> t.Iterator[t.Tuple[t.Any, t.Any]]:
    tpm.esapi().tr_set_auth(load().ESYS_TR.LOCKOUT, auth)
    with authorising(tpm, protect) as session:
        try:
            with tpm.doing(what) as esapi:
                yield esapi, session
        except TpmError as error:
            if error.reason in WRONG_VALUE or error.reason is Reason.LOCKOUT:
                raise WrongLockoutAuth(error.code, what) from None
            raise
