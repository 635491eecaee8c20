# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""KDFa and KDFe against cryptography's own, and who can open a credential. The TPM's word is in tests/integration."""

from __future__ import annotations

import dataclasses
import hmac
import os

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import (
    Algorithm,
    Curve,
    digest_size,
    hash_algorithm,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.credential import (
    kdfa,
    kdfe,
    make_credential,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import (
    EccArea,
    ObjectAttribute,
    Public,
    RsaArea,
    Scheme,
    Symmetric,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import Reader, WireError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode
from hypothesis import given
from hypothesis import strategies as st

NAME = b"\x00\x0b" + bytes(range(32))
lengths = st.sampled_from([128, 256, 384, 512, 1024])
algorithms_ = st.sampled_from([Algorithm.SHA256, Algorithm.SHA384, Algorithm.SHA512])


@given(algorithms_, st.binary(min_size=1, max_size=64), st.binary(max_size=66), st.binary(max_size=66), lengths)
def test_kdfa_is_sp800_108(algorithm, key, context_u, context_v, bits):
    kdf = KBKDFHMAC(
        algorithm=hash_algorithm(algorithm),
        mode=Mode.CounterMode,
        length=bits // 8,
        rlen=4,
        llen=4,
        location=CounterLocation.BeforeFixed,
        label=b"STORAGE",
        context=context_u + context_v,
        fixed=None,
    )
    assert kdfa(algorithm, key, b"STORAGE", context_u, context_v, bits) == kdf.derive(key)


@given(algorithms_, st.binary(min_size=1, max_size=66), st.binary(max_size=66), st.binary(max_size=66), lengths)
def test_kdfe_is_sp800_56a(algorithm, z, party_u, party_v, bits):
    kdf = ConcatKDFHash(hash_algorithm(algorithm), bits // 8, b"IDENTITY\0" + party_u + party_v)
    assert kdfe(algorithm, z, b"IDENTITY", party_u, party_v, bits) == kdf.derive(z)


def open_blob(ek: Public, seed: bytes, name: bytes, blob: bytes) -> bytes:
    """What a TPM does in TPM2_ActivateCredential once it has the seed."""
    reader = Reader(blob, "TPM2B_ID_OBJECT")
    integrity, encrypted = reader.sized("integrity", 64), blob[2 + digest_size(ek.name_algorithm) :]
    algorithm = ek.name_algorithm
    key = kdfa(algorithm, seed, b"INTEGRITY", b"", b"", 8 * digest_size(algorithm))
    assert hmac.compare_digest(integrity, hmac.new(key, encrypted + name, hash_algorithm(algorithm).name).digest())
    encryptor = Cipher(
        algorithms.AES(kdfa(algorithm, seed, b"STORAGE", name, b"", ek.area.symmetric.bits)), ECB()
    ).encryptor()
    feedback, clear = bytes(16), b""
    for start in range(0, len(encrypted), 16):
        block = encrypted[start : start + 16]
        clear += bytes(one ^ other for one, other in zip(block, encryptor.update(feedback)))
        feedback = block
    return clear[2 : 2 + int.from_bytes(clear[:2], "big")]


def rsa_ek(key: rsa.RSAPrivateKey) -> Public:
    modulus = key.public_key().public_numbers().n.to_bytes(256, "big")
    return Public(
        Algorithm.SHA256, ObjectAttribute.DECRYPT, bytes(32), RsaArea(Symmetric(128), Scheme(), 2048, 0, modulus)
    )


def ecc_ek(key: ec.EllipticCurvePrivateKey, curve: Curve, algorithm: Algorithm, bits: int) -> Public:
    numbers = key.public_key().public_numbers()
    x, y = numbers.x.to_bytes(curve.size, "big"), numbers.y.to_bytes(curve.size, "big")
    return Public(algorithm, ObjectAttribute.DECRYPT, b"", EccArea(Symmetric(bits), Scheme(), curve, Scheme(), x, y))


def test_the_holder_of_an_rsa_ek_opens_it():
    key = rsa.generate_private_key(65537, 2048)
    ek, secret = rsa_ek(key), os.urandom(32)
    credential = make_credential(ek, NAME, secret)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"IDENTITY\0")
    assert open_blob(ek, key.decrypt(credential.secret, oaep), NAME, credential.blob) == secret


@pytest.mark.parametrize(
    "curve, algorithm, bits",
    [(Curve.NIST_P256, Algorithm.SHA256, 128), (Curve.NIST_P384, Algorithm.SHA384, 256)],
)
def test_the_holder_of_an_ecc_ek_opens_it(curve, algorithm, bits):
    key = ec.generate_private_key(curve.elliptic)
    ek, secret = ecc_ek(key, curve, algorithm, bits), os.urandom(32)
    credential = make_credential(ek, NAME, secret)
    reader = Reader(credential.secret, "TPMS_ECC_POINT")
    x, y = reader.sized("x", 66), reader.sized("y", 66)
    point = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve.elliptic)
    z = key.exchange(ec.ECDH(), point.public_key())
    seed = kdfe(algorithm, z, b"IDENTITY", x, ek.area.x, 8 * digest_size(algorithm))
    assert open_blob(ek, seed, NAME, credential.blob) == secret


def test_a_long_secret_is_refused():
    ek = ecc_ek(ec.generate_private_key(ec.SECP256R1()), Curve.NIST_P256, Algorithm.SHA256, 128)
    with pytest.raises(ValueError, match="at most 32 bytes, not 33"):
        make_credential(ek, NAME, bytes(33))


def test_a_signing_key_is_no_ek():
    ek = ecc_ek(ec.generate_private_key(ec.SECP256R1()), Curve.NIST_P256, Algorithm.SHA256, 128)
    signing = dataclasses.replace(ek, area=dataclasses.replace(ek.area, symmetric=Symmetric()))
    with pytest.raises(WireError, match="no storage key"):
        make_credential(signing, NAME, bytes(32))
