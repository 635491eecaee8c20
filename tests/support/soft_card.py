# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card whose keys are in software: what the edge is tested on without a TPM."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace

from ansible_collections.hardbound.identity.plugins.module_utils._card.admin_key import AdminChallenge, AdminKey, Cipher
from ansible_collections.hardbound.identity.plugins.module_utils._card.edge import Edge
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import (
    Blocked,
    NoSuchKey,
    NotBlocked,
    NotOffered,
    NotVerified,
    PinDue,
    WrongSecret,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.external_key import ExternalKey
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import Key, PinUse, default_pin_use
from ansible_collections.hardbound.identity.plugins.module_utils._card.pin_record import Due
from ansible_collections.hardbound.identity.plugins.module_utils._card.room import check_room, taken
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import PUK_LENGTH, Reference, Tries
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._edge.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy
from cryptography import x509
from cryptography.hazmat.backends import default_backend
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.x509.oid import NameOID

PIN = b"123456"
PUK = b"87654321"
LIMIT = 3
ADMIN_KEY = AdminKey(Cipher.TRIPLE_DES, bytes.fromhex("a1b2c3d4e5f60718293a4b5c6d7e8f90a0b1c2d3e4f50617"))

_HASHES = {20: hashes.SHA1(), 32: hashes.SHA256(), 48: hashes.SHA384(), 64: hashes.SHA512()}


class SoftCard:
    """Behaves as the card core's ``Card`` does, and remembers what it was asked."""

    name = "Soft card"

    def __init__(
        self,
        number: int = 0,
        puk: t.Optional[bytes] = PUK,
        admin_key: t.Optional[AdminKey] = ADMIN_KEY,
        edge: Edge = Edge.PIV,
    ) -> None:
        self.number = number
        self.edge = edge
        self.serial = bytes.fromhex("00112233445566778899AABBCCDDEE") + bytes((number,))
        self.policy = PinPolicy(minlen=6, maxlen=8)
        self.objects: t.Dict[int, bytes] = {}
        self.certificates: t.Dict[int, bytes] = {}
        self.attestation_issuer = b""
        self.closed = False
        self.presented = True
        self.faces: t.Tuple[Face, ...] = (Face.PCSC,)
        self.due = ""
        self.pin_must_change = False
        self.pin_expires_at: t.Optional[int] = None
        self.generated = False
        self.card_reset = False
        self._secrets = {Reference.PIN: PIN}
        if puk:
            self._secrets[Reference.PUK] = puk
        self._left = dict.fromkeys(self._secrets, LIMIT)
        self._keys: t.Dict[int, Key] = {}
        self._private: t.Dict[int, t.Any] = {}
        self._verified = False
        self.admin_key = admin_key
        self.administered = False
        if admin_key:
            self._renew(admin_key)

    def _renew(self, key: AdminKey) -> None:
        self.admin_key = key
        self._challenge, self._answer = AdminChallenge.make(key)

    def add(self, slot: int, algorithm: KeyAlgorithm, pin: t.Optional[PinUse] = None) -> t.Any:
        """Makes a key and returns its private half."""
        private: t.Any
        if algorithm.curve is None:
            private = rsa.generate_private_key(65537, algorithm.bits, default_backend())
        else:
            private = ec.generate_private_key(algorithm.curve.elliptic, default_backend())
        return self.put(slot, algorithm, private, pin)

    def put(
        self, slot: int, algorithm: KeyAlgorithm, private: t.Any, pin: t.Optional[PinUse] = None, imported: bool = False
    ) -> t.Any:
        public = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._keys[slot] = Key(slot, algorithm, pin or default_pin_use(slot), public, imported)
        self._private[slot] = private
        return private

    def certify(self, slot: int) -> bytes:
        """Stores a self-signed certificate and returns it, DER."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"slot {slot:02X}")])
        private = self._private[slot]
        start = datetime.datetime(2024, 1, 1)
        builder = x509.CertificateBuilder(name, name, private.public_key(), slot + 1, start, start.replace(year=2044))
        certificate = builder.sign(private, hashes.SHA256(), default_backend())
        self.certificates[slot] = certificate.public_bytes(serialization.Encoding.DER)
        return self.certificates[slot]

    def attest(self, slot: int, attestation: bytes, issuer: bytes) -> None:
        """Gives a key what an enrolment brings."""
        self._keys[slot] = replace(self._keys[slot], attestation=attestation)
        self.attestation_issuer = issuer

    def certificate(self, slot: int) -> t.Optional[bytes]:
        return self.certificates.get(slot)

    def keys(self) -> t.Mapping[int, Key]:
        return self._keys

    def generate(self) -> None:
        self.generated = True

    @property
    def pin_due(self) -> t.Optional[Due]:
        return Due.EXPIRED if self.due else Due.MUST_CHANGE if self.pin_must_change else None

    @property
    def shortest_pin(self) -> int:
        return self.policy.minlen

    @property
    def pin_length(self) -> int:
        return self.edge.kept_length(self._secrets[Reference.PIN])

    def store_certificate(self, slot: int, certificate: t.Optional[bytes]) -> None:
        self.certificates = self._changed(self.certificates, slot, certificate)

    def _changed(self, entries: t.Dict[int, bytes], key: int, value: t.Optional[bytes]) -> t.Dict[int, bytes]:
        others = {each: data for each, data in entries.items() if each != key}
        changed = others if value is None else {**others, key: value}
        before = taken(self.certificates, self.objects)
        check_room(before, before - taken(entries) + taken(changed))
        return changed

    def has(self, reference: Reference) -> bool:
        return self.admin_key is not None if reference is Reference.ADMIN else reference in self._secrets

    @property
    def challenge(self) -> AdminChallenge:
        if self.admin_key is None:
            raise NotOffered("no admin key")
        return self._challenge

    def authenticate(self, answer: bytes, prove: t.Callable[[AdminKey], bytes] = lambda _key: b"") -> bytes:
        self.administered = False
        if answer != self._answer or self.admin_key is None:
            raise WrongSecret(Reference.ADMIN, -1)
        self._renew(self.admin_key)
        proof = prove(self.admin_key)
        self.administered = True
        return proof

    def administer(self, key: AdminKey) -> None:
        self.authenticate(key.encrypt(self.challenge.decrypted))

    def end_administration(self) -> None:
        self.administered = False

    def _require_administrator(self) -> None:
        if not self.administered:
            raise NotVerified("no administrator")

    def change_admin_key(self, key: AdminKey) -> None:
        self._require_administrator()
        key.check()
        self._renew(key)

    def reset_pin(self, new_pin: bytes) -> None:
        self._require_administrator()
        if Reference.PUK in self._secrets:
            raise NotOffered("there is a PUK")
        self._check_new(new_pin)
        self._secrets[Reference.PIN] = new_pin

    def make_anew(self) -> None:
        if not self.card_reset:
            raise NotOffered("not by programs")
        if any(self._left.values()):
            raise NotBlocked("tries are left")
        self.__init__(self.number, PUK, AdminKey.well_known(), self.edge)  # type: ignore[misc]
        self._secrets.update({Reference.PIN: b"123456", Reference.PUK: b"12345678"})

    def set_tries(self, pin: int, puk: int) -> None:
        self._require_administrator()
        if not self._verified:
            raise NotVerified("no PIN")
        self.set = (pin, puk)

    def make_key(self, wanted: KeySpecification) -> Key:
        self._require_either()
        if wanted.algorithm is KeyAlgorithm.RSA_4096:
            raise NotOffered("no TPM makes these")
        self.add(wanted.slot, wanted.algorithm, wanted.pin)
        return self._keys[wanted.slot]

    def import_key(self, wanted: KeySpecification, key: ExternalKey) -> Key:
        self._require_either()
        private: t.Any
        if wanted.algorithm.curve is None:
            p, n = (int.from_bytes(each, "big") for each in (key.sensitive, *key.public))
            d = pow(65537, -1, (p - 1) * (n // p - 1))
            q, numbers = n // p, rsa.RSAPublicNumbers(65537, n)
            private = rsa.RSAPrivateNumbers(
                p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), numbers
            ).private_key(default_backend())
        else:
            private = ec.derive_private_key(int.from_bytes(key.sensitive, "big"), wanted.algorithm.curve.elliptic)
        self.put(wanted.slot, wanted.algorithm, private, wanted.pin, imported=True)
        return self._keys[wanted.slot]

    def remove_key(self, slot: int) -> None:
        if self._keys.pop(slot, None) is None:
            raise NoSuchKey("the slot is empty")

    def tries(self, reference: Reference) -> Tries:
        if not self.has(reference):
            raise NotOffered("no such secret")
        return Tries(self._left[reference], LIMIT)

    @property
    def verified(self) -> bool:
        return self._verified

    def verify(self, pin: bytes) -> None:
        self._check(Reference.PIN, pin)
        self._verified = True

    def require_pin(self) -> None:
        if not self._verified:
            raise NotVerified("no PIN")
        if self.due:
            raise PinDue(self.due)

    def logout(self) -> None:
        self._verified = False

    def change(self, reference: Reference, old: bytes, new: bytes) -> None:
        self._check_new(new)
        self._check(reference, old)
        self._secrets[reference] = new
        if reference is Reference.PIN:
            self._verified, self.due = True, ""

    def unblock(self, puk: bytes, new_pin: bytes) -> None:
        if len(puk) == PUK_LENGTH:
            self._check_new(new_pin)
        self._check(Reference.PUK, puk)
        self._check_new(new_pin)
        self._secrets[Reference.PIN] = new_pin
        self._left[Reference.PIN] = LIMIT

    def _check_new(self, secret: bytes) -> None:
        try:
            self.policy.check(secret.decode("ascii"))
        except UnicodeDecodeError:
            raise InputError("pin", "is not ASCII", "use ASCII") from None

    def check(self, reference: Reference, secret: bytes) -> None:
        self._check(reference, secret)

    def _check(self, reference: Reference, secret: bytes) -> None:
        if not self._left[reference]:
            raise Blocked(reference)
        if secret != self._secrets[reference]:
            self._left[reference] -= 1
            raise WrongSecret(reference, self._left[reference])
        self._left[reference] = LIMIT

    def _key(self, slot: int) -> t.Any:
        if slot not in self._keys:
            raise NoSuchKey("the slot is empty")
        if self._keys[slot].pin is not PinUse.NEVER:
            self.require_pin()
        return self._private[slot]

    def sign(self, slot: int, digest: bytes) -> bytes:
        key = self._key(slot)
        algorithm = _HASHES.get(len(digest))
        if algorithm is None:
            raise InputError("digest", "has an odd length", "use a hash")
        return t.cast(bytes, key.sign(digest, ec.ECDSA(utils.Prehashed(algorithm))))

    def ecdsa(self, slot: int, digest: bytes) -> t.Tuple[bytes, bytes]:
        """As a TPM may: without leading zeros."""
        r, s = utils.decode_dss_signature(self.sign(slot, digest))
        return r.to_bytes((r.bit_length() + 7) // 8, "big"), s.to_bytes((s.bit_length() + 7) // 8, "big")

    def rsa_private(self, slot: int, block: bytes) -> bytes:
        numbers = self._key(slot).private_numbers()
        modulus = numbers.public_numbers.n
        value = int.from_bytes(block, "big")
        if value >= modulus:
            raise InputError("block", "is not smaller than the modulus", "pad it")
        return t.cast(int, pow(value, numbers.d, modulus)).to_bytes(len(block), "big")

    def ecdh(self, slot: int, point: bytes) -> bytes:
        key = self._key(slot)
        try:
            peer = ec.EllipticCurvePublicKey.from_encoded_point(key.curve, point)
        except ValueError:
            raise InputError("point", "is not on the curve", "send one that is") from None
        return t.cast(bytes, key.exchange(ec.ECDH(), peer))

    def object(self, tag: int) -> t.Optional[bytes]:
        return self.objects.get(tag)

    def store_object(self, tag: int, value: t.Optional[bytes]) -> None:
        self.objects = self._changed(self.objects, tag, value)

    def protected(self, tag: int) -> t.Optional[bytes]:
        self._require_either()
        return self.objects.get(tag)

    def _require_either(self) -> None:
        if not self.administered:
            self.require_pin()

    def store_protected(self, tag: int, value: t.Optional[bytes]) -> None:
        self._require_either()
        self.store_object(tag, value)

    def close(self) -> None:
        self.logout()
        self.closed = True


def as_the_edges_see_it(card: SoftCard) -> Card:
    """Type checkers hold here that a soft card can stand wherever an edge asks a card."""
    return card
