# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TPMS_NV_PUBLIC, the public area of an NV index: TPM 2.0 part 2, clause 13.5."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .algorithm import Algorithm, digest, digest_size, read_hash
from .public import MAX_DIGEST
from .wire import Reader, sized

NV_HANDLES = range(0x01000000, 0x02000000)
"""TPM_HT_NV_INDEX: TPM 2.0 part 2, clause 7.2."""


@dataclass(frozen=True)
class NvPublic:
    """TPMS_NV_PUBLIC.

    :param attributes: TPMA_NV as a number, with WRITTEN as the TPM reports it
    :param size: bytes of data in the index
    """

    handle: int
    name_algorithm: Algorithm
    attributes: int
    policy: bytes
    size: int

    @classmethod
    def parse(cls, data: bytes) -> NvPublic:
        """Returns what a marshalled TPMS_NV_PUBLIC says.

        :raises WireError: if it is malformed
        """
        reader = Reader(data, "TPMS_NV_PUBLIC")
        handle = reader.u32()
        if handle not in NV_HANDLES:
            raise reader.fault(f"has the handle {handle:#010x}, which is no NV index")
        name_algorithm = read_hash(reader, "nameAlg")
        attributes = reader.u32()
        policy = reader.sized("authPolicy", MAX_DIGEST)
        if len(policy) not in (0, digest_size(name_algorithm)):
            raise reader.fault(f"has an authPolicy of {len(policy)} bytes, which is no digest of its nameAlg")
        size = reader.u16()
        reader.end()
        return cls(handle, name_algorithm, attributes, policy, size)

    def marshal(self) -> bytes:
        head = struct.pack(">IHI", self.handle, self.name_algorithm, self.attributes)
        return head + sized(self.policy) + struct.pack(">H", self.size)

    @property
    def name(self) -> bytes:
        """The Name: nameAlg and the digest of the public area: TPM 2.0 part 1, clause 16."""
        return struct.pack(">H", self.name_algorithm) + digest(self.name_algorithm, self.marshal())
