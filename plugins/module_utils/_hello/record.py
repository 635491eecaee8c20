# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of a directory as read, and the changes that are asked of them (RFC 4511)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Mapping, Sequence, Tuple

Attributes = Mapping[str, Sequence[bytes]]


@dataclass(frozen=True)
class DirectoryObject:
    """An object of the directory, with the attributes that were asked for. Names are in lower case."""

    dn: str
    attributes: Attributes

    def texts(self, name: str) -> Tuple[str, ...]:
        return tuple(each.decode("utf-8") for each in self.attributes.get(name.lower(), ()))

    def text(self, name: str) -> str:
        """The only value as text, empty where there is none."""
        return "".join(self.texts(name)[:1])


class ModifyOperation(enum.Enum):
    """What a modification does with a value ([RFC 4511] 4.6)."""

    ADD = "add"
    DELETE = "delete"


Modification = Tuple[ModifyOperation, str, str]


def replaced(attribute: str, old: str, new: str) -> Sequence[Modification]:
    """Compare and swap: the directory refuses the whole modification unless the old value still stands."""
    gone = [(ModifyOperation.DELETE, attribute, old)] if old else []
    return [*gone, (ModifyOperation.ADD, attribute, new)]


def record_of(message: Any) -> DirectoryObject:
    names = [name for name in message if name != "dn"]
    return DirectoryObject(str(message.dn), {name.lower(): [bytes(value) for value in message[name]] for name in names})
