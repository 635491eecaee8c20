# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of a CA for servers, for a day, and what makes one a KDC's."""

from __future__ import annotations

import datetime
import pathlib
import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._encoding.other_name import KRB5_PRINCIPAL_NAME
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import krb5_principal_name
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.signer import Signer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

REALM = "CORP.EXAMPLE"
KDC_PURPOSE = x509.ObjectIdentifier("1.3.6.1.5.2.3.5")  # RFC 4556 section 3.2.4, id-pkinit-KPKdc


def kdc_name() -> x509.OtherName:
    """Returns whose KDC it is: RFC 4556 section 3.2.4."""
    return x509.OtherName(x509.ObjectIdentifier(KRB5_PRINCIPAL_NAME), krb5_principal_name(f"krbtgt/{REALM}@{REALM}"))


def certify_server(
    folder: pathlib.Path, name: str, signer: Signer, key: t.Any, *extensions: x509.ExtensionType
) -> t.Tuple[pathlib.Path, pathlib.Path]:
    """Returns files in the folder: the certificate and its issuer's, and the key."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().issuer_name(signer.certificate.subject).subject_name(subject)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    chain = [builder.sign(signer.key, hashes.SHA256()), signer.certificate]
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain))
    form, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, clear))
    files[1].chmod(0o600)
    return files
