# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of a card: slots, algorithms, and when each asks for the PIN."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from .._errors import InputError

FIRST_RETIRED = 0x82
RETIRED = 20


class Algorithm(str, enum.Enum):
    """Key types that a TPM 2.0 and a card edge have in common."""

    RSA_2048 = "rsa_2048"
    RSA_3072 = "rsa_3072"
    RSA_4096 = "rsa_4096"
    ECC_P256 = "ecc_p256"
    ECC_P384 = "ecc_p384"

    @property
    def is_rsa(self) -> bool:
        return self.value.startswith("rsa")

    @property
    def bits(self) -> int:
        return int(self.value[-4:]) if self.is_rsa else int(self.value[-3:])

    @property
    def size(self) -> int:
        """Bytes of the modulus, or of a coordinate."""
        return self.bits // 8


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


def slot_number(name: str, field: str = "slot") -> int:
    """Returns the key reference of a slot's name, such as ``authentication`` or ``retired_3``.

    :raises InputError: if there is no such slot
    """
    if name.startswith("retired_") and name[8:].isdigit() and 1 <= int(name[8:]) <= RETIRED:
        return FIRST_RETIRED + int(name[8:]) - 1
    try:
        return Slot[name.upper()].value
    except KeyError:
        names = ", ".join(slot.name.lower() for slot in Slot)
        raise InputError(
            field, f"is {name!r}, which is no slot", f"choose {names}, or retired_1 to retired_20"
        ) from None


def slot_name(number: int) -> str:
    """Returns the name of a key reference; the inverse of :func:`slot_number`."""
    if FIRST_RETIRED <= number < FIRST_RETIRED + RETIRED:
        return f"retired_{number - FIRST_RETIRED + 1}"
    return Slot(number).name.lower()


def default_pin_use(slot: int) -> PinUse:
    """9C asks before every signature, 9E never: NIST SP 800-73-4 part 1, table 3."""
    return _PIN_USES.get(slot, PinUse.ONCE)


_PIN_USES = {int(Slot.SIGNATURE): PinUse.ALWAYS, int(Slot.CARD_AUTHENTICATION): PinUse.NEVER}


@dataclass(frozen=True)
class Key:
    """A key of a card; ``public`` is a DER SubjectPublicKeyInfo. An imported key was not made in the TPM."""

    slot: int
    algorithm: Algorithm
    pin: PinUse
    public: bytes
    imported: bool = False
