# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stays loaded in a TPM between two signatures: one key and one policy session.

A TPM has room for three objects and three sessions, for all cards together. A key that has to make
room is saved as a context, which comes back faster than the key can be loaded under its parent.
All of this is bare commands; nothing in them is secret.
"""

from __future__ import annotations

import contextlib
import typing as t

from .._encoding import command as wire
from .._encoding.name import ALG_SHA256
from .connection import Tpm
from .errors import TpmError
from .session import Ticket

_HASH_BY_SIZE = {32: ALG_SHA256, 48: 0x000C, 64: 0x000D}
"""TPM_ALG_SHA256, SHA384 and SHA512 by digest size: TPM 2.0 part 2, clause 6.3."""


class SavedKey:
    """A key that was loaded once, as the context that the TPM gave for it."""

    def __init__(self, context: bytes) -> None:
        self.context = context


class Workbench:
    """:param tpm: held by the caller whenever a method is called"""

    def __init__(self, tpm: Tpm) -> None:
        self.tpm = tpm
        self._turn = 0
        self._session: t.Optional[int] = None
        self._key: t.Optional[SavedKey] = None
        self._handle = 0

    def _begin(self) -> None:
        """Forgets what another turn had loaded."""
        if self._turn != self.tpm.turn:
            self._turn = self.tpm.turn
            self._session = self._key = None

    def save(self, entity: t.Any) -> SavedKey:
        """Returns the context of a key that is loaded."""
        return SavedKey(wire.parameters(self.tpm.run(wire.context_save(self.tpm.handle(entity)))))

    def place(self, key: SavedKey) -> int:
        """Returns the handle of the key, loaded.

        :raises TpmError: if the TPM was restarted since it was saved
        """
        self._begin()
        if self._key is not key:
            self.clear()
            self._handle = wire.first_handle(self.tpm.run(wire.context_load(key.context)))
            self._key = key
        return self._handle

    @contextlib.contextmanager
    def entity(self, key: SavedKey) -> t.Iterator[t.Any]:
        """The key as ESAPI knows it, for commands whose answer is secret."""
        esapi = self.tpm.esapi
        entity = self.tpm.entity(self.place(key))
        try:
            yield entity
        finally:
            esapi.tr_close(entity)

    def clear(self) -> None:
        """Takes the key away to make room."""
        self._begin()
        if self._key is not None:
            self._key = None
            with contextlib.suppress(TpmError):
                self.tpm.flush(self._handle)

    def sign(self, key: SavedKey, ticket: Ticket, digest: bytes) -> t.Tuple[bytes, bytes]:
        """Returns r and s.

        :param digest: 32, 48 or 64 bytes
        """
        handle = self.place(key)
        with self._policy(ticket) as session:
            response = self.tpm.run(wire.sign_ecdsa(handle, session, digest, _HASH_BY_SIZE[len(digest)]))
        return wire.ecdsa_signature(response)

    def rsa_private(self, key: SavedKey, ticket: Ticket, block: bytes) -> bytes:
        """The bare RSA private operation; what comes out travels in the clear, so only for signatures."""
        handle = self.place(key)
        with self._policy(ticket) as session:
            response = self.tpm.run(wire.rsa_private(handle, session, block))
        return wire.take_sized(wire.parameters(response))[0]

    @contextlib.contextmanager
    def _policy(self, ticket: Ticket) -> t.Iterator[int]:
        """Using the session resets its policy; a failure in between does not, so it is dropped then."""
        if self._session is None:
            self._session = wire.first_handle(self.tpm.run(wire.start_policy_session()))
        session = self._session
        try:
            self.tpm.run(wire.policy_ticket(session, ticket.timeout, ticket.name, ticket.proof))
            yield session
        except TpmError:
            self._session = None
            with contextlib.suppress(TpmError):
                self.tpm.flush(session)
            raise
