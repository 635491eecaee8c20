# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Escrowed secrets: only the right private key opens them, and another implementation of JWE does too."""

from __future__ import annotations

import base64
import datetime
import json

import pytest
from ansible_collections.hardbound.identity.plugins.filter.open_escrow import open_escrow
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._escrow import (
    _encode,
    load_recipient,
    seal,
    unseal,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from hypothesis import given
from hypothesis import strategies as st

SECRET = b"a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"
KEYS = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "p521": ec.generate_private_key(ec.SECP521R1()),
    "x25519": x25519.X25519PrivateKey.generate(),
}


def public_pem(key):
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(*form).decode()


def private_pem(key, passphrase=None):
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


def certificate_pem(key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "help desk")])
    start = datetime.datetime(2024, 1, 1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start.replace(year=2044))
    certificate = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("pem", [public_pem, certificate_pem])
def test_there_and_back(kind, pem):
    sealed = seal(SECRET, load_recipient(pem(KEYS[kind]), "escrow_key"))
    assert unseal(sealed, private_pem(KEYS[kind])) == SECRET
    assert open_escrow(sealed, private_pem(KEYS[kind], b"word"), "word") == SECRET.decode()
    assert SECRET.decode() not in sealed and base64.b64encode(SECRET).decode()[:20] not in sealed
    assert seal(SECRET, KEYS[kind].public_key()) != sealed


@pytest.mark.parametrize("kind", KEYS)
def test_another_key_does_not_open_it(kind):
    sealed = seal(SECRET, KEYS[kind].public_key())
    others = [key for name, key in KEYS.items() if name != kind]
    if kind == "rsa":
        others.append(rsa.generate_private_key(65537, 2048))
    for other in others:
        with pytest.raises(ValueError, match="encrypted for another key"):
            unseal(sealed, private_pem(other))


@given(st.data())
def test_a_damaged_one_does_not_open(data):
    sealed = seal(SECRET, KEYS["p256"].public_key())
    place = data.draw(st.integers(0, len(sealed) - 1))
    damaged = sealed[:place] + data.draw(st.sampled_from("Ab.-_{")) + sealed[place + 1 :]
    try:
        assert unseal(damaged, private_pem(KEYS["p256"])) == SECRET
    except ValueError as error:
        assert "damaged" in str(error)


@pytest.mark.parametrize("sealed", ["", "a.b.c.d", "....", "e30....", "\u00e9....", "W10.a.b.c.d"])
def test_what_is_no_escrow(sealed):
    with pytest.raises(ValueError, match="damaged"):
        unseal(sealed, private_pem(KEYS["rsa"]))


@pytest.mark.parametrize("pem", ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_recipient(pem):
    with pytest.raises(InputError, match="escrow_key is no public key that can be encrypted for: give the PEM"):
        load_recipient(pem, "escrow_key")


@pytest.mark.parametrize("key", [ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 1024)])
def test_keys_that_are_not_for_that(key):
    with pytest.raises(InputError, match="can be encrypted for"):
        load_recipient(public_pem(key), "escrow_key")


def test_a_private_key_is_refused_without_being_shown():
    pem = private_pem(KEYS["p256"])
    with pytest.raises(InputError, match="escrow_key is a private key, which belongs on no host") as caught:
        load_recipient(pem, "escrow_key")
    assert pem.splitlines()[1] not in str(caught.value)


@pytest.mark.parametrize("kind", KEYS)
def test_another_implementation_opens_it(kind):
    """jwcrypto has nothing of this code."""
    jwcrypto = pytest.importorskip("jwcrypto", reason="needs jwcrypto, to compare with")
    from jwcrypto import jwe, jwk

    assert jwcrypto
    sealed = seal(SECRET, KEYS[kind].public_key())
    token = jwe.JWE()
    token.deserialize(sealed, jwk.JWK.from_pem(private_pem(KEYS[kind]).encode()))
    assert token.payload == SECRET
    header = json.loads(base64.urlsafe_b64decode(sealed.split(".", maxsplit=1)[0] + "=="))
    spki = (
        KEYS[kind]
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(spki)
    assert header["kid"] == _encode(digest.finalize())
