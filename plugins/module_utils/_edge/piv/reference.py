# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of PIV: instructions, key references, algorithm identifiers and tags."""

from __future__ import annotations

import enum
import typing as t

from ..._card.admin_key import Cipher
from ..._card.key import FIRST_RETIRED, RETIRED, PinUse, Slot
from ..._encoding.key_algorithm import KeyAlgorithm

AID = bytes.fromhex("A000000308000010000100")  # SP 800-73-4 part 1, clause 2.2, version 01.00
SHORTEST_AID = 5  # the registered identifier of NIST; a SELECT may leave out what follows it


class Instruction(enum.IntEnum):
    """SP 800-73-4 part 2, table 2; the rest are Yubico's PIV extensions."""

    VERIFY = 0x20
    CHANGE_REFERENCE_DATA = 0x24
    RESET_RETRY_COUNTER = 0x2C
    GENERATE_ASYMMETRIC = 0x47
    GENERAL_AUTHENTICATE = 0x87
    SELECT = 0xA4
    GET_DATA = 0xCB
    PUT_DATA = 0xDB
    MOVE_KEY = 0xF6
    GET_METADATA = 0xF7
    GET_SERIAL = 0xF8
    ATTEST = 0xF9
    SET_RETRIES = 0xFA
    RESET = 0xFB
    GET_VERSION = 0xFD
    IMPORT_KEY = 0xFE
    SET_ADMIN_KEY = 0xFF


class KeyReference(enum.IntEnum):
    """Secrets of a card: SP 800-73-4 part 1, table 4b."""

    PIN = 0x80
    PUK = 0x81
    ADMIN_KEY = 0x9B


CIPHERS: t.Mapping[int, Cipher] = {  # SP 800-78-4, table 6-2
    0x00: Cipher.TRIPLE_DES,
    0x03: Cipher.TRIPLE_DES,  # which a card tells, so it is the last
    0x08: Cipher.AES_128,
    0x0A: Cipher.AES_192,
    0x0C: Cipher.AES_256,
}
CIPHER_IDENTIFIERS: t.Mapping[Cipher, int] = {cipher: number for number, cipher in CIPHERS.items()}

ALGORITHMS: t.Mapping[int, KeyAlgorithm] = {each.piv: each for each in KeyAlgorithm if each.piv is not None}

PIN_POLICIES: t.Mapping[PinUse, int] = {PinUse.NEVER: 1, PinUse.ONCE: 2, PinUse.ALWAYS: 3}
"""Of Yubico's PIV extensions."""


class Object(enum.IntEnum):
    """Data objects: SP 800-73-4 part 1, table 3."""

    DISCOVERY = 0x7E
    AUTHENTICATION_CERTIFICATE = 0x5FC105
    SIGNATURE_CERTIFICATE = 0x5FC10A
    KEY_MANAGEMENT_CERTIFICATE = 0x5FC10B
    CARD_AUTHENTICATION_CERTIFICATE = 0x5FC101
    CHUID = 0x5FC102
    FINGERPRINTS = 0x5FC103
    SECURITY = 0x5FC106
    CAPABILITY_CONTAINER = 0x5FC107
    FACIAL_IMAGE = 0x5FC108
    PRINTED_INFORMATION = 0x5FC109
    KEY_HISTORY = 0x5FC10C
    FIRST_RETIRED_CERTIFICATE = 0x5FC10D
    IRIS_IMAGES = 0x5FC121
    PAIRING_CODE = 0x5FC123
    ATTESTATION_CERTIFICATE = 0x5FFF01  # of Yubico's PIV extensions


PIN_PROTECTED = frozenset(
    (
        Object.FINGERPRINTS,
        Object.FACIAL_IMAGE,
        Object.PRINTED_INFORMATION,
        Object.IRIS_IMAGES,
        Object.PAIRING_CODE,
    )
)
"""Objects that are read with a verified PIN only: SP 800-73-4 part 1, table 2."""

CERTIFICATE_SLOTS: t.Mapping[int, int] = {
    Object.AUTHENTICATION_CERTIFICATE: Slot.AUTHENTICATION,
    Object.SIGNATURE_CERTIFICATE: Slot.SIGNATURE,
    Object.KEY_MANAGEMENT_CERTIFICATE: Slot.KEY_MANAGEMENT,
    Object.CARD_AUTHENTICATION_CERTIFICATE: Slot.CARD_AUTHENTICATION,
    **{Object.FIRST_RETIRED_CERTIFICATE + nth: FIRST_RETIRED + nth for nth in range(RETIRED)},
}
"""Slots of keys by the data object that holds the certificate."""
