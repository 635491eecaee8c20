# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""NV indices: TPM 2.0 part 3, clause 31."""

from __future__ import annotations

import struct
import typing as t

from .._encoding import command as wire
from .._encoding.policy import Policy
from .connection import Tpm
from .errors import Reason, TpmError
from .pytss import load
from .session import Given, Protect, authorising, open_to_all, satisfying
from .storage_root import FoundKey


class Readable(t.Protocol):
    """What an index is read by."""

    @property
    def handle(self) -> int: ...
    @property
    def name(self) -> bytes: ...
    @property
    def size(self) -> int: ...


class Definition(t.Protocol):
    """What an index is made from."""

    @property
    def handle(self) -> int: ...
    @property
    def attributes(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def policy(self) -> bytes: ...


def define(tpm: Tpm, index: Definition, auth: bytes) -> t.Any:
    """Makes an index and returns its ESAPI entity, authValue set.

    :raises TpmError: NV_SPACE if the memory is full, NV_DEFINED if the handle is taken
    """
    pytss = load()
    public = pytss.TPMS_NV_PUBLIC(
        nvIndex=index.handle,
        nameAlg=pytss.TPM2_ALG.SHA256,
        attributes=pytss.TPMA_NV(index.attributes),
        authPolicy=index.policy,
        dataSize=index.size,
    )
    with authorising(tpm, Protect.COMMAND) as session, tpm.doing("making an NV index") as esapi:
        entity = esapi.nv_define_space(
            auth=pytss.TPM2B_AUTH(auth),
            public_info=pytss.TPM2B_NV_PUBLIC(public),
            auth_handle=pytss.ESYS_TR.OWNER,
            session1=session,
        )
        esapi.tr_set_auth(entity, auth)
    return entity


def undefine(tpm: Tpm, handle: int) -> None:
    """Removes an index and what it holds for good. One that is not there is no error."""
    index = found(tpm, handle)
    if index is None:
        return
    with authorising(tpm) as session, tpm.doing("removing an NV index") as esapi:
        esapi.nv_undefine_space(nv_index=index.entity, auth_handle=load().ESYS_TR.OWNER, session1=session)


def write(tpm: Tpm, entity: t.Any, data: bytes, policy: Policy, given: Given) -> None:
    """Writes by policy, what is written encrypted.

    The session that encrypts is not the one that authorises: the key of that one would include the
    index's authValue, which a stranger to it does not know.
    """
    with satisfying(tpm, policy, given, salted=False) as by, authorising(tpm, Protect.COMMAND) as encrypting:
        with tpm.doing("writing an NV index") as esapi:
            esapi.nv_write(nv_index=entity, data=data, offset=0, auth_handle=entity, session1=by, session2=encrypting)


def read(tpm: Tpm, entity: t.Any, size: int, policy: Policy, given: Given) -> bytes:
    """Reads by policy, what is read encrypted."""
    with satisfying(tpm, policy, given, salted=False) as by, authorising(tpm, Protect.RESPONSE) as encrypting:
        with tpm.doing("reading an NV index") as esapi:
            data = esapi.nv_read(
                nv_index=entity, size=size, offset=0, auth_handle=entity, session1=by, session2=encrypting
            )
            return bytes(data)


def read_hidden(tpm: Tpm, index: Readable, session: int, root: FoundKey) -> bytes:
    """Reads a whole index, and what is read travels encrypted. Bare commands, no ESAPI.

    :param session: that satisfies the policy of the index
    :param root: a storage key of this TPM, which the session that encrypts is salted with
    :raises TpmUnreachable: if the answer was changed on its way
    """
    from .._encoding.authorization import SaltedSession

    hidden = SaltedSession(root.handle, tpm.salts.take(root), encrypts=True)
    hidden.started(tpm.run(hidden.start, "starting a session"))
    handles = ((index.handle, index.name),) * 2
    extent, area = struct.pack(">HH", index.size, 0), wire.authorisation(session)
    try:
        response = tpm.run(hidden.encrypting(wire.CommandCode.NV_READ, handles, extent, area), "reading an NV index")
    except TpmError:
        tpm.flush(hidden.handle)
        raise
    with tpm.checking():
        return hidden.decrypted(wire.CommandCode.NV_READ, response)


def change_auth(tpm: Tpm, entity: t.Any, auth: bytes, policy: Policy, given: Given) -> None:
    """Gives an index a new authValue by policy, encrypted as in :func:`write`."""
    with satisfying(tpm, policy, given, salted=False) as by, authorising(tpm, Protect.COMMAND) as encrypting:
        with tpm.doing("changing an authorisation") as esapi:
            esapi.nv_change_auth(nv_index=entity, new_auth=auth, session1=by, session2=encrypting)
            esapi.tr_set_auth(entity, auth)


class FoundIndex(t.NamedTuple):
    """An index that is there: its ESAPI entity, and its Name."""

    entity: t.Any
    name: bytes


def found(tpm: Tpm, handle: int) -> t.Optional[FoundIndex]:
    """Returns an index, or None if there is none. One command."""
    try:
        entity = tpm.entity(handle)
    except TpmError as error:
        if error.reason is Reason.HANDLE:
            return None
        raise
    with tpm.doing("reading a Name") as esapi:
        return FoundIndex(entity, bytes(esapi.tr_get_name(entity)))


def name(tpm: Tpm, handle: int) -> t.Optional[bytes]:
    """Returns the Name of an index, or None if there is none. One bare command."""
    try:
        return wire.nv_name_of(tpm.run(wire.nv_read_public(handle)))
    except TpmError as error:
        if error.reason is Reason.HANDLE:
            return None
        raise


def read_open(tpm: Tpm, handle: int, size: int, policy: Policy) -> bytes:
    """Reads an index that anybody may read by policy. Bare commands, no ESAPI."""
    with open_to_all(tpm, policy) as area:
        response = tpm.run(wire.nv_read(handle, handle, area, size))
    return wire.take_sized(wire.parameters(response))[0]
