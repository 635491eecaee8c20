# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A credential that only one TPM opens, and only for one key: TPM2_MakeCredential in software.

Source: TPM 2.0 part 1, clause 24 (credential protection), clause 11.4.10 (KDFa, KDFe),
annex B.10.4 (RSA) and C.6.1 (ECC).
"""

from __future__ import annotations

import hmac
import os
import struct
import typing as t
from dataclasses import dataclass

from .._cryptography import CFB, Cipher, algorithms, ec, padding, rsa, serialization
from .algorithm import Algorithm, digest, digest_size, hash_algorithm
from .public import Public
from .wire import WireError, sized

IDENTITY = b"IDENTITY"
SECRET = b"SECRET"
STORAGE = b"STORAGE"
INTEGRITY = b"INTEGRITY"


def kdfa(algorithm: Algorithm, key: bytes, label: bytes, context_u: bytes, context_v: bytes, bits: int) -> bytes:
    """Returns ``bits`` bits of key by SP 800-108 in counter mode with HMAC: part 1, clause 11.4.10.2."""
    name = hash_algorithm(algorithm).name
    tail = label + b"\0" + context_u + context_v + struct.pack(">I", bits)
    blocks = (hmac.digest(key, struct.pack(">I", count) + tail, name) for count in _counts(algorithm, bits))
    return b"".join(blocks)[: bits // 8]


def kdfe(algorithm: Algorithm, z: bytes, label: bytes, party_u: bytes, party_v: bytes, bits: int) -> bytes:
    """Returns ``bits`` bits of key from an ECDH value by SP 800-56A: part 1, clause 11.4.10.3."""
    tail = z + label + b"\0" + party_u + party_v
    blocks = (digest(algorithm, struct.pack(">I", count) + tail) for count in _counts(algorithm, bits))
    return b"".join(blocks)[: bits // 8]


def _counts(algorithm: Algorithm, bits: int) -> range:
    return range(1, 1 + -(-bits // (8 * digest_size(algorithm))))


@dataclass(frozen=True)
class Credential:
    """What TPM2_ActivateCredential takes: the contents of its TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET."""

    blob: bytes
    secret: bytes


def make_credential(ek: Public, name: bytes, secret: bytes) -> Credential:
    """Returns a credential that gives ``secret`` to the TPM that holds ``ek`` and the object called ``name``.

    :param ek: an RSA or ECC storage key, usually the endorsement key
    :param name: the full Name, nameAlg and digest
    :param secret: at most a digest of the EK's nameAlg, 32 bytes for SHA-256
    :raises WireError: if the EK is no storage key, or its numbers are no key
    :raises ValueError: if the secret is too long
    """
    if len(secret) > digest_size(ek.name_algorithm):
        raise ValueError(f"a credential holds at most {digest_size(ek.name_algorithm)} bytes, not {len(secret)}")
    seed, encrypted_seed = share_seed(ek, IDENTITY)
    return Credential(_protect(ek, seed, name, secret), encrypted_seed)


def share_seed(storage: Public, label: bytes) -> t.Tuple[bytes, bytes]:
    """Returns a secret of the size of a digest, and the contents of the TPM2B_ENCRYPTED_SECRET that holds it.

    :param storage: a key of the TPM, which alone reads the secret
    :param label: what the secret is for
    """
    key = storage.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return _share_seed_rsa(storage, key, label)
    return _share_seed_ecc(storage, key, label)


def _share_seed_rsa(storage: Public, key: rsa.RSAPublicKey, label: bytes) -> t.Tuple[bytes, bytes]:
    seed = os.urandom(digest_size(storage.name_algorithm))
    hash_ = hash_algorithm(storage.name_algorithm)
    return seed, key.encrypt(seed, padding.OAEP(padding.MGF1(hash_), hash_, label + b"\0"))


def _share_seed_ecc(storage: Public, key: ec.EllipticCurvePublicKey, label: bytes) -> t.Tuple[bytes, bytes]:
    ephemeral = ec.generate_private_key(key.curve)
    (x, y), (other, _unused) = _point(ephemeral.public_key()), _point(key)
    z = ephemeral.exchange(ec.ECDH(), key)
    bits = 8 * digest_size(storage.name_algorithm)
    return kdfe(storage.name_algorithm, z, label, x, other, bits), sized(x) + sized(y)


def _point(key: ec.EllipticCurvePublicKey) -> t.Tuple[bytes, bytes]:
    """Returns X and Y: SEC 1, clause 2.3.3, after the byte that says that both are there."""
    encoded = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    half = 1 + len(encoded) // 2
    return encoded[1:half], encoded[half:]


def _protect(ek: Public, seed: bytes, name: bytes, secret: bytes) -> bytes:
    symmetric = getattr(ek.area, "symmetric", None)
    if symmetric is None or not symmetric.bits:
        raise WireError("TPMT_PUBLIC has no symmetric algorithm, so it is no storage key")
    algorithm = ek.name_algorithm
    key = kdfa(algorithm, seed, STORAGE, name, b"", symmetric.bits)
    encryptor = Cipher(algorithms.AES(key), CFB(bytes(16))).encryptor()
    encrypted = encryptor.update(sized(secret)) + encryptor.finalize()
    hmac_key = kdfa(algorithm, seed, INTEGRITY, b"", b"", 8 * digest_size(algorithm))
    integrity = hmac.digest(hmac_key, encrypted + name, hash_algorithm(algorithm).name)
    return sized(integrity) + encrypted
