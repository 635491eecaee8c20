# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module tells of a card. Nothing in it is secret."""

from __future__ import annotations

import base64
import time
import typing as t

from .key import slot_name
from .passkey import Passkey, PasskeyUser
from .plan import describe_record
from .record import KeyRecord, Record

_LINE = 64


def report(record: Record) -> t.Dict[str, t.Any]:
    """Returns a card as the disk knows it. Its keys are its slots: in Jinja, ``keys`` of a dictionary is a method."""
    described = describe_record(record)
    del described["keys"]
    return {
        **described,
        "instance_id": record.instance_id,
        "serial": record.serial.hex(),
        "pin_set_at": utc(record.pin.set_at or None),
        "pin_must_change": record.pin.must_change,
        "attestation_certificate": _certificate(record.ak_certificate),
        "attestation_issuer": _certificate(record.attestation_issuer),
        "slots": [report_key(slot, key, record.certificates.get(slot)) for slot, key in sorted(record.keys.items())],
    }


def utc(seconds: t.Optional[int]) -> t.Optional[str]:
    """Returns a time as ISO 8601 writes it."""
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def report_key(slot: int, key: KeyRecord, certificate: t.Optional[bytes]) -> t.Dict[str, t.Any]:
    """Returns one key of a card, with its certificate."""
    return {
        "slot": slot_name(slot),
        "reference": f"{slot:02X}",
        "algorithm": key.algorithm.value,
        "pin": key.pin.value,
        "imported": key.imported,
        "public_key": pem("PUBLIC KEY", key.public),
        "certificate": _certificate(certificate),
        "attestation": _certificate(key.attestation),
    }


def _certificate(der: t.Optional[bytes]) -> t.Optional[str]:
    return pem("CERTIFICATE", der) if der else None


def report_passkeys(record: Record) -> t.List[t.Dict[str, t.Any]]:
    """Returns a card's discoverable passkeys, the oldest first. Identifiers are written as WebAuthn writes them."""
    return [_report_passkey(each) for each in (record.passkey_store.passkeys if record.passkey_store else ())]


def _report_passkey(passkey: Passkey) -> t.Dict[str, t.Any]:
    user = passkey.user or PasskeyUser(b"")
    return {
        "relying_party": passkey.rp,
        "user_name": user.name,
        "user_display_name": user.display_name,
        "user_id": _base64url(user.identifier),
        "credential_id": _base64url(passkey.identifier),
        "algorithm": passkey.algorithm.value,
        "made_at": utc(passkey.made_at),
    }


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def pem(label: str, der: bytes) -> str:
    """Returns DER as PEM: RFC 7468."""
    text = base64.b64encode(der).decode()
    lines = [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
