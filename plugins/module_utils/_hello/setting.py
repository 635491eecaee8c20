# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vocabulary of the policy: settings, their options, where each stands, and the states they take."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Mapping, Optional, Tuple, Union

from .provider import Provider
from .signal_rules import Rule, Scenario

Value = Union[bool, int, str, Tuple[Provider, ...], Tuple[Rule, ...]]
Raw = Union[int, str]


class PolicyState(str, enum.Enum):
    """What a policy says about a setting."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    NOT_CONFIGURED = "not_configured"
    # A character class that may occur. Only the CSP has a value (0) for it.
    ALLOWED = "allowed"
    # Only ever read: data that no state of the setting has.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class SettingState:
    """One setting's state with its options, in the catalogue's order. Options stand with ``ENABLED`` only."""

    state: PolicyState
    options: Tuple[Tuple[str, Value], ...] = ()

    def option(self, name: str) -> Optional[Value]:
        return dict(self.options).get(name)


NOT_CONFIGURED = SettingState(PolicyState.NOT_CONFIGURED)

Model = Mapping[str, SettingState]
"""Setting name to state. A setting that is missing is one of which a source says nothing."""


class EditorFolder(str, enum.Enum):
    """Where the Group Policy editor shows a setting, below Administrative Templates."""

    HELLO = "Windows Components > Windows Hello for Business"
    PIN = "System > PIN Complexity"
    FACE = "Windows Components > Biometrics > Facial Features"
    NONE = ""


class Group(str, enum.Enum):
    """Settings that resolve together, from one source."""

    FEATURE = "feature enablement"
    PIN = "PIN complexity"


class ValueKind(str, enum.Enum):
    """How an option's value is written."""

    FLAG = "flag"
    NUMBER = "number"
    WORD = "word"
    PROVIDERS = "providers"
    RULES = "rules"


class Format(str, enum.Enum):
    """The formats of a CSP node (OMA DM, ``Format`` in the namespace ``syncml:metinf``)."""

    BOOL = "bool"
    INT = "int"
    CHR = "chr"


class Scope(str, enum.Enum):
    """Whose policy it is: the computer's or the user's."""

    DEVICE = "device"
    USER = "user"


@dataclass(frozen=True)
class RegistryPlace:
    """A key below HKLM or HKCU, and the value's name."""

    key: str
    name: str


@dataclass(frozen=True)
class CspNode:
    """A leaf of the PassportForWork CSP, its path relative to ``./Device/Vendor/MSFT/PassportForWork``.

    ``user`` says that the same path exists below ``./User``.
    """

    path: str
    format: Format
    user: bool = False

    @property
    def tenant_scoped(self) -> bool:
        return self.path.startswith(TENANT)


TENANT = "{TenantId}"
"""Stands in a path for the tenant's id."""


@dataclass(frozen=True)
class Switch:
    """The value that says enabled or disabled, as a number."""

    place: Optional[RegistryPlace]
    node: Optional[CspNode]
    enabled: int = 1
    disabled: int = 0
    allowed: Optional[int] = None


@dataclass(frozen=True)
class Option:
    """A value that an enabled setting carries. ``default`` None means that it must be given."""

    name: str
    kind: ValueKind
    place: RegistryPlace
    node: CspNode
    meaning: str
    default: Optional[Value] = None
    lowest: int = 0
    highest: int = 0
    words: Tuple[Tuple[str, int], ...] = ()
    scenario: Scenario = Scenario.UNLOCK


@dataclass(frozen=True)
class Meaning:
    """What a setting does in each of its states, and what holds by default."""

    enabled: str
    disabled: str
    not_configured: str
    allowed: str = ""


@dataclass(frozen=True)
class Setting:
    """A setting of the reference (or, with ``in_reference`` false, one of the four that only the CSP has).

    ``user_gpo`` says that a GPO has it for users too, ``lingers`` that its registry value stands outside
    the managed branches and stays on a computer after the policy is gone. ``disputed`` tells what the
    published sources disagree about, ``disputed_in`` for which states.
    """

    name: str
    english: str
    japanese: str
    meaning: Meaning
    default: str
    switch: Optional[Switch] = None
    options: Tuple[Option, ...] = ()
    group: Optional[Group] = None
    user_gpo: bool = False
    lingers: bool = False
    disputed: str = ""
    disputed_in: Tuple[PolicyState, ...] = (PolicyState.NOT_CONFIGURED,)
    in_reference: bool = True
    folder: EditorFolder = EditorFolder.HELLO

    @property
    def in_gpo(self) -> bool:
        return any(place is not None for place in self.places)

    @property
    def places(self) -> Tuple[Optional[RegistryPlace], ...]:
        switch = (self.switch.place,) if self.switch else ()
        return switch + tuple(option.place for option in self.options)

    @property
    def nodes(self) -> Tuple[Optional[CspNode], ...]:
        switch = (self.switch.node,) if self.switch else ()
        return switch + tuple(option.node for option in self.options)

    @property
    def is_class(self) -> bool:
        """Whether it rules a character class: required, disallowed or allowed."""
        return self.switch is not None and self.switch.allowed is not None

    def settled(self, state: SettingState) -> SettingState:
        """Returns the state as a document tells it.

        Where a value lingers and there is no switch, disabled means that the value goes, as not configured does.
        """
        gone = state.state is PolicyState.DISABLED and self.lingers and self.switch is None
        return NOT_CONFIGURED if gone else state

    @property
    def scalar(self) -> Optional[Option]:
        """The option that stands for the whole setting, as in ``pin_min_length: 8``."""
        return self.options[0] if self.switch is None and len(self.options) == 1 else None
