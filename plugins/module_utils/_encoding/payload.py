# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a challenge carries to a card once its TPM has opened it: certificates."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from .evidence import LARGEST_CERTIFICATE, MOST_KEYS
from .fields import Fields, encoded
from .wire import WireError

VERSION = 1


@dataclass(frozen=True)
class Payload:
    """Certificates of one card.

    :param certificates: DER, by the slot's name
    :param ak_certificate: DER
    """

    certificates: t.Mapping[str, bytes]
    ak_certificate: bytes

    @classmethod
    def parse(cls, data: bytes) -> Payload:
        """:raises WireError: if it is no such document, or says more"""
        try:
            fields = Fields(json.loads(data), "")
        except ValueError:
            raise WireError("the payload is no JSON") from None
        version = fields.number("version", 2**31)
        if version != VERSION:
            raise fields.fault("version", f"is {version}, where {VERSION} is understood")
        certificates = {}
        for each in fields.objects("certificates", MOST_KEYS):
            certificates[each.text("slot", 32)] = each.octets("certificate", LARGEST_CERTIFICATE)
            each.end()
        payload = cls(certificates, fields.octets("ak_certificate", LARGEST_CERTIFICATE))
        fields.end()
        return payload

    def encode(self) -> bytes:
        certificates = [
            {"slot": slot, "certificate": encoded(certificate)} for slot, certificate in self.certificates.items()
        ]
        document = {
            "version": VERSION,
            "certificates": certificates,
            "ak_certificate": encoded(self.ak_certificate),
        }
        return json.dumps(document).encode()
