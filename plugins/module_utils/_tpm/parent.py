# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A parent key that is loaded, and what is made and loaded under it: TPM 2.0 part 3, clauses 12.1 and 12.2."""

from __future__ import annotations

import contextlib
import typing as t

from .._encoding import command as wire
from .._encoding.authorization import HmacSession
from .._encoding.blob import Blob
from .._encoding.command import CommandCode
from .._encoding.key_algorithm import KeyAlgorithm
from .._encoding.name import object_name
from .._encoding.policy import Policy, policy_digest
from .._encoding.wire import sized, unsized
from . import object as tpm_object
from .connection import Tpm
from .storage_root import FoundKey
from .template import Template
from .workbench import SavedKey, Workbench

_POLICY_AT = 8
"""In a TPMT_PUBLIC, after type, nameAlg and attributes: TPM 2.0 part 2, clause 12.2.4."""


Placing = t.Callable[[], SavedKey]


class Parent(t.Protocol):
    def create(self, algorithm: t.Optional[KeyAlgorithm], policy: Policy) -> Blob:
        """Makes a key that only its policy opens; one for HMAC where there is no algorithm."""

    def place(self, bench: Workbench, blob: Blob, rest: Policy) -> Placing:
        """Begins to load a key, which can be used without its parent then. What was made is made by now.

        :param rest: the steps of its policy after the ticket
        :returns: what waits until it is loaded, to be called before the TPM is asked for anything else
        """


class EsapiParent:
    """A parent of any kind, as ESAPI knows it."""

    def __init__(self, tpm: Tpm, entity: t.Any) -> None:
        self._tpm = tpm
        self._entity = entity

    def create(self, algorithm: t.Optional[KeyAlgorithm], policy: Policy) -> Blob:
        template = Template.hmac() if algorithm is None else Template.key(algorithm)
        return tpm_object.create(self._tpm, self._entity, template, policy)[0]

    def place(self, bench: Workbench, blob: Blob, rest: Policy) -> Placing:
        def placed() -> SavedKey:
            with tpm_object.loaded(self._tpm, self._entity, blob) as entity:
                return bench.save(entity, rest, blob)

        return placed


class BareParent:
    """A parent in bare commands. Nothing in them is secret: the TPM itself makes keys, which have no authValue.

    The parent's own is 32 bytes that were never a person's choice, so the session that proves it needs no salt.
    """

    def __init__(self, tpm: Tpm, handle: int, name: bytes, auth: bytes) -> None:
        self._tpm = tpm
        self._parent = {handle: name}
        self._auth = auth
        self._session: t.Optional[HmacSession] = None

    def create(self, algorithm: t.Optional[KeyAlgorithm], policy: Policy) -> Blob:
        area = Template.area(algorithm)
        public = area[:_POLICY_AT] + sized(policy_digest(policy)) + area[_POLICY_AT + 2 :]
        finish = self._begin(CommandCode.CREATE, wire.creation_of(sized(public)), "making an object")
        made = wire.parameters(finish())
        private, at = wire.take_sized(made)
        return Blob(sized(private), sized(wire.take_sized(made, at)[0]))

    def place(self, bench: Workbench, blob: Blob, rest: Policy) -> Placing:
        finish = self._begin(CommandCode.LOAD, blob.private + blob.public, "loading an object", handles=1)
        return lambda: bench.keep(wire.first_handle(finish()), rest, blob)

    def _begin(self, code: CommandCode, body: bytes, what: str, handles: int = 0) -> t.Callable[[], bytes]:
        """Returns what gives the answer. The session ends with what is loaded.

        :param handles: how many the answer has: 1 for what is loaded
        """
        session, last = self._session or self._started(), handles > 0
        self._tpm.begin(session.authorise(code, self._parent, body, self._auth, last))

        def finish() -> bytes:
            response = self._tpm.finish(what)
            if last:
                self._session = None
            with self._tpm.checking():
                session.checked(code, response, self._auth, handles)
            return response

        return finish

    def _started(self) -> HmacSession:
        session = HmacSession()
        session.started(self._tpm.run(session.start, "starting a session"))
        self._session = session
        return session

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._tpm.flush(session.handle)


@contextlib.contextmanager
def bare_root(tpm: Tpm, root: FoundKey) -> t.Iterator[BareParent]:
    """The storage root key, whose authValue is empty."""
    with contextlib.closing(BareParent(tpm, root.handle, root.name, b"")) as parent:
        yield parent


@contextlib.contextmanager
def bare_parent(tpm: Tpm, root: FoundKey, blob: Blob, auth: bytes) -> t.Iterator[BareParent]:
    """A key under the storage root key, loaded for a block.

    :raises TpmError: INTEGRITY if the blob is damaged or another parent's
    """
    name = object_name(unsized(blob.public, "TPM2B_PUBLIC"))
    with tpm_object.placed(tpm, wire.load(root.handle, blob.private, blob.public)) as handle:
        with contextlib.closing(BareParent(tpm, handle, name, auth)) as parent:
            yield parent
