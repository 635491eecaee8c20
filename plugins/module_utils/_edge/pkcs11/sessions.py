# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions and logins: PKCS#11 2.40, clauses 5.5 and 5.6."""

from __future__ import annotations

import typing as t

from ..._errors import InputError
from .context import Context
from .fault import CallRefused
from .general import Answer
from .reference import Rv, SessionFlag, User
from .session import Session


def open_session(context: Context, slot: int, flags: int) -> Answer:
    return (context.sessions.open(context.token(slot), flags),)


def close_session(context: Context, handle: int) -> Answer:
    context.sessions.close(handle)
    return ()


def close_all_sessions(context: Context, slot: int) -> Answer:
    token = context.token(slot)
    context.sessions.close_all(token)
    token.log_out()
    return ()


def get_session_info(context: Context, handle: int) -> Answer:
    session = context.session(handle)
    flags = SessionFlag.SERIAL_SESSION | (SessionFlag.RW_SESSION if session.writable else SessionFlag(0))
    return session.token.number, int(session.state), int(flags), 0


def login(context: Context, handle: int, user: int, secret: t.Optional[bytes]) -> Answer:
    session = context.session(handle)
    if secret is None:
        raise CallRefused(Rv.ARGUMENTS_BAD)
    if user == User.CONTEXT_SPECIFIC:
        _log_in_for_operation(session, secret)
    elif user == User.USER:
        _check_nobody_is_in(session, User.USER)
        session.token.log_in(secret)
    elif user == User.SO:
        _log_in_officer(context, session, secret)
    else:
        raise CallRefused(Rv.USER_TYPE_INVALID)
    return ()


def login_user(context: Context, handle: int, user: int, secret: t.Optional[bytes], name: t.Optional[bytes]) -> Answer:
    """PKCS#11 3.0, clause 5.6.9. A card has one user, who has no name."""
    if name:
        raise CallRefused(Rv.ARGUMENTS_BAD)
    return login(context, handle, user, secret)


def _check_nobody_is_in(session: Session, user: User) -> None:
    present = session.token.user
    if present is not None:
        raise CallRefused(Rv.USER_ALREADY_LOGGED_IN if present is user else Rv.USER_ANOTHER_ALREADY_LOGGED_IN)


def _log_in_for_operation(session: Session, secret: bytes) -> None:
    """For a key that asks for the PIN each time, between the beginning of an operation and its end."""
    if session.signing is None and session.decrypting is None:
        raise CallRefused(Rv.OPERATION_NOT_INITIALIZED)
    session.token.log_in(secret)


def _log_in_officer(context: Context, session: Session, secret: bytes) -> None:
    _check_nobody_is_in(session, User.SO)
    if any(not each.writable for each in context.sessions.of(session.token)):
        raise CallRefused(Rv.SESSION_READ_ONLY_EXISTS)
    session.token.log_in_officer(secret)


def logout(context: Context, handle: int) -> Answer:
    token = context.session(handle).token
    if token.user is None:
        raise CallRefused(Rv.USER_NOT_LOGGED_IN)
    token.log_out()
    context.sessions.log_out(token)
    return ()


def set_pin(context: Context, handle: int, old: t.Optional[bytes], new: t.Optional[bytes]) -> Answer:
    session = context.session(handle)
    session.require_writable()
    if old is None or new is None:
        raise CallRefused(Rv.ARGUMENTS_BAD)
    _setting(lambda: session.token.change_secret(old, new))
    return ()


def init_pin(context: Context, handle: int, new: t.Optional[bytes]) -> Answer:
    session = context.session(handle)
    session.require_writable()
    if session.token.user is not User.SO:
        raise CallRefused(Rv.USER_NOT_LOGGED_IN)
    if new is None:
        raise CallRefused(Rv.ARGUMENTS_BAD)
    _setting(lambda: session.token.give_pin(new))
    return ()


def _setting(change: t.Callable[[], None]) -> None:
    """:raises CallRefused: for a new secret that breaks the rules; that costs no try"""
    try:
        change()
    except InputError as error:
        raise CallRefused(Rv.PIN_INVALID) from error


CALLS: t.Mapping[str, t.Callable[..., Answer]] = {
    "C_OpenSession": open_session,
    "C_CloseSession": close_session,
    "C_CloseAllSessions": close_all_sessions,
    "C_GetSessionInfo": get_session_info,
    "C_Login": login,
    "C_LoginUser": login_user,
    "C_Logout": logout,
    "C_SetPIN": set_pin,
    "C_InitPIN": init_pin,
}
