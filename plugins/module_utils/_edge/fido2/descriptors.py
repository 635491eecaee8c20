# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Descriptors of credentials, of users and of relying parties: WebAuthn Level 2, sections 5.4 and 5.8."""

from __future__ import annotations

import typing as t

from ..._card.authenticator_model import MOST_IN_LIST
from ..._card.passkey import Passkey, PasskeyUser, is_party
from .parameters import CtapParameters
from .reference import CtapStatus
from .refused import refuse_unless

PUBLIC_KEY = "public-key"
_LONGEST_USER_ID = 64
_LONGEST_NAME = 64
"""Bytes of a name that are kept; WebAuthn Level 2, section 6.4.1 asks for as many."""


def read_descriptors(given: CtapParameters, at: int) -> t.List[bytes]:
    """Returns the credential ids of a list; none if there is no list. Those of other kinds are left out."""
    listed = given.maps(at)
    refuse_unless(len(listed) <= MOST_IN_LIST, CtapStatus.LIMIT_EXCEEDED)
    return [each.needed_octets("id") for each in listed if each.needed_text("type") == PUBLIC_KEY]


def describe_credential(passkey: Passkey) -> t.Dict[str, t.Any]:
    return {"id": passkey.identifier, "type": PUBLIC_KEY}


def read_user(given: CtapParameters) -> PasskeyUser:
    identifier = given.needed_octets("id", 1, _LONGEST_USER_ID)
    name, display_name = given.text("name"), given.text("displayName")
    return PasskeyUser(identifier, _cut(name or ""), _cut(display_name or ""))


def _cut(name: str) -> str:
    return name.encode()[:_LONGEST_NAME].decode(errors="ignore")


def describe_user(user: PasskeyUser, with_names: bool) -> t.Dict[str, t.Any]:
    names = {"name": user.name, "displayName": user.display_name} if with_names else {}
    return {"id": user.identifier, **{name: value for name, value in names.items() if value}}


def read_rp(identifier: str) -> str:
    """:raises CtapRefused: for what is no relying party id"""
    refuse_unless(is_party(identifier), CtapStatus.INVALID_PARAMETER)
    return identifier
