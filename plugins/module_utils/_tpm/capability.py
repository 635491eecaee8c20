# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a TPM is and can do. Bare commands that change nothing."""

from __future__ import annotations

import enum
import struct
import typing as t
from dataclasses import dataclass

from .._encoding import command as wire
from .._encoding.algorithm import Algorithm
from .._encoding.key_algorithm import KeyAlgorithm
from .connection import Tpm
from .errors import TpmError

PIN_INDEX_REVISION = 138
"""NV indices with PIN counters came with revision 1.38 of the specification."""
MOST_PROPERTIES = 64


class Property(enum.IntEnum):
    """TPM_PT: TPM 2.0 part 2, clause 6.13."""

    REVISION = 0x102
    MANUFACTURER = 0x105
    VENDOR_STRING_1 = 0x106
    FIRMWARE_VERSION_1 = 0x10B
    FIRMWARE_VERSION_2 = 0x10C
    PERMANENT = 0x200
    STARTUP_CLEAR = 0x201
    NV_COUNTERS_AVAILABLE = 0x20B
    LOCKOUT_COUNTER = 0x20E
    MAX_AUTH_FAIL = 0x20F
    LOCKOUT_INTERVAL = 0x210
    LOCKOUT_RECOVERY = 0x211


_FIXED = 0x100
_VARIABLE = 0x200
_IN_LOCKOUT = 1 << 9
_OWNER_AUTH_SET = 1 << 0
_ENDORSEMENT_AUTH_SET = 1 << 1
_LOCKOUT_AUTH_SET = 1 << 2
"""TPMA_PERMANENT: TPM 2.0 part 2, clause 8.6."""

_TEST_PARMS = 0x18A

_SOFTWARE_MAKERS = frozenset(("GOOG", "MSFT", "VMW"))
"""Clouds and hypervisors: TCG Vendor ID Registry."""
_SOFTWARE_VENDOR = ("SW", "xCG")
"""Vendor strings of libtpms, on which swtpm and QEMU build, and of the specification's reference code."""


@dataclass(frozen=True)
class Lockout:
    """The TPM's own dictionary attack protection: TPM 2.0 part 1, clause 17.8. Times in seconds."""

    counter: int
    max_tries: int
    recovery: int
    lockout_recovery: int
    in_lockout: bool
    auth_set: bool


@dataclass(frozen=True)
class TpmFacts:
    """Who made the TPM, and what it may be asked for.

    :param nv_free: small NV indices that still fit, by the TPM's own estimate; a card takes up to five
    """

    manufacturer: str
    vendor: str
    firmware: str
    revision: int
    owner_auth_set: bool
    nv_free: int
    lockout: Lockout
    endorsement_auth_set: bool = False

    @property
    def is_software(self) -> bool:
        """Whether it says of itself that it is a program. An EK certificate is better evidence, for either."""
        return self.manufacturer in _SOFTWARE_MAKERS or self.vendor.startswith(_SOFTWARE_VENDOR)

    @property
    def pin_fail_supported(self) -> bool:
        return self.revision >= PIN_INDEX_REVISION


def identify(tpm: Tpm) -> TpmFacts:
    """Reads the TPM's properties. Two commands."""
    values = {**_properties(tpm, _FIXED), **_properties(tpm, _VARIABLE)}
    permanent = values.get(Property.PERMANENT, 0)
    return TpmFacts(
        manufacturer=_text(values, Property.MANUFACTURER, 1),
        vendor=_text(values, Property.VENDOR_STRING_1, 4),
        firmware=_firmware(values),
        revision=values.get(Property.REVISION, 0),
        owner_auth_set=bool(permanent & _OWNER_AUTH_SET),
        nv_free=values.get(Property.NV_COUNTERS_AVAILABLE, 0),
        lockout=Lockout(
            counter=values.get(Property.LOCKOUT_COUNTER, 0),
            max_tries=values.get(Property.MAX_AUTH_FAIL, 0),
            recovery=values.get(Property.LOCKOUT_INTERVAL, 0),
            lockout_recovery=values.get(Property.LOCKOUT_RECOVERY, 0),
            in_lockout=bool(permanent & _IN_LOCKOUT),
            auth_set=bool(permanent & _LOCKOUT_AUTH_SET),
        ),
        endorsement_auth_set=bool(permanent & _ENDORSEMENT_AUTH_SET),
    )


def _properties(tpm: Tpm, first: int) -> t.Dict[int, int]:
    response = tpm.run(wire.get_capability(wire.Capability.TPM_PROPERTIES, first, MOST_PROPERTIES))
    return {entry[0]: entry[1] for entry in wire.capability_list(response, ">II")[1]}


def _text(values: t.Mapping[int, int], first: int, words: int) -> str:
    data = b"".join(values.get(first + word, 0).to_bytes(4, "big") for word in range(words))
    return data.replace(b"\0", b"").decode("ascii", "replace").strip()


def _firmware(values: t.Mapping[int, int]) -> str:
    parts = [values.get(each, 0) for each in (Property.FIRMWARE_VERSION_1, Property.FIRMWARE_VERSION_2)]
    return ".".join(str(part >> shift & 0xFFFF) for part in parts for shift in (16, 0))


def supports(tpm: Tpm, algorithm: KeyAlgorithm) -> bool:
    """Whether the TPM makes keys of this type. One command."""
    try:
        tpm.run(wire.command(_TEST_PARMS, (), _parameters(algorithm)))
    except TpmError:
        return False
    return True


def _parameters(algorithm: KeyAlgorithm) -> bytes:
    """TPMT_PUBLIC_PARMS: TPM 2.0 part 2, clause 12.2.3.8."""
    none = Algorithm.NULL
    if algorithm.curve is None:
        return struct.pack(">HHHHI", Algorithm.RSA, none, none, algorithm.bits, 0)
    return struct.pack(">HHHHH", Algorithm.ECC, none, none, algorithm.curve, none)


def algorithms(tpm: Tpm) -> t.List[KeyAlgorithm]:
    """Returns the key types that the TPM makes."""
    return [algorithm for algorithm in KeyAlgorithm if supports(tpm, algorithm)]
