# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domain controller, and as whom."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import Iterator

from .._errors import InputError, StateError


@dataclass(frozen=True)
class Login:
    """Where to, and as whom.

    :param domain: DNS name of the domain; may be empty where ``server`` is given
    :param server: name of a domain controller; empty for the PDC emulator
    :param username: ``name``, ``name@REALM`` or ``DOMAIN\\name``; empty to use a Kerberos ticket
    :param ccache: Kerberos credential cache; empty for the one of the environment
    """

    domain: str = ""
    server: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    ccache: str = ""

    def __post_init__(self) -> None:
        if not self.domain and not self.server:
            raise InputError("gpo.domain", "is missing", "give the domain's DNS name, or gpo.server")
        if self.username and not self.password:
            raise InputError(
                "gpo.password", "is missing", "give it with gpo.username, or neither for a Kerberos ticket"
            )
        if self.password and not self.username:
            raise InputError("gpo.username", "is missing", "give it with gpo.password")


def ticket(login: Login) -> str:
    """The Kerberos credential cache to use. Raises StateError where it is a file and not there."""
    cache = login.ccache or os.environ.get("KRB5CCNAME") or f"FILE:/tmp/krb5cc_{os.getuid()}"
    kind, _unused, path = cache.rpartition(":")
    if kind in ("", "FILE") and not os.path.exists(path):
        raise StateError(f"there is no Kerberos ticket in {cache}", "get one with kinit, or give gpo.username")
    return cache


@contextlib.contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Sets a variable for a while, if there is a value for it."""
    before = os.environ.get(name)
    if value:
        os.environ[name] = value
    try:
        yield
    finally:
        if value and before is None:
            del os.environ[name]
        elif value and before is not None:
            os.environ[name] = before
