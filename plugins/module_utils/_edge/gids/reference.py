# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of GIDS: instructions, files, data objects, algorithms, and who may read and write what.

Where Microsoft has published nothing, they are what OpenSC's driver ``card-gids.c`` reads and writes.
"""

from __future__ import annotations

import enum
import typing as t

from ..._encoding.key_algorithm import KeyAlgorithm

AID = bytes.fromhex("A000000397425446590201")
SHORTEST_AID = 9
"""Without its version, as programs name it."""


class Instruction(enum.IntEnum):
    """ISO/IEC 7816-4, 7816-8 and 7816-9."""

    VERIFY = 0x20
    MANAGE_SECURITY_ENVIRONMENT = 0x22
    CHANGE_REFERENCE_DATA = 0x24
    PERFORM_SECURITY_OPERATION = 0x2A
    RESET_RETRY_COUNTER = 0x2C
    ACTIVATE_FILE = 0x44
    GENERATE_ASYMMETRIC = 0x47
    GENERAL_AUTHENTICATE = 0x87
    SELECT = 0xA4
    GET_DATA = 0xCB
    PUT_DATA = 0xDB
    CREATE_FILE = 0xE0
    DELETE_FILE = 0xE4


class SecretReference(enum.IntEnum):
    """Secrets, as P2 names them."""

    PIN = 0x80
    PUK = 0x81
    ALL = 0x82
    """Of VERIFY: nobody is verified any more, no administrator either."""


ADMIN_KEY_REFERENCE = 0x80
"""The admin key among the keys."""


class File(enum.IntEnum):
    """Files by their identifiers. Those from A000 on hold data objects, and are called by who may use them."""

    APPLICATION = 0x3FFF
    USER_CREATE_DELETE = 0xA000
    EVERYONE_READ_USER_WRITE = 0xA010
    USER_WRITE_EXECUTE = 0xA011
    EVERYONE_READ_ADMIN_WRITE = 0xA012
    USER_READ_WRITE = 0xA013
    ADMIN_READ_WRITE = 0xA014
    ADMIN_KEY = 0xB080


KEY_FILES = 0xB000
"""A key's file has the key's reference in its lower byte."""


class Access(enum.IntEnum):
    """Who may: the security condition bytes of ISO/IEC 7816-4."""

    EVERYONE = 0x00
    ADMINISTRATOR = 0x20
    EITHER = 0x30
    NOBODY = 0xFF


class Accesses(t.NamedTuple):
    """Who may put and get a file's data objects."""

    put: Access
    get: Access


ACCESSES: t.Mapping[int, Accesses] = {
    File.USER_CREATE_DELETE: Accesses(Access.EITHER, Access.EVERYONE),
    File.EVERYONE_READ_USER_WRITE: Accesses(Access.EITHER, Access.EVERYONE),
    File.USER_WRITE_EXECUTE: Accesses(Access.EITHER, Access.NOBODY),
    File.EVERYONE_READ_ADMIN_WRITE: Accesses(Access.ADMINISTRATOR, Access.EVERYONE),
    File.USER_READ_WRITE: Accesses(Access.EITHER, Access.EITHER),
    File.ADMIN_READ_WRITE: Accesses(Access.ADMINISTRATOR, Access.ADMINISTRATOR),
}


class ObjectPlace(t.NamedTuple):
    """Where a data object is."""

    file: int
    tag: int


MASTER_TABLE = ObjectPlace(File.USER_CREATE_DELETE, 0xDF1F)
KEY_MAP = ObjectPlace(File.USER_CREATE_DELETE, 0xDF20)
CARD_ID = ObjectPlace(File.EVERYONE_READ_ADMIN_WRITE, 0xDF20)
CARD_APPLICATIONS = ObjectPlace(File.EVERYONE_READ_USER_WRITE, 0xDF21)
CARD_CACHE = ObjectPlace(File.EVERYONE_READ_USER_WRITE, 0xDF22)
CONTAINER_MAP = ObjectPlace(File.EVERYONE_READ_USER_WRITE, 0xDF23)
FIRST_TAG = 0xDF1F
FIRST_FREE_TAG = 0xDF24
LAST_TAG = 0xDFFE


class ApplicationObject(enum.IntEnum):
    """Data objects of the application itself."""

    KEY = 0x70
    PIN_STATUS = 0x7F71
    PUK_STATUS = 0x7F73


ALGORITHMS: t.Mapping[int, KeyAlgorithm] = {each.gids: each for each in KeyAlgorithm if each.gids is not None}
"""By the lower half of an algorithm reference. 06 is RSA-1024, which no TPM here makes; 0A to 0E are curves."""


class PaddingReference(enum.IntEnum):
    """The upper half of an algorithm reference."""

    NONE = 0x00
    SIGNED_OFF_CARD = 0x10
    DECRYPTED_PKCS1 = 0x40
    SIGNED_PKCS1 = 0x50
    DECRYPTED_OAEP = 0x80


class Use(enum.IntEnum):
    """Control reference templates: ISO/IEC 7816-4."""

    AUTHENTICATION = 0xA4
    SIGNATURE = 0xB6
    CONFIDENTIALITY = 0xB8
