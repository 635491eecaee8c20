# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the policy of a Linux host, which its cards and its sign-in obey, and reads it back.

The document is JSON of ``version`` 1. ``settings`` is what the task said. The rest is for the cards, which
don't know the catalogue: ``pin_policy`` holds fields of ``PinPolicy`` (only those that the policy rules),
``cards`` holds the switches of :data:`CARD_SWITCHES`, ``sign_in`` what the role smartcard_login has take effect.
"""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Tuple, cast

from .._errors import InputError, StateError
from .._pin import LONGEST, Presence
from .catalogue_pin import DEFAULT_MIN_LENGTH
from .desired import parse_settings, view
from .document import json_bytes, parse_json
from .setting import NOT_CONFIGURED, Model, PolicyState, Setting, SettingState
from .sign_in import objection_to_unlock, sign_in
from .writer import Objection

PATH = "/etc/hardbound/hello_policy.json"
VERSION = 1

_PIN_NUMBERS = {
    "pin_min_length": ("minlen", DEFAULT_MIN_LENGTH),
    "pin_max_length": ("maxlen", LONGEST),
    "pin_history": ("history", 0),
    "pin_expiration": ("expiry_days", 0),
}
"""Setting to the field of PinPolicy, and the number that stands for disabled."""
_PIN_CLASSES = {
    "pin_digits": "digits",
    "pin_lowercase": "lowercase",
    "pin_special": "specialchars",
    "pin_uppercase": "uppercase",
}
_PRESENCES = {
    PolicyState.ENABLED: Presence.REQUIRED,
    PolicyState.DISABLED: Presence.DISALLOWED,
    PolicyState.ALLOWED: Presence.ALLOWED,
}

CARD_SWITCHES: Mapping[str, Tuple[str, bool]] = {
    "use_hello": ("may_create", True),
    "require_security_device": ("hardware_tpm_only", True),
    "pin_recovery": ("puk_may_reset_pin", True),
    "disable_card_emulation": ("present_new_cards", False),
    "allow_all_user_card_enumeration": ("everyone_sees_readers", True),
}
"""Setting to the switch that cards obey, and the switch's value where the setting is enabled."""
_SIGN_IN = ("device_unlock", "dynamic_lock", "use_biometrics", "use_certificate_for_on_prem_auth")
_ENFORCED = frozenset((*_PIN_NUMBERS, *_PIN_CLASSES, *CARD_SWITCHES, *_SIGN_IN))

_ELSEWHERE = {
    "enhanced_anti_spoofing": "is about cameras, a TPM card has none",
    "ess_with_supported_peripherals": "is about cameras and fingerprint readers, a TPM card has none",
    "use_cloud_trust_for_on_prem_auth": "is about Windows sign-in to Entra ID, a TPM card takes no part in it",
    "hello_cert_as_smartcard_cert": "is about Hello containers; a certificate on a TPM card is a smart card's always",
    "hello_provisioning_for_security_keys": "is about Windows provisioning, a TPM card takes no part in it",
    "use_remote_passport": "is about phones, a TPM card takes no part in it",
    "use_security_key_for_signin": "is about FIDO2 keys at Windows sign-in, a TPM card is none",
    "disable_post_logon_credential_caching": "is about Windows's credential cache, a TPM card has none",
}


class Linux:
    """The host's own policy, a file at :data:`PATH`."""

    def objection(self, setting: Setting, state: SettingState) -> Optional[Objection]:
        if state.option("disable_post_logon_provisioning"):
            return Objection("has an option about Windows sign-in", "leave disable_post_logon_provisioning out")
        if setting.name == "device_unlock":
            reason = objection_to_unlock(state)
            return Objection(reason, refuse=False) if reason else None
        if setting.name in _ENFORCED:
            return None
        return Objection(_ELSEWHERE[setting.name], refuse=False)

    def keeps_removal(self, setting: Setting) -> bool:
        return False

    def read(self, document: bytes) -> Model:
        if not document:
            return {}
        found = parse_json(document, "Hello policy")
        version = found.get("version")
        if isinstance(version, int) and version > VERSION:
            raise StateError(
                f"the Hello policy of this host has version {version}, and this release knows up to {VERSION}",
                "update the collection, or remove the file",
            )
        if version != VERSION or not isinstance(found.get("settings"), dict):
            raise StateError("the Hello policy of this host has no version or no settings", "remove the file")
        try:
            return parse_settings(cast(Dict[str, object], found["settings"]))
        except InputError as error:
            raise StateError(
                f"the Hello policy of this host is damaged ({error})", "repair or remove the file"
            ) from None

    def render(self, changes: Model, document: bytes) -> bytes:
        whole = {**self.read(document), **changes}
        model = {name: state for name, state in whole.items() if state != NOT_CONFIGURED}
        if not model:
            return b""
        return json_bytes(
            {
                "version": VERSION,
                "settings": view(model),
                "pin_policy": pin_fields(model),
                "cards": card_switches(model),
                "sign_in": sign_in(model),
            }
        )


def pin_fields(model: Model) -> Dict[str, object]:
    """Returns fields of :class:`PinPolicy` that the policy rules, classes as their words."""
    fields: Dict[str, object] = {}
    for name, (field, disabled) in _PIN_NUMBERS.items():
        if name in model:
            value = model[name].option("value")
            fields[field] = disabled if value is None else value
    for name, field in _PIN_CLASSES.items():
        if name in model:
            fields[field] = _PRESENCES[model[name].state].value
    return fields


def card_switches(model: Model) -> Dict[str, bool]:
    """Returns the switches that the policy rules. Cards are in TPMs 2.0 only, so there is none to exclude others."""
    return {
        switch: enabled if model[name].state is PolicyState.ENABLED else not enabled
        for name, (switch, enabled) in CARD_SWITCHES.items()
        if name in model
    }
