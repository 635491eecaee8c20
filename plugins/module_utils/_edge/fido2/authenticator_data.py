# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Authenticator data, over which signatures are made: WebAuthn Level 2, section 6.1."""

from __future__ import annotations

import struct
import typing as t

from ..._card.authenticator_model import AAGUID
from ..._card.passkey import Passkey, rp_hash
from ..._encoding.public import Public
from . import cbor
from .cose import CoseKey, cose_key
from .reference import AuthenticatorFlag

_NO_COUNTER = struct.pack(">I", 0)
"""A card does not count signatures: a copy of its files signs nothing, so there is nothing to notice."""


def passkey_cose_key(passkey: Passkey) -> CoseKey:
    return cose_key(Public.parse(passkey.public_area), passkey.algorithm)


def authenticator_data(
    rp: str, flags: AuthenticatorFlag, extensions: t.Mapping[str, t.Any], made: t.Optional[Passkey] = None
) -> bytes:
    """:param made: the passkey, if it is new"""
    credential = b""
    if made is not None:
        flags |= AuthenticatorFlag.ATTESTED_CREDENTIAL
        head = AAGUID + struct.pack(">H", len(made.identifier)) + made.identifier
        credential = head + cbor.encode(passkey_cose_key(made))
    if extensions:
        flags |= AuthenticatorFlag.EXTENSIONS
    tail = cbor.encode(dict(extensions)) if extensions else b""
    return rp_hash(rp) + bytes((flags,)) + _NO_COUNTER + credential + tail
