# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules between settings, checked on what a policy will say in whole before anything is written.

A rule names the settings that it looks at. It finds fault if the task names one of them, and warns if
the task changes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Callable, Optional, Tuple, cast

from .._errors import InputError
from .._pin import LONGEST
from .catalogue import SETTINGS
from .catalogue_pin import CLASSES, DEFAULT_MIN_LENGTH
from .provider import Provider
from .setting import NOT_CONFIGURED, Model, PolicyState, Setting, SettingState

_BIOMETRIC = frozenset((Provider.FINGERPRINT, Provider.FACE))


@dataclass(frozen=True)
class Fault:
    """A contradiction: the field, what is wrong, what to do."""

    field: str
    fault: str
    remedy: str


@dataclass(frozen=True)
class PolicyRule:
    """Settings that belong together and what to find out about them: a fault, or a text to warn with."""

    names: Tuple[str, ...]
    fault: Callable[[Model], Optional[Fault]] = lambda model: None
    warning: Callable[[Model], str] = lambda model: ""


def check(model: Model, named: AbstractSet[str]) -> None:
    """Checks all rules.

    :param model: all that the policy will say
    :param named: the settings that the task names
    :raises InputError: for the first contradiction
    """
    for rule in RULES:
        fault = rule.fault(model) if named & set(rule.names) else None
        if fault is not None:
            raise InputError(f"settings.{fault.field}", fault.fault, fault.remedy)


def warnings(model: Model, changed: AbstractSet[str]) -> Tuple[str, ...]:
    """Returns what a person should know about the settings that change."""
    texts = [rule.warning(model) for rule in RULES if changed & set(rule.names)]
    texts += [dispute(each, model.get(each.name, NOT_CONFIGURED)) for each in SETTINGS if each.name in changed]
    return tuple(text for text in texts if text)


def dispute(setting: Setting, state: SettingState) -> str:
    """Returns a warning where published sources disagree what this state of the setting means, or nothing."""
    if not setting.disputed or state.state not in setting.disputed_in:
        return ""
    return f"{setting.name} is {state.state.value}, and sources disagree what that means. {setting.disputed}"


def _is(model: Model, name: str, state: PolicyState) -> bool:
    return name in model and model[name].state is state


def _length(model: Model, name: str, default: int) -> int:
    value = model[name].option("value") if _is(model, name, PolicyState.ENABLED) else None
    return default if value is None else cast(int, value)


def _lengths(model: Model) -> Tuple[int, int]:
    return _length(model, "pin_min_length", DEFAULT_MIN_LENGTH), _length(model, "pin_max_length", LONGEST)


def min_over_max(model: Model) -> Optional[Fault]:
    shortest, longest = _lengths(model)
    if shortest <= longest:
        return None
    if not _is(model, "pin_min_length", PolicyState.ENABLED):
        return Fault(
            "pin_max_length",
            f"is {longest}, less than the {shortest} characters that hold where pin_min_length is not set",
            f"set pin_min_length to {longest} or less",
        )
    return Fault(
        "pin_min_length",
        f"is {shortest}, more than pin_max_length, which is {longest}, and Windows would use its defaults for both",
        "make the minimum the smaller one",
    )


def min_equals_max(model: Model) -> str:
    shortest, longest = _lengths(model)
    if shortest != longest:
        return ""
    return (
        f"pin_min_length and pin_max_length are both {shortest}: the reference takes this, the ADML text wants the "
        "maximum to be larger."
    )


def no_class_left(model: Model) -> Optional[Fault]:
    if not all(_is(model, each.name, PolicyState.DISABLED) for each in CLASSES):
        return None
    return Fault(
        CLASSES[0].name, "and the other three character classes are disallowed, so no PIN is possible", "allow one"
    )


def certificate_wins(model: Model) -> str:
    both = ("use_certificate_for_on_prem_auth", "use_cloud_trust_for_on_prem_auth")
    if not all(_is(model, name, PolicyState.ENABLED) for name in both):
        return ""
    return f"{both[0]} wins over {both[1]}: cloud trust has no effect while both are enabled."


def no_enumeration_without_emulation(model: Model) -> Optional[Fault]:
    return _needs_emulation(model, "allow_all_user_card_enumeration")


def no_card_certificate_without_emulation(model: Model) -> Optional[Fault]:
    return _needs_emulation(model, "hello_cert_as_smartcard_cert")


