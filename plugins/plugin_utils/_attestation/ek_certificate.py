# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an EK certificate must say of itself: check 2 of docs/attestation.md.

Source: TCG EK Credential Profile for TPM Family 2.0, version 2.5, clause 3.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ...module_utils._cryptography import rsa
from ...module_utils._encoding.der import Tag
from ...module_utils._encoding.evidence import Document
from .._ca.oid import TpmAttribute
from .._ca.tpm_name import TpmName
from .certificate import BasicConstraints, Certificate, ExtensionValue, KeyUsage, name_attributes
from .der import DerError, read
from .finding import Code, Report
from .oid import EK_CERTIFICATE, Extension

_DIRECTORY_NAME = 0xA4
"""GeneralName, RFC 5280 section 4.2.1.6."""
_EMPTY_NAME = b"\x30\x00"
_VENDOR_ID = re.compile(r"ID:[0-9A-F]{8}")
"""TCG EK Credential Profile 2.5, clause 3.1.2, in capitals."""

_MAKERS = {
    "advanced micro devices": ("AMD",),
    "atmel": ("ATML",),
    "cisco": ("CSCO",),
    "google": ("GOOG",),
    "huawei": ("HISI",),
    "infineon": ("IFX",),
    "intel": ("INTC",),
    "nationz": ("NTZ",),
    "nsing": ("NSG", "NTZ"),
    "nuvoton": ("NTC", "WEC"),
    "qualcomm": ("QCOM",),
    "samsung": ("SMSN",),
    "stmicroelectronics": ("STM",),
}
"""Makers whose CAs certify their own TPMs only, as they are called in a CA's name, and what their TPMs
call themselves: TCG TPM Vendor ID Registry 1.06. Others, such as Microsoft, certify TPMs of many makers."""


@dataclass(frozen=True)
class TpmIdentity:
    """What a TPM is, as its maker certifies.

    :param manufacturer: vendor, such as IFX
    :param version: of the firmware
    :param name: the same as certificates write it
    """

    manufacturer: str
    model: str
    version: str
    name: TpmName

    def document(self) -> Document:
        return {"manufacturer": self.manufacturer, "model": self.model, "version": self.version}


def check_ek_certificate(certificate: Certificate, report: Report) -> t.Optional[TpmIdentity]:
    """Returns the TPM that the certificate is for, if it says so. What is wrong goes into the report."""
    report.demand(certificate.version == 3, Code.EK_CERTIFICATE_VERSION, "the EK certificate has no version 3")
    try:
        constraints = certificate.basic_constraints or BasicConstraints()
        report.demand(not constraints.ca, Code.EK_CERTIFICATE_CA, "the EK certificate is that of a CA")
        _check_usage(certificate, report)
        return _identity(certificate, report)
    except DerError as error:
        report.refuse(Code.EK_CERTIFICATE_MALFORMED, f"the EK certificate has a malformed part: {error}")
        return None


def _check_usage(certificate: Certificate, report: Report) -> None:
    is_rsa = isinstance(certificate.public_key, rsa.RSAPublicKey)
    wanted = KeyUsage.KEY_ENCIPHERMENT if is_rsa else KeyUsage.KEY_AGREEMENT
    usage = certificate.key_usage
    if usage is None or not usage & wanted or usage & KeyUsage.KEY_CERT_SIGN:
        kind, title = ("RSA", "keyEncipherment") if is_rsa else ("ECC", "keyAgreement")
        clause = f"the key usage of the EK certificate is not {title}, which the TCG's profile has for an {kind} key"
        report.refuse(Code.EK_CERTIFICATE_KEY_USAGE, clause)
    purposes = certificate.purposes
    if purposes is not None and EK_CERTIFICATE not in purposes:
        report.refuse(Code.EK_CERTIFICATE_PURPOSE, "the EK certificate is for other purposes than an EK's")


def _identity(certificate: Certificate, report: Report) -> t.Optional[TpmIdentity]:
    extension = certificate.extensions.get(Extension.SUBJECT_ALTERNATIVE_NAME)
    if extension is None:
        clause = (
            "the EK certificate has no subject alternative name, where the TCG's profile has manufacturer, model and "
            "version of the TPM"
        )
        report.refuse(Code.EK_CERTIFICATE_NAME, clause)
        return None
    if certificate.subject == _EMPTY_NAME and not extension.critical:
        report.refuse(Code.EK_CERTIFICATE_NAME, "the EK certificate has neither a subject nor a critical alternative")
    found = _tpm_attributes(extension)
    values = [found.get(attribute, []) for attribute in TpmAttribute]
    if any(len(each) != 1 or not each[0] for each in values):
        clause = "the EK certificate does not name manufacturer, model and version of a TPM once each"
        report.refuse(Code.EK_CERTIFICATE_NAME, clause)
        return None
    manufacturer, model, version = (each[0][:64] for each in values)
    return TpmIdentity(vendor(manufacturer), model, version, TpmName(vendor_id(manufacturer), model, version))


def _tpm_attributes(extension: ExtensionValue) -> t.Dict[str, t.List[str]]:
    found: t.Dict[str, t.List[str]] = {}
    for name in read(extension.value).members():
        if name.tag == _DIRECTORY_NAME:
            for kind, value in name_attributes(name.first(_DIRECTORY_NAME).expect(Tag.SEQUENCE)):
                found.setdefault(kind, []).append(value)
    return found


def vendor(manufacturer: str) -> str:
    """Returns the vendor in ``id:49465800``, here IFX; a number that is no text stays as it is."""
    text = manufacturer.upper()
    try:
        letters = bytes.fromhex(text[3:]) if text.startswith("ID:") else text.encode()
        vendor_id = letters.decode("ascii").strip("\0 ")
    except ValueError:
        return text[:32]
    return vendor_id if vendor_id.isprintable() and vendor_id else text[:32]


def vendor_id(manufacturer: str) -> str:
    """Returns ``id:49465800`` also where a maker wrote ``IFX`` or small letters; what is no vendor stays as it is."""
    text = manufacturer.upper()
    if _VENDOR_ID.fullmatch(text):
        return f"id:{text[3:]}"
    return f"id:{text.encode().ljust(4, bytes(1)).hex().upper()}" if text.isascii() and len(text) <= 4 else manufacturer


def check_manufacturer(identity: TpmIdentity, issuers: t.Sequence[str], report: Report) -> None:
    """The CA nearest to the certificate that bears a maker's name says whose TPM it can be."""
    for title in issuers:
        for maker, vendors in _MAKERS.items():
            if maker in title.casefold():
                clause = f'the EK certificate is for a TPM of {identity.manufacturer}, but issued by "{title}"'
                report.demand(identity.manufacturer in vendors, Code.EK_CERTIFICATE_MANUFACTURER, clause)
                return
