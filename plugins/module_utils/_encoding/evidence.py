# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host shows to prove its cards: the answer of the first visit.

A host builds it, a verifier reads it. Everything in it is either signed by the attestation key (AK),
hashed into something signed, or harmless. TPM structures travel without an outer TPM2B.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .fields import Fields, encoded
from .wire import LARGEST_STRUCTURE

VERSION = 2
"""Version 2 brought the proof of genesis."""
GENESIS_NONCE = b"hardbound genesis"
"""What the AK's statement of genesis is made over: it is older than every verifier's nonce."""

MOST_CARDS = 16
MOST_KEYS = 24
MOST_CERTIFICATES = 16
LARGEST_CERTIFICATE = 8192
LONGEST_NAME = 127
_LARGEST_HANDLE = 0x01FFFFFF
INDICES = ("pin", "puk", "policy")

Document = t.Dict[str, t.Any]


@dataclass(frozen=True)
class Statement:
    """A TPMS_ATTEST and the TPMT_SIGNATURE of the AK over it."""

    attest: bytes
    signature: bytes

    @classmethod
    def read(cls, fields: Fields) -> Statement:
        return cls(fields.octets("attest", LARGEST_STRUCTURE), fields.octets("signature", LARGEST_STRUCTURE))

    def document(self) -> Document:
        return {"attest": encoded(self.attest), "signature": encoded(self.signature)}


@dataclass(frozen=True)
class KeyEvidence:
    """A key of a card.

    :param slot: name of the slot, such as ``authentication``
    :param public: TPMT_PUBLIC
    :param creation_data: TPMS_CREATION_DATA
    :param creation: TPM2_CertifyCreation over the card's nonce
    """

    slot: str
    public: bytes
    creation_data: bytes
    creation: Statement

    @classmethod
    def read(cls, fields: Fields) -> KeyEvidence:
        slot, public = fields.text("slot", 32), fields.octets("public", LARGEST_STRUCTURE)
        key = cls(slot, public, fields.octets("creation_data", LARGEST_STRUCTURE), Statement.read(fields))
        fields.end()
        return key

    def document(self) -> Document:
        own = {"slot": self.slot, "public": encoded(self.public), "creation_data": encoded(self.creation_data)}
        return {**own, **self.creation.document()}


@dataclass(frozen=True)
class GenesisEvidence:
    """The genesis object of a card, which is gone.

    :param public: TPMT_PUBLIC
    :param creation_data: TPMS_CREATION_DATA
    :param creation: TPM2_CertifyCreation over :data:`GENESIS_NONCE`, made while the object was there
    """

    public: bytes
    creation_data: bytes
    creation: Statement

    @classmethod
    def read(cls, fields: Fields) -> GenesisEvidence:
        public, data = (fields.octets(name, LARGEST_STRUCTURE) for name in ("public", "creation_data"))
        genesis = cls(public, data, Statement.read(fields))
        fields.end()
        return genesis

    def document(self) -> Document:
        own = {"public": encoded(self.public), "creation_data": encoded(self.creation_data)}
        return {**own, **self.creation.document()}


@dataclass(frozen=True)
class IndexEvidence:
    """An NV index of a card.

    :param public: TPMS_NV_PUBLIC
    :param content: TPM2_NV_Certify of the whole index over the card's nonce
    """

    public: bytes
    content: Statement

    @classmethod
    def read(cls, fields: Fields) -> IndexEvidence:
        index = cls(fields.octets("public", LARGEST_STRUCTURE), Statement.read(fields))
        fields.end()
        return index

    def document(self) -> Document:
        return {"public": encoded(self.public), **self.content.document()}


