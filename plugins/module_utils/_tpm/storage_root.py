# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage root key: the TCG's ECC P-256 primary of the owner hierarchy, at its handle, or beside another one.

Whatever sits at a persistent handle is looked at first: bare TPM2_ReadPublic, which takes no authorisation. A key that
is not the TCG's is not used; to try one with a password would count as a failure of the TPM's own.
"""

from __future__ import annotations

import contextlib
import functools
import typing as t

from .._encoding import command as wire
from .._encoding.blob import Blob
from .._encoding.name import object_name
from .._encoding.public import Public
from .._errors import StateError
from .errors import Reason, TpmError
from .pytss import load
from .template import Template

HANDLE = 0x81000001
"""TCG TPM v2.0 Provisioning Guidance, clause 7.5.1."""
_BESIDE = range(0x81000002, 0x81000100)
_TEMPLATE = bytes.fromhex("0023 000b 00030472 0000 0006 0080 0043 0010 0003 0010")
"""TPMT_PUBLIC up to the point: ECC, SHA-256, the attributes of an SRK with noDA, no policy, AES-128 in CFB, no scheme,
P-256, no KDF. EK Credential Profile 2.5, clause B.4.4, with the attributes of the Provisioning Guidance."""
_NO_DA = 1 << 10
_ATTRIBUTES_AT = 4


class Tpm(t.Protocol):
    """What is needed of a connection, which itself needs this file."""

    def esapi(self) -> t.Any: ...
    def storage_root(self) -> t.Any: ...
    def run(self, command: bytes) -> bytes: ...
    def handles(self, first: int) -> t.List[int]: ...
    def entity(self, handle: int) -> t.Any: ...
    def handle(self, entity: t.Any) -> int: ...
    def doing(self, what: str) -> t.ContextManager[t.Any]: ...


class FoundKey(t.NamedTuple):
    """A key at a persistent handle.

    :param public: TPMT_PUBLIC
    """

    handle: int
    public: bytes
    name: bytes

    @property
    def key(self) -> Public:
        return _parsed(self.public)

    @property
    def is_of_template(self) -> bool:
        return self.public.startswith(_TEMPLATE)

    @property
    def counts_failures(self) -> bool:
        """Whether a wrong authorisation counts towards the TPM's own lockout."""
        attributes = int.from_bytes(self.public[_ATTRIBUTES_AT : _ATTRIBUTES_AT + 4], "big")
        return not attributes & _NO_DA


@functools.lru_cache(maxsize=4)
def _parsed(public: bytes) -> Public:
    return Public.parse(public)


def look(tpm: Tpm, handle: int) -> t.Optional[FoundKey]:
    """Returns what is at a persistent handle, or None. One bare command."""
    try:
        response = wire.parameters(tpm.run(wire.read_public(handle)))
    except TpmError as error:
        if error.reason is Reason.HANDLE:
            return None
        raise
    public, at = wire.take_sized(response)
    return FoundKey(handle, public, wire.take_sized(response, at)[0])


def storage_root(tpm: Tpm) -> t.Any:
    """Returns the ESAPI entity of the storage root key, which is made if the TPM has none."""
    found = look(tpm, HANDLE)
    if found is not None and found.is_of_template:
        return tpm.entity(HANDLE)
    with _derived(tpm) as (primary, name):
        handle = HANDLE
        if found is not None:
            persistent = set(tpm.handles(wire.PERSISTENT))
            for other in (each for each in _BESIDE if each in persistent):
                kept = look(tpm, other)
                if kept is not None and kept.name == name:
                    return tpm.entity(other)
            handle = next(each for each in _BESIDE if each not in persistent)
        with tpm.doing("keeping the storage root key") as esapi:
            owner = load().ESYS_TR.OWNER
            return esapi.evict_control(auth=owner, object_handle=primary, persistent_handle=handle)


def storage_root_of(tpm: Tpm, name: bytes) -> t.Any:
    """Returns the storage root key that a card was made under.

    :param name: its Name; empty for a card from before store version 3, which took what was at the handle
    :raises StateError: if it is gone, or a key that no card may try
    """
    found = None if name else look(tpm, HANDLE)
    if found is None or found.is_of_template:
        return tpm.storage_root()
    if found.counts_failures:
        what = f"the key at {HANDLE:#x} is no storage root key, and to try it counts as a failure of the TPM's own"
        raise StateError(what, "put the key back that was there when the card was made, or make a new card")
    return tpm.entity(HANDLE)


