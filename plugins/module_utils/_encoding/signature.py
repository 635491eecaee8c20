# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TPMT_SIGNATURE: TPM 2.0 part 2, clause 11.3.4."""

from __future__ import annotations

import struct
import typing as t
from dataclasses import dataclass

from .._cryptography import InvalidSignature, ec, padding, rsa, utils
from .algorithm import Algorithm, hash_algorithm, read_algorithm, read_hash
from .public import MAX_COORDINATE, MAX_MODULUS, PublicKey
from .wire import Reader, sized

_SCHEMES = (Algorithm.RSASSA, Algorithm.RSAPSS, Algorithm.ECDSA)


@dataclass(frozen=True)
class Signature:
    """TPMT_SIGNATURE by RSASSA, RSAPSS or ECDSA.

    :param value: the RSA signature, or the DER ECDSA-Sig-Value (RFC 3279)
    """

    scheme: Algorithm
    hash: Algorithm
    value: bytes

    @classmethod
    def parse(cls, data: bytes) -> Signature:
        """Returns what a marshalled TPMT_SIGNATURE says.

        :raises WireError: if it is malformed, or of another scheme
        """
        reader = Reader(data, "TPMT_SIGNATURE")
        scheme = read_algorithm(reader, "sigAlg", _SCHEMES)
        hash_ = read_hash(reader, "hash")
        if scheme is Algorithm.ECDSA:
            r, s = reader.sized("signatureR", MAX_COORDINATE), reader.sized("signatureS", MAX_COORDINATE)
            value = utils.encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        else:
            value = reader.sized("sig", MAX_MODULUS)
        reader.end()
        return cls(scheme, hash_, value)

    def marshal(self, size: t.Optional[int] = None) -> bytes:
        """Returns the wire form; ``size`` is the bytes of a coordinate, without it numbers are not padded."""
        head = struct.pack(">HH", self.scheme, self.hash)
        if self.scheme is not Algorithm.ECDSA:
            return head + sized(self.value)
        return head + b"".join(sized(_number(value, size)) for value in utils.decode_dss_signature(self.value))

    def verify(self, key: PublicKey, data: bytes) -> bool:
        """Tells whether ``key`` signed ``data`` in this scheme with this hash."""
        hash_ = hash_algorithm(self.hash)
        try:
            if isinstance(key, ec.EllipticCurvePublicKey):
                if self.scheme is not Algorithm.ECDSA:
                    return False
                key.verify(self.value, data, ec.ECDSA(hash_))
            elif isinstance(key, rsa.RSAPublicKey):
                key.verify(self.value, data, self._padding(), hash_)
        except (InvalidSignature, ValueError, KeyError):
            return False
        return True

    def _padding(self) -> padding.AsymmetricPadding:
        if self.scheme is Algorithm.RSASSA:
            return padding.PKCS1v15()
        if self.scheme is Algorithm.RSAPSS:
            # TPMs differ in the salt's length: as long as the digest, or as long as fits.
            return padding.PSS(padding.MGF1(hash_algorithm(self.hash)), padding.PSS.AUTO)
        raise KeyError(self.scheme)


def _number(value: int, size: t.Optional[int]) -> bytes:
    return value.to_bytes(size or (value.bit_length() + 7) // 8, "big")
