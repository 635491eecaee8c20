# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the feature itself. Keys and values: Passport.admx; nodes: the PassportForWork DDF of February 2025."""

from __future__ import annotations

from .setting import (
    CspNode,
    Format,
    Group,
    Meaning,
    Option,
    RegistryPlace,
    Setting,
    Switch,
    ValueKind,
)
from .signal_rules import DeviceClass, Rule, Scenario, Signal

POLICIES = "SOFTWARE\\Policies\\Microsoft\\PassportForWork"
_DEVICE_UNLOCK = POLICIES + "\\DeviceUnlock"
_DYNAMIC_LOCK = POLICIES + "\\DynamicLock"
_TENANT = "{TenantId}/Policies/"

_PHONE = (
    Rule(
        (
            Signal(
                "bluetooth",
                (("classOfDevice", str(int(DeviceClass.PHONE))), ("rssiMin", "-10"), ("rssiMaxDelta", "-10")),
            ),
        )
    ),
)
"""What the Group Policy editor offers for dynamic lock: a phone that moved away."""

USE_HELLO = Setting(
    name="use_hello",
    english="Use Windows Hello for Business",
    japanese="Windows Hello for Business の使用",
    meaning=Meaning(
        enabled="Every user of the computer is provisioned with a Hello for Business key or certificate.",
        disabled="Nobody is provisioned. Who is enrolled already stays enrolled.",
        not_configured="Users may provision themselves, says the reference. See the dispute: better say it outright.",
    ),
    default="disputed",
    switch=Switch(RegistryPlace(POLICIES, "Enabled"), CspNode(_TENANT + "UsePassportForWork", Format.BOOL, user=True)),
    options=(
        Option(
            "disable_post_logon_provisioning",
            ValueKind.FLAG,
            RegistryPlace(POLICIES, "DisablePostLogonProvisioning"),
            CspNode(_TENANT + "DisablePostLogonProvisioning", Format.BOOL),
            "Don't start provisioning after sign-in, because other software does it.",
            default=False,
        ),
    ),
    group=Group.FEATURE,
    user_gpo=True,
    disputed=(
        "The ADML text lets users set up a convenience credential, the deployment guide lets them provision, "
        "the DDF's default is true, and the older management guide says that nothing is provisioned."
    ),
)

REQUIRE_SECURITY_DEVICE = Setting(
    name="require_security_device",
    english="Use a hardware security device",
    japanese="ハードウェアのセキュリティ デバイスを使用する",
    meaning=Meaning(
        enabled="Only computers with a usable TPM are provisioned.",
        disabled="A TPM is preferred. Without one, keys are kept in software.",
        not_configured="The same as disabled.",
    ),
    default="not required",
    switch=Switch(
        RegistryPlace(POLICIES, "RequireSecurityDevice"),
        CspNode(_TENANT + "RequireSecurityDevice", Format.BOOL, user=True),
    ),
    options=(
        Option(
            "exclude_tpm12",
            ValueKind.FLAG,
            RegistryPlace(POLICIES + "\\ExcludeSecurityDevices", "TPM12"),
            CspNode(_TENANT + "ExcludeSecurityDevices/TPM12", Format.BOOL),
            "A TPM 1.2 doesn't count: it knows RSA and SHA-1 only, and its lockout differs between makers.",
            default=False,
        ),
    ),
    group=Group.PIN,
)

USE_CERTIFICATE_FOR_ON_PREM_AUTH = Setting(
    name="use_certificate_for_on_prem_auth",
    english="Use certificate for on-premises authentication",
    japanese="オンプレミスの認証に証明書を使用する",
    meaning=Meaning(
        enabled="Certificate trust: a sign-in certificate is enrolled for on-premises authentication.",
        disabled="A key or a Kerberos ticket is used, as the other settings say.",
        not_configured="The same as disabled.",
    ),
    default="off",
    switch=Switch(
        RegistryPlace(POLICIES, "UseCertificateForOnPremAuth"),
        CspNode(_TENANT + "UseCertificateForOnPremAuth", Format.BOOL),
    ),
    group=Group.FEATURE,
    user_gpo=True,
)

USE_CLOUD_TRUST_FOR_ON_PREM_AUTH = Setting(
    name="use_cloud_trust_for_on_prem_auth",
    english="Use cloud trust for on-premises authentication",
    japanese="オンプレミス認証にクラウド信頼を使用する",
    meaning=Meaning(
        enabled="Cloud Kerberos trust: a ticket from Entra ID authenticates on premises. Certificate trust wins.",
        disabled="A key or a certificate is used, as the other settings say.",
        not_configured="The same as disabled.",
    ),
    default="off",
    switch=Switch(
        RegistryPlace(POLICIES, "UseCloudTrustForOnPremAuth"),
        CspNode(_TENANT + "UseCloudTrustForOnPremAuth", Format.BOOL),
    ),
)

DEVICE_UNLOCK = Setting(
    name="device_unlock",
    english="Configure device unlock factors",
    japanese="デバイスのロック解除要素を構成する",
    meaning=Meaning(
        enabled="Unlocking takes two factors: one of group_a and another one of group_b.",
        disabled="Devices unlock as they always did.",
        not_configured="The same as disabled.",
    ),
    default="one factor",
    options=(
        Option(
            "group_a",
            ValueKind.PROVIDERS,
            RegistryPlace(_DEVICE_UNLOCK, "GroupA"),
            CspNode("DeviceUnlock/GroupA", Format.CHR),
            "Providers of the first factor: pin, fingerprint, face, or their GUIDs.",
        ),
        Option(
            "group_b",
            ValueKind.PROVIDERS,
            RegistryPlace(_DEVICE_UNLOCK, "GroupB"),
            CspNode("DeviceUnlock/GroupB", Format.CHR),
            "Providers of the second factor: those of group_a, and trusted_signal.",
        ),
        Option(
            "rules",
            ValueKind.RULES,
            RegistryPlace(_DEVICE_UNLOCK, "Plugins"),
            CspNode("DeviceUnlock/Plugins", Format.CHR),
            "Signal rules for trusted_signal. One that holds true is enough.",
            default=(),
            scenario=Scenario.UNLOCK,
        ),
    ),
)

DYNAMIC_LOCK = Setting(
    name="dynamic_lock",
    english="Configure dynamic lock factors",
    japanese="動的ロック要素を構成する",
    meaning=Meaning(
        enabled="The computer locks when the signal rules tell that the user's phone is away.",
        disabled="Computers lock as they always did.",
        not_configured="The same as disabled.",
    ),
    default="off",
    switch=Switch(
        RegistryPlace(_DYNAMIC_LOCK, "DynamicLock"),
        CspNode("DynamicLock/DynamicLock", Format.BOOL),
    ),
    options=(
        Option(
            "rules",
            ValueKind.RULES,
            RegistryPlace(_DYNAMIC_LOCK, "Plugins"),
            CspNode("DynamicLock/Plugins", Format.CHR),
            "Bluetooth signal rules of a phone. The default is a phone with an RSSI of -10 and a delta of -10.",
            default=_PHONE,
            scenario=Scenario.LOCK,
        ),
    ),
)

FEATURE_SETTINGS = (
    USE_HELLO,
    REQUIRE_SECURITY_DEVICE,
    USE_CERTIFICATE_FOR_ON_PREM_AUTH,
    USE_CLOUD_TRUST_FOR_ON_PREM_AUTH,
    DEVICE_UNLOCK,
    DYNAMIC_LOCK,
)
