# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs p11-kit gives OpenSC's module, so that none of them sees a card twice.

OpenSC shows each card that is in a reader. A program that asks p11-kit for all modules would see a card with both faces
by that reader and beside it. p11-kit tells programs apart, and no cards (pkcs11.conf(5), ``enable-in``); OpenSC ignores
readers, and does not know who has loaded it. So where a card has both faces, p11-kit keeps OpenSC's module for SSSD,
which can't do with ours. Programs that name the module themselves have it in any case.
"""

from __future__ import annotations

import re

from .._files import remove_durably, write_atomically
from .._spine import Plan

MODULE = "/etc/pkcs11/modules/opensc-pkcs11.module"
"""What an administrator says of OpenSC's module; what the package says, p11-kit reads beside it."""
_PUBLIC = 0o644
_LINES = """\
# BEGIN hardbound.identity
# A card of this host has both faces: p11-kit shows it without its reader.
enable-in: p11_child
# END hardbound.identity
"""
_OURS = re.compile(r"^# BEGIN hardbound\.identity\n.*?^# END hardbound\.identity\n", re.MULTILINE | re.DOTALL)


def render(current: str, kept_back: bool) -> str:
    """Returns the file with our lines or without. What an administrator has written there stays.

    :param kept_back: whether OpenSC's module is SSSD's alone
    """
    others = _OURS.sub("", current)
    if not kept_back:
        return others
    return others + ("\n" if others and not others.endswith("\n") else "") + _LINES


def read(path: str = MODULE) -> str:
    """Returns what is there; the empty string if nothing is."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def plan(wanted: str, current: str) -> Plan[str]:
    """Compares. Pure. The one step is the text to write."""
    steps = () if wanted == current else (wanted,)
    return Plan(steps, {"opensc": current}, {"opensc": wanted}, "opensc")


def apply(changes: Plan[str], path: str = MODULE) -> None:
    """Writes the file, or removes one that would say nothing. Programs read it when they start.

    :raises OSError: if the file can't be written
    """
    for text in changes.steps:
        if text:
            write_atomically(path, text.encode(errors="surrogateescape"), _PUBLIC)
        else:
            remove_durably(path)
