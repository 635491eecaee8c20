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

from .host_file import HostFile

MODULE = HostFile("/etc/pkcs11/modules/opensc-pkcs11.module", "opensc")
"""What an administrator says of OpenSC's module; what the package says, p11-kit reads beside it. Programs read both
when they start."""
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
