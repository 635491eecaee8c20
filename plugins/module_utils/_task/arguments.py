# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments that several modules take, and the care for those that are secret."""

from __future__ import annotations

import base64
import importlib
import typing as t

from .._card.edge import Edge
from .._card.specification import DEFAULT_TRIES
from .._card.store import DEFAULT_FOLDER
from .._encoding.key_algorithm import KeyAlgorithm
from .._pin import DEFAULT_MINLEN, LONGEST, CharacterClass, PinPolicy, Presence

Arguments = t.Dict[str, t.Dict[str, t.Any]]

DEFAULT, RANDOM, ESCROW = "default", "random", "escrow"
PUBLIC_WORDS = frozenset((DEFAULT, RANDOM, ESCROW))
"""What secret parameters may be and is no secret: masked, it would make messages unreadable."""

PRESENCES = [each.value for each in (Presence.ALLOWED, Presence.DISALLOWED, Presence.REQUIRED)]

TPM: Arguments = {
    "tpm": {"type": "str"},
}
STORE: Arguments = {
    "store": {"type": "path", "default": DEFAULT_FOLDER},
}
OWNER_AUTH: Arguments = {
    "tpm_owner_auth": {"type": "str", "no_log": True},
}
PIN_POLICY: Arguments = {
    "minlen": {"type": "int", "default": DEFAULT_MINLEN},
    "maxlen": {"type": "int", "default": LONGEST},
    **{each.value: {"type": "str", "choices": PRESENCES, "default": "allowed"} for each in CharacterClass},
    "history": {"type": "int", "default": 0},
    "expiry_days": {"type": "int", "default": 0},
}
KEY: Arguments = {
    "slot": {"type": "str", "required": True},
    "algorithm": {"type": "str", "choices": [each.value for each in KeyAlgorithm]},
    "self_signed": {"type": "bool", "default": True},
}

CARD: Arguments = {
    "card_edge": {"type": "str", "choices": [each.value for each in Edge], "default": Edge.PIV.value},
    "generate": {"type": "bool", "default": False},
    "pin": {"type": "str", "no_log": True},
    "pin_escrow_key": {"type": "str", "no_log": False},
    "puk": {"type": "str", "no_log": True},
    "has_puk": {"type": "bool", "no_log": False},
    "has_admin_key": {"type": "bool", "no_log": False},
    "pin_retries": {"type": "int", "default": DEFAULT_TRIES, "no_log": False},
    "puk_retries": {"type": "int", "default": DEFAULT_TRIES, "no_log": False},
    "pin_must_change": {"type": "bool", "default": False, "no_log": False},
    "pin_policy": {"type": "dict", "options": PIN_POLICY, "no_log": False},
    "keys": {"type": "list", "elements": "dict", "options": KEY, "default": [], "no_log": False},
    "owner": {"type": "str", "default": ""},
    "group": {"type": "str", "default": ""},
}


def pin_policy(rules: t.Optional[t.Mapping[str, t.Any]]) -> PinPolicy:
    """Returns the policy of a ``pin_policy`` argument that was parsed by PIN_POLICY."""
    return PinPolicy().with_rules(rules or {})


def register_secrets(*secrets: t.Optional[str]) -> None:
    """Tells ansible-core to mask these values, also where they stand encoded; does nothing before release 2.22."""
    try:
        register = importlib.import_module("ansible.module_utils.secrets").register_secret
    except (ImportError, AttributeError):
        return
    for secret in filter(None, set(secrets) - PUBLIC_WORDS):
        raw = secret.encode()
        for form in (secret, raw.hex(), base64.b64encode(raw).decode()):
            register(form)
