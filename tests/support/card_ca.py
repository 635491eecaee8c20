# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA of the collection with RSA signatures, which Samba's KDC asks for, and what it certifies: people and KDCs."""

from __future__ import annotations

import datetime
import pathlib
import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, crl
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import SERIAL_DIGITS
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.signer import public_der
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import clock
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import RevocationReason
from ansible_collections.hardbound.identity.tests.support.corp import PASSPHRASE, Corp, Watch
from ansible_collections.hardbound.identity.tests.support.server_certificate import (
    KDC_PURPOSE,
    REALM,
    certify_server,
    kdc_name,
)
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

_DOMAIN = "S-1-5-21-1004336348-1177238915-682003330"


class CardCa:
    """:param folder: that every user can enter
    :param permitted_domains: that names lie in, which the CA's certificate says, too
    :param age: of the CA, whose clock shows that past until it is turned
    """

    def __init__(
        self,
        folder: pathlib.Path,
        permitted_domains: t.Tuple[str, ...] = ("corp.example",),
        age: datetime.timedelta = datetime.timedelta(),
    ) -> None:
        self.folder = folder
        self.watch = Watch(clock.now() - age)
        blueprint = authority.Blueprint(
            "Corp Issuing CA",
            algorithm=KeyAlgorithm.RSA_3072,
            permitted_domains=permitted_domains,
            crl_urls=("http://pki.corp.example/issuing.crl",),
        )
        authority.create(authority.CaFolder(folder / "authority"), blueprint, PASSPHRASE, "", self.watch())
        self._corp = Corp(authority.CaFolder(folder / "authority"), self.watch)
        self.certificates = folder / "authority/public/ca.pem"

    def close(self) -> None:
        self._corp.ledger.close()

    def certify(self, profile: str, user: str, number: int, self_signed: bytes, domain: str = _DOMAIN) -> bytes:
        """Returns a person's certificate, DER, for the key of another certificate.

        :param number: theirs in the domain, whose SID begins theirs
        """
        names = {"common_name": user, "upn": f"{user}@corp.example", "sid": f"{domain}-{number}"}
        names["principal"] = f"{user}@{REALM}"
        key = public_der(t.cast(t.Any, x509.load_der_x509_certificate(self_signed).public_key()))
        order = self._corp.order(profile, identity=Identity.parse(names), public_key=key)
        return self._corp.issuer.issue(order).certificate.body

    def revoke(self, certificate: bytes) -> None:
        serial = f"{x509.load_der_x509_certificate(certificate).serial_number:0{SERIAL_DIGITS}x}"
        self._corp.ledger.revoke({"serial": serial}, RevocationReason.KEY_COMPROMISE, self._corp.authority.identifier)

    def publish(self, name: str, lifetime: datetime.timedelta) -> pathlib.Path:
        """Signs the revocation list of the CA "root" or "issuing" anew, and returns where it lies."""
        signer = self._corp.authority.root() if name == "root" else self._corp.authority.issuing()
        path = self._corp.authority.folder.crl(name)
        path.write_bytes(crl.sign(self._corp.ledger, signer, lifetime).body)
        return path

    def certify_kdc(self, name: str) -> t.Tuple[pathlib.Path, pathlib.Path]:
        """Returns files with a KDC's certificate and its key: RFC 4556 section 3.2.4."""
        names = x509.SubjectAlternativeName([x509.DNSName(name), kdc_name()])
        purposes = x509.ExtendedKeyUsage([KDC_PURPOSE, x509.OID_SERVER_AUTH])
        key = rsa.generate_private_key(65537, 2048)
        return certify_server(self.folder, name, self._corp.authority.issuing(), key, names, purposes)
