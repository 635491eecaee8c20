# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The profiles that come with the collection."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from .._ledger.record import KEY_ATTESTATION
from . import oid
from .identity import NameKind
from .oid import Assurance, Purpose
from .profile import CertificateKind, Profile, Usage, parse_profile

AK = "attestation_key"
"""The profile of AK certificates."""

_SHIPPED = (
    Profile(
        name="ad_smartcard_logon",
        purposes=(Purpose.SMART_CARD_LOGON.value, Purpose.CLIENT_AUTH.value),
        required=(NameKind.UPN, NameKind.SID),
        optional=(NameKind.PRINCIPAL, NameKind.EMAIL),
        crl_required=True,  # a domain controller refuses a logon certificate whose revocation it can't look up
    ),
    Profile(
        name="mit_pkinit",
        purposes=(Purpose.PKINIT_CLIENT.value, Purpose.CLIENT_AUTH.value),  # clientAuth: SSSD's default rule
        required=(NameKind.PRINCIPAL,),
        optional=(NameKind.UPN, NameKind.SID, NameKind.EMAIL),
    ),
    Profile(
        name="tls_client",
        purposes=(Purpose.CLIENT_AUTH.value,),
        optional=(NameKind.EMAIL, NameKind.UPN, NameKind.DNS),
    ),
    Profile(
        name="document_signing",
        key_usage=(Usage.DIGITAL_SIGNATURE, Usage.CONTENT_COMMITMENT),
        purposes=(Purpose.DOCUMENT_SIGNING.value, Purpose.MS_DOCUMENT_SIGNING.value, Purpose.EMAIL_PROTECTION.value),
        optional=(NameKind.EMAIL,),
    ),
    Profile(
        name="encryption",
        key_usage=(Usage.KEY_ENCIPHERMENT, Usage.KEY_AGREEMENT),
        purposes=(Purpose.EMAIL_PROTECTION.value,),
        optional=(NameKind.EMAIL,),
    ),
    Profile(
        name="ssh_user",
        kind=CertificateKind.SSH_USER,
        key_usage=(),
        required=(NameKind.SSH,),
        days=30,
    ),
    Profile(
        name=AK,
        purposes=(Purpose.AK_CERTIFICATE.value,),
        days=730,
        assurance=Assurance.RESTRICTED,
    ),
)

SHIPPED: t.Mapping[str, Profile] = {profile.name: profile for profile in _SHIPPED}


def for_attested_keys(ak: Profile) -> Profile:
    """Returns the profile of the certificates that stand beside an AK's, one for each key that the AK has spoken of.

    :param ak: the AK's own, whose lifetime, policies and demands they share
    """
    return replace(ak, name=KEY_ATTESTATION, purposes=(oid.KEY_ATTESTATION,), assurance=Assurance.FIXED)


def shelf(own: t.Optional[t.Mapping[str, t.Mapping[str, t.Any]]] = None) -> t.Dict[str, Profile]:
    """Returns the shipped profiles with one's own beside, or in place of, them.

    :raises InputError: names the parameter that is wrong
    """
    profiles = dict(SHIPPED)
    for name, values in (own or {}).items():
        profiles[name] = parse_profile(name, values, SHIPPED)
    return profiles