def _needs_emulation(model: Model, name: str) -> Optional[Fault]:
    if not (_is(model, name, PolicyState.ENABLED) and _is(model, "disable_card_emulation", PolicyState.ENABLED)):
        return None
    return Fault(
        name,
        "is enabled, but doesn't work with credentials made while disable_card_emulation is enabled",
        "disable one of the two",
    )


def _groups(model: Model) -> Optional[Tuple[Tuple[Provider, ...], Tuple[Provider, ...]]]:
    if not _is(model, "device_unlock", PolicyState.ENABLED):
        return None
    state = model["device_unlock"]
    return (
        cast(Tuple[Provider, ...], state.option("group_a")),
        cast(Tuple[Provider, ...], state.option("group_b")),
    )


def signal_in_group_a(model: Model) -> Optional[Fault]:
    groups = _groups(model)
    if groups is None or Provider.TRUSTED_SIGNAL not in groups[0]:
        return None
    return Fault("device_unlock.group_a", "names trusted_signal, which is a second factor only", "move it to group_b")


def signal_without_rules(model: Model) -> Optional[Fault]:
    groups = _groups(model)
    if groups is None or Provider.TRUSTED_SIGNAL not in groups[1] or model["device_unlock"].option("rules"):
        return None
    return Fault("device_unlock.rules", "are missing, but group_b names trusted_signal", "say which signals to trust")


def rules_without_signal(model: Model) -> str:
    groups = _groups(model)
    if groups is None or Provider.TRUSTED_SIGNAL in groups[1] or not model["device_unlock"].option("rules"):
        return ""
    return "device_unlock.rules have no effect: group_b doesn't name trusted_signal."


def no_pin_in_groups(model: Model) -> Optional[Fault]:
    groups = _groups(model)
    if groups is None or Provider.PIN in groups[0] + groups[1]:
        return None
    return Fault("device_unlock.group_a", "and group_b don't name pin", "put it into at least one of them")


def one_factor_for_both(model: Model) -> Optional[Fault]:
    groups = _groups(model)
    if groups is None or len(set(groups[0] + groups[1])) > 1:
        return None
    return Fault(
        "device_unlock.group_b",
        f"has no provider but {groups[1][0].value}, the one of group_a, and one factor can't count twice",
        "add another provider to one of the groups",
    )


def biometrics_off(model: Model) -> Optional[Fault]:
    groups = _groups(model)
    if groups is None or not _is(model, "use_biometrics", PolicyState.DISABLED):
        return None
    for name, group in zip(("group_a", "group_b"), groups):
        if _BIOMETRIC.issuperset(group):
            return Fault(
                f"device_unlock.{name}",
                "names biometric providers only, but use_biometrics is disabled, so nobody could unlock a device",
                "add pin, or enable use_biometrics",
            )
    return None


def history_and_reset(model: Model) -> str:
    if _length(model, "pin_history", 0) == 0:
        return ""
    return (
        "pin_history is forgotten by Windows at a PIN reset: after one, a former PIN can be chosen again. "
        "A TPM card on Linux keeps it, also where the PUK sets the PIN."
    )


def emulation_acts_later(model: Model) -> str:
    if _is(model, "disable_card_emulation", PolicyState.NOT_CONFIGURED):
        return ""
    return "disable_card_emulation acts only on credentials that are made afterwards."


RULES = (
    PolicyRule(("pin_min_length", "pin_max_length"), fault=min_over_max, warning=min_equals_max),
    PolicyRule(tuple(each.name for each in CLASSES), fault=no_class_left),
    PolicyRule(("use_certificate_for_on_prem_auth", "use_cloud_trust_for_on_prem_auth"), warning=certificate_wins),
    PolicyRule(("allow_all_user_card_enumeration", "disable_card_emulation"), fault=no_enumeration_without_emulation),
    PolicyRule(("hello_cert_as_smartcard_cert", "disable_card_emulation"), fault=no_card_certificate_without_emulation),
    PolicyRule(("device_unlock",), fault=signal_in_group_a),
    PolicyRule(("device_unlock",), fault=signal_without_rules, warning=rules_without_signal),
    PolicyRule(("device_unlock",), fault=no_pin_in_groups),
    PolicyRule(("device_unlock",), fault=one_factor_for_both),
    PolicyRule(("device_unlock", "use_biometrics"), fault=biometrics_off),
    PolicyRule(("pin_history",), warning=history_and_reset),
    PolicyRule(("disable_card_emulation",), warning=emulation_acts_later),
)
