# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a challenge carries to a card once its TPM has opened it: certificates."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from .evidence import LARGEST_CERTIFICATE, MOST_KEYS, Document
from .fields import Fields, encoded

VERSION = 2


@dataclass(frozen=True)
class Payload:
    """Certificates of one card.

    :param certificates: DER, by the slot's name
    :param ak_certificate: DER
    :param attestations: DER, by the slot's name: what says how its key was made
    :param attestation_issuer: DER, of who signed these; empty where there are none
    """

    certificates: t.Mapping[str, bytes]
    ak_certificate: bytes
    attestations: t.Mapping[str, bytes] = field(default_factory=dict)
    attestation_issuer: bytes = b""

    @classmethod
    def parse(cls, data: bytes) -> Payload:
        """:raises WireError: if it is no such document, or says more"""
        fields = Fields.of_json(data, "payload")
        fields.demand_version(VERSION)
        certificates = _read(fields, "certificates")
        ak_certificate = fields.octets("ak_certificate", LARGEST_CERTIFICATE)
        attestations = _read(fields, "attestations")
        payload = cls(
            certificates, ak_certificate, attestations, fields.octets("attestation_issuer", LARGEST_CERTIFICATE)
        )
        fields.end()
        return payload

    def encode(self) -> bytes:
        document = {
            "version": VERSION,
            "certificates": _written(self.certificates),
            "ak_certificate": encoded(self.ak_certificate),
            "attestations": _written(self.attestations),
            "attestation_issuer": encoded(self.attestation_issuer),
        }
        return json.dumps(document).encode()


def _read(fields: Fields, name: str) -> t.Dict[str, bytes]:
    certificates = {}
    for each in fields.objects(name, MOST_KEYS):
        certificates[each.text("slot", 32)] = each.octets("certificate", LARGEST_CERTIFICATE)
        each.end()
    return certificates


def _written(certificates: t.Mapping[str, bytes]) -> t.List[Document]:
    return [{"slot": slot, "certificate": encoded(certificate)} for slot, certificate in certificates.items()]