def reckoned_name(tpm: Tpm, entity: t.Any) -> bytes:
    """Returns the Name of a key as ESAPI has read it, reckoned from its public area. No TPM command.

    Who changes answers on the TPM's bus could show a key of their own there, and keep the Name. Source: tpm2-tss,
    IESYS_RESOURCE, which Esys_TR_Serialize() writes: handle, TPM2B_NAME, kind, TPM2B_PUBLIC.
    """
    resource = bytes(tpm.esapi().tr_serialize(entity))
    _name, at = wire.take_sized(resource, 4)
    return object_name(wire.take_sized(resource, at + 4)[0])


def storage_root_handle(tpm: Tpm, name: bytes) -> int:
    """Returns the TPM's handle of what :func:`storage_root_of` returns: one bare command, where it keeps the TCG's."""
    found = look(tpm, HANDLE)
    if found is not None and found.is_of_template:
        return HANDLE
    return tpm.handle(storage_root_of(tpm, name))


def storage_root_public(tpm: Tpm) -> bytes:
    """Returns the TPMT_PUBLIC of the storage root key. A TPM that has none yet is left so."""
    found = look(tpm, HANDLE)
    if found is not None and found.is_of_template:
        return found.public
    with _derived(tpm) as (primary, _name), tpm.doing("reading the storage root key") as esapi:
        return bytes(esapi.read_public(primary)[0].marshal())[2:]


def is_kept(tpm: Tpm, name: bytes) -> bool:
    """Whether a card's storage root key is in the TPM, or can still be made. Bare commands only.

    :param name: its Name
    One that was derived from another owner seed has another Name; where none is kept, the NV indices of a card, which
    go with the seed, tell as much.
    """
    found = look(tpm, HANDLE)
    if found is None:
        return True
    if found.is_of_template:
        return found.name == name
    kept = (look(tpm, each) for each in tpm.handles(wire.PERSISTENT) if each in _BESIDE)
    others = [each.name for each in kept if each is not None and each.is_of_template]
    return name in others or not others


def holds(tpm: Tpm, blob: Blob) -> bool:
    """Whether an object is under the key that cards from before store version 3 took: what was at the handle, or the
    derived one where nothing is. It is loaded, for such a card knows no Name of it. Changes nothing, and costs no
    failure of the TPM's own.
    """
    pytss = load()
    private, _unused = pytss.TPM2B_PRIVATE.unmarshal(blob.private)
    public, _unused = pytss.TPM2B_PUBLIC.unmarshal(blob.public)
    with _taken_before(tpm) as parent:
        if parent is None:
            return False
        try:
            with tpm.doing("loading an object") as esapi:
                entity = esapi.load(parent_handle=parent, in_private=private, in_public=public)
        except TpmError as error:
            if not error.blames_input:
                raise
            return False
        with contextlib.suppress(pytss.TSS2_Exception):
            tpm.esapi().flush_context(entity)
    return True


@contextlib.contextmanager
def _taken_before(tpm: Tpm) -> t.Iterator[t.Any]:
    found = look(tpm, HANDLE)
    if found is None:
        with _derived(tpm) as (primary, _name):
            yield primary
    else:
        yield tpm.entity(HANDLE) if found.is_of_template or not found.counts_failures else None


@contextlib.contextmanager
def _derived(tpm: Tpm) -> t.Iterator[t.Tuple[t.Any, bytes]]:
    """The storage root key as the TPM derives it, for a block, and its Name."""
    pytss = load()
    with tpm.doing("making the storage root key") as esapi:
        primary = esapi.create_primary(
            in_sensitive=pytss.TPM2B_SENSITIVE_CREATE(),
            in_public=Template.storage_root(),
            primary_handle=pytss.ESYS_TR.OWNER,
        )[0]
    try:
        yield primary, bytes(tpm.esapi().tr_get_name(primary))
    finally:
        with contextlib.suppress(pytss.TSS2_Exception):
            tpm.esapi().flush_context(primary)
