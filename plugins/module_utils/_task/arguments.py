# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments that several modules take."""

from __future__ import annotations

import typing as t

from .._card.edge import Edge
from .._card.face import Face
from .._card.passkey import PasskeyAttestation, PasskeyPresence
from .._card.specification import DEFAULT_TRIES
from .._card.store import DEFAULT_FOLDER
from .._encoding.key_algorithm import KeyAlgorithm
from .._pin import DEFAULT_MINLEN, LONGEST, CharacterClass, PinPolicy, Presence
from .secret_arguments import Arguments

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
ENDORSEMENT_AUTH: Arguments = {
    "tpm_endorsement_auth": {"type": "str", "no_log": True},
}
AUTHS: Arguments = {**OWNER_AUTH, **ENDORSEMENT_AUTH}
"""Of the TPM's hierarchies, for who makes cards and proves them."""
PLACE: Arguments = {**TPM, **STORE, **AUTHS}
"""Where cards are made and proved: what the visits of an enrolment take along."""
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
    "faces": {"type": "list", "elements": "str", "choices": [each.value for each in Face]},
    "generate": {"type": "bool", "default": False},
    "passkeys": {"type": "bool", "no_log": False},
    "presence": {"type": "str", "choices": [each.value for each in PasskeyPresence]},
    "passkey_attestation": {"type": "str", "choices": [each.value for each in PasskeyAttestation], "no_log": False},
    "enterprise_attestation": {"type": "list", "elements": "str"},
    "card_reset": {"type": "bool", "no_log": False},
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
    "owner": {"type": "str"},
    "group": {"type": "str"},
}


def owner_auth(task: t.Mapping[str, t.Any]) -> bytes:
    """Returns the authValue of the owner hierarchy; empty if the task has none."""
    return (task["tpm_owner_auth"] or "").encode()


def endorsement_auth(task: t.Mapping[str, t.Any]) -> bytes:
    """Returns the authValue of the endorsement hierarchy; empty if the task has none."""
    return (task["tpm_endorsement_auth"] or "").encode()


def pin_policy(rules: t.Optional[t.Mapping[str, t.Any]]) -> PinPolicy:
    """Returns the policy of a ``pin_policy`` argument that was parsed by PIN_POLICY."""
    return PinPolicy().with_rules(rules or {})
