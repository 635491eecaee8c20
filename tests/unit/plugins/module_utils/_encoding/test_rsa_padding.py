# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paddings of RSA against the package cryptography."""

from __future__ import annotations

import contextlib
import hashlib
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.der import oid
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.rsa_padding import (
    PaddingError,
    digest_info,
    pad_pkcs1,
    pad_pss,
    unpad_oaep,
    unpad_pkcs1,
)
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from hypothesis import given
from hypothesis import strategies as st

HASHES = {
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def raw(key: rsa.RSAPrivateKey, block: bytes) -> bytes:
    numbers = key.private_numbers()
    value = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n)
    return value.to_bytes(256, "big")


@pytest.mark.parametrize("mask", ["sha1", "sha256"])
@pytest.mark.parametrize("name", HASHES)
@pytest.mark.parametrize("salt", [0, 20, 48])
def test_pss(key: rsa.RSAPrivateKey, name: str, mask: str, salt: int) -> None:
    digest = hashlib.new(name, b"message").digest()
    signature = raw(key, pad_pss(digest, 256, name, mask, salt))
    scheme = padding.PSS(padding.MGF1(HASHES[mask]), salt)
    key.public_key().verify(signature, digest, scheme, utils.Prehashed(HASHES[name]))


@pytest.mark.parametrize(("digest", "salt"), [(bytes(31), 0), (bytes(32), 223), (bytes(32), 1 << 60)])
def test_pss_without_room(digest: bytes, salt: int) -> None:
    with pytest.raises(PaddingError):
        pad_pss(digest, 256, "sha256", "sha256", salt)


@pytest.mark.parametrize("label", [b"", b"label"])
@pytest.mark.parametrize("name", HASHES)
def test_oaep(key: rsa.RSAPrivateKey, name: str, label: bytes) -> None:
    scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), HASHES[name], label or None)
    block = raw(key, key.public_key().encrypt(b"secret", scheme))
    assert unpad_oaep(block, name, "sha256", label) == b"secret"
    with pytest.raises(PaddingError):
        unpad_oaep(block, name, "sha256", b"other")


def test_pkcs1(key: rsa.RSAPrivateKey) -> None:
    assert unpad_pkcs1(raw(key, key.public_key().encrypt(b"secret", padding.PKCS1v15()))) == b"secret"


@pytest.mark.parametrize("length", [246, 256, 300])
def test_pkcs1_without_room(length: int) -> None:
    assert pad_pkcs1(bytes(245), 256) == b"\0\1" + b"\xff" * 8 + bytes(246)
    with pytest.raises(PaddingError):
        pad_pkcs1(bytes(length), 256)


@given(st.binary(max_size=300))
def test_any_block_is_unpadded_or_refused(block: bytes) -> None:
    unpads: t.Sequence[t.Callable[[bytes], bytes]] = (unpad_pkcs1, unpad_oaep)
    for unpad in unpads:
        with contextlib.suppress(PaddingError):
            unpad(block)


@pytest.mark.parametrize("name", HASHES)
def test_digest_info(key: rsa.RSAPrivateKey, name: str) -> None:
    digest = hashlib.new(name, b"message").digest()
    signature = key.sign(b"message", padding.PKCS1v15(), HASHES[name])
    numbers = key.public_key().public_numbers()
    block = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n).to_bytes(256, "big")
    assert block == pad_pkcs1(digest_info(name, digest), 256)


def test_object_identifiers() -> None:
    assert oid("1.2.840.10045.3.1.7").hex() == "06082a8648ce3d030107"
    assert oid("1.3.132.0.34").hex() == "06052b81040022"
