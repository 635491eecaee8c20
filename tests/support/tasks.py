# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters of tasks, as their argument specifications leave them."""

from __future__ import annotations

import base64
import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._task.arguments import PIN_POLICY, PLACE
from ansible_collections.hardbound.identity.plugins.module_utils._task.enrollment import ARGUMENTS as EVIDENCE_ARGUMENTS
from ansible_collections.hardbound.identity.plugins.module_utils._task.secret_arguments import Arguments
from ansible_collections.hardbound.identity.plugins.module_utils._task.wanted_card import ARGUMENTS as CARD_ARGUMENTS
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

ADMIN_KEY = "a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"
WELL_KNOWN = "010203040506070801020304050607080102030405060708"
"""The admin key that everybody knows, as Tpmvscmgr's reference has it."""
PLACED = {"tpm": "device:/dev/tpmrm0", "store": "/nonexistent"}

Task = t.Dict[str, t.Any]


def defaults(arguments: Arguments) -> Task:
    """Returns the parameters of a task that says nothing."""
    return {name: argument.get("default") for name, argument in arguments.items()}


def card_task(**said: t.Any) -> Task:
    """Returns the parameters of a task of ``virtual_smartcard``."""
    return {**defaults(CARD_ARGUMENTS), **PLACED, "name": "card", "pin": "12345678", **said}


def pin_rules(**said: t.Any) -> Task:
    """Returns ``pin_policy`` of such a task."""
    return {**defaults(PIN_POLICY), **said}


def visited_card(name: str, **said: t.Any) -> Task:
    """Returns one of the cards of a visit."""
    unsaid = defaults(EVIDENCE_ARGUMENTS["cards"]["options"])
    return {**unsaid, "name": name, "pin": "12345678", "nonce": base64.b64encode(bytes(32)).decode(), **said}


def visit_task(store: str, *cards: t.Union[str, t.Mapping[str, t.Any]]) -> Task:
    """Returns the parameters of a visit that finds or makes these cards."""
    wanted = [visited_card(each) if isinstance(each, str) else each for each in cards]
    return {**defaults(PLACE), **PLACED, "store": store, "cards": wanted}


def key_pair() -> t.Tuple[str, str]:
    """Returns the PEMs of a recipient, private and public."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), public
