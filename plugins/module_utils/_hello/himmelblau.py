# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a drop-in of Himmelblau (``himmelblau.conf.d``), which signs Linux in to Entra ID, and reads it back.

Himmelblau has three keys for Hello: ``enable_hello``, ``hello_pin_min_length`` and
``hello_pin_retry_count`` (himmelblau.conf(5)). What they can't hold is reported, not refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, List, Optional

from .._errors import InputError, StateError
from .setting import NOT_CONFIGURED, Model, PolicyState, Setting, SettingState
from .slots import unknown
from .writer import Objection

DROP_IN = "/etc/himmelblau/himmelblau.conf.d/50-hardbound.conf"
# himmelblau.conf(5)
SHORTEST, LONGEST = 6, 32
MOST_RETRIES = 0xFFFFFFFF  # a number that is not negative, held in 32 bits
RETRY_COUNT = "hello_pin_retry_count"  # the key that is no setting of the reference

_SECTION = "global"
_HELLO = "enable_hello"
_LENGTH = "hello_pin_min_length"
_HEADER = re.compile(r"\s*\[(?P<name>[^]]*)\]\s*$")
_KEY = re.compile(r"\s*(?P<key>[A-Za-z0-9_.-]+)\s*[=:]\s*(?P<value>.*?)\s*$")


@dataclass(frozen=True)
class Himmelblau:
    """A drop-in. ``pin_retry_count`` is written where it is given, it is no setting of the reference.

    :raises InputError: for a retry count out of range
    """

    pin_retry_count: Optional[int] = None

    def __post_init__(self) -> None:
        count = self.pin_retry_count
        if count is not None and not 0 <= count <= MOST_RETRIES:
            raise InputError(
                "himmelblau.pin_retry_count", f"is {count}", f"choose a whole number from 0 to {MOST_RETRIES}"
            )

    def objection(self, setting: Setting, state: SettingState) -> Optional[Objection]:
        if setting.name == "use_hello":
            if state.option("disable_post_logon_provisioning"):
                return Objection(
                    "has an option that Himmelblau has no key for", "leave disable_post_logon_provisioning out"
                )
            return None
        if setting.name == "require_security_device":
            return Objection(
                "is no key of Hello in Himmelblau, hsm_type = tpm in himmelblau.conf does it", refuse=False
            )
        if setting.name != "pin_min_length":
            return Objection("has no key in Himmelblau's configuration", refuse=False)
        if state.state is PolicyState.DISABLED:
            return Objection("can't be disabled in Himmelblau, whose default is 6", "give a number, or not_configured")
        length = state.option("value")
        if isinstance(length, int) and not SHORTEST <= length <= LONGEST:
            return Objection(f"is {length}, but Himmelblau takes {SHORTEST} to {LONGEST}", "choose a number it takes")
        return None

    def keeps_removal(self, setting: Setting) -> bool:
        return False

    def read(self, document: bytes) -> Model:
        keys = _keys(_lines(document))
        model: Dict[str, SettingState] = {}
        if _HELLO in keys:
            model["use_hello"] = _hello_state(keys[_HELLO])
        if _LENGTH in keys:
            model["pin_min_length"] = _length_state(keys[_LENGTH])
        return model

    def render(self, changes: Model, document: bytes) -> bytes:
        wanted: Dict[str, Optional[str]] = {}
        if "use_hello" in changes:
            state = changes["use_hello"]
            wanted[_HELLO] = None if state == NOT_CONFIGURED else str(state.state is PolicyState.ENABLED).lower()
        if "pin_min_length" in changes:
            length = changes["pin_min_length"].option("value")
            wanted[_LENGTH] = None if length is None else str(length)
        if self.pin_retry_count is not None:
            wanted[RETRY_COUNT] = str(self.pin_retry_count)
        return _join(_edit(_lines(document), wanted))

    def retry_count(self, document: bytes) -> Optional[str]:
        """Returns the retry count that the document tells, as it stands there."""
        return _keys(_lines(document)).get(RETRY_COUNT)


def _lines(document: bytes) -> List[str]:
    try:
        return document.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise StateError(f"the drop-in is no UTF-8 (byte {error.start})", "repair or remove the file") from None


def _section_after(line: str, section: str) -> str:
    header = _HEADER.match(line)
    return header["name"].strip().lower() if header else section


def _keys(lines: List[str]) -> Dict[str, str]:
    keys = {}
    section = ""
    for line in lines:
        section = _section_after(line, section)
        found = _KEY.match(line)
        if found and section == _SECTION:
            keys[found["key"].lower()] = found["value"]
    return keys


def _edit(lines: List[str], wanted: Dict[str, Optional[str]]) -> List[str]:
    """Returns the lines with these keys of [global] set, or taken out where the value is None."""
    edited: List[str] = []
    section, end = "", None
    left = dict(wanted)
    for line in lines:
        section = _section_after(line, section)
        found = _KEY.match(line)
        key = found["key"].lower() if found and section == _SECTION else ""
        if key in wanted:
            value = left.pop(key, None)
            line = f"{key} = {value}" if value is not None else ""
        if key not in wanted or line:
            edited.append(line)
        if section == _SECTION and line.strip():
            end = len(edited)
    fresh = [f"{key} = {value}" for key, value in left.items() if value is not None]
    if fresh and end is None:
        edited.append(f"[{_SECTION}]")
        end = len(edited)
    edited[end:end] = fresh
    return edited


def _join(lines: List[str]) -> bytes:
    """Joins lines. Nothing but the header of [global] is no document: an empty drop-in would be a mask."""
    if all(_section_after(line, "") == _SECTION or not line.strip() for line in lines):
        return b""
    return ("\n".join(lines) + "\n").encode()


def _hello_state(value: str) -> SettingState:
    word = value.lower()
    if word in ("true", "yes", "1", "on"):
        return SettingState(PolicyState.ENABLED, (("disable_post_logon_provisioning", False),))
    if word in ("false", "no", "0", "off"):
        return SettingState(PolicyState.DISABLED)
    return unknown({_HELLO: value})


def _length_state(value: str) -> SettingState:
    if value.isascii() and value.isdigit() and len(value) < 4:
        return SettingState(PolicyState.ENABLED, (("value", int(value)),))
    return unknown({_LENGTH: value})
