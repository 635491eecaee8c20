# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells somebody who signs in that the PIN of a card of theirs has to be changed, and has them change it.

pam_exec(8) runs this as root, and tells who signs in and where: PAM_USER, PAM_TTY, PAM_TYPE. It becomes that user
before it asks the card service, which shows everybody the own cards alone. Where the program asks at a terminal, and is
about to authenticate, the PIN is changed there. Elsewhere the user reads what to run: pam_exec has the program show
what is written to the standard output. It always ends well, and decides nothing.

Arguments: the folder of the card service's program, the socket where owners ask, and how many seconds the service has
to say whether there is something to change.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import sys
import typing as t

_CHANGED = 10.0
"""Seconds for a TPM to change a PIN."""
_TYPED = 120
"""Seconds to type in."""
_PR_SET_PDEATHSIG = 1  # prctl(2)


def terminal() -> t.Optional[int]:
    """Opens the terminal at which the program asks. There is none where its input is another, as with sudo -S."""
    name = os.environ.get("PAM_TTY")
    if not name or os.environ.get("PAM_TYPE") != "auth":
        return None
    try:
        opened = os.open(os.path.join("/dev", name), os.O_RDWR | os.O_NOCTTY)
        asks_here = os.isatty(opened) and os.fstat(opened).st_rdev == os.stat(f"/proc/{os.getppid()}/fd/0").st_rdev
    except OSError:
        return None
    return opened if asks_here else None


def become(name: str) -> None:
    """:raises KeyError: for somebody whom the host does not know"""
    user = pwd.getpwnam(name)
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def end_with(program: int) -> None:
    """Ends when the program has, or nobody types, and leaves the terminal as it was."""
    ends = (signal.SIGTERM, signal.SIGALRM, signal.SIGHUP)
    for each in ends:
        signal.signal(each, lambda _number, _frame: sys.exit(0))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ends)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != program:
        sys.exit(0)
    signal.alarm(_TYPED)


def main(program_files: str, socket: str, patience: str) -> None:
    program, there = os.getppid(), terminal()
    become(os.environ["PAM_USER"])
    sys.path.insert(0, program_files)
    from hardbound_identity._command.pin_change import REMEDY, change_due, why_due
    from hardbound_identity._command.service import CardService
    from hardbound_identity._command.terminal import BorrowedTerminal

    cards = CardService(socket, float(patience)).due()
    if there is None:
        sys.stdout.writelines(f"{why_due(card)}: {REMEDY}\n" for card in cards)
    elif cards:
        end_with(program)
        change_due(cards, CardService(socket, _CHANGED), BorrowedTerminal(there))


if __name__ == "__main__":
    # Whatever is wrong with the card service, or with this, a person signs in as without it.
    with contextlib.suppress(Exception):
        main(*sys.argv[1:])
