# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a policy that takes effect comes from: one row a kind of source."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Tuple

from .setting import Model, Scope


class Family(enum.Enum):
    """What carries a policy to a host."""

    GPO = "Group Policy"
    CSP = "device management"
    EAS = "Exchange ActiveSync"
    LINUX = "the host itself"


@dataclass(frozen=True)
class _Row:
    family: Family
    scope: Scope = Scope.DEVICE
    document: str = ""


class SourceKind(str, enum.Enum):
    """Where a policy comes from, those of Windows in the order of precedence."""

    USER_GPO = "user_gpo"
    COMPUTER_GPO = "computer_gpo"
    USER_CSP = "user_csp"
    DEVICE_CSP = "device_csp"
    EAS = "eas"
    LINUX_HOST = "linux_host"

    @property
    def family(self) -> Family:
        return _ROWS[self].family

    @property
    def scope(self) -> Scope:
        """Whose policy it is."""
        return _ROWS[self].scope

    @property
    def document(self) -> str:
        """The name of the target whose document a file of it is, empty where it has none of its own."""
        return _ROWS[self].document


_ROWS = {
    SourceKind.USER_GPO: _Row(Family.GPO, Scope.USER, "registry_pol"),
    SourceKind.COMPUTER_GPO: _Row(Family.GPO, document="registry_pol"),
    SourceKind.USER_CSP: _Row(Family.CSP, Scope.USER, "syncml"),
    SourceKind.DEVICE_CSP: _Row(Family.CSP, document="syncml"),
    SourceKind.EAS: _Row(Family.EAS),
    SourceKind.LINUX_HOST: _Row(Family.LINUX, document="linux"),
}


@dataclass(frozen=True)
class Source:
    """A policy and where it comes from. Of two of one kind, the one that stands first wins.

    ``notes`` is what a person should know about the place that holds it.
    """

    kind: SourceKind
    label: str
    model: Model
    notes: Tuple[str, ...] = ()
