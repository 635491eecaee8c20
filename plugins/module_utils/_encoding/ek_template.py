# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How endorsement keys are made, and where their certificates lie.

Source: TCG EK Credential Profile for TPM Family 2.0, version 2.5, annex B (templates) and clause 2.2.1.4
(NV indices). The low range has policy A, the high range policy B, which user authorisation satisfies too.
"""

from __future__ import annotations

import struct
import typing as t
from dataclasses import dataclass, replace

from .algorithm import Algorithm, Curve, digest
from .command import RH_ENDORSEMENT, CommandCode
from .key_algorithm import EXPONENT
from .public import Area, EccArea, ObjectAttribute, Public, PublicKey, RsaArea, Scheme, Symmetric

CHAIN_HANDLES = range(0x01C00100, 0x01C00200)
"""NV indices of the certificates above: concatenated DER, which may run over several indices."""

_FIRST_HIGH = 0x01C00012
"""NV index of the first certificate of the high range, whose templates differ in policy and attributes."""
_POLICY_C = {
    Algorithm.SHA256: "3767e2edd43ff45a3a7e1eaefcef78643dca964632e7aad82c673a30d8633fde",
    Algorithm.SHA384: (
        "d6032ce61f2fb3c240eb3cf6a33237ef2b6a16f4293c22b455e261cffd217ad5b4947c2d73e63005eed2dc2b3593d165"
    ),
    Algorithm.SHA512: (
        "589ee1e146544716e8deafe6db247b01b81e9f9c7dd16b814aa159138749105f"
        "ba5388dd1dea702f35240c184933121e2c61b8f50d3ef91393a49a38c3f73fc8"
    ),
}
"""PolicyAuthorizeNV with the index that holds the TPM maker's policy: annex B.6.4, table 15."""

_COMMON = (
    ObjectAttribute.FIXED_TPM
    | ObjectAttribute.FIXED_PARENT
    | ObjectAttribute.SENSITIVE_DATA_ORIGIN
    | ObjectAttribute.ADMIN_WITH_POLICY
    | ObjectAttribute.RESTRICTED
    | ObjectAttribute.DECRYPT
)


def policy_a(algorithm: Algorithm) -> bytes:
    """Returns the digest of PolicySecret with the endorsement hierarchy: annex B.6.2."""
    zero = bytes(len(digest(algorithm, b"")))
    once = digest(algorithm, zero + struct.pack(">II", CommandCode.POLICY_SECRET, RH_ENDORSEMENT))
    return digest(algorithm, once)


def policy_b(algorithm: Algorithm) -> bytes:
    """Returns the digest of policy A or policy C: annex B.6.3."""
    zero = bytes(len(digest(algorithm, b"")))
    branches = policy_a(algorithm) + bytes.fromhex(_POLICY_C[algorithm])
    return digest(algorithm, zero + struct.pack(">I", CommandCode.POLICY_OR) + branches)


@dataclass(frozen=True)
class EkTemplate:
    """A template.

    :param title: its name in the profile
    :param handle: NV index of the certificate
    :param public: the public area; ``unique`` as TPM2_CreatePrimary takes it
    """

    title: str
    handle: int
    public: Public

    @property
    def is_low(self) -> bool:
        """Whether it is of the low range, whose EKs may be made with a nonce and by a template of the TPM's own."""
        return self.handle < _FIRST_HIGH

    @property
    def nonce_handle(self) -> int:
        """NV index of the nonce, in the low range: clause 2.2.1.4."""
        return self.handle + 1

    @property
    def template_handle(self) -> int:
        """NV index of the template, in the low range: clause 2.2.1.4."""
        return self.handle + 2

    def with_nonce(self, nonce: bytes) -> EkTemplate:
        """Returns the template with a nonce, at the start of what is zeros otherwise: of the modulus, or of X."""
        area = self.public.area
        if isinstance(area, RsaArea):
            area = replace(area, modulus=_padded(nonce, area.bits // 8))
        elif isinstance(area, EccArea):
            area = replace(area, x=_padded(nonce, area.curve.size), y=bytes(area.curve.size))
        return replace(self, public=replace(self.public, area=area))

    def with_key(self, key: PublicKey) -> t.Optional[Public]:
        """Returns the public area of an EK with this key, or None if the key is of another kind."""
        area = _with_key(self.public.area, key)
        return None if area is None else replace(self.public, area=area)


def _padded(nonce: bytes, size: int) -> bytes:
    return nonce[:size].ljust(size, b"\0")


def _with_key(area: Area, key: PublicKey) -> t.Optional[Area]:
    from .._cryptography import ec, rsa

    if isinstance(area, RsaArea) and isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        if key.key_size == area.bits and numbers.e == EXPONENT:
            return replace(area, modulus=numbers.n.to_bytes(area.bits // 8, "big"))
    if isinstance(area, EccArea) and isinstance(key, ec.EllipticCurvePublicKey):
        point, size = key.public_numbers(), area.curve.size
        if Curve.of(key.curve) is area.curve:
            return replace(area, x=point.x.to_bytes(size, "big"), y=point.y.to_bytes(size, "big"))
    return None


def _template(title: str, handle: int, algorithm: Algorithm, area: Area) -> EkTemplate:
    low = handle < _FIRST_HIGH
    attributes = _COMMON if low else _COMMON | ObjectAttribute.USER_WITH_AUTH
    policy = policy_a(algorithm) if low else policy_b(algorithm)
    return EkTemplate(title, handle, Public(algorithm, attributes, policy, area))


def _rsa(bits: int, aes: int, unique: bytes = b"") -> RsaArea:
    return RsaArea(Symmetric(aes), Scheme(), bits, 0, unique)


def _ecc(curve: Curve, aes: int, unique: bytes = b"") -> EccArea:
    return EccArea(Symmetric(aes), Scheme(), curve, Scheme(), unique, unique)


TEMPLATES: t.Tuple[EkTemplate, ...] = (
    _template("L-1", 0x01C00002, Algorithm.SHA256, _rsa(2048, 128, bytes(256))),
    _template("L-2", 0x01C0000A, Algorithm.SHA256, _ecc(Curve.NIST_P256, 128, bytes(32))),
    _template("H-1", 0x01C00012, Algorithm.SHA256, _rsa(2048, 128)),
    _template("H-2", 0x01C00014, Algorithm.SHA256, _ecc(Curve.NIST_P256, 128)),
    _template("H-3", 0x01C00016, Algorithm.SHA384, _ecc(Curve.NIST_P384, 256)),
    _template("H-4", 0x01C00018, Algorithm.SHA512, _ecc(Curve.NIST_P521, 256)),
    _template("H-6", 0x01C0001C, Algorithm.SHA384, _rsa(3072, 256)),
    _template("H-7", 0x01C0001E, Algorithm.SHA512, _rsa(4096, 256)),
)
"""What a TPM may have; the first whose certificate is there is taken."""
