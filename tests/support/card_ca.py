# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA of the collection with RSA signatures, which Samba's KDC asks for, and what it certifies: people and KDCs."""

from __future__ import annotations

import datetime
import pathlib
import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.other_name import KRB5_PRINCIPAL_NAME
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity, krb5_principal_name
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.signer import public_der
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import clock
from ansible_collections.hardbound.identity.tests.support.corp import PASSPHRASE, Corp, Watch
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

REALM = "CORP.EXAMPLE"
_KDC_PURPOSE = x509.ObjectIdentifier("1.3.6.1.5.2.3.5")  # RFC 4556 section 3.2.4, id-pkinit-KPKdc
_SID = "S-1-5-21-1004336348-1177238915-682003330-"


class CardCa:
    """:param folder: that every user can enter
    :param permitted_domains: that names lie in, which the CA's certificate says, too
    """

    def __init__(self, folder: pathlib.Path, permitted_domains: t.Tuple[str, ...] = ("corp.example",)) -> None:
        self.folder = folder
        blueprint = authority.Blueprint(
            "Corp Issuing CA",
            algorithm=KeyAlgorithm.RSA_3072,
            permitted_domains=permitted_domains,
            crl_urls=("http://pki.corp.example/issuing.crl",),
        )
        authority.create(authority.CaFolder(folder / "authority"), blueprint, PASSPHRASE, "", clock.now())
        self._corp = Corp(authority.CaFolder(folder / "authority"), Watch(clock.now()))
        self.certificates = folder / "authority/public/ca.pem"

    def close(self) -> None:
        self._corp.ledger.close()

    def certify(self, profile: str, user: str, number: int, self_signed: bytes) -> bytes:
        """Returns a person's certificate, DER, for the key of another certificate."""
        names = {"common_name": user, "upn": f"{user}@corp.example", "sid": f"{_SID}{number}"}
        names["principal"] = f"{user}@{REALM}"
        key = public_der(t.cast(t.Any, x509.load_der_x509_certificate(self_signed).public_key()))
        order = self._corp.order(profile, identity=Identity.parse(names), public_key=key)
        return self._corp.issuer.issue(order).certificate.body

    def certify_kdc(self, name: str) -> t.Tuple[pathlib.Path, pathlib.Path]:
        """Returns files with a KDC's certificate and its key: RFC 4556 section 3.2.4."""
        signer = self._corp.authority.issuing()
        key = rsa.generate_private_key(65537, 2048)
        now = datetime.datetime.now(datetime.timezone.utc)
        principal = krb5_principal_name(f"krbtgt/{REALM}@{REALM}")
        san = x509.OtherName(x509.ObjectIdentifier(KRB5_PRINCIPAL_NAME), principal)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(signer.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name), san]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([_KDC_PURPOSE, x509.OID_SERVER_AUTH]), critical=False)
        )
        chain = [builder.sign(signer.key, hashes.SHA256()), signer.certificate]
        files = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        files[0].write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain))
        form, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, clear))
        files[1].chmod(0o600)
        return files
