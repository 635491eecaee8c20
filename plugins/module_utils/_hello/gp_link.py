# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gPLink, the list of policies that are linked to a container ([MS-GPOL] section 2.2.2). Pure.

``[LDAP://<DN>;<options>]`` for each, the first has the lowest precedence. Option 1 turns a link off,
option 2 enforces it.
"""

from __future__ import annotations

import re

from .._errors import StateError

DISABLED = 1
_LINK = re.compile(r"\[LDAP://(?P<dn>[^;\]]*);(?P<options>[0-9]{1,10})\]", re.IGNORECASE)
_CN = re.compile(r"^CN=(\{[0-9A-F-]{36}\}),", re.IGNORECASE)


def has_link(links: str, dn: str) -> bool:
    """Whether the list holds this policy with its link turned on."""
    return any(_guid(link["dn"]) == _guid(dn) and not int(link["options"]) & DISABLED for link in _LINK.finditer(links))


def with_link(links: str, dn: str) -> str:
    """Returns the list with this policy linked and its link turned on.

    A new link comes first, with the lowest precedence, and so changes the rank of no other.

    :raises StateError: for a list that is malformed
    """
    if _LINK.sub("", links).strip():
        raise StateError(
            "gPLink of the container is malformed", "repair its links in the Group Policy console, then run again"
        )
    for link in _LINK.finditer(links):
        if _guid(link["dn"]) == _guid(dn):
            on = int(link["options"]) & ~DISABLED
            return links[: link.start("options")] + str(on) + links[link.end("options") :]
    return f"[LDAP://{dn};0]" + links.strip()


def _guid(dn: str) -> str:
    """What tells a policy's DN from another's, in one spelling."""
    found = _CN.match(dn)
    return (found[1] if found else dn).upper()
