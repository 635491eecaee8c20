# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gets a ticket of Kerberos with the PIN that has just signed somebody in.

pam_exec(8) runs this as root where SSSD has let a user in by card, and nowhere else: PAM_USER says whom, and the PIN is
on the standard input. It becomes that user, whom p11-kit shows the own cards alone, and MIT Kerberos' library asks the
KDC. The PIN is the answer to one question, that of PKINIT for a card's PIN. Whatever else is asked, such as a password,
nobody answers: a KDC that is not ours learns nothing. A card whose owner has mistyped, or has one try left, is left
alone, as the PIN might be that of another card.

The sign-in waits for the ticket as long as it says, and the ticket may come after that. It always ends well, and
decides nothing: who has signed in without a ticket types kinit.

Arguments: how many seconds the sign-in waits, and the realm, which may be empty for the default one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import sys
import typing as t

_GIVEN_UP = 30
"""Seconds for KDC and TPM, whether somebody waits for them or not."""
_LONGEST = 256
"""Bytes of what pam_exec hands on."""
_SIZE = 1024
"""Bytes, more than a krb5_creds has."""
_RESPONDER = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


class _Identity(ctypes.Structure):
    """krb5_responder_pkinit_identity."""

    _fields_ = (("name", ctypes.c_char_p), ("flags", ctypes.c_int32))


class _Challenge(ctypes.Structure):
    """krb5_responder_pkinit_challenge: a list that ends with nothing."""

    _fields_ = (("identities", ctypes.POINTER(ctypes.POINTER(_Identity))),)


class Krb5:
    """MIT Kerberos' library.

    :raises OSError: if this host has none, or for what the library says
    """

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libkrb5.so.3")
        self._context = ctypes.c_void_p()
        self._do("init_context", ctypes.byref(self._context))

    def _do(self, name: str, *arguments: t.Any) -> None:
        code = getattr(self._library, f"krb5_{name}")(*arguments)
        if code:
            raise OSError(code, name)

    def get_ticket(self, principal: str, pin: bytes) -> None:
        """Puts a ticket into the default cache of whoever runs this."""
        client, options, cache = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self._do("parse_name", self._context, principal.encode(), ctypes.byref(client))
        self._do("get_init_creds_opt_alloc", self._context, ctypes.byref(options))
        self._do("cc_default", self._context, ctypes.byref(cache))
        self._do("get_init_creds_opt_set_out_ccache", self._context, options, cache)
        responder = _RESPONDER(lambda _context, _data, question: self._answer(ctypes.c_void_p(question), pin))
        self._do("get_init_creds_opt_set_responder", self._context, options, responder, None)
        credentials = ctypes.create_string_buffer(_SIZE)
        nobody = (None, None, None)  # no password, and no prompter that could be asked for one
        self._do("get_init_creds_password", self._context, credentials, client, *nobody, 0, None, options)

    def _answer(self, question: ctypes.c_void_p, pin: bytes) -> int:
        challenge = ctypes.POINTER(_Challenge)()
        code = self._library.krb5_responder_pkinit_get_challenge(self._context, question, ctypes.byref(challenge))
        if code or not challenge:
            return int(code)
        card = challenge.contents.identities[0]
        if card and not card.contents.flags:
            code = self._library.krb5_responder_pkinit_set_answer(self._context, question, card.contents.name, pin)
        self._library.krb5_responder_pkinit_challenge_free(self._context, question, challenge)
        return int(code)


def become(name: str) -> None:
    """:raises KeyError: for somebody whom the host does not know"""
    user = pwd.getpwnam(name)
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.environ.clear()


def wait_for(process: int, seconds: int) -> None:
    signal.signal(signal.SIGALRM, lambda _number, _frame: sys.exit(0))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
    signal.alarm(seconds)
    os.waitpid(process, 0)


def main(patience: str, realm: str = "") -> None:
    name = os.environ["PAM_USER"]
    pin = os.read(0, _LONGEST).rstrip(b"\0")
    process = os.fork()
    if process:
        wait_for(process, int(patience))
        return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGALRM,))
    signal.alarm(_GIVEN_UP)
    os.setsid()
    become(name)
    Krb5().get_ticket(f"{name}@{realm}" if realm else name, pin)


if __name__ == "__main__":
    # Whatever is wrong with Kerberos, or with this, a person signs in as without it.
    with contextlib.suppress(Exception):
        main(*sys.argv[1:])
