# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to a TPM: bare commands, ESAPI when secrets are at stake, and taking turns."""

from __future__ import annotations

import contextlib
import os
import typing as t

from .._encoding import command as wire
from .._encoding.wire import WireError
from .errors import LAYER, OWNER, TpmError, TpmUnreachable
from .pytss import load
from .salts import Salts
from .storage_root import storage_root
from .tcti import Tcti, Transport
from .turnstile import Turnstile

_TCTI_LAYER = 0x0A0000
"""TSS2_RC_LAYER of return codes that come from the way to the TPM: TCG TSS 2.0 Overview, clause 7."""

_PAGE = 254
"""Handles in one answer; more than this and old TPMs cut the list without a word."""


class Tpm:
    """A TPM that is taken for a while and given back.

    Handles live from :meth:`acquire` to :meth:`release`; :attr:`turn` tells one such time from the next.

    :param tcti: where the TPM is
    :param folder: where the programs that share it keep their lock files
    :param owner_auth: authValue of the owner hierarchy
    :param polite: let other programs go first
    :param endorsement_auth: authValue of the endorsement hierarchy
    """

    def __init__(
        self,
        tcti: Tcti,
        folder: str,
        owner_auth: bytes = b"",
        polite: bool = False,
        endorsement_auth: bytes = b"",
    ) -> None:
        self.tcti = tcti
        self.turn = 0
        self.salts = Salts()
        self._folder = folder
        self._owner_auth = owner_auth
        self._endorsement_auth = endorsement_auth
        self._polite = polite
        self._turnstile: t.Optional[Turnstile] = None
        self._transport: t.Optional[Transport] = None
        self._esapi: t.Any = None
        self._storage_root: t.Any = None
        self._authorisation: t.Any = None
        self._begun = False
        self._response = b""

    @contextlib.contextmanager
    def taken(self) -> t.Iterator[Tpm]:
        """Holds the TPM for a block, and closes it; inside another such block it changes nothing."""
        if self.is_held:
            yield self
            return
        try:
            self.acquire()
            yield self
        finally:
            self.close()

    @property
    def is_held(self) -> bool:
        return self._transport is not None or self._esapi is not None

    def acquire(self) -> None:
        """Takes the TPM.

        :raises TpmUnreachable: if there is none, or another program keeps it
        """
        if self.is_held:
            return
        self._pass_turnstile()
        self._begin_turn()

    def _begin_turn(self) -> None:
        """Connects, and gives the TPM back where that fails."""
        try:
            self._connect()
        except BaseException:
            self.release()
            raise
        self.turn += 1

    def _pass_turnstile(self) -> None:
        """Where the folder is missing, no other program of ours can be at this TPM."""
        if self.tcti.managed or not os.path.isdir(self._folder):
            return
        self._turnstile = self._turnstile or Turnstile(self._folder, str(self.tcti))
        self._turnstile.acquire(self._polite)

    def _connect(self) -> None:
        if not self.tcti.is_plain:
            self._open_esapi()
            return
        self._transport = self.tcti.connect()
        if not self.tcti.managed:
            self._flush_all()

    def release(self) -> None:
        """Gives the TPM back. Nothing that was loaded stays in it."""
        try:
            if self.is_held and not self.tcti.managed:
                self._flush_all()
        except (OSError, ValueError, TpmError):
            pass  # The TPM went away, and what it held with it.
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Ends the connection and the turn, also where the TPM no longer answers."""
        self._disconnect()
        if self._turnstile is not None:
            self._turnstile.release()

    def _disconnect(self) -> None:
        if self._esapi is not None:
            self._esapi.close()
        if self._transport is not None:
            self._transport.close()
        self._esapi = self._transport = self._storage_root = self._authorisation = None
        self._begun = False

    def close(self) -> None:
        """Gives the TPM back and lets the lock files go, too; whoever takes it again opens them again."""
        self.release()
        if self._turnstile is not None:
            self._turnstile.close()
            self._turnstile = None

    @property
    def knows_endorsement_auth(self) -> bool:
        return bool(self._endorsement_auth)

    @property
    def wanted(self) -> bool:
        """Whether another program waits for this TPM."""
        return self._turnstile is not None and self._turnstile.wanted()

    # Bare commands.

    def run(self, command: bytes, what: str = "", hierarchy: str = OWNER) -> bytes:
        """Sends a command and returns the response of success.

        :param hierarchy: the one that is asked
        :raises TpmError: if the TPM refuses, with ``what`` in its words
        :raises TpmUnreachable: if it went away
        """
        self.begin(command)
        return self.finish(what, hierarchy)

    def password(self, handle: int = wire.RH_NULL) -> bytes:
        """Returns the authorisation of a hierarchy, as far as it is known, and an empty one for anything else."""
        auths = {wire.RH_OWNER: self._owner_auth, wire.RH_ENDORSEMENT: self._endorsement_auth}
        return wire.authorisation(wire.RS_PW, proof=auths.get(handle, b""))

    def begin(self, command: bytes) -> None:
        """Sends a command and leaves the TPM at it. What is asked of the TPM next waits until it is done.

        :raises TpmUnreachable: if it went away
        """
        self.settle()
        try:
            self._send(command)
            self._begun = True
        except (OSError, ValueError) as error:
            raise self._lost(error) from error

    @property
    def is_settled(self) -> bool:
        """Whether there is no response that nobody has taken yet."""
        return not self._begun

    def settle(self) -> None:
        """Takes the response to what was begun: Linux complains of who leaves one for two minutes, and forgets it.

        :raises TpmUnreachable: if it went away
        """
        try:
            self._receive()
        except (OSError, ValueError) as error:
            raise self._lost(error) from error

    def finish(self, what: str = "", hierarchy: str = OWNER) -> bytes:
        """Returns the response to what was begun last, as :meth:`run` does."""
        self.settle()
        try:
            code = wire.response_code(self._response)
        except (OSError, ValueError) as error:
            raise self._lost(error) from error
        if code:
            raise TpmError(code, what, hierarchy)
        return self._response

    @contextlib.contextmanager
    def checking(self) -> t.Iterator[None]:
        """Around what looks whether an answer is the TPM's.

        :raises TpmUnreachable: if it was changed on its way
        """
        try:
            yield
        except WireError as error:
            raise self.tcti.unreachable(str(error)) from error

    def _lost(self, error: Exception) -> TpmUnreachable:
        self._let_go()
        return self.tcti.unreachable(str(error))

    def _send(self, command: bytes) -> None:
        if self._transport is not None:
            self._transport.send(command)
            return
        with _as_os_error():
            self.esapi().tcti.transmit(command)

    def _receive(self) -> None:
        """Takes the response to what was begun, if it was not taken yet."""
        if not self._begun:
            return
        self._begun = False
        if self._transport is not None:
            self._response = self._transport.receive()
            return
        with _as_os_error():
            self._response = bytes(self._esapi.tcti.receive())

    def handles(self, first: int) -> t.List[int]:
        """Returns all handles of a kind, given by the first of its range, such as 0x01000000 for NV indices."""
        found: t.List[int] = []
        more, start = True, first
        while more:
            response = self.run(wire.get_capability(wire.Capability.HANDLES, start, _PAGE))
            more, entries = wire.capability_list(response, ">I")
            found += [entry[0] for entry in entries]
            more = more and bool(entries)
            start = found[-1] + 1 if found else first
        return found

    def flush(self, handle: int) -> None:
        """Removes an object or a session from the TPM's memory."""
        self.run(wire.flush_context(handle))

    def drop(self, handle: int) -> None:
        """The same for what may be gone already, and leaves the TPM at it; ESAPI would not wait for that.

        :raises TpmUnreachable: if it went away
        """
        self.begin(wire.flush_context(handle))
        if self._esapi is not None:
            with contextlib.suppress(TpmError):
                self.finish()

    def _flush_all(self) -> None:
        for kind in (wire.TRANSIENT, wire.LOADED_SESSIONS, wire.SAVED_SESSIONS):
            for handle in self.handles(kind):
                self.flush(handle)

    # ESAPI.

    def esapi(self) -> t.Any:
        """Returns the ESAPI context, opened on first use in place of the plain connection, which ends its turn."""
        if not self.is_held:
            raise self.tcti.unreachable("the connection was lost")
        self.settle()
        if self._esapi is None:
            if not self.tcti.managed:
                self._flush_all()
            self._disconnect()
            self._open_esapi()
            self.turn += 1
        return self._esapi

    def end_esapi(self) -> None:
        """Goes back to the plain connection; nothing that was loaded stays.

        ESAPI's way to swtpm makes a connection for each command, which takes longer than many a command.
        """
        if self._esapi is None or self.tcti.managed:
            return
        self._disconnect()
        self._begin_turn()

    def _open_esapi(self) -> None:
        pytss = load()
        try:
            self._esapi = pytss.ESAPI(str(self.tcti))
        except pytss.TSS2_Exception as error:
            self._let_go()
            raise self.tcti.unreachable(str(error)) from error
        for hierarchy, auth in (("OWNER", self._owner_auth), ("ENDORSEMENT", self._endorsement_auth)):
            if auth:
                self._esapi.tr_set_auth(getattr(pytss.ESYS_TR, hierarchy), auth)

    @contextlib.contextmanager
    def doing(self, what: str, hierarchy: str = OWNER) -> t.Iterator[t.Any]:
        """Gives ESAPI and turns its errors into ours.

        :param hierarchy: the one that is asked
        :raises TpmError: with ``what`` in its words
        :raises TpmUnreachable: if the TPM went away
        """
        esapi = self.esapi()
        try:
            yield esapi
        except load().TSS2_Exception as error:
            if error.rc & LAYER != _TCTI_LAYER:
                raise TpmError(error.rc, what, hierarchy) from error
            self._let_go()
            raise self.tcti.unreachable(str(error)) from error

    def handle(self, entity: t.Any) -> int:
        """Returns the TPM's handle of an ESAPI entity, for bare commands."""
        return int(self.esapi().tr_get_tpm_handle(entity))

    def entity(self, handle: int) -> t.Any:
        """Returns the ESAPI entity of a handle."""
        with self.doing("reading a public area") as esapi:
            return esapi.tr_from_tpmpublic(handle)

    def authorisation_session(self, start: t.Callable[[], t.Any]) -> t.Any:
        """Returns the one ESAPI session that goes from command to command, started on first use."""
        if self._authorisation is None:
            self._authorisation = start()
        return self._authorisation

    def end_authorisation(self) -> None:
        """Takes that session away: it may be in disorder, or nobody uses it for now."""
        session, self._authorisation = self._authorisation, None
        if session is not None and self._esapi is not None:
            with contextlib.suppress(load().TSS2_Exception):
                self._esapi.flush_context(session)

    def storage_root(self) -> t.Any:
        """Returns the storage root key, made if the TPM has none."""
        if self._storage_root is None:
            self._storage_root = storage_root(self)
        return self._storage_root


@contextlib.contextmanager
def _as_os_error() -> t.Iterator[None]:
    try:
        yield
    except load().TSS2_Exception as error:
        raise OSError(0, str(error)) from error
