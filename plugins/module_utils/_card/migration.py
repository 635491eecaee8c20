# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Card files of older releases, brought to the present version one step after the other. Pure.

A file is brought up to date when it is read, and stays on disk as it is until its card changes next; then it is
replaced as a whole. So an interruption leaves the old file or the new one, and to look at cards changes none.

| Version | What is new |
| --- | --- |
| 1 | |
| 2 | Every field is always there. A card may have another edge than PIV, or no reader |
| 3 | The authValue of a PIN or PUK is made from its hash; the TPM's own dictionary attack protection does not watch
over seals; keys may be certified with the PIN; the AK has stated how genesis was made; a PUK may have two halves |

What lies in the TPM can't be brought along by reading a file. A card of before version 3 gets the new authValue and
seal when its PIN or PUK is next set; its keys stay as they were made, and its genesis remains unproven.
"""

from __future__ import annotations

import typing as t

from .derivation import Derivation

VERSION = 3
Fields = t.Dict[str, t.Any]


class NewerVersion(ValueError):
    """A newer release wrote it. What it means there, this one can't know."""


def upgraded(document: t.Mapping[str, t.Any]) -> Fields:
    """Returns the fields of a record in the present version, from a document of this or an older one.

    :raises NewerVersion: if a newer release wrote it
    :raises ValueError: if it is no version of a document
    """
    fields = dict(document)
    version = fields.pop("version", None)
    if not isinstance(version, int) or isinstance(version, bool) or version < min(_STEPS):
        raise ValueError(f"{version!r} is no version")
    if version > VERSION:
        raise NewerVersion(f"it has version {version}, and this release knows up to {VERSION}")
    for step in range(version, VERSION):
        fields = _STEPS[step](fields)
    return fields


def _from_1(fields: Fields) -> Fields:
    """Releases that knew less of a card left out what they did not know."""
    nothing_known: Fields = {"set_at": 0, "must_change": False, "rules": None, "former": []}
    unsaid: Fields = {
        "administration": None,
        "ak": None,
        "ak_certificate": "",
        "telltales": {},
        "presented": True,
        "generated": False,
    }
    pending = {
        role: {"by_task": False, **each, "pin": _pin_from_1(each.get("pin"))}
        for role, each in fields["pending"].items()
    }
    return {**unsaid, **fields, "pin": _pin_from_1(fields.get("pin") or nothing_known), "pending": pending}


def _pin_from_1(pin: t.Optional[Fields]) -> t.Optional[Fields]:
    return None if pin is None else {**pin, "length": 0}


def _from_2(fields: Fields) -> Fields:
    old = int(Derivation.SECRET)
    return {
        **fields,
        "derivations": dict.fromkeys(("PIN", "PUK"), old),
        "pending": {role: {**each, "derivation": old} for role, each in fields["pending"].items()},
        "keys": {slot: {**key, "certifiable": False, "attestation": ""} for slot, key in fields["keys"].items()},
        "genesis_proof": None,
        "attestation_issuer": "",
        "storage_root": "",
        "faces": ["pcsc"],
        "card_reset": False,
        "passkeys": False,
        "presence": "pin",
        "passkey_attestation": "tpm",
        "enterprise_attestation": [],
        "passkey_store": None,
        "recovery": None,
    }


_STEPS: t.Mapping[int, t.Callable[[Fields], Fields]] = {1: _from_1, 2: _from_2}
"""By the version that each step starts from."""
