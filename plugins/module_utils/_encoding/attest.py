# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TPMS_ATTEST, what a TPM signs about itself: TPM 2.0 part 2, clause 10.12."""

from __future__ import annotations

import enum
import struct
import typing as t
from dataclasses import dataclass

from .creation import MAX_NAME, MAX_OUTSIDE_INFO
from .public import MAX_DIGEST
from .wire import Reader, sized

GENERATED = 0xFF544347
"""TPM_GENERATED_VALUE, clause 6.2: no restricted key signs outside data that begins so."""
MAX_NV = 2048


class AttestType(enum.IntEnum):
    """TPM_ST of the statements that a card needs: clause 6.9."""

    NV = 0x8014
    CERTIFY = 0x8017
    CREATION = 0x801A


@dataclass(frozen=True)
class CertifyInfo:
    """TPMS_CERTIFY_INFO: clause 10.12.3."""

    name: bytes
    qualified_name: bytes

    type = AttestType.CERTIFY

    def marshal(self) -> bytes:
        return sized(self.name) + sized(self.qualified_name)


@dataclass(frozen=True)
class CreationInfo:
    """TPMS_CREATION_INFO: clause 10.12.7."""

    name: bytes
    creation_hash: bytes

    type = AttestType.CREATION

    def marshal(self) -> bytes:
        return sized(self.name) + sized(self.creation_hash)


@dataclass(frozen=True)
class NvInfo:
    """TPMS_NV_CERTIFY_INFO: clause 10.12.8."""

    name: bytes
    offset: int
    contents: bytes

    type = AttestType.NV

    def marshal(self) -> bytes:
        return sized(self.name) + struct.pack(">H", self.offset) + sized(self.contents)


Attested = t.Union[CertifyInfo, CreationInfo, NvInfo]


def _read_certify(reader: Reader) -> CertifyInfo:
    return CertifyInfo(reader.sized("name", MAX_NAME), reader.sized("qualifiedName", MAX_NAME))


def _read_creation(reader: Reader) -> CreationInfo:
    return CreationInfo(reader.sized("objectName", MAX_NAME), reader.sized("creationHash", MAX_DIGEST))


def _read_nv(reader: Reader) -> NvInfo:
    return NvInfo(reader.sized("indexName", MAX_NAME), reader.u16(), reader.sized("nvContents", MAX_NV))


_READERS: t.Dict[AttestType, t.Callable[[Reader], Attested]] = {
    AttestType.CERTIFY: _read_certify,
    AttestType.CREATION: _read_creation,
    AttestType.NV: _read_nv,
}


@dataclass(frozen=True)
class Clock:
    """TPMS_CLOCK_INFO: clause 10.11.1. ``clock`` in milliseconds."""

    clock: int = 0
    reset_count: int = 0
    restart_count: int = 0
    safe: bool = True


@dataclass(frozen=True)
class Attest:
    """TPMS_ATTEST.

    :param signer: Qualified Name of the key that signs
    :param extra_data: the qualifying data that the caller gave, up to 66 bytes
    """

    signer: bytes
    extra_data: bytes
    attested: Attested
    clock: Clock = Clock()
    firmware: int = 0

    @classmethod
    def parse(cls, data: bytes) -> Attest:
        """Returns what a marshalled TPMS_ATTEST says; magic and type are looked at first.

        :raises WireError: if it is malformed, not made by a TPM, or of a type that no card uses
        """
        reader = Reader(data, "TPMS_ATTEST")
        magic = reader.u32()
        if magic != GENERATED:
            raise reader.fault(f"begins with {magic:#010x}, so no TPM made it")
        read_attested = _READERS[_read_type(reader)]
        signer = reader.sized("qualifiedSigner", MAX_NAME)
        extra_data = reader.sized("extraData", MAX_OUTSIDE_INFO)
        clock = _read_clock(reader)
        firmware = reader.u64()
        attested = read_attested(reader)
        reader.end()
        return cls(signer, extra_data, attested, clock, firmware)

    def marshal(self) -> bytes:
        head = struct.pack(">IH", GENERATED, self.attested.type) + sized(self.signer) + sized(self.extra_data)
        clock = self.clock
        head += struct.pack(">QIIBQ", clock.clock, clock.reset_count, clock.restart_count, clock.safe, self.firmware)
        return head + self.attested.marshal()


def _read_type(reader: Reader) -> AttestType:
    number = reader.u16()
    try:
        return AttestType(number)
    except ValueError:
        raise reader.fault(f"has the type {number:#06x}, which says nothing about a card") from None


def _read_clock(reader: Reader) -> Clock:
    clock, resets, restarts, safe = reader.u64(), reader.u32(), reader.u32(), reader.u8()
    if safe > 1:
        raise reader.fault(f"has {safe} as TPMI_YES_NO")
    return Clock(clock, resets, restarts, bool(safe))
