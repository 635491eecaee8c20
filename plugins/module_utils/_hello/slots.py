# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A setting's state as raw numbers and texts, one a slot, and back. The registry and the CSP share it.

A slot is the switch (named by the empty text) or an option.
"""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Tuple, cast

from .._errors import InputError
from .provider import Provider, providers_from_text, providers_to_text
from .setting import Option, PolicyState, Raw, Setting, SettingState, Value, ValueKind
from .signal_rules import Rule, rules_from_xml, rules_to_xml

SWITCH = ""


def to_slots(setting: Setting, state: SettingState) -> Dict[str, Raw]:
    """Returns the slots that hold a value in this state. ``not_configured`` has none."""
    slots: Dict[str, Raw] = {}
    number = _switch_numbers(setting).get(state.state)
    if number is not None:
        slots[SWITCH] = number
    if state.state is PolicyState.ENABLED:
        for option in setting.options:
            value = state.option(option.name)
            if value is not None and value != ():
                slots[option.name] = encode(option, value)
    return slots


def from_slots(setting: Setting, slots: Mapping[str, object]) -> Optional[SettingState]:
    """Returns the state that the slots tell, None if there is no slot, ``UNKNOWN`` if they tell no state."""
    if not slots:
        return None
    try:
        if setting.switch is not None:
            state = {number: state for state, number in _switch_numbers(setting).items()}[_number(slots[SWITCH])]
            if state is not PolicyState.ENABLED:
                return SettingState(state)
        return SettingState(PolicyState.ENABLED, _options(setting, slots))
    except (KeyError, ValueError, InputError):
        return unknown(slots)


def unknown(slots: Mapping[str, object]) -> SettingState:
    """A state that says what was found."""
    found = ", ".join(f"{name or 'switch'}={value!r}" for name, value in slots.items())
    return SettingState(PolicyState.UNKNOWN, (("found", found),))


def encode(option: Option, value: Value) -> Raw:
    """Returns an option's value as the number or text that is stored."""
    if option.kind is ValueKind.FLAG:
        return int(cast(bool, value))
    if option.kind is ValueKind.WORD:
        return dict(option.words)[cast(str, value)]
    if option.kind is ValueKind.PROVIDERS:
        return providers_to_text(cast(Tuple[Provider, ...], value))
    if option.kind is ValueKind.RULES:
        return rules_to_xml(cast(Tuple[Rule, ...], value), option.scenario)
    return cast(int, value)


def decode(option: Option, raw: object) -> Value:
    """The inverse of :func:`encode`.

    :raises ValueError: (or its kin) for a number or text that the option can't have
    """
    if option.kind is ValueKind.PROVIDERS:
        return providers_from_text(_text(raw))
    if option.kind is ValueKind.RULES:
        return rules_from_xml(_text(raw), option.scenario)
    number = _number(raw)
    if option.kind is ValueKind.FLAG:
        return {0: False, 1: True}[number]
    if option.kind is ValueKind.WORD:
        return {each: word for word, each in option.words}[number]
    if not option.lowest <= number <= option.highest:
        raise ValueError(number)
    return number


def _switch_numbers(setting: Setting) -> Dict[PolicyState, int]:
    if setting.switch is None:
        return {}
    numbers = {PolicyState.ENABLED: setting.switch.enabled, PolicyState.DISABLED: setting.switch.disabled}
    if setting.switch.allowed is not None:
        numbers[PolicyState.ALLOWED] = setting.switch.allowed
    return numbers


def _options(setting: Setting, slots: Mapping[str, object]) -> Tuple[Tuple[str, Value], ...]:
    values = []
    for option in setting.options:
        value = decode(option, slots[option.name]) if option.name in slots else option.default
        if value is None:
            raise KeyError(option.name)
        values.append((option.name, value))
    return tuple(values)


def _number(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise ValueError(raw)
    return raw


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError(raw)
    return raw
