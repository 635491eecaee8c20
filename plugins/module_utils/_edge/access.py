# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may use which card.

A rule guards each card's reader where pcscd asks polkit, as on Debian 13. Debian 12 builds it without: there
the host's role guards pcscd's socket.

pcscd asks twice: whether a program may talk to it, which shows the names and states of all readers, and whether it
may use the card in one of them (pcsc-lite 2.3, ``src/winscard_svc.c``).
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass

from .._card.plan import Holding
from .._errors import InputError
from .host_file import HostFile
from .reader_name import reader_name

RULES = HostFile("/etc/polkit-1/rules.d/50-hardbound.rules", "access")
"""polkit watches its folder. The rules are gone where there is no card."""
_NAME = re.compile(r"\w[\w.@\\ -]*\$?")  # useradd(8), and what winbind and sssd make of a domain: CORP\domain users


@dataclass(frozen=True)
class Holder:
    """A card in a reader, and the user and group that may use it; without either, only root may.

    :param in_p11_kit: whether p11-kit shows it without the reader, too
    """

    number: int
    name: str
    owner: str = ""
    group: str = ""
    in_p11_kit: bool = False


def holders(cards: t.Iterable[Holding]) -> t.List[Holder]:
    """Returns who holds the cards that have a reader."""
    return [
        Holder(each.number, each.name, each.owner, each.group, each.in_p11_kit) for each in cards if each.has_reader
    ]


_TEMPLATE = """\
// Who may use which card. Made by hardbound.identity; changes here are lost.
polkit.addRule(function(action, subject) {
    var holders = %s;
    var everyone = %s;

    function holds(reader) {
        var holder = holders[reader];
        return subject.user === holder.owner || (holder.group !== null && subject.isInGroup(holder.group));
    }

    if (subject.user === "root") {
        return polkit.Result.NOT_HANDLED;
    }
    if (action.id === "org.debian.pcsc-lite.access_pcsc") {
        if (everyone === true || Object.keys(holders).some(holds)) {
            return polkit.Result.YES;
        }
        return everyone === false ? polkit.Result.NO : polkit.Result.NOT_HANDLED;
    }
    if (action.id === "org.debian.pcsc-lite.access_card") {
        var reader = action.lookup("reader");
        if (Object.prototype.hasOwnProperty.call(holders, reader)) {
            return holds(reader) ? polkit.Result.YES : polkit.Result.NO;
        }
    }
    return polkit.Result.NOT_HANDLED;
});
"""


def render(held: t.Sequence[Holder], everyone: t.Optional[bool] = None) -> str:
    """Returns polkit(8) rules; the empty string where there is no card.

    Names get into the script as JSON, in ASCII: data to it, whatever they hold.

    :param everyone: whether users without a card see the readers, too. None leaves it to the system's own rules,
        which let in whoever sits at the computer. To use a card takes its owner or group in any case
    :raises InputError: if an owner or group is no name of a user or group
    """
    if not held:
        return ""
    cards = {holder.number: holder.name for holder in held}
    table = {
        reader_name(holder.number, cards): {"owner": _user(holder), "group": _group(holder)}
        for holder in sorted(held, key=lambda holder: holder.number)
    }
    holding = json.dumps(table, indent=8, ensure_ascii=True).replace("\n}", "\n    }")
    return _TEMPLATE % (holding, json.dumps(everyone))


def _user(holder: Holder) -> t.Optional[str]:
    return _checked("owner", holder.owner)


def _group(holder: Holder) -> t.Optional[str]:
    return _checked("group", holder.group)


def _checked(field: str, name: t.Optional[str]) -> t.Optional[str]:
    if name and not _NAME.fullmatch(name):
        raise InputError(field, f"is {name!r}, which no user or group is called", "name one that the host knows")
    return name or None
