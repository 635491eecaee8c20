# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building an end entity's certificate from a profile, an identity and a key. Nothing else goes in."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...module_utils._cryptography import ec, rsa, serialization, x509
from ...module_utils._encoding import der
from ...module_utils._encoding.algorithm import Curve
from ...module_utils._encoding.key_algorithm import KeyAlgorithm
from .._ledger import clock
from .._ledger.refusal import Refusal, RefusalCode
from . import authority, keyfile
from .authority import Settings
from .identity import Identity, NameKind, alternative_names, sid_extension
from .key_usage import key_usage
from .oid import Assurance
from .profile import Profile, Usage
from .signer import Signer, public_der
from .tpm_name import TpmName

PublicKey = t.Union[ec.EllipticCurvePublicKey, rsa.RSAPublicKey]
UNCOMPRESSED = 4
"""First byte of an uncompressed point, SEC 1 section 2.3.3."""
EC_PUBLIC_KEY = "1.2.840.10045.2.1"  # RFC 5480 section 2.1.1
Extension = t.Tuple[x509.ExtensionType, bool]
"""A value, and whether it is critical."""


@dataclass(frozen=True)
class Validity:
    start: datetime
    end: datetime

    @classmethod
    def of(cls, profile: Profile, at: datetime, issuer: x509.Certificate) -> Validity:
        """Returns the profile's lifetime from now, cut where the issuer's own ends."""
        first, last = clock.validity(issuer)
        start = max(at - timedelta(minutes=profile.backdate_minutes), first)
        return cls(start, min(at + timedelta(days=profile.days), last))


@functools.lru_cache(maxsize=64)
def load_public_key(spki: bytes) -> PublicKey:
    """Reads a SubjectPublicKeyInfo. Raises :class:`Refusal` for a key that the CA does not certify.

    The ledger knows a key by the digest of these bytes, so one key must have one encoding. Old releases of
    cryptography overlook bytes behind it, and give a compressed point back as they got it.
    """
    point = _read_point(spki)
    if point is not None:
        return point
    try:
        key = serialization.load_der_public_key(spki)
    except Exception:  # the parser names faults of forged keys in more ways than one
        raise Refusal(
            RefusalCode.KEY_UNSUITABLE, "the public key can't be read: it must be a SubjectPublicKeyInfo"
        ) from None
    if not isinstance(key, (ec.EllipticCurvePublicKey, rsa.RSAPublicKey)) or KeyAlgorithm.of(key) is None:
        known = ", ".join(each.value for each in KeyAlgorithm)
        raise Refusal(RefusalCode.KEY_UNSUITABLE, f"the key is of another kind: use one of {known}")
    if public_der(key.public_numbers().public_key()) != spki:
        raise Refusal(
            RefusalCode.KEY_UNSUITABLE, "the public key is not in its one DER form: send it as it was attested"
        )
    return key


def _read_point(spki: bytes) -> t.Optional[ec.EllipticCurvePublicKey]:
    """Returns the key of an uncompressed point in its one encoding, RFC 5480 section 2; None for anything else.

    OpenSSL 3 takes ten times as long to find out what it is.
    """
    for curve, prefix in _prefixes():
        point = spki[len(prefix) :]
        if spki.startswith(prefix) and len(point) == 2 * curve.size + 1 and point[0] == UNCOMPRESSED:
            try:
                return ec.EllipticCurvePublicKey.from_encoded_point(curve.elliptic, point)
            except ValueError:
                return None
    return None


@functools.lru_cache(maxsize=1)
def _prefixes() -> t.Tuple[t.Tuple[Curve, bytes], ...]:
    """What a SubjectPublicKeyInfo says before the point, for each curve."""
    found = []
    for curve in filter(None, (each.curve for each in KeyAlgorithm)):
        size = 2 * curve.size + 1
        algorithm = der.sequence(der.oid(EC_PUBLIC_KEY), der.oid(curve.oid))
        found.append((curve, der.sequence(algorithm, der.bits(bytes(size)))[:-size]))
    return tuple(found)


def build(
    profile: Profile,
    identity: Identity,
    key: PublicKey,
    assurance: Assurance,
    signer: Signer,
    settings: Settings,
    validity: Validity,
    tpm: t.Optional[TpmName] = None,
) -> x509.Certificate:
    """Returns the signed certificate, with a fresh random serial.

    :param tpm: what the certificate of an attestation key names in the place of a subject
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]) if tpm else subject(identity))
        .issuer_name(signer.certificate.subject)
        .public_key(key)
        .serial_number(authority.random_serial())
        .not_valid_before(validity.start)
        .not_valid_after(validity.end)
    )
    is_rsa = isinstance(key, rsa.RSAPublicKey)
    own = extensions(profile, identity, is_rsa, assurance, tpm)
    for value, critical in (*own, *_of_issuer(key, signer, settings)):
        builder = builder.add_extension(value, critical)
    return builder.sign(signer.key, keyfile.signature_hash(signer.key))


def subject(identity: Identity) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, identity.common_name)])


def extensions(
    profile: Profile, identity: Identity, is_rsa: bool, assurance: Assurance, tpm: t.Optional[TpmName] = None
) -> t.List[Extension]:
    """Returns what profile and identity put into a certificate; also what a request to another CA asks for.

    Where there is no subject the alternative names are critical, RFC 5280 section 4.2.1.6.
    """
    found: t.List[Extension] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_key_usage(profile, is_rsa), True),
    ]
    if profile.purposes:
        purposes = x509.ExtendedKeyUsage([x509.ObjectIdentifier(each) for each in profile.purposes])
        found.append((purposes, profile.attests))  # critical where it is for nobody who looks for anything else
    names = [*(tpm.alternative_names() if tpm else ()), *alternative_names(identity, profile.names)]
    if names:
        found.append((x509.SubjectAlternativeName(names), tpm is not None))
    if identity.sid and NameKind.SID in profile.names:
        found.append((sid_extension(identity.sid), False))
    found.append((_policies(profile, assurance), False))
    return found


def _of_issuer(key: PublicKey, signer: Signer, settings: Settings) -> t.List[Extension]:
    found: t.List[Extension] = [
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
        (signer.authority_key, False),
    ]
    if settings.crl_urls:
        found.append((authority.crl_distribution_points(settings.crl_urls), False))
    if settings.issuer_urls:
        found.append((authority.issuer_access(settings.issuer_urls), False))
    return found


def _policies(profile: Profile, assurance: Assurance) -> x509.CertificatePolicies:
    """What was verified about the key, with each level that it includes, and the profile's own policies."""
    verified = [level.value for level in Assurance if level.rank <= assurance.rank]
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(each), None) for each in (*verified, *profile.policies)]
    )


def _key_usage(profile: Profile, is_rsa: bool) -> x509.KeyUsage:
    """Encipherment is for RSA, agreement for elliptic curves: RFC 4055 section 1.2 and RFC 5480 section 3."""
    usages = set(profile.key_usage) - {Usage.KEY_AGREEMENT if is_rsa else Usage.KEY_ENCIPHERMENT}
    if not usages:
        raise Refusal(RefusalCode.KEY_UNSUITABLE, f"profile {profile.name} has no use for a key of this kind")
    return key_usage(*(each.value for each in usages))
