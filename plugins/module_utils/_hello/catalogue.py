# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of Windows Hello for Business: the 21 of Microsoft's reference in its order, and 4 beyond it."""

from __future__ import annotations

import difflib

from .._errors import InputError
from .catalogue_device import BIOMETRIC_SETTINGS, CSP_ONLY_SETTINGS, SMART_CARD_SETTINGS
from .catalogue_feature import FEATURE_SETTINGS
from .catalogue_pin import PIN_SETTINGS
from .setting import Setting

SETTINGS = FEATURE_SETTINGS + PIN_SETTINGS + BIOMETRIC_SETTINGS + SMART_CARD_SETTINGS + CSP_ONLY_SETTINGS

_BY_NAME = {setting.name: setting for setting in SETTINGS}


def setting_named(name: str) -> Setting:
    """Returns the setting of that name.

    :raises InputError: for an unknown name, with the nearest known one
    """
    if name not in _BY_NAME:
        raise InputError(f"settings.{name}", "is no setting of Windows Hello for Business", suggestion(name))
    return _BY_NAME[name]


def suggestion(name: str) -> str:
    """Returns a remedy for an unknown setting name: the nearest one."""
    nearest = difflib.get_close_matches(name, _BY_NAME, n=1, cutoff=0.5)
    return f"did you mean {nearest[0]}?" if nearest else f"choose from {', '.join(_BY_NAME)}"
