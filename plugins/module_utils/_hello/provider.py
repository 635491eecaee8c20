# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The credential providers that may unlock a device, by name or GUID (Microsoft, multi-factor unlock)."""

from __future__ import annotations

import enum
from typing import Sequence, Tuple

from .._errors import InputError


class Provider(str, enum.Enum):
    """A credential provider. The value is its name in a task."""

    PIN = "pin"
    FINGERPRINT = "fingerprint"
    FACE = "face"
    TRUSTED_SIGNAL = "trusted_signal"

    @property
    def guid(self) -> str:
        return _GUIDS[self]


_GUIDS = {
    Provider.PIN: "{D6886603-9D2F-4EB2-B667-1971041FA96B}",
    Provider.FINGERPRINT: "{BEC09223-B018-416D-A0AC-523971B639F5}",
    Provider.FACE: "{8AF662BF-65A0-4D0A-A540-A338A999D36F}",
    Provider.TRUSTED_SIGNAL: "{27FBDB57-B613-4AF2-9D7E-4FA7A66C21AD}",
}
_BY_NAME = {provider.value: provider for provider in Provider}
_BY_NAME.update({guid.strip("{}").lower(): provider for provider, guid in _GUIDS.items()})


def provider(name: object, field: str) -> Provider:
    """Returns the provider of that name or GUID, with or without braces.

    :raises InputError: for any other text
    """
    found = _BY_NAME.get(name.strip().strip("{}").lower()) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(each.value for each in Provider)
        raise InputError(
            field, f"is {name!r}, which is no provider that unlocks a device", f"choose {known}, or a GUID"
        )
    return found


def providers_from_text(text: str) -> Tuple[Provider, ...]:
    """Reads a comma-joined list of GUIDs, as the registry and the CSP hold it.

    :raises InputError: for a GUID that is none of the four
    """
    return tuple(provider(part, "provider") for part in text.split(","))


def providers_to_text(providers: Sequence[Provider]) -> str:
    """Joins GUIDs by commas without spaces, each in braces, upper case."""
    return ",".join(each.guid for each in providers)
