# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the PIN. Keys and values: Passport.admx; nodes: the PassportForWork DDF of February 2025."""

from __future__ import annotations

from dataclasses import replace

from .._pin import LONGEST, LONGEST_EXPIRY_DAYS, LONGEST_HISTORY, SHORTEST
from .catalogue_feature import POLICIES
from .setting import CspNode, EditorFolder, Format, Group, Meaning, Option, RegistryPlace, Setting, Switch, ValueKind

_COMPLEXITY = POLICIES + "\\PINComplexity"
_TENANT = "{TenantId}/Policies/"

DEFAULT_MIN_LENGTH = 6
"""What Windows uses where no minimum is configured (ADML; the DDF says 4)."""


def _number(
    name: str, english: str, japanese: str, value: str, lowest: int, highest: int, meaning: Meaning, default: str
) -> Setting:
    option = Option(
        "value",
        ValueKind.NUMBER,
        RegistryPlace(_COMPLEXITY, value),
        CspNode(f"{_TENANT}PINComplexity/{value}", Format.INT, user=True),
        f"A whole number from {lowest} to {highest}.",
        lowest=lowest,
        highest=highest,
    )
    return Setting(
        name, english, japanese, meaning, default, options=(option,), group=Group.PIN, folder=EditorFolder.PIN
    )


def _class(name: str, english: str, japanese: str, value: str, what: str, ddf: str) -> Setting:
    return Setting(
        name=name,
        english=english,
        japanese=japanese,
        meaning=Meaning(
            enabled=f"Required: a PIN holds at least one of the {what}.",
            disabled=f"Disallowed: a PIN holds none of the {what}.",
            not_configured=f"Allowed: a PIN may hold {what}, see the dispute.",
            allowed=f"A PIN may hold {what}. Only the CSP and Linux hosts have a value for it.",
        ),
        default="allowed (disputed)",
        switch=Switch(
            RegistryPlace(_COMPLEXITY, value),
            CspNode(f"{_TENANT}PINComplexity/{value}", Format.INT, user=True),
            enabled=1,
            disabled=2,
            allowed=0,
        ),
        group=Group.PIN,
        folder=EditorFolder.PIN,
        disputed=f"Reference and ADML say allowed, the DDF's text says {ddf}, although its default is 0, allowed.",
    )


PIN_EXPIRATION = _number(
    "pin_expiration",
    "Expiration",
    "有効期限",
    "Expiration",
    0,
    LONGEST_EXPIRY_DAYS,
    Meaning(
        enabled="A PIN has to be changed after that many days. 0 means never.",
        disabled="A PIN never expires.",
        not_configured="A PIN never expires.",
    ),
    "0, never",
)

PIN_HISTORY = _number(
    "pin_history",
    "History",
    "履歴",
    "History",
    0,
    LONGEST_HISTORY,
    Meaning(
        enabled="So many PINs, the present one among them, can't come back. Windows forgets them at a PIN reset.",
        disabled="Former PINs are not remembered.",
        not_configured="Former PINs are not remembered.",
    ),
    "0, none",
)

PIN_MAX_LENGTH = _number(
    "pin_max_length",
    "Maximum PIN length",
    "PIN の最大桁数",
    "MaximumPINLength",
    SHORTEST,
    LONGEST,
    Meaning(
        enabled="A PIN has at most that many characters.",
        disabled=f"A PIN has at most {LONGEST} characters.",
        not_configured=f"A PIN has at most {LONGEST} characters.",
    ),
    str(LONGEST),
)

PIN_MIN_LENGTH = replace(
    _number(
        "pin_min_length",
        "Minimum PIN length",
        "PIN の最小桁数",
        "MinimumPINLength",
        SHORTEST,
        LONGEST,
        Meaning(
            enabled="A PIN has at least that many characters.",
            disabled=f"A PIN has at least {DEFAULT_MIN_LENGTH} characters.",
            not_configured=f"A PIN has at least {DEFAULT_MIN_LENGTH} characters, see the dispute.",
        ),
        f"{DEFAULT_MIN_LENGTH} (disputed)",
    ),
    disputed=f"Reference and ADML say {DEFAULT_MIN_LENGTH}, the DDF and older guides say 4.",
)

PIN_DIGITS = _class("pin_digits", "Require digits", "数字を要求する", "Digits", "digits", "required")
PIN_LOWERCASE = _class(
    "pin_lowercase",
    "Require lowercase letters",
    "小文字を要求する",
    "LowercaseLetters",
    "lowercase letters",
    "disallowed",
)
PIN_SPECIAL = _class(
    "pin_special",
    "Require special characters",
    "特殊文字を要求する",
    "SpecialCharacters",
    "special characters",
    "disallowed, as the settings catalogue's default does",
)
PIN_UPPERCASE = _class(
    "pin_uppercase",
    "Require uppercase letters",
    "大文字を要求する",
    "UppercaseLetters",
    "uppercase letters",
    "disallowed",
)

PIN_RECOVERY = Setting(
    name="pin_recovery",
    english="Use PIN Recovery",
    japanese="PIN 回復を使用する",
    meaning=Meaning(
        enabled="A recovery secret is kept, so that a forgotten PIN can be replaced without a new enrolment. "
        "The service that keeps it has to be set up in the tenant, too.",
        disabled="No recovery secret is kept: a forgotten PIN costs the key, and the user enrols again.",
        not_configured="The same as disabled.",
    ),
    default="off",
    switch=Switch(
        RegistryPlace(POLICIES, "EnablePinRecovery"),
        CspNode(_TENANT + "EnablePinRecovery", Format.BOOL, user=True),
    ),
)

CLASSES = (PIN_DIGITS, PIN_LOWERCASE, PIN_SPECIAL, PIN_UPPERCASE)
PIN_SETTINGS = (PIN_EXPIRATION, PIN_HISTORY, PIN_MAX_LENGTH, PIN_MIN_LENGTH, *CLASSES, PIN_RECOVERY)
