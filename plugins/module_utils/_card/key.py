# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of a card: slots, algorithms, and when each asks for the PIN."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from .._encoding.key_algorithm import KeyAlgorithm
from .._errors import InputError

FIRST_RETIRED = 0x82
RETIRED = 20
FIRST_CONTAINER = 0xB081
"""Key file of container 0, as Microsoft's and OpenSC's drivers number them; a container's slot has its number."""
CONTAINERS = 30
"""As many as a virtual smart card of Windows has certificates. Each container of a GIDS card holds one key."""
_NUMBERED = re.compile(r"(retired|container)_(0|[1-9]\d?)")


class PinUse(str, enum.Enum):
    """When a key asks for the PIN."""

    ONCE = "once"
    ALWAYS = "always"
    NEVER = "never"


class Slot(enum.IntEnum):
    """Key references of NIST SP 800-73-4 part 1, table 4b, beside the 20 retired ones, 82 to 95."""

    AUTHENTICATION = 0x9A
    SIGNATURE = 0x9C
    KEY_MANAGEMENT = 0x9D
    CARD_AUTHENTICATION = 0x9E


PIV_SLOTS = frozenset(Slot) | frozenset(range(FIRST_RETIRED, FIRST_RETIRED + RETIRED))
CONTAINER_SLOTS = range(FIRST_CONTAINER, FIRST_CONTAINER + CONTAINERS)
PIV_NAMES = f"{', '.join(slot.name.lower() for slot in Slot)}, or retired_1 to retired_{RETIRED}"
CONTAINER_NAMES = f"container_0 to container_{CONTAINERS - 1}"


def slot_number(name: str, field: str = "slot") -> int:
    """Returns the number of a slot's name, such as ``authentication``, ``retired_3`` or ``container_0``.

    :raises InputError: if there is no such slot
    """
    number = _number(name)
    if number in PIV_SLOTS or number in CONTAINER_SLOTS:
        return number
    remedy = f"choose {PIV_NAMES}, or on a GIDS card {CONTAINER_NAMES}"
    raise InputError(field, f"is {name!r}, which is no slot", remedy)


def _number(name: str) -> int:
    match = _NUMBERED.fullmatch(name)
    if match:
        return {"retired": FIRST_RETIRED - 1, "container": FIRST_CONTAINER}[match[1]] + int(match[2])
    return int(Slot.__members__.get(name.upper(), 0))


def slot_name(number: int) -> str:
    """Returns the name of a slot; the inverse of :func:`slot_number`."""
    if FIRST_RETIRED <= number < FIRST_RETIRED + RETIRED:
        return f"retired_{number - FIRST_RETIRED + 1}"
    if number in CONTAINER_SLOTS:
        return f"container_{number - FIRST_CONTAINER}"
    return Slot(number).name.lower()


def default_pin_use(slot: int) -> PinUse:
    """9C asks before every signature, 9E never: NIST SP 800-73-4 part 1, table 3. Containers ask once."""
    return _PIN_USES.get(slot, PinUse.ONCE)


_PIN_USES = {int(Slot.SIGNATURE): PinUse.ALWAYS, int(Slot.CARD_AUTHENTICATION): PinUse.NEVER}


@dataclass(frozen=True)
class Key:
    """A key of a card; ``public`` is a DER SubjectPublicKeyInfo. An imported key was not made in the TPM.

    :param attestation: DER of the certificate that says how the key was made; empty if there is none
    """

    slot: int
    algorithm: KeyAlgorithm
    pin: PinUse
    public: bytes
    imported: bool = False
    attestation: bytes = b""
