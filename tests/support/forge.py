# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TPM that lies: makes whatever evidence it is told to, with keys of cryptography.

Left alone it makes evidence that a verifier accepts. A test changes one thing and sees what is refused.
"""

from __future__ import annotations

import functools
import os
import typing as t
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from ansible_collections.hardbound.identity.plugins.module_utils._card.key import PinUse
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Model, Role, counter_data
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import (
    Algorithm,
    Curve,
    hash_algorithm,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.attest import (
    Attest,
    Attested,
    Clock,
    CreationInfo,
    NvInfo,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.creation import CreationData
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.ek_template import TEMPLATES
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.evidence import (
    GENESIS_NONCE,
    CardEvidence,
    Evidence,
    GenesisEvidence,
    IndexEvidence,
    KeyEvidence,
    Statement,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.name import NV_WRITTEN, nv_public
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.nv_public import NvPublic
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.policy import policy_digest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import (
    Area,
    EccArea,
    KeyedHashArea,
    ObjectAttribute,
    Public,
    RsaArea,
    Scheme,
    Symmetric,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.signature import Signature
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.card import RH_OWNER
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.certificate import Certificate
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.ek import TrustPolicy
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.genesis import RH_NULL
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.request import (
    CardRequest,
    EvidenceRequest,
    KeyRequest,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.trust import Trust
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

NOW = datetime(2030, 6, 1, tzinfo=timezone.utc)
DAY = timedelta(days=1)
NONCE = bytes(range(32))
HOST = "ws-017.corp.example"
CARD = "VirtualSmartCardForCorpAccess"
RETRIES = 5
RESETS = 7
"""How often the TPM was reset; once since the card was made."""

A = ObjectAttribute
BOUND = A.FIXED_TPM | A.FIXED_PARENT | A.SENSITIVE_DATA_ORIGIN
STORAGE = BOUND | A.USER_WITH_AUTH | A.NO_DA | A.RESTRICTED | A.DECRYPT
AK = BOUND | A.USER_WITH_AUTH | A.NO_DA | A.RESTRICTED | A.SIGN_ENCRYPT
GENESIS = A.FIXED_TPM | A.FIXED_PARENT | A.USER_WITH_AUTH | A.ADMIN_WITH_POLICY | A.NO_DA
KEY = BOUND | A.NO_DA | A.ADMIN_WITH_POLICY | A.SIGN_ENCRYPT | A.DECRYPT

EK_PURPOSE = x509.ObjectIdentifier("2.23.133.8.1")
PrivateKey = t.Union[ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey]


@functools.cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """RSA keys take long to make, so tests share them."""
    return rsa.generate_private_key(65537, bits)


def ecc_key(curve: Curve = Curve.NIST_P256) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve.elliptic)


def ecc_area(
    key: ec.EllipticCurvePrivateKey,
    scheme: Scheme = Scheme(),  # noqa: B008
    symmetric: Symmetric = Symmetric(),  # noqa: B008
) -> EccArea:
    curve = t.cast("Curve", Curve.of(key.curve))
    point, size = key.public_key().public_numbers(), curve.size
    return EccArea(symmetric, scheme, curve, Scheme(), point.x.to_bytes(size, "big"), point.y.to_bytes(size, "big"))


def rsa_area(key: rsa.RSAPrivateKey, scheme: Scheme = Scheme()) -> RsaArea:  # noqa: B008
    modulus = key.public_key().public_numbers().n
    return RsaArea(Symmetric(), scheme, key.key_size, 0, modulus.to_bytes(key.key_size // 8, "big"))


def area_of(key: PrivateKey, scheme: Scheme) -> t.Union[EccArea, RsaArea]:
    return rsa_area(key, scheme) if isinstance(key, rsa.RSAPrivateKey) else ecc_area(key, scheme)


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


# Certificates.


def name(text: str, organisation: str = "Maker") -> x509.Name:
    attributes = [(NameOID.ORGANIZATION_NAME, organisation), (NameOID.COMMON_NAME, text)]
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes])


USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def usage(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{each: each in wanted for each in USAGES})


def tpm_name(manufacturer: str = "id:4C414200", model: str = "Lab", version: str = "id:00010002") -> x509.Name:
    values = {"2.23.133.2.1": manufacturer, "2.23.133.2.2": model, "2.23.133.2.3": version}
    return x509.Name([x509.NameAttribute(x509.ObjectIdentifier(kind), value) for kind, value in values.items()])


@dataclass
class Authority:
    """A CA; ``above`` is None for a root."""

    title: str
    above: t.Optional[Authority] = None
    key: PrivateKey = field(default_factory=ecc_key)
    organisation: str = "Maker"
    not_before: datetime = NOW - 400 * DAY
    not_after: datetime = NOW + 400 * DAY
    constraints: t.Optional[x509.BasicConstraints] = field(
        default_factory=lambda: x509.BasicConstraints(ca=True, path_length=None)
    )
    key_usage: t.Optional[x509.KeyUsage] = field(default_factory=lambda: usage("key_cert_sign", "crl_sign"))
    crl_url: str = ""

    @property
    def name(self) -> x509.Name:
        return name(self.title, self.organisation)

    @property
    def certificate(self) -> x509.Certificate:
        issuer = self.above or self
        extensions: t.List[t.Tuple[x509.ExtensionType, bool]] = []
        if self.constraints is not None:
            extensions.append((self.constraints, True))
        if self.key_usage is not None:
            extensions.append((self.key_usage, True))
        if self.crl_url:
            extensions.append((crl_points(self.crl_url), False))
        return issuer.issue(self.key.public_key(), self.name, extensions, self.not_before, self.not_after)

    def issue(
        self,
        key: t.Any,
        subject: x509.Name,
        extensions: t.Sequence[t.Tuple[x509.ExtensionType, bool]],
        not_before: datetime,
        not_after: datetime,
        hash_: t.Any = hashes.SHA256(),  # noqa: B008
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder(self.name, subject, key, x509.random_serial_number(), not_before, not_after)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hash_)

    def revoke(self, *serials: int, until: datetime = NOW + DAY) -> bytes:
        builder = x509.CertificateRevocationListBuilder(self.name, NOW - 2 * DAY, until)
        for serial in serials:
            entry = x509.RevokedCertificateBuilder(serial, NOW - 3 * DAY).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)


def crl_points(url: str) -> x509.CRLDistributionPoints:
    points = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)]
    return x509.CRLDistributionPoints(points)


@dataclass
class EkCertificate:
    """What stands in an EK certificate."""

    subject: x509.Name = field(default_factory=lambda: x509.Name([]))
    tpm: t.Optional[x509.Name] = field(default_factory=tpm_name)
    san_critical: bool = True
    key_usage: t.Optional[x509.KeyUsage] = field(default_factory=lambda: usage("key_agreement"))
    purposes: t.Optional[t.List[x509.ObjectIdentifier]] = field(default_factory=lambda: [EK_PURPOSE])
    constraints: t.Optional[x509.BasicConstraints] = field(
        default_factory=lambda: x509.BasicConstraints(ca=False, path_length=None)
    )
    more: t.List[t.Tuple[x509.ExtensionType, bool]] = field(default_factory=list)
    not_before: datetime = NOW - DAY
    not_after: datetime = NOW + 100 * DAY

    def issue(self, authority: Authority, key: t.Any) -> x509.Certificate:
        extensions = list(self.more)
        if self.tpm is not None:
            san = x509.SubjectAlternativeName([x509.DirectoryName(self.tpm)])
            extensions.append((san, self.san_critical))
        if self.key_usage is not None:
            extensions.append((self.key_usage, True))
        if self.purposes is not None:
            extensions.append((x509.ExtendedKeyUsage(self.purposes), False))
        if self.constraints is not None:
            extensions.append((self.constraints, True))
        return authority.issue(key, self.subject, extensions, self.not_before, self.not_after)


# What a card is made of. None in a field means: what an honest TPM would put there.


@dataclass
class ForgedKey:
    slot: str = "authentication"
    algorithm: KeyAlgorithm = KeyAlgorithm.ECC_P256
    pin: PinUse = PinUse.ONCE
    private: PrivateKey = field(default_factory=ecc_key)
    attributes: ObjectAttribute = KEY
    policy: t.Optional[bytes] = None
    scheme: Scheme = field(default_factory=Scheme)
    outside_info: bytes = b""
    parent_name: t.Optional[bytes] = None
    parent_qualified_name: t.Optional[bytes] = None
    attested_name: t.Optional[bytes] = None
    creation_hash: t.Optional[bytes] = None
    attested: t.Optional[Attested] = None
    nonce: t.Optional[bytes] = None


@dataclass
class ForgedIndex:
    contents: bytes
    public: t.Optional[NvPublic] = None
    attested_name: t.Optional[bytes] = None
    offset: int = 0
    nonce: t.Optional[bytes] = None


@dataclass
class ForgedGenesis:
    """A genesis object, and what the AK states of it. None of a field means the honest one."""

    attributes: ObjectAttribute = GENESIS
    area: Area = field(default_factory=lambda: KeyedHashArea(Scheme(), os.urandom(32)))
    hierarchy: bytes = RH_NULL
    resets: int = RESETS - 1
    attested: t.Optional[Attested] = None
    creation_hash: t.Optional[bytes] = None
    nonce: bytes = GENESIS_NONCE

    @property
    def public(self) -> Public:
        return Public(Algorithm.SHA256, self.attributes, b"", self.area)


class ForgedCard:
    def __init__(self, root: Public, name: str = CARD, nonce: bytes = NONCE, puk: bool = False) -> None:
        self.root, self.name, self.nonce, self.puk, self.admin = root, name, nonce, puk, False
        self.first_handle = 0x01815000
        self.proof: t.Optional[ForgedGenesis] = ForgedGenesis()
        self.genesis = self.proof.public.name
        self.resets = RESETS
        self.ak_key: PrivateKey = ecc_key()
        self.ak_attributes = AK
        self.ak_name_algorithm = Algorithm.SHA256
        self.ak_scheme = Scheme(Algorithm.ECDSA, Algorithm.SHA256)
        self.signing_key: t.Optional[PrivateKey] = None
        self.signing_hash = Algorithm.SHA256
        self.signer: t.Optional[bytes] = None
        self.parent = Public(Algorithm.SHA256, STORAGE, b"", ecc_area(ecc_key(), symmetric=Symmetric(128)))
        self.keys = [ForgedKey()]
        self.indices = {Role.PIN: ForgedIndex(counter_data(RETRIES)), Role.POLICY: ForgedIndex(self.model.policy_data)}
        if puk:
            self.indices[Role.PUK] = ForgedIndex(counter_data(RETRIES))

    @property
    def model(self) -> Model:
        return Model(self.first_handle, self.genesis, puk=self.puk, admin=self.admin)

    @property
    def ak(self) -> Public:
        return Public(self.ak_name_algorithm, self.ak_attributes, b"", area_of(self.ak_key, self.ak_scheme))

    @property
    def root_name(self) -> bytes:
        return self.root.qualified_name(RH_OWNER)

    def state(self, attested: Attested, nonce: t.Optional[bytes], resets: t.Optional[int] = None) -> Statement:
        clock = Clock(12345, self.resets if resets is None else resets, 7)
        signer = self.ak.qualified_name(self.root_name) if self.signer is None else self.signer
        attest = Attest(signer, self.nonce if nonce is None else nonce, attested, clock, 0x20191023)
        data = attest.marshal()
        return Statement(data, self.sign(data))

    def sign(self, data: bytes) -> bytes:
        key, hash_ = self.signing_key or self.ak_key, hash_algorithm(self.signing_hash)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return Signature(Algorithm.ECDSA, self.signing_hash, key.sign(data, ec.ECDSA(hash_))).marshal(32)
        return Signature(Algorithm.RSASSA, self.signing_hash, key.sign(data, padding.PKCS1v15(), hash_)).marshal()

    def public(self, key: ForgedKey) -> Public:
        policy = policy_digest(self.model.key_policy(key.pin)) if key.policy is None else key.policy
        return Public(Algorithm.SHA256, key.attributes, policy, area_of(key.private, key.scheme))

    def show_key(self, key: ForgedKey) -> KeyEvidence:
        public = self.public(key)
        above, qualified = self.parent.name, self.parent.qualified_name(self.root_name)
        if key.pin is PinUse.NEVER:
            above, qualified = self.root.name, self.root_name
        creation = CreationData(
            Algorithm.SHA256,
            above if key.parent_name is None else key.parent_name,
            qualified if key.parent_qualified_name is None else key.parent_qualified_name,
            key.outside_info,
        )
        made = creation.hash(Algorithm.SHA256) if key.creation_hash is None else key.creation_hash
        attested = CreationInfo(public.name if key.attested_name is None else key.attested_name, made)
        statement = self.state(key.attested or attested, key.nonce)
        return KeyEvidence(key.slot, public.marshal(), creation.marshal(), statement)

    def show_index(self, role: Role) -> IndexEvidence:
        forged, index = self.indices[role], self.model.indices[role]
        honest = NvPublic.parse(nv_public(index.handle, index.attributes | NV_WRITTEN, index.policy, index.size))
        public = forged.public or honest
        attested_name = public.name if forged.attested_name is None else forged.attested_name
        info = NvInfo(attested_name, forged.offset, forged.contents)
        return IndexEvidence(public.marshal(), self.state(info, forged.nonce))

    def evidence(self) -> CardEvidence:
        return CardEvidence(
            name=self.name,
            first_handle=self.first_handle,
            genesis=self.genesis,
            puk=self.puk,
            admin=self.admin,
            ak=self.ak.marshal(),
            parent=self.parent.marshal(),
            indices={role.name.lower(): self.show_index(role) for role in self.indices},
            keys=tuple(self.show_key(key) for key in self.keys),
            genesis_proof=None if self.proof is None else self.show_genesis(self.proof),
        )

    def show_genesis(self, forged: ForgedGenesis) -> GenesisEvidence:
        public = forged.public
        data = CreationData(Algorithm.SHA256, forged.hierarchy, forged.hierarchy, b"")
        made = data.hash(Algorithm.SHA256) if forged.creation_hash is None else forged.creation_hash
        attested = forged.attested or CreationInfo(public.name, made)
        return GenesisEvidence(public.marshal(), data.marshal(), self.state(attested, forged.nonce, forged.resets))

    def request(self) -> CardRequest:
        keys = tuple(KeyRequest(key.slot, key.algorithm, key.pin) for key in self.keys)
        return CardRequest(self.name, self.nonce, keys, RETRIES, RETRIES if self.puk else 0, self.puk, self.admin)


class ForgedHost:
    """A host with one card and one key. ``authorities`` go from the root to the one that certifies the EK."""

    def __init__(self, host: str = HOST, authorities: t.Sequence[Authority] = (), puk: bool = False) -> None:
        self.host = host
        root = Authority("Root CA")
        self.authorities = list(authorities) or [root, Authority("Intermediate CA", root)]
        self.ek_key: PrivateKey = ecc_key()
        self.ek_template = TEMPLATES[1]
        self.ek_certificate = EkCertificate()
        self.certified_key: t.Optional[t.Any] = None
        self.root = Public(Algorithm.SHA256, STORAGE, b"", ecc_area(ecc_key(), symmetric=Symmetric(128)))
        self.cards = [ForgedCard(self.root, puk=puk)]

    @property
    def card(self) -> ForgedCard:
        return self.cards[0]

    @property
    def ek(self) -> Public:
        made = self.ek_template.with_key(self.ek_key.public_key())
        assert made is not None
        return made

    def certificates(self) -> t.Tuple[bytes, ...]:
        key = self.certified_key or self.ek_key.public_key()
        own = self.ek_certificate.issue(self.authorities[-1], key)
        return (der(own), *(der(authority.certificate) for authority in reversed(self.authorities[1:])))

    def evidence(self) -> Evidence:
        cards = tuple(card.evidence() for card in self.cards)
        return Evidence(self.ek.marshal(), self.certificates(), self.root.marshal(), cards)

    def request(self) -> EvidenceRequest:
        return EvidenceRequest(self.host, tuple(card.request() for card in self.cards))

    def policy(self) -> TrustPolicy:
        return TrustPolicy(
            Trust.of([Certificate.parse(der(self.authorities[0].certificate))], "the anchors of this test")
        )
