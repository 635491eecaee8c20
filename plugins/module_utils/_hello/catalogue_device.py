# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of biometrics and of smart card emulation, and those that only the CSP has.

Keys and values: Passport.admx, Biometrics.admx; nodes: the PassportForWork DDF of February 2025.
"""

from __future__ import annotations

from .catalogue_feature import POLICIES
from .setting import (
    CspNode,
    EditorFolder,
    Format,
    Meaning,
    Option,
    PolicyState,
    RegistryPlace,
    Setting,
    Switch,
    ValueKind,
)

_TENANT = "{TenantId}/Policies/"

ENHANCED_ANTI_SPOOFING = Setting(
    name="enhanced_anti_spoofing",
    english="Configure enhanced anti-spoofing",
    japanese="強化されたスプーフィング対策を構成する",
    meaning=Meaning(
        enabled="Face recognition needs a camera with enhanced anti-spoofing. Without one it is off.",
        disabled="Face recognition works without enhanced anti-spoofing.",
        not_configured="The same as disabled.",
    ),
    default="not required",
    switch=Switch(
        RegistryPlace("SOFTWARE\\Policies\\Microsoft\\Biometrics\\FacialFeatures", "EnhancedAntiSpoofing"),
        CspNode("Biometrics/FacialFeaturesUseEnhancedAntiSpoofing", Format.BOOL),
    ),
    folder=EditorFolder.FACE,
)

ESS_WITH_SUPPORTED_PERIPHERALS = Setting(
    name="ess_with_supported_peripherals",
    english="Enable ESS with Supported Peripherals",
    japanese="サポートされている周辺機器で ESS を有効にする",
    meaning=Meaning(
        enabled="Says what becomes of sensors without enhanced sign-in security, with the option peripherals.",
        disabled="Sensors without enhanced sign-in security are blocked where a secure one exists.",
        not_configured="The same as disabled.",
    ),
    default="peripherals blocked",
    options=(
        Option(
            "peripherals",
            ValueKind.WORD,
            # The CSP's own store, not a managed branch.
            RegistryPlace(
                "Software\\Microsoft\\Policies\\PassportForWork\\Biometrics", "EnableESSwithSupportedPeripherals"
            ),
            CspNode("Biometrics/EnableESSwithSupportedPeripherals", Format.INT),
            "blocked (1, recommended) keeps to secure sensors, allowed (0) lets others sign in too.",
            default="blocked",
            words=(("allowed", 0), ("blocked", 1)),
        ),
    ),
    lingers=True,
    disputed="Reference and DDF let enhanced sign-in security stay on with peripherals allowed, the ADML turns it off.",
    disputed_in=(PolicyState.ENABLED,),
)

USE_BIOMETRICS = Setting(
    name="use_biometrics",
    english="Use biometrics",
    japanese="生体認証を使用する",
    meaning=Meaning(
        enabled="Users may sign in by face or fingerprint. A PIN stays as the fallback.",
        disabled="Nobody signs in by face or fingerprint, whatever the kind of account.",
        not_configured="The same as enabled, see the dispute.",
    ),
    default="allowed (disputed)",
    switch=Switch(
        # Not a managed branch.
        RegistryPlace("SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WinBio\\Credential Provider", "Domain Accounts"),
        CspNode("Biometrics/UseBiometrics", Format.BOOL),
    ),
    lingers=True,
    disputed="Reference and ADML say allowed, the DDF's default is false.",
)

ALLOW_ALL_USER_CARD_ENUMERATION = Setting(
    name="allow_all_user_card_enumeration",
    english="Allow enumeration of emulated smart card for all users",
    japanese="すべてのユーザーに対してエミュレートされたスマート カードの列挙を許可する",
    meaning=Meaning(
        enabled="All users see all cards, so that one person may sign in with an ordinary and a privileged account. "
        "To use a card still takes its owner's factor.",
        disabled="A user sees only their own card.",
        not_configured="The same as disabled.",
    ),
    default="owner only",
    switch=Switch(RegistryPlace(POLICIES, "AllowAllUserAccessToSmartCardNode"), None),
)

DISABLE_CARD_EMULATION = Setting(
    name="disable_card_emulation",
    english="Turn off smart card emulation",
    japanese="スマート カード エミュレーションをオフにする",
    meaning=Meaning(
        enabled="Credentials made from now on are no smart cards. Those made before stay what they are: a user gets "
        "another by removing the credential and enrolling again.",
        disabled="Credentials made from now on work as smart cards.",
        not_configured="The same as disabled.",
    ),
    default="emulation on",
    switch=Switch(RegistryPlace(POLICIES, "DisableSmartCardNode"), None),
)

HELLO_CERT_AS_SMARTCARD_CERT = Setting(
    name="hello_cert_as_smartcard_cert",
    english="Use Windows Hello for Business certificates as smart card certificates",
    japanese="Windows Hello for Business 証明書をスマート カード証明書として使用する",
    meaning=Meaning(
        enabled="Applications use Hello certificates as smart card certificates, and biometrics can't release the key.",
        disabled="Hello certificates are no smart card certificates, and biometrics may release the key.",
        not_configured="The same as disabled.",
    ),
    default="off",
    switch=Switch(
        RegistryPlace(POLICIES, "UseHelloCertificatesAsSmartCardCertificates"),
        CspNode(_TENANT + "UseHelloCertificatesAsSmartCardCertificates", Format.BOOL),
    ),
)

BIOMETRIC_SETTINGS = (ENHANCED_ANTI_SPOOFING, ESS_WITH_SUPPORTED_PERIPHERALS, USE_BIOMETRICS)
SMART_CARD_SETTINGS = (ALLOW_ALL_USER_CARD_ENUMERATION, DISABLE_CARD_EMULATION, HELLO_CERT_AS_SMARTCARD_CERT)


HELLO_PROVISIONING_FOR_SECURITY_KEYS = Setting(
    name="hello_provisioning_for_security_keys",
    english="Enable Windows Hello provisioning for security keys",
    japanese="",
    meaning=Meaning(
        enabled="Provisioning starts also after a sign-in with a FIDO2 security key.",
        disabled="A sign-in with a security key starts no provisioning.",
        not_configured="The same as disabled.",
    ),
    default="off",
    switch=Switch(None, CspNode(_TENANT + "EnableWindowsHelloProvisioningForSecurityKeys", Format.BOOL)),
    in_reference=False,
    folder=EditorFolder.NONE,
)

USE_REMOTE_PASSPORT = Setting(
    name="use_remote_passport",
    english="Use Remote Passport",
    japanese="",
    meaning=Meaning(
        enabled="A phone may serve as a companion device for sign-in. Microsoft calls this unsupported at present.",
        disabled="No phone sign-in.",
        not_configured="The same as disabled.",
    ),
    default="off",
    switch=Switch(None, CspNode(_TENANT + "Remote/UseRemotePassport", Format.BOOL)),
    in_reference=False,
    folder=EditorFolder.NONE,
)

USE_SECURITY_KEY_FOR_SIGNIN = Setting(
    name="use_security_key_for_signin",
    english="Use security key for sign-in",
    japanese="",
    meaning=Meaning(
        enabled="Users may sign in with a FIDO2 security key.",
        disabled="No sign-in with a security key.",
        not_configured="The same as disabled.",
    ),
    default="off",
    switch=Switch(None, CspNode("SecurityKey/UseSecurityKeyForSignin", Format.INT)),
    in_reference=False,
    folder=EditorFolder.NONE,
)

DISABLE_POST_LOGON_CREDENTIAL_CACHING = Setting(
    name="disable_post_logon_credential_caching",
    english="Disable caching of the Hello credential after sign-in",
    japanese="",
    meaning=Meaning(
        enabled="The credential is not cached after sign-in.",
        disabled="The credential is cached after sign-in.",
        not_configured="The same as disabled.",
    ),
    default="cached (disputed)",
    switch=Switch(None, CspNode(_TENANT + "DisablePostLogonCredentialCaching", Format.BOOL)),
    disputed="It stands in the DDFs of 2023 for Insider builds only, and is gone from those of 2024 and 2025.",
    disputed_in=(PolicyState.ENABLED, PolicyState.DISABLED),
    in_reference=False,
    folder=EditorFolder.NONE,
)

CSP_ONLY_SETTINGS = (
    HELLO_PROVISIONING_FOR_SECURITY_KEYS,
    USE_REMOTE_PASSPORT,
    USE_SECURITY_KEY_FOR_SIGNIN,
    DISABLE_POST_LOGON_CREDENTIAL_CACHING,
)
