# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authorisation policies of a TPM 2.0 as data, and their digests (SHA-256).

A policy is a tuple of steps. The same steps are computed here, by whoever verifies a card,
and carried out in a policy session by the room that talks to the TPM.
Source: TPM 2.0 part 3, clause 23.
"""

from __future__ import annotations

import enum
import functools
import struct
import typing as t
from dataclasses import dataclass

from .name import digest

ZERO = bytes(32)


class Command(enum.IntEnum):
    """Command codes that policies name: TPM 2.0 part 2, clause 6.5.2."""

    NV_WRITE = 0x137
    NV_CHANGE_AUTH = 0x13B
    CERTIFY = 0x148
    NV_READ = 0x14E
    NV_CERTIFY = 0x184


class _PolicyCommand(enum.IntEnum):
    SECRET = 0x151
    AUTH_VALUE = 0x16B
    COMMAND_CODE = 0x16C
    NAME_HASH = 0x170
    OR = 0x171
    AUTHORIZE_NV = 0x192


@dataclass(frozen=True)
class PolicySecret:
    """Knowledge of an entity's authValue, the entity given by its Name: clause 23.4.

    :param reference: policyRef; a ticket that was given without it does not satisfy the step
    """

    name: bytes
    reference: bytes = b""

    def extend(self, before: bytes) -> bytes:
        return digest(digest(before, struct.pack(">I", _PolicyCommand.SECRET), self.name), self.reference)


@dataclass(frozen=True)
class PolicyCommandCode:
    """Use for one command only: clause 23.11."""

    command: Command

    def extend(self, before: bytes) -> bytes:
        return digest(before, struct.pack(">II", _PolicyCommand.COMMAND_CODE, self.command))


@dataclass(frozen=True)
class PolicyAuthValue:
    """Knowledge of the authValue of the entity itself: clause 23.17."""

    def extend(self, before: bytes) -> bytes:
        return digest(before, struct.pack(">I", _PolicyCommand.AUTH_VALUE))


@dataclass(frozen=True)
class PolicyNameHash:
    """Use on these entities only, given by the Names of the command's handles: clause 23.13."""

    names: t.Tuple[bytes, ...]

    @property
    def hash(self) -> bytes:
        return digest(*self.names)

    def extend(self, before: bytes) -> bytes:
        return digest(before, struct.pack(">I", _PolicyCommand.NAME_HASH), self.hash)


@dataclass(frozen=True)
class PolicyAuthorizeNv:
    """The policy that an NV index holds, the index given by its Name: clause 23.22."""

    name: bytes

    def extend(self, before: bytes) -> bytes:
        return digest(ZERO, struct.pack(">I", _PolicyCommand.AUTHORIZE_NV), self.name)


@dataclass(frozen=True)
class PolicyOr:
    """One of two to eight branches: clause 23.6."""

    digests: t.Tuple[bytes, ...]

    def extend(self, before: bytes) -> bytes:
        return digest(ZERO, struct.pack(">I", _PolicyCommand.OR), *self.digests)


Step = t.Union[PolicySecret, PolicyCommandCode, PolicyAuthValue, PolicyNameHash, PolicyAuthorizeNv, PolicyOr]
Policy = t.Tuple[Step, ...]


def policy_digest(policy: Policy) -> bytes:
    """Returns the 32-byte digest that a session holds after these steps."""
    value = ZERO
    for step in policy:
        value = step.extend(value)
    return value


def any_of(branches: t.Sequence[Policy]) -> Policy:
    """Returns the policy that any one of the branches satisfies.

    :raises ValueError: if there are none, or more than the eight that TPM2_PolicyOR takes
    """
    if not 1 <= len(branches) <= 8:
        raise ValueError(f"a policy has 1 to 8 branches, not {len(branches)}")
    if len(branches) == 1:
        return branches[0]
    return (_or_of(tuple(branches)),)


@functools.lru_cache(maxsize=256)
def _or_of(branches: t.Tuple[Policy, ...]) -> PolicyOr:
    """The policies of a card are few, and asked for again and again."""
    return PolicyOr(tuple(policy_digest(branch) for branch in branches))
