# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TPMS_CREATION_DATA, how an object came to be: TPM 2.0 part 2, clause 15.1."""

from __future__ import annotations

import struct
import typing as t
from dataclasses import dataclass

from .algorithm import Algorithm, digest, read_algorithm, read_hash
from .public import MAX_DIGEST
from .wire import Reader, sized

MAX_NAME = 2 + MAX_DIGEST
MAX_OUTSIDE_INFO = 66
"""TPM2B_DATA holds as much as a TPMT_HA: TPM 2.0 part 2, clause 10.4.3."""
_MAX_BANKS = 16
_MAX_SELECT = 4
_NAME_ALGORITHMS = (Algorithm.NULL, Algorithm.SHA1, Algorithm.SHA256, Algorithm.SHA384, Algorithm.SHA512)


@dataclass(frozen=True)
class PcrSelection:
    """TPMS_PCR_SELECTION: clause 10.6.2."""

    hash: Algorithm
    select: bytes


@dataclass(frozen=True)
class CreationData:
    """TPMS_CREATION_DATA.

    :param parent_name: Name of the parent; the handle of the hierarchy for a primary object
    :param outside_info: what the creator wanted to be held, up to 66 bytes
    """

    parent_algorithm: Algorithm
    parent_name: bytes
    parent_qualified_name: bytes
    outside_info: bytes
    pcrs: t.Tuple[PcrSelection, ...] = ()
    pcr_digest: bytes = b""
    locality: int = 1

    @classmethod
    def parse(cls, data: bytes) -> CreationData:
        """Returns what a marshalled TPMS_CREATION_DATA says.

        :raises WireError: if it is malformed
        """
        reader = Reader(data, "TPMS_CREATION_DATA")
        pcrs = _read_selections(reader)
        pcr_digest = reader.sized("pcrDigest", MAX_DIGEST)
        locality = reader.u8()
        parent_algorithm = read_algorithm(reader, "parentNameAlg", _NAME_ALGORITHMS)
        parent_name = reader.sized("parentName", MAX_NAME)
        parent_qualified_name = reader.sized("parentQualifiedName", MAX_NAME)
        outside_info = reader.sized("outsideInfo", MAX_OUTSIDE_INFO)
        reader.end()
        return cls(parent_algorithm, parent_name, parent_qualified_name, outside_info, pcrs, pcr_digest, locality)

    def marshal(self) -> bytes:
        head = struct.pack(">I", len(self.pcrs))
        for pcr in self.pcrs:
            head += struct.pack(">HB", pcr.hash, len(pcr.select)) + pcr.select
        head += sized(self.pcr_digest) + struct.pack(">BH", self.locality, self.parent_algorithm)
        return head + sized(self.parent_name) + sized(self.parent_qualified_name) + sized(self.outside_info)

    def hash(self, name_algorithm: Algorithm) -> bytes:
        """Returns the creation hash, made with the object's nameAlg: TPM 2.0 part 3, clause 12.1."""
        return digest(name_algorithm, self.marshal())


def _read_selections(reader: Reader) -> t.Tuple[PcrSelection, ...]:
    count = reader.u32()
    if count > _MAX_BANKS:
        raise reader.fault(f"selects PCRs in {count} banks, where at most {_MAX_BANKS} may be")
    return tuple(_read_selection(reader) for _bank in range(count))


def _read_selection(reader: Reader) -> PcrSelection:
    bank = read_hash(reader, "a PCR bank")
    size = reader.u8()
    if size > _MAX_SELECT:
        raise reader.fault(f"has a PCR selection of {size} bytes, where at most {_MAX_SELECT} may be")
    return PcrSelection(bank, reader.take(size))
