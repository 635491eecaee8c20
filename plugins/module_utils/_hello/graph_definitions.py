# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes Graph's settings catalogue defines, and where that was looked up.

Looked up in exports of ``deviceManagement/configurationSettings``: the dump of all definitions in the repository
Intune.Docs of Pacers31Colts18 (commit 1e173ea), and an export whose group of the tenant's settings
(``device_vendor_msft_passportforwork_{tenantid}``) has the version 639150686251400134 and 19 children.
A definition's id is the node's path in lower case, with underscores. No export has one of a node that is
not in this table: those below ``DeviceUnlock`` and ``DynamicLock``.
"""

from __future__ import annotations

import enum
from typing import Mapping

_PIN = "{TenantId}/Policies/PINComplexity/"


class Seen(enum.Enum):
    """What of a definition was seen."""

    BODY = "the definition itself, with its options"
    CHILD = "its id among the children of the tenant's group, the definition itself in no export"
    OPTION = "its id and the option `_true` in published policies, the definition itself in no export"


DEFINITIONS: Mapping[str, Seen] = {
    "{TenantId}/Policies/UsePassportForWork": Seen.BODY,
    "{TenantId}/Policies/DisablePostLogonProvisioning": Seen.CHILD,
    "{TenantId}/Policies/RequireSecurityDevice": Seen.BODY,
    "{TenantId}/Policies/ExcludeSecurityDevices/TPM12": Seen.BODY,
    "{TenantId}/Policies/UseCertificateForOnPremAuth": Seen.BODY,
    "{TenantId}/Policies/UseCloudTrustForOnPremAuth": Seen.BODY,
    _PIN + "Expiration": Seen.BODY,
    _PIN + "History": Seen.BODY,
    _PIN + "MaximumPINLength": Seen.BODY,
    _PIN + "MinimumPINLength": Seen.BODY,
    _PIN + "Digits": Seen.BODY,
    _PIN + "LowercaseLetters": Seen.BODY,
    _PIN + "SpecialCharacters": Seen.BODY,
    _PIN + "UppercaseLetters": Seen.BODY,
    "{TenantId}/Policies/EnablePinRecovery": Seen.BODY,
    "Biometrics/FacialFeaturesUseEnhancedAntiSpoofing": Seen.BODY,
    "Biometrics/EnableESSwithSupportedPeripherals": Seen.BODY,
    "Biometrics/UseBiometrics": Seen.OPTION,
    "{TenantId}/Policies/UseHelloCertificatesAsSmartCardCertificates": Seen.BODY,
    "{TenantId}/Policies/EnableWindowsHelloProvisioningForSecurityKeys": Seen.CHILD,
    "{TenantId}/Policies/Remote/UseRemotePassport": Seen.BODY,
    "SecurityKey/UseSecurityKeyForSignin": Seen.BODY,
    "{TenantId}/Policies/DisablePostLogonCredentialCaching": Seen.CHILD,
}
