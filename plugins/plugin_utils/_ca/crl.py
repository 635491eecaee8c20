# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of what was revoked: CRLs by RFC 5280 section 5, and the key list that sshd reads."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...module_utils._cryptography import serialization, x509
from .._ledger import clock
from .._ledger.database import Connection
from .._ledger.ledger import Ledger
from .._ledger.record import SSH_USER, CertificatePlace, EventKind, IssuedCertificate, RevocationReason
from . import keyfile, krl, ssh
from .profile import CertificateKind
from .signer import Signer


@dataclass(frozen=True)
class Crl:
    """A signed list. Times are seconds since 1970.

    :param body: DER
    """

    number: int
    this_update: int
    next_update: int
    body: bytes


def sign(ledger: Ledger, signer: Signer, lifetime: timedelta) -> Crl:
    """Signs the list of what the ledger holds as revoked, under the next CRL number."""

    def work(connection: Connection) -> Crl:
        newest = ledger.newest_crl(connection, signer.identifier)
        at = ledger.now()
        revoked = [
            each for each in ledger.revoked(connection, signer.identifier) if each.kind == CertificateKind.X509.value
        ]
        crl = _build(signer, revoked, newest["number"] + 1 if newest else 1, at, lifetime)
        ledger.insert_crl(connection, {"authority": signer.identifier, **crl.__dict__})
        ledger.note(
            connection,
            EventKind.CRL_SIGNED,
            CertificatePlace(""),
            detail=f"number {crl.number}, {len(revoked)} revoked",
        )
        return crl

    return ledger.writing(work)


def newest(ledger: Ledger, authority: str) -> t.Optional[Crl]:
    """Returns the list that was signed last, None if there is none."""
    row = ledger.reading(lambda connection: ledger.newest_crl(connection, authority))
    return None if row is None else Crl(**{name: row[name] for name in Crl.__dataclass_fields__})


def is_due(crl: t.Optional[Crl], ledger: Ledger, authority: str) -> bool:
    """Whether there is no list, half of its time is over, or something was revoked since it was signed."""
    if crl is None:
        return True
    at = clock.stamp(ledger.now())
    if at - crl.this_update >= (crl.next_update - crl.this_update) / 2:
        return True
    revoked = ledger.reading(lambda connection: ledger.revoked(connection, authority))
    listed = {entry.serial_number for entry in x509.load_der_x509_crl(crl.body)}
    return any(int(each.serial, 16) not in listed for each in revoked if each.kind == CertificateKind.X509.value)


def revoked_ssh_keys(ledger: Ledger, authority: str) -> bytes:
    """Returns what sshd shall refuse, for ``RevokedKeys``: OpenSSH certificates, and keys of cards.

    A card's key may be in somebody's ``authorized_keys``, which knows no end: it stays on the list for ever. A
    certificate that was superseded says nothing against its key, which goes on with another one.
    """
    revoked = ledger.reading(lambda connection: ledger.revoked(connection, authority, expired=True))
    now = clock.stamp(ledger.now())
    given = [each for each in revoked if each.activated_at]  # Else the key may be somebody else's, and nobody has it.
    serials = [int(each.serial, 16) for each in given if each.kind == SSH_USER and each.not_after > now]
    gone = (each for each in given if each.slot and each.reason != RevocationReason.SUPERSEDED.value)
    keys = list(dict.fromkeys(map(_ssh_key, gone)))
    newest = max([each.revoked_at or 0 for each in given], default=0)
    return krl.build(len(given), newest, serials, keys)


def _ssh_key(certificate: IssuedCertificate) -> bytes:
    """The wire form of a certificate's public key."""
    if certificate.kind == SSH_USER:
        return ssh.key_of(certificate.body)
    return ssh.public_blob(t.cast(ssh.PublicKey, x509.load_der_x509_certificate(certificate.body).public_key()))


def _build(signer: Signer, revoked: t.List[IssuedCertificate], number: int, at: datetime, lifetime: timedelta) -> Crl:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.certificate.subject)
        .last_update(at)
        .next_update(at + lifetime)
        .add_extension(signer.authority_key, critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for certificate in revoked:
        builder = builder.add_revoked_certificate(_entry(certificate))
    signed = builder.sign(signer.key, keyfile.signature_hash(signer.key))
    body = signed.public_bytes(serialization.Encoding.DER)
    return Crl(number, clock.stamp(at), clock.stamp(at + lifetime), body)


def _entry(certificate: IssuedCertificate) -> x509.RevokedCertificate:
    reason = x509.ReasonFlags(certificate.reason)
    builder = x509.RevokedCertificateBuilder().serial_number(int(certificate.serial, 16))
    builder = builder.revocation_date(clock.moment(certificate.revoked_at or 0))
    if reason is not x509.ReasonFlags.unspecified:  # RFC 5280 section 5.3.1: then left out
        builder = builder.add_extension(x509.CRLReason(reason), critical=False)
    return builder.build()
