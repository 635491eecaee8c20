# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which attributes an object has to have, and which it may not have."""

from __future__ import annotations

from ...module_utils._encoding.public import ObjectAttribute

BOUND = ObjectAttribute.FIXED_TPM | ObjectAttribute.FIXED_PARENT | ObjectAttribute.SENSITIVE_DATA_ORIGIN
"""Made in its TPM, and never to leave it: TPM 2.0 part 1, clause 31.2."""

STORAGE = BOUND | ObjectAttribute.USER_WITH_AUTH | ObjectAttribute.RESTRICTED | ObjectAttribute.DECRYPT
ATTESTATION = BOUND | ObjectAttribute.USER_WITH_AUTH | ObjectAttribute.RESTRICTED | ObjectAttribute.SIGN_ENCRYPT
CARD_KEY = BOUND | ObjectAttribute.ADMIN_WITH_POLICY | ObjectAttribute.NO_DA
USES = ObjectAttribute.SIGN_ENCRYPT | ObjectAttribute.DECRYPT


def attribute_fault(found: int, needed: int, optional: int) -> str:
    """Returns what is missing and what is too much, or an empty text."""
    missing, surplus = _titles(needed & ~found), _titles(found & ~(needed | optional))
    parts = [f"without {missing}" if missing else "", f"with {surplus}" if surplus else ""]
    return " and ".join(part for part in parts if part)


def _titles(attributes: int) -> str:
    return ", ".join(each.name.lower() for each in ObjectAttribute if each & attributes and each.name)
