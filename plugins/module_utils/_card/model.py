# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a card is inside a TPM, computed from public data alone.

Up to five NV indices carry a card. Their Names depend on one another and on the genesis object, which let
the indices be written once. Its authValue was forgotten then; and it belongs to the NULL hierarchy, so that
not even a host that kept the authValue can make it again after a restart. So nobody can give a redefined
index its old Name, and whoever knows the public data below knows what the TPM enforces.

A host builds cards with this model; a verifier recomputes it.
"""

from __future__ import annotations

import enum
import functools
import struct
import typing as t
from dataclasses import dataclass

from .._encoding.algorithm import Algorithm
from .._encoding.name import nv_name
from .._encoding.policy import (
    Command,
    Policy,
    PolicyAuthorizeNv,
    PolicyAuthValue,
    PolicyCommandCode,
    PolicyNameHash,
    PolicySecret,
    any_of,
    policy_digest,
)
from .key import PinUse


class NvAttribute(enum.IntFlag):
    """TPMA_NV: TPM 2.0 part 2, clause 13.4."""

    POLICYWRITE = 1 << 3
    OWNERREAD = 1 << 17
    AUTHREAD = 1 << 18
    POLICYREAD = 1 << 19
    NO_DA = 1 << 25
    PIN_FAIL = 8 << 4


class Role(enum.IntEnum):
    """The indices of a card; the value is the distance from the card's first handle."""

    ADMIN = 0
    POLICY = 1
    PUK = 2
    PIN = 3
    SECRET = 4


HANDLES_PER_CARD = 8
POLICY_SIZE = 34
SECRET_SIZE = 32
COUNTER_SIZE = 8
_FOR_SEAL = b"seal"

_ORDINARY = NvAttribute.POLICYWRITE | NvAttribute.NO_DA
_COUNTER = (
    NvAttribute.PIN_FAIL | NvAttribute.POLICYWRITE | NvAttribute.POLICYREAD | NvAttribute.OWNERREAD | NvAttribute.NO_DA
)


@dataclass(frozen=True)
class Index:
    """The definition of an NV index."""

    handle: int
    attributes: int
    size: int
    branches: t.Tuple[Policy, ...]

    @functools.cached_property
    def policy(self) -> bytes:
        return policy_digest(any_of(self.branches))

    @functools.cached_property
    def name(self) -> bytes:
        return nv_name(self.handle, self.attributes, self.policy, self.size)

    def authorise(self, branch: Policy) -> Policy:
        """Returns the steps that satisfy the index's policy by this branch.

        :raises ValueError: if the index does not have the branch
        """
        if branch not in self.branches:
            raise ValueError("the index has no such branch")
        return branch if len(self.branches) == 1 else branch + any_of(self.branches)


def counter_data(limit: int) -> bytes:
    """Returns a TPMS_NV_PIN_COUNTER_PARAMETERS with no failures: TPM 2.0 part 2, clause 13.3."""
    return struct.pack(">II", 0, limit)


