# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSSH user certificates: OpenSSH's PROTOCOL.certkeys, with the strings of RFC 4251 section 5."""

from __future__ import annotations

import base64
import os
import typing as t
from dataclasses import dataclass
from datetime import datetime

from ...module_utils._cryptography import ec, hashes, padding, rsa, serialization, utils
from ...module_utils._errors import StateError
from .._ledger import clock
from .keyfile import SigningKey, signature_hash

USER = 1  # PROTOCOL.certkeys, SSH_CERT_TYPE_USER
NONCE_SIZE = 32
SERIAL_SIZE = 8

EXTENSIONS = (
    "permit-X11-forwarding",
    "permit-agent-forwarding",
    "permit-port-forwarding",
    "permit-pty",
    "permit-user-rc",
)
"""What ``ssh-keygen -s`` grants by default."""

_CERTIFICATE = b"-cert-v01@openssh.com"

PublicKey = t.Union[ec.EllipticCurvePublicKey, rsa.RSAPublicKey]


@dataclass(frozen=True)
class UserCertificate:
    """What an OpenSSH user certificate says."""

    public_key: PublicKey
    serial: int
    key_id: str
    principals: t.Tuple[str, ...]
    start: datetime
    end: datetime

    def sign(self, key: SigningKey) -> bytes:
        """Returns the certificate as the line of an ``id_x-cert.pub`` file."""
        algorithm, members = _parts(self.public_key)
        name = algorithm.encode("ascii") + _CERTIFICATE
        body = _string(name) + _string(os.urandom(NONCE_SIZE)) + members + self._claims()
        body += _string(public_blob(key.public_key()))
        body += _string(_signature(key, body))
        return b" ".join((name, base64.b64encode(body), self.key_id.replace("\n", " ").encode("utf-8"))) + b"\n"

    def _claims(self) -> bytes:
        if not self.principals:
            raise StateError("an OpenSSH certificate without principals admits everybody", "name the principals")
        principals = b"".join(_string(name.encode("utf-8")) for name in self.principals)
        extensions = b"".join(_string(name.encode("ascii")) + _string(b"") for name in EXTENSIONS)
        return b"".join(
            (
                self.serial.to_bytes(8, "big"),
                USER.to_bytes(4, "big"),
                _string(self.key_id.encode("utf-8")),
                _string(principals),
                clock.stamp(self.start).to_bytes(8, "big"),
                clock.stamp(self.end).to_bytes(8, "big"),
                _string(b""),  # critical options
                _string(extensions),
                _string(b""),  # reserved
            )
        )


def is_for(line: bytes, key: PublicKey) -> bool:
    """Whether the line of a certificate is for a key."""
    try:
        name, body = line.split(b" ", 2)[:2]
        data = base64.b64decode(body, validate=True)
    except ValueError:
        return False
    _algorithm, members = _parts(key)
    before = len(_string(name)) + len(_string(bytes(NONCE_SIZE)))
    return data.startswith(_string(name)) and data[before : before + len(members)] == members


def key_of(line: bytes) -> bytes:
    """Returns the wire form of the public key that the line of a certificate is for."""
    name, body = line.split(b" ", 2)[:2]
    data = base64.b64decode(body)
    at = len(_string(name)) + len(_string(bytes(NONCE_SIZE)))
    end = at
    for _member in range(2):  # Of ECDSA curve and point, of RSA exponent and modulus.
        end += 4 + int.from_bytes(data[end : end + 4], "big")
    return _string(name.replace(_CERTIFICATE, b"")) + data[at:end]


def random_serial() -> int:
    return int.from_bytes(os.urandom(SERIAL_SIZE), "big") | 1 << (SERIAL_SIZE * 8 - 1)


def public_blob(key: PublicKey) -> bytes:
    """Returns the wire form of a public key, RFC 4253 section 6.6 and RFC 5656 section 3.1."""
    algorithm, members = _parts(key)
    return _string(algorithm.encode("ascii")) + members


def public_line(key: PublicKey, comment: str) -> bytes:
    """Returns a public key as the line of a ``.pub`` or a ``RevokedKeys`` file."""
    encoded = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return encoded + b" " + comment.encode("utf-8") + b"\n"


def _parts(key: PublicKey) -> t.Tuple[str, bytes]:
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return "ssh-rsa", _mpint(numbers.e) + _mpint(numbers.n)
    curve = f"nistp{key.key_size}"
    point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return f"ecdsa-sha2-{curve}", _string(curve.encode("ascii")) + _string(point)


def _signature(key: SigningKey, body: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):  # RFC 8332 section 3
        return _string(b"rsa-sha2-512") + _string(key.sign(body, padding.PKCS1v15(), hashes.SHA512()))
    r, s = utils.decode_dss_signature(key.sign(body, ec.ECDSA(signature_hash(key))))  # RFC 5656 section 6.2.1
    algorithm = f"ecdsa-sha2-nistp{key.key_size}".encode("ascii")
    return _string(algorithm) + _string(_mpint(r) + _mpint(s))


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _mpint(value: int) -> bytes:
    return _string(value.to_bytes(value.bit_length() // 8 + 1, "big") if value else b"")
