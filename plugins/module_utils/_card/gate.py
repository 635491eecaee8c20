# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates of a card: its PIN, PUK and SECRET indices, and the seals behind them.

A PIN opens a card in three steps. The TPM counts the try and gives a ticket; the seal gives up the
card's key K to the ticket and the PIN; K and the SECRET index together make the authValue of the
card's parent key. The ticket stands for the PIN until it expires.
"""

from __future__ import annotations

import contextlib
import struct
import typing as t
from dataclasses import dataclass, field

from .._encoding.blob import Blob
from .._encoding.name import object_name
from .._encoding.policy import Command, Policy
from .._errors import StateError
from .._tpm import nv
from .._tpm import object as tpm_object
from .._tpm.connection import Tpm
from .._tpm.errors import WRONG_VALUE, Reason, TpmError
from .._tpm.session import Given, Ticket, obtain_ticket
from .._tpm.storage_root import FoundKey, look, reckoned_name, storage_root_of
from .._tpm.template import Template
from .._tpm.workbench import Workbench
from .derivation import NEWEST, Derivation, auth_value, secret_auth, telltale
from .errors import UNCOUNTED, Blocked, CardLost, CardOutdated, NotOffered, TpmLockedOut, WrongSecret
from .model import COUNTER_SIZE, SECRET_SIZE, Index, Role, counter_data
from .record import Record
from .secret import Reference, Tries

TICKET_SECONDS = 8 * 3600
"""A working day: after this a verified PIN has to be given again."""

ROLES = {Reference.PIN: Role.PIN, Reference.PUK: Role.PUK, Reference.ADMIN: Role.ADMIN}
"""The index that checks each secret."""
_PURPOSES = {Role.PIN: "pin", Role.PUK: "puk", Role.ADMIN: "admin"}


class Contents(t.NamedTuple):
    """What lies behind the gate: K, what the SECRET index holds, and the authValue of the parent key; 32 bytes each."""

    key: bytes
    secret: bytes
    parent_auth: bytes


@dataclass(frozen=True)
class Opened:
    """What a right PIN or PUK brings.

    :param contents: may ask the TPM, where a card was opened again
    """

    role: Role
    ticket: Ticket
    seal: Blob = field(repr=False)
    contents: t.Callable[[], Contents] = field(repr=False)


class Entered(t.NamedTuple):
    """A secret that the TPM has taken: the ticket for it, its authValue, and the ESAPI entity of its index."""

    ticket: Ticket
    auth: bytes
    entity: t.Any


class Gates:
    """The gates of one card, for whoever holds the TPM."""

    def __init__(self, tpm: Tpm, record: Record) -> None:
        self.tpm = tpm
        self.record = record
        self.model = record.model
        self._entities: t.Dict[Role, t.Any] = {}
        self._turn = 0

    def root(self) -> t.Any:
        """Returns the storage root key that the card was made under. The TPM may have to make it."""
        return storage_root_of(self.tpm, self.record.storage_root)

    def found_root(self) -> t.Optional[FoundKey]:
        """Returns that key as it lies in the TPM, if it is one of the TCG's template, and the card's."""
        found, known = look(self.tpm, self.tpm.handle(self.root())), self.record.storage_root
        if found is None or not found.is_of_template or (known and object_name(found.public) != known):
            return None
        return found

    def _check_root(self) -> None:
        """Secrets are hidden from the TPM's bus by a key, which has to be the one that the card was made under.

        :raises StateError: if another one is shown. A card from before store version 3 knows none
        """
        known = self.record.storage_root
        if known and reckoned_name(self.tpm, self.tpm.storage_root()) != known:
            found = f"the TPM at {self.tpm.tcti} shows another storage root key than the card was made under"
            raise StateError(f"{found}, so no PIN was given to it", "look for what sits between computer and TPM")

    def role(self, reference: Reference) -> Role:
        """:raises NotOffered: if the card has no such secret"""
        role = ROLES[reference]
        if role not in self.model.indices:
            raise NotOffered(f"The card has no {reference.title}.")
        return role

    def auth(self, role: Role, secret: bytes, derivation: t.Optional[Derivation] = None) -> bytes:
        """Returns the authValue that a PIN or PUK has, as the card's present one was made if nothing else is said."""
        return secret_auth(secret, self.record.salt, _PURPOSES[role], derivation or self.record.derivation(role))

    def new_auth(self, role: Role, secret: bytes) -> bytes:
        return self.auth(role, secret, NEWEST)

    def _auths(self, role: Role, secret: bytes) -> t.List[bytes]:
        """The authValues to try: one, but for a change that was cut off while it also changed the derivation.

        If the new one fits the telltale, the secret may be the new one or, by chance, the old one.
        """
        present = self.auth(role, secret)
        pending = self.record.pending.get(role)
        if pending is None or pending.derivation is self.record.derivation(role):
            return [present]
        coming = self.auth(role, secret, pending.derivation)
        return [coming, present] if telltale(pending.nonce, coming) == pending.bit else [present]

    def entity(self, role: Role, auth: t.Optional[bytes] = None) -> t.Any:
        """Returns the ESAPI entity of an index, its authValue set.

        :raises CardLost: if the index is gone, or another than the one that the card was made with
        """
        esapi = self.tpm.esapi()
        if self._turn != self.tpm.turn:
            self._turn = self.tpm.turn
            self._entities = {}
        if role not in self._entities:
            self._entities[role] = self._found(role)
        entity = self._entities[role]
        if auth is not None:
            esapi.tr_set_auth(entity, auth)
        return entity

    def _found(self, role: Role) -> t.Any:
        index = self.model.indices[role]
        found = nv.found(self.tpm, index.handle)
        if found is None or found.name != index.name:
            raise CardLost(self.record.name, self.record.instance_id)
        return found.entity

    def tries(self, role: Role) -> Tries:
        """Reads a counter; anybody may."""
        index = self.model.indices[role]
        steps = index.authorise(self.model.open_to_all(Command.NV_READ))
        try:
            data = nv.read_open(self.tpm, index.handle, COUNTER_SIZE, steps)
        except TpmError as error:
            if error.reason in (Reason.HANDLE, Reason.POLICY_FAIL, Reason.NV_UNINITIALIZED):
                raise CardLost(self.record.name, self.record.instance_id) from error
            raise
        count, limit = struct.unpack(">II", data)
        return Tries(max(limit - count, 0), limit)

    def enter(self, reference: Reference, role: Role, auths: t.Sequence[bytes]) -> Entered:
        """Gives the first authValue that is right. Each that is not costs a try.

        :raises WrongSecret: with the tries that are left
        :raises Blocked: if there were none
        """
        *others, last = auths
        for auth in others:
            try:
                return self._enter(reference, role, auth)
            except WrongSecret:
                continue
        return self._enter(reference, role, last)

    def _enter(self, reference: Reference, role: Role, auth: bytes) -> Entered:
        entity = self.entity(role, auth)
        self._check_root()
        with self._judging(reference, role):
            ticket = obtain_ticket(self.tpm, self.model.name(role), entity, TICKET_SECONDS)
        return Entered(ticket, auth, entity)

    def enter_again(self, reference: Reference, secret: bytes, bench: Workbench, root: FoundKey) -> Ticket:
        """Has the TPM check a secret, in few commands, and leaves the bench ready for a signature.

        :param root: the storage root key
        :raises WrongSecret, Blocked, NotOffered: as :meth:`enter`
        :raises SaltRefused: if the root key is no longer that
        """
        from .._tpm.bare_proof import prove

        role = self.role(reference)
        index, auth = self.model.indices[role], self.auth(role, secret)
        with self._noticing_loss(index), self._judging(reference, role):
            return bench.enter(lambda policy: prove(self.tpm, root, policy, index, auth, TICKET_SECONDS))

    @contextlib.contextmanager
    def _noticing_loss(self, index: Index) -> t.Iterator[None]:
        """Asks after an index that a command has failed at."""
        try:
            yield
        except (WrongSecret, TpmError) as error:
            if nv.name(self.tpm, index.handle) != index.name:
                raise CardLost(self.record.name, self.record.instance_id) from error
            raise

    @contextlib.contextmanager
    def _judging(self, reference: Reference, role: Role) -> t.Iterator[None]:
        """Says of a refusal what it means for the secret."""
        try:
            yield
        except TpmError as error:
            if error.reason is Reason.AUTH_UNAVAILABLE:
                raise Blocked(reference) from error
            if error.reason in WRONG_VALUE:
                left = self.tries(role).left if role is not Role.ADMIN else UNCOUNTED
                raise WrongSecret(reference, left) from error
            raise

    def open(self, reference: Reference, secret: bytes) -> Opened:
        """Opens the card.

        :raises WrongSecret, Blocked, NotOffered: as :meth:`enter`
        :raises TpmLockedOut: if the TPM's own protection is on, and the seal is one of before store version 3
        """
        role = self.role(reference)
        entered = self.enter(reference, role, self._auths(role, secret))
        seal, key = self._unseal(reference, role, entered)
        return self.opened(role, entered.ticket, seal, key)

    def opened(self, role: Role, ticket: Ticket, seal: Blob, key: bytes) -> Opened:
        contents = self.contents(key, self.secret(role, ticket))
        return Opened(role, ticket, seal, lambda: contents)

    def contents(self, key: bytes, secret: bytes) -> Contents:
        return Contents(key, secret, self.parent_auth(key, secret))

    def parent_auth(self, key: bytes, secret: bytes) -> bytes:
        return auth_value(key + secret, self.record.salt, "parent")

    def history_key(self, key: bytes) -> bytes:
        """Returns the key of the hashes of former PINs. It is as secret as K."""
        return auth_value(key, self.record.salt, "history")

    def secret(self, role: Role, ticket: Ticket) -> bytes:
        index = self.model.indices[Role.SECRET]
        steps = index.authorise(self.model.by(role, Command.NV_READ))
        return nv.read(self.tpm, self.entity(Role.SECRET), SECRET_SIZE, steps, Given.ticket(ticket))

    def secret_again(self, ticket: Ticket, bench: Workbench, root: FoundKey) -> bytes:
        """The same by the PIN's ticket, in few commands.

        :param root: the storage root key
        :raises CardLost: if the index is gone, or another than the one that the card was made with
        """
        index = self.model.indices[Role.SECRET]
        rest = index.authorise(self.model.by(Role.PIN, Command.NV_READ))[1:]
        with self._noticing_loss(index):
            return bench.read(index, ticket, rest, root)

    def _unseal(self, reference: Reference, role: Role, entered: Entered) -> t.Tuple[Blob, bytes]:
        for seal in self._seals(role, entered.auth):
            try:
                return seal, self.unseal(role, seal, entered)
            except TpmError as error:
                if error.reason is Reason.LOCKOUT:
                    raise TpmLockedOut(str(error)) from error
                if error.reason not in WRONG_VALUE:
                    raise
        raise CardOutdated(reference, self.record.name)

    def unseal(self, role: Role, seal: Blob, entered: Entered) -> bytes:
        policy = self.model.seal_policy(role, self.is_guarded(seal))
        given = Given.ticket(entered.ticket, {entered.ticket.name: entered.entity})
        auth = b"" if role is Role.ADMIN else entered.auth
        with tpm_object.loaded(self.tpm, self.root(), seal, auth) as entity:
            return tpm_object.unseal(self.tpm, entity, policy, given)

    def _seals(self, role: Role, auth: bytes) -> t.List[Blob]:
        """The seals to try, the likelier one first. With a seal of before store version 3 the TPM counts the second."""
        seals = [self.record.seals[role]]
        pending = self.record.pending.get(role)
        if pending is not None:
            is_new = telltale(pending.nonce, auth) == pending.bit
            seals.insert(0 if is_new else 1, pending.seal)
        return seals

    def make_seal(self, role: Role, auth: bytes, key: bytes) -> Blob:
        """Seals K under a new PIN or PUK, or K and the admin key under nothing but the ADMIN index."""
        policy = self.model.seal_policy(role)
        template = Template.seal()
        return tpm_object.create(self.tpm, self.root(), template, policy, auth, key)[0]

    @staticmethod
    def is_guarded(seal: Blob) -> bool:
        """Whether a seal is under the TPM's own dictionary attack protection, as before store version 3."""
        from .._encoding.public import ObjectAttribute

        return not seal.attributes & ObjectAttribute.NO_DA

    def change_own(self, opened: Opened, auth: bytes) -> None:
        """Lets whoever opened the card with a PIN (or PUK) change it."""
        role = opened.role
        policy_name = self.model.name(Role.POLICY)
        given = Given.ticket(opened.ticket, {policy_name: self.entity(Role.POLICY, b"")})
        steps = self.model.delegate(role, self.model.own_change(role))
        nv.change_auth(self.tpm, self.entity(role), auth, steps, given)

    def recover(self, opened: Opened, auth: bytes, limit: int) -> None:
        """Lets whoever opened the card with the PUK or the admin key give it a new PIN and all its tries."""
        index = self.model.indices[Role.PIN]
        entity = self.entity(Role.PIN)
        given = Given.ticket(opened.ticket)

        def steps(command: Command) -> Policy:
            return index.authorise(self.model.by(opened.role, command))

        nv.change_auth(self.tpm, entity, auth, steps(Command.NV_CHANGE_AUTH), given)
        nv.write(self.tpm, entity, counter_data(limit), steps(Command.NV_WRITE), given)

    def set_tries(self, role: Role, limit: int, admin: Ticket, pin: Ticket) -> None:
        """Lets whoever gave both the admin key and the PIN set the tries of PIN or PUK; none of them is spent then."""
        tickets = {ticket.name: ticket for ticket in (admin, pin)}
        given = Given({self.model.name(Role.POLICY): self.entity(Role.POLICY, b"")}, tickets)
        steps = self.model.delegate(role, self.model.retries_change(role))
        nv.write(self.tpm, self.entity(role), counter_data(limit), steps, given)
