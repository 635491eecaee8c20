# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a TPM answers when it refuses, in plain words."""

from __future__ import annotations

import contextlib
import enum
import typing as t

from .._errors import HardboundError, InputError, StateError

_FORMAT_ONE = 0x080
LAYER = 0xFF0000
"""TSS2_RC_LAYER: which layer of the way to the TPM a return code comes from; 0 is the TPM itself."""

OWNER, ENDORSEMENT = "owner", "endorsement"
"""Hierarchies, as messages call them."""


class Reason(enum.IntEnum):
    """TPM_RC without handle, parameter and session numbers: TPM 2.0 part 2, clause 6.6."""

    OTHER = -1
    BAD_TAG = 0x01E
    INITIALIZE = 0x100
    DISABLED = 0x120
    COMMAND_CODE = 0x143
    AUTH_TYPE = 0x124
    AUTH_UNAVAILABLE = 0x12F
    NV_LOCKED = 0x148
    NV_AUTHORIZATION = 0x149
    NV_UNINITIALIZED = 0x14A
    NV_SPACE = 0x14B
    NV_DEFINED = 0x14C
    ATTRIBUTES = 0x082
    HIERARCHY = 0x085
    HASH = 0x083
    VALUE = 0x084
    HANDLE = 0x08B
    AUTH_FAIL = 0x08E
    SCHEME = 0x092
    SIZE = 0x095
    SYMMETRIC = 0x096
    POLICY_FAIL = 0x09D
    INTEGRITY = 0x09F
    TICKET = 0x0A0
    BAD_AUTH = 0x0A2
    EXPIRED = 0x0A3
    CURVE = 0x0A6
    OBJECT_MEMORY = 0x902
    SESSION_MEMORY = 0x903
    LOCKOUT = 0x921
    RETRY = 0x922
    NV_UNAVAILABLE = 0x923


WRONG_VALUE = frozenset((Reason.AUTH_FAIL, Reason.BAD_AUTH))
STALE_TICKET = frozenset((Reason.TICKET, Reason.EXPIRED, Reason.POLICY_FAIL))

STALE_CONTEXT = frozenset((Reason.INTEGRITY, Reason.HANDLE))
"""What a context from before a restart of the TPM meets with."""

_AUTHORISATION = "the TPM refused the authorisation: check tpm_{hierarchy}_auth, for its {hierarchy} hierarchy"
_WORDS = {
    Reason.BAD_TAG: "this is a TPM 1.2, and a card needs a TPM 2.0: change it in the firmware settings",
    Reason.INITIALIZE: "the TPM was not started: start it, or restart the machine",
    Reason.DISABLED: "the TPM's {hierarchy} hierarchy is disabled: enable the TPM in the firmware settings",
    Reason.HIERARCHY: "the TPM's {hierarchy} hierarchy is disabled: enable the TPM in the firmware settings",
    Reason.HANDLE: "the TPM has no such key or index, or its hierarchy is disabled: enable it in the firmware settings",
    Reason.AUTH_UNAVAILABLE: "the TPM no longer accepts this authorisation: its tries are used up",
    Reason.NV_SPACE: "the TPM's NV memory is full: remove a card, or other NV indices that nobody needs",
    Reason.NV_DEFINED: "the NV index is taken: run the task again",
    Reason.AUTH_FAIL: _AUTHORISATION,
    Reason.BAD_AUTH: _AUTHORISATION,
    Reason.LOCKOUT: "the TPM is in lockout: wait until it forgets failures, or reset it with the lockout authorisation",
    Reason.NV_UNAVAILABLE: "the TPM's NV memory can't be written now: run the task again later",
    Reason.CURVE: "the TPM does not have this curve: choose another algorithm",
    Reason.OBJECT_MEMORY: "the TPM has no room for another object: another program keeps objects loaded",
    Reason.SESSION_MEMORY: "the TPM has no room for another session: another program keeps sessions open",
}


class TpmError(HardboundError):
    """A TPM, or the way to it, answered with a return code other than success.

    :param code: the return code as it came, layer bits included
    :param hierarchy: the one that was asked
    """

    def __init__(self, code: int, doing: str = "", hierarchy: str = OWNER) -> None:
        self.code = code
        self.reason = reason(code)
        words = _WORDS.get(self.reason, "the TPM refused").format(hierarchy=hierarchy)
        super().__init__(f"{words} (code 0x{code:x}{', ' + doing if doing else ''}).")

    @property
    def blames_input(self) -> bool:
        """Whether it is about a handle, a session or a parameter: a format-one code, and not of a layer above."""
        return bool(self.code & _FORMAT_ONE) and not self.code & LAYER


class SaltRefused(TpmError):
    """The TPM starts no session that is salted with this key: the key is gone, or another."""


@contextlib.contextmanager
def naming_auth(hierarchy: str, known: bool) -> t.Iterator[None]:
    """Says of which parameter it is that a TPM refuses the authorisation of a hierarchy, where it asks for no other.

    :param known: whether there was one to give
    :raises InputError: if the TPM refuses it
    """
    try:
        yield
    except TpmError as error:
        if error.reason not in WRONG_VALUE:
            raise
        raise wrong_auth(hierarchy, known) from error  # pylint: disable=bad-exception-cause


def wrong_auth(hierarchy: str, known: bool) -> InputError:
    """Returns the error for an authorisation that a hierarchy has, and that was not given, or not rightly."""
    given = "is not that" if known else "is missing, and there is one"
    fault = f"{given} of the TPM's {hierarchy} hierarchy"
    return InputError(f"tpm_{hierarchy}_auth", fault, "give it from a vaulted variable")


class TpmUnreachable(StateError):
    """No TPM answers at the given place."""


def reason(code: int) -> Reason:
    """Returns what a return code means, whichever handle or parameter it blames."""
    if code & LAYER:
        return Reason.OTHER
    bare = code & 0xBF if code & _FORMAT_ONE else code & 0x97F
    try:
        return Reason(bare)
    except ValueError:
        return Reason.OTHER
