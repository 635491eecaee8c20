# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""authenticatorLargeBlobs, clause 6.10: one array for all passkeys. Clients encrypt each of its entries."""

from __future__ import annotations

import hashlib
import typing as t

from ..._card.authenticator_model import LARGEST_BLOBS, LARGEST_REQUEST
from .parameters import CtapParameters
from .reference import CtapStatus, Permission
from .refused import CtapRefused, refuse_unless
from .state import CtapAnswer, CtapState

_GET, _SET, _OFFSET, _LENGTH, _PARAM, _PROTOCOL = 1, 2, 3, 4, 5, 6
_LARGEST_FRAGMENT = LARGEST_REQUEST - 64
_CHECKSUM = 16
_SHORTEST = 1 + _CHECKSUM
EMPTY = b"\x80" + hashlib.sha256(b"\x80").digest()[:_CHECKSUM]
"""An empty array, as one has it that was never written."""
_MESSAGE = b"\xff" * 32 + b"\x0c\x00"


def large_blobs(state: CtapState, given: CtapParameters) -> CtapAnswer:
    offset, count = given.needed_number(_OFFSET), given.number(_GET)
    fragment = given.octets(_SET)
    if count is not None and fragment is None:
        return _read(state, given, offset, count)
    if fragment is not None and count is None:
        return _write(state, given, offset, fragment)
    raise CtapRefused(CtapStatus.INVALID_PARAMETER)


def _read(state: CtapState, given: CtapParameters, offset: int, count: int) -> CtapAnswer:
    needless = any(given.has(each) for each in (_LENGTH, _PARAM, _PROTOCOL))
    kept = state.card.passkeys.large_blobs or EMPTY
    refuse_unless(not needless and offset <= len(kept), CtapStatus.INVALID_PARAMETER)
    refuse_unless(count <= _LARGEST_FRAGMENT, CtapStatus.INVALID_LENGTH)
    return {1: kept[offset : offset + count]}


def _write(state: CtapState, given: CtapParameters, offset: int, fragment: bytes) -> CtapAnswer:
    refuse_unless(len(fragment) <= _LARGEST_FRAGMENT, CtapStatus.INVALID_LENGTH)
    size = _begun(state, given, offset)
    param = given.octets(_PARAM)
    if param is None:
        raise CtapRefused(CtapStatus.PUAT_REQUIRED)
    message = _MESSAGE + offset.to_bytes(4, "little") + hashlib.sha256(fragment).digest()
    state.check_token(param, given.number(_PROTOCOL), message, Permission.LARGE_BLOB_WRITE)
    refuse_unless(offset + len(fragment) <= size, CtapStatus.INVALID_PARAMETER)
    written = state.blobs = (bytearray() if not offset else t.cast(bytearray, state.blobs)) + fragment
    state.blobs_size = size
    if len(written) == size:
        state.blobs = None
        _keep(state, bytes(written))
    return None


def _begun(state: CtapState, given: CtapParameters, offset: int) -> int:
    """Returns how long the whole array will be."""
    length = given.number(_LENGTH)
    if offset:
        refuse_unless(length is None, CtapStatus.INVALID_PARAMETER)
        refuse_unless(state.blobs is not None and len(state.blobs) == offset, CtapStatus.INVALID_SEQ)
        return state.blobs_size
    refuse_unless(length is not None and length >= _SHORTEST, CtapStatus.INVALID_PARAMETER)
    refuse_unless(t.cast(int, length) <= LARGEST_BLOBS, CtapStatus.LARGE_BLOB_STORAGE_FULL)
    return t.cast(int, length)


def _keep(state: CtapState, blobs: bytes) -> None:
    entries, checksum = blobs[:-_CHECKSUM], blobs[-_CHECKSUM:]
    refuse_unless(hashlib.sha256(entries).digest()[:_CHECKSUM] == checksum, CtapStatus.INTEGRITY_FAILURE)
    state.card.passkeys.store_large_blobs(blobs)
