# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings as a task writes them, checked, to states; and states back to what a person reads in a diff."""

from __future__ import annotations

import difflib
from typing import Dict, List, Mapping, Optional, Tuple, cast

from .._errors import InputError
from .catalogue import SETTINGS, setting_named
from .provider import Provider, provider
from .setting import Model, Option, PolicyState, Setting, SettingState, Value, ValueKind
from .signal_rules import Rule, parse_rules, rules_to_data

CLASS_STATES = {"required": PolicyState.ENABLED, "disallowed": PolicyState.DISABLED, "allowed": PolicyState.ALLOWED}
"""Words of the character classes, as the PIN policy of a card says them; :data:`STATES` are those of all settings."""
STATES = {state.value: state for state in (PolicyState.ENABLED, PolicyState.DISABLED, PolicyState.NOT_CONFIGURED)}
_FLAGS = {"true": True, "yes": True, "false": False, "no": False}


def parse_settings(data: Mapping[str, object], field: str = "settings") -> Dict[str, SettingState]:
    """Checks the settings of a task, in the order of the catalogue. A value of None says nothing.

    :raises InputError: naming the setting, the option, its fault and the remedy
    """
    for name in data:
        setting_named(name)
    return {
        setting.name: parse_setting(setting, data[setting.name], f"{field}.{setting.name}")
        for setting in SETTINGS
        if data.get(setting.name) is not None
    }


def settings_named(data: Mapping[str, object]) -> List[str]:
    """Returns the names of the settings of a task that are to be removed. Their values don't count.

    :raises InputError: for a name that no setting has
    """
    return [setting_named(name).name for name in data]


def parse_setting(setting: Setting, data: object, field: str) -> SettingState:
    """Checks one setting: a state's name, the value that stands for it, or a mapping of state and options.

    :raises InputError: for anything else
    """
    if isinstance(data, Mapping):
        return _from_mapping(setting, data, field)
    if setting.scalar is not None and not (isinstance(data, str) and data in STATES):
        return SettingState(PolicyState.ENABLED, ((setting.scalar.name, _value(setting.scalar, data, field)),))
    return _with_options(setting, _state(setting, data, field), {}, field)


def to_data(setting: Setting, state: SettingState) -> object:
    """Returns a state as a task writes it, options at their default left out. The inverse of parse_setting."""
    if state.state is PolicyState.UNKNOWN:
        return f"unknown ({state.option('found')})"
    if setting.is_class:
        return {each: word for word, each in CLASS_STATES.items()}.get(state.state, state.state.value)
    if state.state is not PolicyState.ENABLED:
        return state.state.value
    if setting.scalar is not None:
        return _plain(setting.scalar, cast(Value, state.option(setting.scalar.name)))
    options = {
        option.name: _plain(option, cast(Value, state.option(option.name)))
        for option in setting.options
        if state.option(option.name) != option.default
    }
    if setting.switch is None:
        return options
    return {"state": state.state.value, **options} if options else state.state.value


def view(model: Model) -> Dict[str, object]:
    """Returns setting names and values, in the order of the catalogue, as plain data."""
    return {each.name: to_data(each, model[each.name]) for each in SETTINGS if each.name in model}


def _from_mapping(setting: Setting, data: Mapping[object, object], field: str) -> SettingState:
    known = ["state", *(option.name for option in setting.options)]
    for key in data:
        if key not in known:
            nearest = difflib.get_close_matches(str(key), known, n=1)
            remedy = f"did you mean {nearest[0]}?" if nearest else f"choose from {', '.join(known)}"
            raise InputError(f"{field}.{key}", "is no option of this setting", remedy)
    state = _state(setting, data.get("state", PolicyState.ENABLED.value), f"{field}.state")
    return _with_options(setting, state, {str(key): value for key, value in data.items() if value is not None}, field)


def _with_options(setting: Setting, state: PolicyState, data: Mapping[str, object], field: str) -> SettingState:
    given = [option.name for option in setting.options if option.name in data]
    if state is not PolicyState.ENABLED:
        if given:
            raise InputError(f"{field}.{given[0]}", f"stands with state {state.value}", "use options with enabled only")
        return SettingState(state)
    return SettingState(
        state,
        tuple((each.name, _option(each, data.get(each.name), f"{field}.{each.name}")) for each in setting.options),
    )


def _state(setting: Setting, data: object, field: str) -> PolicyState:
    words = {**STATES, **CLASS_STATES} if setting.is_class else STATES
    found = words.get(data) if isinstance(data, str) else None
    if found is None:
        raise InputError(field, f"is {data!r}", f"choose {', '.join(words)}")
    return found


def _option(option: Option, data: object, field: str) -> Value:
    if data is not None:
        return _value(option, data, field)
    if option.default is None:
        raise InputError(field, "is missing", "give it, the enabled setting needs it")
    return option.default


def _value(option: Option, data: object, field: str) -> Value:
    if option.kind is ValueKind.FLAG:
        return _flag(data, field)
    if option.kind is ValueKind.WORD:
        words = [word for word, _number in option.words]
        if not isinstance(data, str) or data not in words:
            raise InputError(field, f"is {data!r}", f"choose {', '.join(words)}, disabled, or not_configured")
        return data
    if option.kind is ValueKind.PROVIDERS:
        return _providers(data, field)
    if option.kind is ValueKind.RULES:
        return () if data == [] and option.default == () else parse_rules(data, option.scenario, field)
    return _number(option, data, field)


def _flag(data: object, field: str) -> bool:
    if isinstance(data, bool):
        return data
    found: Optional[bool] = _FLAGS.get(data.lower()) if isinstance(data, str) else None
    if found is None:
        raise InputError(field, f"is {data!r}", "choose true or false")
    return found


def _number(option: Option, data: object, field: str) -> int:
    number = data
    # A template that yields a number may hand over its text.
    if isinstance(data, str) and len(data) < 10 and data.isascii() and data.isdigit():
        number = int(data)
    if isinstance(number, bool) or not isinstance(number, int) or not option.lowest <= number <= option.highest:
        remedy = f"choose a whole number from {option.lowest} to {option.highest}, disabled, or not_configured"
        raise InputError(field, f"is {data!r}", remedy)
    return number


def _providers(data: object, field: str) -> Tuple[Provider, ...]:
    if not isinstance(data, (list, tuple)) or not data:
        raise InputError(field, "holds no list of credential providers", "name at least one")
    found: List[Provider] = [provider(each, f"{field}[{index}]") for index, each in enumerate(data)]
    if len(set(found)) != len(found):
        raise InputError(field, "names a credential provider twice", "name each once")
    return tuple(found)


def _plain(option: Option, value: Value) -> object:
    if option.kind is ValueKind.PROVIDERS:
        return [each.value for each in cast(Tuple[Provider, ...], value)]
    if option.kind is ValueKind.RULES:
        return rules_to_data(cast(Tuple[Rule, ...], value))
    return value
