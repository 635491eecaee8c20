# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the policy of a Linux host says to the programs that sign users in, which don't know the catalogue.

A card's PIN is always one of the two factors of ``device_unlock``: what unlocks without it is none of a card's.
"""

from __future__ import annotations

from typing import Dict, Optional, Tuple, cast

from .provider import Provider
from .setting import Model, PolicyState, SettingState
from .signal_rules import Rule, rules_to_data

_BESIDE_A_PIN = (Provider.TRUSTED_SIGNAL, Provider.FINGERPRINT)
"""What a Linux host can ask for beside a PIN."""


def objection_to_unlock(state: SettingState) -> Optional[str]:
    """Returns why no Linux host can ask for these factors, if so."""
    if state.state is not PolicyState.ENABLED or second_factors(state):
        return None
    return "names no second factor beside the PIN that a Linux host has: fingerprint or trusted_signal"


def second_factors(device_unlock: SettingState) -> Tuple[Provider, ...]:
    """Returns what counts beside the PIN: one factor is of group_a, the other of group_b."""
    group_a, group_b = (cast(Tuple[Provider, ...], device_unlock.option(name) or ()) for name in ("group_a", "group_b"))
    beside = (group_b if Provider.PIN in group_a else ()) + (group_a if Provider.PIN in group_b else ())
    return tuple(each for each in _BESIDE_A_PIN if each in beside)


def sign_in(model: Model) -> Dict[str, object]:
    """Returns what the policy rules of ``second_factors``, ``trusted_signals``, ``lock_without`` and ``certificates``.

    ``second_factors`` may be empty, where fingerprints are left out by ``use_biometrics``: then no PIN signs in.
    """
    found: Dict[str, object] = {}
    unlock = _enabled(model, "device_unlock")
    if unlock is not None:
        factors = list(second_factors(unlock))
        if _is(model, "use_biometrics", PolicyState.DISABLED) and Provider.FINGERPRINT in factors:
            factors.remove(Provider.FINGERPRINT)
        found["second_factors"] = [each.value for each in factors]
        if Provider.TRUSTED_SIGNAL in factors:
            found["trusted_signals"] = _rules(unlock)
    lock = _enabled(model, "dynamic_lock")
    if lock is not None:
        found["lock_without"] = _rules(lock)
    if "use_certificate_for_on_prem_auth" in model:
        found["certificates"] = _is(model, "use_certificate_for_on_prem_auth", PolicyState.ENABLED)
    return found


def _enabled(model: Model, name: str) -> Optional[SettingState]:
    return model[name] if _is(model, name, PolicyState.ENABLED) else None


def _is(model: Model, name: str, state: PolicyState) -> bool:
    return name in model and model[name].state is state


def _rules(state: SettingState) -> object:
    return rules_to_data(cast(Tuple[Rule, ...], state.option("rules")))