@dataclass(frozen=True)
class CardEvidence:
    """A card.

    :param name: the card's name in the inventory
    :param first_handle: handle of the card's first NV index
    :param genesis: Name of the genesis object, 34 bytes
    :param puk: whether the card has a PUK
    :param admin: whether the card has an admin key
    :param ak: TPMT_PUBLIC of the attestation key
    :param parent: TPMT_PUBLIC of the parent of the card's keys
    :param indices: ``pin``, ``policy``, and ``puk`` if there is one
    :param genesis_proof: None for a card from before store version 3
    """

    name: str
    first_handle: int
    genesis: bytes
    puk: bool
    admin: bool
    ak: bytes
    parent: bytes
    indices: t.Mapping[str, IndexEvidence]
    keys: t.Tuple[KeyEvidence, ...]
    genesis_proof: t.Optional[GenesisEvidence] = None

    @classmethod
    def read(cls, fields: Fields) -> CardEvidence:
        listed = fields.object("indices")
        indices = {name: IndexEvidence.read(listed.object(name)) for name in INDICES if listed.has(name)}
        listed.end()
        card = cls(
            name=fields.text("name", LONGEST_NAME),
            first_handle=fields.number("first_handle", _LARGEST_HANDLE),
            genesis=fields.octets("genesis", LARGEST_STRUCTURE),
            puk=fields.flag("puk"),
            admin=fields.flag("admin"),
            ak=fields.octets("ak", LARGEST_STRUCTURE),
            parent=fields.octets("parent", LARGEST_STRUCTURE),
            indices=indices,
            keys=tuple(KeyEvidence.read(key) for key in fields.objects("keys", MOST_KEYS)),
            genesis_proof=_read_genesis(fields),
        )
        fields.end()
        return card

    def document(self) -> Document:
        proof = {} if self.genesis_proof is None else {"genesis_proof": self.genesis_proof.document()}
        return {
            "name": self.name,
            "first_handle": self.first_handle,
            "genesis": encoded(self.genesis),
            "puk": self.puk,
            "admin": self.admin,
            "ak": encoded(self.ak),
            "parent": encoded(self.parent),
            "indices": {name: index.document() for name, index in self.indices.items()},
            "keys": [key.document() for key in self.keys],
            **proof,
        }


def _read_genesis(fields: Fields) -> t.Optional[GenesisEvidence]:
    return GenesisEvidence.read(fields.object("genesis_proof")) if fields.has("genesis_proof") else None


@dataclass(frozen=True)
class Evidence:
    """A host: its TPM and its cards.

    :param ek: TPMT_PUBLIC of the endorsement key
    :param certificates: DER, the certificate of the EK first, then what chain lies in NV; may be empty
    :param storage_root: TPMT_PUBLIC of the storage root key, the parent of every AK
    """

    ek: bytes
    certificates: t.Tuple[bytes, ...]
    storage_root: bytes
    cards: t.Tuple[CardEvidence, ...]

    @classmethod
    def parse(cls, document: t.Any) -> Evidence:
        """Returns the evidence in what a JSON parser made of a host's answer.

        :raises WireError: if a field is missing, of a wrong type, or too large
        :raises UnknownField: if the host says more than it was asked
        """
        fields = Fields(document, "")
        version = fields.number("version", 2**31)
        if not 1 <= version <= VERSION:
            raise fields.fault("version", f"is {version}, where 1 to {VERSION} are understood")
        evidence = cls(
            ek=fields.octets("ek", LARGEST_STRUCTURE),
            certificates=fields.octets_list("certificates", MOST_CERTIFICATES, LARGEST_CERTIFICATE),
            storage_root=fields.octets("storage_root", LARGEST_STRUCTURE),
            cards=tuple(CardEvidence.read(card) for card in fields.objects("cards", MOST_CARDS)),
        )
        fields.end()
        return evidence

    def document(self) -> Document:
        """Returns what becomes JSON."""
        return {
            "version": VERSION,
            "ek": encoded(self.ek),
            "certificates": [encoded(certificate) for certificate in self.certificates],
            "storage_root": encoded(self.storage_root),
            "cards": [card.document() for card in self.cards],
        }
