# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import Algorithm, hash_algorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.signature import Signature
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import WireError
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

RSA_KEY = rsa.generate_private_key(65537, 2048)
ECC_KEY = ec.generate_private_key(ec.SECP256R1())
HASHES = [Algorithm.SHA256, Algorithm.SHA384]


def ecdsa(hash_: Algorithm, data: bytes) -> bytes:
    return Signature(Algorithm.ECDSA, hash_, ECC_KEY.sign(data, ec.ECDSA(hash_algorithm(hash_)))).marshal(32)


def rsassa(hash_: Algorithm, data: bytes) -> bytes:
    value = RSA_KEY.sign(data, padding.PKCS1v15(), hash_algorithm(hash_))
    return Signature(Algorithm.RSASSA, hash_, value).marshal()


def rsapss(hash_: Algorithm, data: bytes, salt: int) -> bytes:
    pss = padding.PSS(padding.MGF1(hash_algorithm(hash_)), salt)
    return Signature(Algorithm.RSAPSS, hash_, RSA_KEY.sign(data, pss, hash_algorithm(hash_))).marshal()


@pytest.mark.parametrize("hash_", HASHES)
def test_ecdsa(hash_):
    signature = Signature.parse(ecdsa(hash_, b"data"))
    assert signature.verify(ECC_KEY.public_key(), b"data")
    assert not signature.verify(ECC_KEY.public_key(), b"other data")
    assert not signature.verify(RSA_KEY.public_key(), b"data")


@pytest.mark.parametrize("hash_", HASHES)
def test_rsassa(hash_):
    signature = Signature.parse(rsassa(hash_, b"data"))
    assert signature.verify(RSA_KEY.public_key(), b"data")
    assert not signature.verify(RSA_KEY.public_key(), b"other data")
    assert not signature.verify(ECC_KEY.public_key(), b"data")


@pytest.mark.parametrize("salt", [32, 222])
def test_rsapss_with_either_length_of_salt(salt):
    signature = Signature.parse(rsapss(Algorithm.SHA256, b"data", salt))
    assert signature.verify(RSA_KEY.public_key(), b"data")
    assert not signature.verify(RSA_KEY.public_key(), b"other data")


@given(st.binary(max_size=12), st.integers(0, 7))
def test_a_damaged_signature_never_verifies(noise, bit):
    whole = bytearray(ecdsa(Algorithm.SHA256, b"data"))
    whole[-1 - len(noise)] ^= 1 << bit
    with contextlib.suppress(WireError):
        assert not Signature.parse(bytes(whole)).verify(ECC_KEY.public_key(), b"data")


def test_bytes_after_the_end_are_refused():
    with pytest.raises(WireError, match="after its end"):
        Signature.parse(ecdsa(Algorithm.SHA256, b"data") + b"\0")
