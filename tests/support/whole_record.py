# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card's record in which each field says something."""

from __future__ import annotations

from ansible_collections.hardbound.identity.plugins.module_utils._card.key import PinUse
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role
from ansible_collections.hardbound.identity.plugins.module_utils._card.passkey import (
    Passkey,
    PasskeyStore,
    PasskeyUser,
    Protection,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import (
    KeyRecord,
    PendingSeal,
    Record,
    State,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.blob import Blob, Creation
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy, Presence

KEY = KeyRecord(
    KeyAlgorithm.RSA_2048, PinUse.ALWAYS, Blob(b"\x01", b"\x02"), b"\x03", Creation(b"\x04", b"\x05", b"\x06")
)
RECORD = Record(
    number=3,
    name="card",
    serial=bytes(16),
    tcti="device:/dev/tpmrm0",
    first_handle=0x01815018,
    genesis=bytes(34),
    salt=bytes(16),
    pin_policy=PinPolicy(minlen=6, maxlen=8, digits=Presence.REQUIRED),
    pin_retries=5,
    puk_retries=4,
    state=State.READY,
    owner="alice",
    has_puk=True,
    seals={Role.PIN: Blob(b"\x07", b"\x08"), Role.PUK: Blob(b"\x09", b"\x0a")},
    pending={Role.PIN: PendingSeal(Blob(b"\x0b", b"\x0c"), bytes(8), 1)},
    parent=Blob(b"\x0d", b"\x0e"),
    keys={0x9C: KEY},
    certificates={0x9C: b"certificate"},
    objects={0x5FC109: b"printed"},
    passkey_store=PasskeyStore(
        Blob(b"\x0f", b"\x10"),
        (
            Passkey(
                identifier=b"id",
                rp="corp.example",
                algorithm=KeyAlgorithm.ECC_P384,
                protection=Protection.REQUIRED,
                key=Blob(b"\x11", b"\x12"),
                secret=Blob(b"\x13", b"\x14"),
                hmac_secret=True,
                user=PasskeyUser(b"\x15", "alice", "Alice"),
                made_at=1700000000,
                blob=b"blob",
            ),
        ),
        b"large",
        ("corp.example",),
    ),
)
