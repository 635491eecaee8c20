# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stays loaded in a TPM between two signatures: one key and one policy session.

A TPM has room for three objects and three sessions, for all cards together. A key that has to make
room is saved as a context, which comes back faster than the key can be loaded under its parent.
In a series of signatures the session is got ready for the next one while nobody waits for the TPM.
All of this is bare commands; what is secret in their answers is encrypted.
"""

from __future__ import annotations

import contextlib
import typing as t

from .._encoding import command as wire
from .._encoding.algorithm import Algorithm, digest_size
from .._encoding.blob import Blob
from .._encoding.policy import Policy
from . import nv
from .connection import Tpm
from .errors import TpmError
from .session import Ticket
from .storage_root import FoundKey

_HASH_BY_SIZE = {digest_size(each): each for each in (Algorithm.SHA256, Algorithm.SHA384, Algorithm.SHA512)}

_SERIES = 2
"""Signatures with one key after which another is expected."""


class SavedKey:
    """A key that was loaded once, as the context that the TPM gave for it.

    :param rest: the steps of its policy after the ticket
    :param blob: what was loaded
    """

    def __init__(self, context: bytes, rest: Policy = (), blob: t.Optional[Blob] = None) -> None:
        self.context = context
        self.rest = rest
        self.blob = blob


class Workbench:
    """:param tpm: held by the caller whenever a method is called"""

    def __init__(self, tpm: Tpm) -> None:
        self.tpm = tpm
        self._turn = 0
        self._session: t.Optional[int] = None
        self._key: t.Optional[SavedKey] = None
        self._handle = 0
        self._last: t.Optional[Ticket] = None
        self._entered: t.Optional[Ticket] = None
        self._series = 0
        self._is_ready = False
        self._steps: t.List[bytes] = []
        """The commands of the policy, once a series was seen."""
        self._ahead: t.List[bytes] = []
        """Those that the TPM has not been given yet, of a session that is got ready."""

    def _begin(self) -> None:
        """Forgets what another turn had loaded."""
        if self._turn != self.tpm.turn:
            self._turn = self.tpm.turn
            self._session = self._key = self._entered = None
            self._end_series()

    def _end_series(self) -> None:
        self._last, self._series, self._is_ready, self._steps, self._ahead = None, 0, False, [], []

    def save(self, entity: t.Any, rest: Policy = (), blob: t.Optional[Blob] = None) -> SavedKey:
        """Returns a key that is loaded, as :class:`SavedKey`."""
        return self._saved(self.tpm.handle(entity), rest, blob)

    def keep(self, handle: int, rest: Policy, blob: Blob) -> SavedKey:
        """Takes a key over that is loaded: it is in place from now on, for there is none on the bench."""
        self._begin()
        try:
            self._key = self._saved(handle, rest, blob)
        except TpmError:
            self.tpm.flush(handle)
            raise
        self._handle = handle
        return self._key

    def _saved(self, handle: int, rest: Policy, blob: t.Optional[Blob]) -> SavedKey:
        return SavedKey(wire.parameters(self.tpm.run(wire.context_save(handle))), rest, blob)

    def place(self, key: SavedKey) -> int:
        """Returns the handle of the key, loaded.

        :raises TpmError: if the TPM was restarted since it was saved
        """
        self._begin()
        if self._key is not key:
            self._take_key_away()
            self._handle = wire.first_handle(self.tpm.run(wire.context_load(key.context)))
            self._key = key
        return self._handle

    @contextlib.contextmanager
    def entity(self, key: SavedKey) -> t.Iterator[t.Any]:
        """The key as ESAPI knows it, for commands whose answer is secret."""
        esapi = self.tpm.esapi()
        entity = self.tpm.entity(self.place(key))
        try:
            yield entity
        finally:
            esapi.tr_close(entity)

    def clear(self) -> None:
        """Takes the key away to make room, and ends what the session is ready for."""
        self._take_key_away()
        if self._entered is not None:
            self._drop_session()

    def leave(self) -> None:
        """Ends what the session is ready for. The key stays, which asks for its policy anew, until :meth:`rest`."""
        self._begin()
        if self._is_ready or self._entered is not None:
            self._drop_session()
        self._end_series()

    @property
    def is_at_rest(self) -> bool:
        """Whether others find the TPM free, and nothing in it that a resource manager would have to save for them."""
        if not self.tpm.is_held:
            return True
        return self.tpm.tcti.managed and self.tpm.is_settled and self._key is None and self._session is None

    def rest(self) -> None:
        """Leaves nothing to a resource manager, which would have to save it for each command of others."""
        self._take_key_away()
        self._drop_session()
        self.tpm.settle()

    def _take_key_away(self) -> None:
        self._begin()
        if self._is_ready:
            self._drop_session()
        self._end_series()
        if self._key is not None:
            self._key = None
            self.tpm.drop(self._handle)

    def _drop_session(self) -> None:
        self._end_series()
        session, self._session, self._entered = self._session, None, None
        if session is not None:
            self.tpm.drop(session)

    def enter(self, prove: t.Callable[[t.Tuple[int, bytes]], Ticket]) -> Ticket:
        """Has a secret proved in the policy session that the first signature then uses.

        :param prove: gets the session's handle and nonce, carries the step out there and returns the ticket for it
        """
        self._begin()
        self._drop_session()
        response = self.tpm.run(wire.start_policy_session())
        self._session = wire.first_handle(response)
        try:
            ticket = prove((self._session, wire.take_sized(wire.parameters(response, 1))[0]))
        except BaseException:
            self._drop_session()
            raise
        self._entered = ticket
        return ticket

    def sign(self, key: SavedKey, ticket: Ticket, digest: bytes) -> t.Tuple[bytes, bytes]:
        """Returns r and s.

        :param digest: 32, 48 or 64 bytes
        """
        algorithm = _HASH_BY_SIZE[len(digest)]
        response = self._use(key, ticket, lambda it, session: wire.sign_ecdsa(it, session, digest, algorithm))
        return wire.ecdsa_signature(response)

    def rsa_private(self, key: SavedKey, ticket: Ticket, block: bytes) -> bytes:
        """The bare RSA private operation; what comes out travels in the clear, so only for signatures."""
        response = self._use(key, ticket, lambda it, session: wire.rsa_private(it, session, block))
        return wire.take_sized(wire.parameters(response))[0]

    def certify(self, key: SavedKey, ticket: Ticket, signer: int, qualifying: bytes, rest: Policy) -> bytes:
        """Returns the answer to TPM2_Certify.

        :param signer: handle of an attestation key that is loaded
        :param rest: the steps of the key's policy after the ticket, for this command
        """
        handle = self.place(key)
        return self._once(
            ticket,
            rest,
            lambda session: self.tpm.run(
                wire.certify(handle, signer, wire.authorisation(session), qualifying), "certifying a key"
            ),
        )

    def read(self, index: nv.Readable, ticket: Ticket, rest: Policy, root: FoundKey) -> bytes:
        """Returns what an NV index holds, as :func:`.nv.read_hidden` does.

        :param rest: the steps of its policy after the ticket
        """
        self._begin()
        return self._once(ticket, rest, lambda session: nv.read_hidden(self.tpm, index, session, root))

    def _once(self, ticket: Ticket, rest: Policy, action: t.Callable[[int], bytes]) -> bytes:
        """Does something by a policy that no series goes by."""
        if self._is_ready:
            self._drop_session()
        self._end_series()
        try:
            return action(self._satisfied(ticket, rest))
        except TpmError:
            self._drop_session()
            raise

    def prepare(self, whole: bool = True) -> None:
        """Uses the time until the next command, for a session's salt and in a series for the session itself.

        :param whole: as :meth:`_prepare_session` has it
        """
        self._prepare_session(whole)
        self.tpm.salts.prepare()

    def _prepare_session(self, whole: bool) -> None:
        """In a series, has the TPM take the ticket for the next signature, and does not wait for it.

        Until :meth:`clear` the session may then be used as the ticket may. The TPM keeps the ticket's time.

        :param whole: whether the TPM gets all commands of the policy, of which only the last is not waited for; else
            it gets the next one, for callers that come by again before the signature
        """
        ticket, session = self._last, self._session
        if ticket is None or session is None or self._series < _SERIES:
            return
        if not self.tpm.is_held or self._turn != self.tpm.turn:
            return
        if not self._is_ready:
            rest = self._key.rest if self._key is not None else ()
            self._steps = self._steps or [_policy_ticket(session, ticket), *wire.policy_steps(session, rest)]
            first, *self._ahead = self._steps
            self.tpm.begin(first)
            self._is_ready = True
        elif self._ahead:
            self._go_on()
        while whole and self._ahead:
            self._go_on()

    def _use(self, key: SavedKey, ticket: Ticket, command: t.Callable[[int, int], bytes]) -> bytes:
        """Returns the response to a command with the handles of the key and of a session that satisfies its policy.

        Using the session resets its policy; a failure in between does not, so it is dropped then.
        """
        handle = self.place(key)
        try:
            session = self._prepared(ticket) or self._satisfied(ticket, key.rest)
            response = self.tpm.run(command(handle, session))
        except TpmError:
            self._drop_session()
            raise
        if self._last is not ticket:
            self._end_series()
            self._last = ticket
        self._series += 1
        return response

    def _prepared(self, ticket: Ticket) -> t.Optional[int]:
        """Returns the session if :meth:`prepare` has got it ready for this ticket."""
        if not self._is_ready:
            return None
        try:
            while self._ahead:
                self._go_on()
            self.tpm.finish()
        except TpmError:
            self._drop_session()
        self._is_ready = False
        if self._last is not ticket:
            self._drop_session()
        return self._session

    def _satisfied(self, ticket: Ticket, rest: Policy) -> int:
        """Returns the session after the TPM has taken the ticket, unless the secret itself was proved there."""
        entered = self._entered is ticket
        if self._entered is not None and not entered:
            self._drop_session()
        self._entered = None
        if self._session is None:
            self._session = wire.first_handle(self.tpm.run(wire.start_policy_session()))
        steps = () if entered else (_policy_ticket(self._session, ticket),)
        for step in (*steps, *wire.policy_steps(self._session, rest)):
            self.tpm.run(step)
        return self._session

    def _go_on(self) -> None:
        """Has the TPM do the next command of the policy, once it has done what it is at."""
        try:
            self.tpm.finish()
        except TpmError:
            self._drop_session()
        else:
            self.tpm.begin(self._ahead.pop(0))


def _policy_ticket(session: int, ticket: Ticket) -> bytes:
    return wire.policy_ticket(session, ticket.timeout, ticket.name, ticket.proof)