class Model:
    """The indices and policies of one card. They never change.

    :param first_handle: handle of the ADMIN index; the others follow
    :param genesis: Name of the genesis object, 34 bytes
    :param puk: whether the card has a PUK
    :param admin: whether the card has an admin key that anybody knows
    """

    def __init__(self, first_handle: int, genesis: bytes, puk: bool, admin: bool) -> None:
        self.first_handle = first_handle
        self.genesis = genesis
        self.has_puk = puk
        self.has_admin = admin
        self.indices: t.Dict[Role, Index] = {}
        if admin:
            self._add(Role.ADMIN, _ORDINARY | NvAttribute.AUTHREAD, COUNTER_SIZE, [self.admin_renewal])
        self._add(Role.POLICY, _ORDINARY | NvAttribute.AUTHREAD, POLICY_SIZE, [])
        if puk:
            self._add(Role.PUK, _COUNTER, COUNTER_SIZE, self._counter_branches())
        self._add(Role.PIN, _COUNTER, COUNTER_SIZE, self._counter_branches() + self._recovery_branches())
        readers = [role for role in (Role.PIN, Role.PUK, Role.ADMIN) if role in self.indices]
        branches = [self.by(role, Command.NV_READ) for role in readers]
        self._add(Role.SECRET, _ORDINARY | NvAttribute.POLICYREAD, SECRET_SIZE, branches)

    def _add(self, role: Role, attributes: int, size: int, branches: t.Sequence[Policy]) -> None:
        handle = self.first_handle + role
        self.indices[role] = Index(handle, int(attributes), size, (self.first_write, *branches))

    def name(self, role: Role) -> bytes:
        return self.indices[role].name

    @property
    def recovery(self) -> t.Optional[Role]:
        """Who may give the card a new PIN: the PUK, else the admin key, else nobody.

        A card with a PUK can't be reset with the admin key, as with Microsoft's tool.
        """
        if self.has_puk:
            return Role.PUK
        return Role.ADMIN if self.has_admin else None

    @property
    def first_write(self) -> Policy:
        """The genesis object, which no longer answers, wrote the index once."""
        return (PolicySecret(self.genesis), PolicyCommandCode(Command.NV_WRITE))

    @property
    def admin_renewal(self) -> Policy:
        return (PolicyAuthValue(), PolicyCommandCode(Command.NV_CHANGE_AUTH))

    def by(self, role: Role, command: Command) -> Policy:
        return (PolicySecret(self.name(role)), PolicyCommandCode(command))

    @property
    def delegated(self) -> Policy:
        """What the POLICY index holds: a PIN can't name itself in its own policy, so it does so there."""
        return (PolicyAuthorizeNv(self.name(Role.POLICY)),)

    @staticmethod
    def open_to_all(command: Command) -> Policy:
        return (PolicyCommandCode(command),)

    def _counter_branches(self) -> t.List[Policy]:
        return [self.delegated, self.open_to_all(Command.NV_READ), self.open_to_all(Command.NV_CERTIFY)]

    def _recovery_branches(self) -> t.List[Policy]:
        if self.recovery is None:
            return []
        return [self.by(self.recovery, Command.NV_WRITE), self.by(self.recovery, Command.NV_CHANGE_AUTH)]

    # What the POLICY index allows.

    def own_change(self, role: Role) -> Policy:
        """Whoever knows the PIN (or PUK) may change it."""
        name = self.name(role)
        return (PolicySecret(name), PolicyCommandCode(Command.NV_CHANGE_AUTH), PolicyNameHash((name,)))

    def retries_change(self, role: Role) -> Policy:
        """Whoever knows both the admin key and the PIN may set the tries of PIN and PUK."""
        name = self.name(role)
        return (
            PolicySecret(self.name(Role.ADMIN)),
            PolicySecret(self.name(Role.PIN)),
            PolicyCommandCode(Command.NV_WRITE),
            PolicyNameHash((name, name)),
        )

    @property
    def delegations(self) -> t.Tuple[Policy, ...]:
        counters = [role for role in (Role.PIN, Role.PUK) if role in self.indices]
        own = [self.own_change(role) for role in counters]
        retries = [self.retries_change(role) for role in counters] if self.has_admin else []
        return tuple(own + retries)

    @property
    def policy_data(self) -> bytes:
        """The 34 bytes that the POLICY index holds: a hash algorithm and a policy digest."""
        return struct.pack(">H", Algorithm.SHA256) + policy_digest(any_of(self.delegations))

    def delegate(self, role: Role, delegation: Policy) -> Policy:
        """Returns the steps that satisfy the policy of ``role`` through the POLICY index."""
        branches = self.delegations
        steps = delegation if len(branches) == 1 else delegation + any_of(branches)
        return steps + self.indices[role].authorise(self.delegated)

    # Policies of objects.

    def seal_policy(self, role: Role, guarded: bool = False) -> Policy:
        """The counter first, then the seal's own authValue.

        The counter's consent is for this seal by name. So no ticket for the keys opens it, nobody guesses the PIN at
        the seal where the counter does not count, and the TPM's own dictionary attack protection has nothing to add.

        :param guarded: for seals from before store version 3, which that protection watches over
        """
        if role is Role.ADMIN:
            return (PolicySecret(self.name(role)),)
        return (PolicySecret(self.name(role), b"" if guarded else _FOR_SEAL), PolicyAuthValue())

    def key_policy(self, pin: PinUse, certifiable: bool = True) -> Policy:
        """A key asks for the PIN; one that never asks still dies with the card's POLICY index.

        :param certifiable: False for keys from before store version 3, which TPM2_Certify never takes
        """
        asking = self._asking(pin)
        return asking + any_of(self._key_branches(pin)) if certifiable else asking

    def certify_policy(self, pin: PinUse) -> Policy:
        """What lets TPM2_Certify state of a key what it is: the same secret, for this one command."""
        branches = self._key_branches(pin)
        return branches[-1] + any_of(branches)

    def _key_branches(self, pin: PinUse) -> t.Tuple[Policy, Policy]:
        asking = self._asking(pin)
        return asking, (*asking, PolicyCommandCode(Command.CERTIFY))

    def _asking(self, pin: PinUse) -> Policy:
        return (PolicySecret(self.name(Role.POLICY if pin is PinUse.NEVER else Role.PIN)),)

    def key_digests(self, pin: PinUse) -> t.FrozenSet[bytes]:
        """The authPolicies that a key of this card may have: of this store version, and of those before."""
        return frozenset(policy_digest(self.key_policy(pin, certifiable)) for certifiable in (True, False))
