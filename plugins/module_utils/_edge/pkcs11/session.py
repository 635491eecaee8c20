# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of one program: PKCS#11 2.40, clause 5.6."""

from __future__ import annotations

import secrets
import typing as t

from ..._encoding.p11_kit_attributes import Attribute
from .attributes import Attributes
from .fault import CallRefused
from .reference import Rv, SessionFlag, SessionState, User
from .token import Token

MOST = 256
"""Sessions that one program may have open."""
_MOST_SECRETS = 64
"""Agreed secrets that one session keeps."""
_FIRST_SECRET = 1 << 20
"""Handle of the first: no slot of a card comes so far."""


class Session:
    """:param writable: whether it may change what is on the card"""

    def __init__(self, token: Token, writable: bool) -> None:
        self.token = token
        self.writable = writable
        self.found: t.Optional[t.List[int]] = None
        """Handles that a search has found and the program has not taken yet."""
        self.signing: t.Any = None
        self.decrypting: t.Any = None
        self._secrets: t.Dict[int, Attributes] = {}
        self._next_secret = _FIRST_SECRET

    @property
    def state(self) -> SessionState:
        user = self.token.user
        if user is User.SO:
            return SessionState.RW_SO_FUNCTIONS
        if user is User.USER:
            return SessionState.RW_USER_FUNCTIONS if self.writable else SessionState.RO_USER_FUNCTIONS
        return SessionState.RW_PUBLIC_SESSION if self.writable else SessionState.RO_PUBLIC_SESSION

    def require_writable(self) -> None:
        """:raises CallRefused: in a session that only reads"""
        if not self.writable:
            raise CallRefused(Rv.SESSION_READ_ONLY)

    def objects(self) -> t.Mapping[int, Attributes]:
        """Returns what is on the card and in the session, as far as the program may see it."""
        return {**self.token.objects(), **self._secrets}

    def object(self, handle: int) -> t.Optional[Attributes]:
        """Returns one of them, or None."""
        secret = self._secrets.get(handle)
        return self.token.object(handle) if secret is None else secret

    def find(self, template: t.Sequence[Attribute]) -> t.List[int]:
        """Returns the handles of the objects that have all these attributes."""
        return [
            handle
            for handle, each in self.objects().items()
            if all(each.get(kind) == value and value is not None for kind, value in template)
        ]

    def keep(self, secret: Attributes) -> int:
        """Keeps an agreed secret, and returns its handle.

        :raises CallRefused: if there are too many
        """
        if len(self._secrets) >= _MOST_SECRETS:
            raise CallRefused(Rv.DEVICE_MEMORY)
        handle, self._next_secret = self._next_secret, self._next_secret + 1
        self._secrets[handle] = secret
        return handle

    def drop(self, handle: int) -> bool:
        """Forgets an agreed secret. Returns whether there was one."""
        return self._secrets.pop(handle, None) is not None

    def log_out(self) -> None:
        """What was begun or agreed on by a user ends with their login."""
        self.signing = self.decrypting = self.found = None
        self._secrets.clear()


class Sessions:
    """All sessions of a program. A handle is never used again, nor guessed by whoever had one before a restart."""

    def __init__(self) -> None:
        self._open: t.Dict[int, Session] = {}
        self._next = secrets.randbelow(1 << 30) + 1

    def open(self, token: Token, flags: int) -> int:
        """Returns the handle of a new session.

        :raises CallRefused: if there may be none
        """
        if not flags & SessionFlag.SERIAL_SESSION:
            raise CallRefused(Rv.SESSION_PARALLEL_NOT_SUPPORTED)
        if len(self._open) >= MOST:
            raise CallRefused(Rv.SESSION_COUNT)
        writable = bool(flags & SessionFlag.RW_SESSION)
        if not writable and token.user is User.SO:
            raise CallRefused(Rv.SESSION_READ_WRITE_SO_EXISTS)
        handle, self._next = self._next, self._next + 1
        self._open[handle] = Session(token, writable)
        return handle

    def get(self, handle: int) -> Session:
        """:raises CallRefused: if this program has no such session"""
        session = self._open.get(handle)
        if session is None:
            raise CallRefused(Rv.SESSION_HANDLE_INVALID)
        return session

    def of(self, token: Token) -> t.List[Session]:
        """Returns the sessions with a card."""
        return [each for each in self._open.values() if each.token is token]

    def close(self, handle: int) -> None:
        """Ends a session, and with a card's last session its login: clause 5.6, C_CloseSession.

        :raises CallRefused: if there is none
        """
        token = self.get(handle).token
        del self._open[handle]
        if not self.of(token):
            token.log_out()

    def close_all(self, token: Token) -> None:
        """Ends all sessions with a card, without a word to it."""
        self._open = {handle: each for handle, each in self._open.items() if each.token is not token}

    def log_out(self, token: Token) -> None:
        """What the sessions with a card have begun ends."""
        for session in self.of(token):
            session.log_out()
