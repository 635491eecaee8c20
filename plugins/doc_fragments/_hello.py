# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Written by docs/hello_policy_tables.py from the catalogue. Change that, then run the script.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  target:
    description:
      - 'V(registry_pol): A Registry.pol, the file of registry values in a Group Policy object. Carry it to that
        object''s folder.'
      - 'V(gpo): A Group Policy object in an Active Directory domain. Writing it needs python3-samba on the host of the
        task.'
      - 'V(syncml): The body of a SyncML message, for a device management server that puts its own header (C(SyncHdr))
        before it.'
      - 'V(graph_custom): A custom configuration of Microsoft Graph (C(windows10CustomConfiguration)).'
      - 'V(graph_catalog): A settings catalogue policy of Microsoft Graph (C(configurationPolicies)).'
      - 'V(provisioning): The C(customizations.xml) of a provisioning package: O(settings.use_security_key_for_signin)
        alone.'
      - 'V(linux): This host''s own policy, which its TPM cards obey at once, and its sign-in once smartcard_login has
        run. Polkit is told who sees the readers.'
      - 'V(himmelblau): A drop-in for Himmelblau, which signs Linux in to Entra ID.'
    type: str
    required: true
    choices: [registry_pol, gpo, syncml, graph_custom, graph_catalog, provisioning, linux, himmelblau]
  settings:
    description:
      - What the policy shall say. A setting that is left out stays as it is.
      - A setting with options is a mapping of these options and of C(state). Without C(state) the setting is
        V(enabled), and an option that is left out has its default.
    type: dict
    suboptions:
      use_hello:
        description:
          - 'Use Windows Hello for Business.'
          - 'V(enabled): Every user of the computer is provisioned with a Hello for Business key or certificate.'
          - 'Option C(disable_post_logon_provisioning), default false: Don''t start provisioning after sign-in, because
            other software does it.'
          - 'V(disabled): Nobody is provisioned. Who is enrolled already stays enrolled.'
          - 'V(not_configured): Users may provision themselves, says the reference. See the dispute: better say it
            outright.'
          - 'Default of Windows: disputed.'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Windows Hello for
            Business.'
          - 'Disputed: The ADML text lets users set up a convenience credential, the deployment guide lets them
            provision, the DDF''s default is true, and the older management guide says that nothing is provisioned.'
        type: raw
      require_security_device:
        description:
          - 'Use a hardware security device.'
          - 'V(enabled): Only computers with a usable TPM are provisioned.'
          - 'Option C(exclude_tpm12), default false: A TPM 1.2 doesn''t count: it knows RSA and SHA-1 only, and its
            lockout differs between makers.'
          - 'V(disabled): A TPM is preferred. Without one, keys are kept in software.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: not required.'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Windows Hello for
            Business.'
        type: raw
      use_certificate_for_on_prem_auth:
        description:
          - 'Use certificate for on-premises authentication.'
          - 'V(enabled): Certificate trust: a sign-in certificate is enrolled for on-premises authentication.'
          - 'V(disabled): A key or a Kerberos ticket is used, as the other settings say.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: off.'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Windows Hello for
            Business.'
        type: str
        choices: [enabled, disabled, not_configured]
      use_cloud_trust_for_on_prem_auth:
        description:
          - 'Use cloud trust for on-premises authentication.'
          - 'V(enabled): Cloud Kerberos trust: a ticket from Entra ID authenticates on premises. Certificate trust
            wins.'
          - 'V(disabled): A key or a certificate is used, as the other settings say.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: off.'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Windows Hello for
            Business.'
        type: str
        choices: [enabled, disabled, not_configured]
      device_unlock:
        description:
          - 'Configure device unlock factors.'
          - 'A mapping of its options enables it: Unlocking takes two factors: one of group_a and another one of
            group_b.'
          - 'Option C(group_a), required: Providers of the first factor: pin, fingerprint, face, or their GUIDs.'
          - 'Option C(group_b), required: Providers of the second factor: those of group_a, and trusted_signal.'
          - 'Option C(rules), default none: Signal rules for trusted_signal. One that holds true is enough.'
          - 'V(disabled): Devices unlock as they always did.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: one factor.'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Windows Hello for
            Business.'
        type: raw
      dynamic_lock:
        description:
          - 'Configure dynamic lock factors.'
          - 'V(enabled): The computer locks when the signal rules tell that the user''s phone is away.'
          - 'Option C(rules), default a phone: Bluetooth signal rules of a phone. The default is a phone with an RSSI of
            -10 and a delta of -10.'
          - 'V(disabled): Computers lock as they always did.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: off.'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Windows Hello for
            Business.'
        type: raw
      pin_expiration:
        description:
          - 'Expiration.'
          - 'A number from 0 to 730: A PIN has to be changed after that many days. 0 means never.'
          - 'V(disabled): A PIN never expires.'
          - 'V(not_configured): A PIN never expires.'
          - 'Default of Windows: 0, never.'
          - 'In the Group Policy editor below Administrative Templates: System > PIN Complexity.'
        type: raw
      pin_history:
        description:
          - 'History.'
          - 'A number from 0 to 50: So many PINs, the present one among them, can''t come back. Windows forgets them at
            a PIN reset.'
          - 'V(disabled): Former PINs are not remembered.'
          - 'V(not_configured): Former PINs are not remembered.'
          - 'Default of Windows: 0, none.'
          - 'In the Group Policy editor below Administrative Templates: System > PIN Complexity.'
        type: raw
      pin_max_length:
        description:
          - 'Maximum PIN length.'
          - 'A number from 4 to 127: A PIN has at most that many characters.'
          - 'V(disabled): A PIN has at most 127 characters.'
          - 'V(not_configured): A PIN has at most 127 characters.'
          - 'Default of Windows: 127.'
          - 'In the Group Policy editor below Administrative Templates: System > PIN Complexity.'
        type: raw
      pin_min_length:
        description:
          - 'Minimum PIN length.'
          - 'A number from 4 to 127: A PIN has at least that many characters.'
          - 'V(disabled): A PIN has at least 6 characters.'
          - 'V(not_configured): A PIN has at least 6 characters, see the dispute.'
          - 'Default of Windows: 6 (disputed).'
          - 'In the Group Policy editor below Administrative Templates: System > PIN Complexity.'
          - 'Disputed: Reference and ADML say 6, the DDF and older guides say 4.'
        type: raw
      pin_digits:
        description:
          - 'Require digits.'
          - 'V(required): a PIN holds at least one of the digits.'
          - 'V(disallowed): a PIN holds none of the digits.'
          - 'V(allowed): A PIN may hold digits. Only the CSP and Linux hosts have a value for it.'
          - 'V(enabled) and V(disabled) are other words for V(required) and V(disallowed).'
          - 'V(not_configured): a PIN may hold digits, see the dispute.'
          - 'Default of Windows: allowed (disputed).'
          - 'In the Group Policy editor below Administrative Templates: System > PIN Complexity.'
          - 'Disputed: Reference and ADML say allowed, the DDF''s text says required, although its default is 0,
            allowed.'
        type: str
        choices: [required, disallowed, allowed, enabled, disabled, not_configured]
      pin_lowercase:
        description:
          - 'Require lowercase letters.'
          - 'V(required): a PIN holds at least one of the lowercase letters.'
          - 'V(disallowed): a PIN holds none of the lowercase letters.'
          - 'V(allowed): A PIN may hold lowercase letters. Only the CSP and Linux hosts have a value for it.'
          - 'V(enabled) and V(disabled) are other words for V(required) and V(disallowed).'
          - 'V(not_configured): a PIN may hold lowercase letters, see the dispute.'
          - 'Default of Windows: allowed (disputed).'
          - 'In the Group Policy editor below Administrative Templates: System > PIN Complexity.'
          - 'Disputed: Reference and ADML say allowed, the DDF''s text says disallowed, although its default is 0,
            allowed.'
        type: str
        choices: [required, disallowed, allowed, enabled, disabled, not_configured]
      pin_special:
        description:
          - 'Require special characters.'
          - 'V(required): a PIN holds at least one of the special characters.'
          - 'V(disallowed): a PIN holds none of the special characters.'
          - 'V(allowed): A PIN may hold special characters. Only the CSP and Linux hosts have a value for it.'
          - 'V(enabled) and V(disabled) are other words for V(required) and V(disallowed).'
          - 'V(not_configured): a PIN may hold special characters, see the dispute.'
          - 'Default of Windows: allowed (disputed).'
          - 'In the Group Policy editor below Administrative Templates: System > PIN Complexity.'
          - 'Disputed: Reference and ADML say allowed, the DDF''s text says disallowed, as the settings catalogue''s
            default does, although its default is 0, allowed.'
        type: str
        choices: [required, disallowed, allowed, enabled, disabled, not_configured]
      pin_uppercase:
        description:
          - 'Require uppercase letters.'
          - 'V(required): a PIN holds at least one of the uppercase letters.'
          - 'V(disallowed): a PIN holds none of the uppercase letters.'
          - 'V(allowed): A PIN may hold uppercase letters. Only the CSP and Linux hosts have a value for it.'
          - 'V(enabled) and V(disabled) are other words for V(required) and V(disallowed).'
          - 'V(not_configured): a PIN may hold uppercase letters, see the dispute.'
          - 'Default of Windows: allowed (disputed).'
          - 'In the Group Policy editor below Administrative Templates: System > PIN Complexity.'
          - 'Disputed: Reference and ADML say allowed, the DDF''s text says disallowed, although its default is 0,
            allowed.'
        type: str
        choices: [required, disallowed, allowed, enabled, disabled, not_configured]
      pin_recovery:
        description:
          - 'Use PIN Recovery.'
          - 'V(enabled): A recovery secret is kept, so that a forgotten PIN can be replaced without a new enrolment. The
            service that keeps it has to be set up in the tenant, too.'
          - 'V(disabled): No recovery secret is kept: a forgotten PIN costs the key, and the user enrols again.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: off.'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Windows Hello for
            Business.'
        type: str
        choices: [enabled, disabled, not_configured]
      enhanced_anti_spoofing:
        description:
          - 'Configure enhanced anti-spoofing.'
          - 'V(enabled): Face recognition needs a camera with enhanced anti-spoofing. Without one it is off.'
          - 'V(disabled): Face recognition works without enhanced anti-spoofing.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: not required.'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Biometrics > Facial
            Features.'
        type: str
        choices: [enabled, disabled, not_configured]
      ess_with_supported_peripherals:
        description:
          - 'Enable ESS with Supported Peripherals.'
          - 'V(enabled): Says what becomes of sensors without enhanced sign-in security, with the option peripherals.'
          - 'V(allowed) or V(blocked) enables it with that: blocked (1, recommended) keeps to secure sensors, allowed
            (0) lets others sign in too.'
          - 'V(disabled): Sensors without enhanced sign-in security are blocked where a secure one exists.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: peripherals blocked.'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Windows Hello for
            Business.'
          - 'Disputed: Reference and DDF let enhanced sign-in security stay on with peripherals allowed, the ADML turns
            it off.'
        type: raw
      use_biometrics:
        description:
          - 'Use biometrics.'
          - 'V(enabled): Users may sign in by face or fingerprint. A PIN stays as the fallback.'
          - 'V(disabled): Nobody signs in by face or fingerprint, whatever the kind of account.'
          - 'V(not_configured): The same as enabled, see the dispute.'
          - 'Default of Windows: allowed (disputed).'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Windows Hello for
            Business.'
          - 'Disputed: Reference and ADML say allowed, the DDF''s default is false.'
        type: str
        choices: [enabled, disabled, not_configured]
      allow_all_user_card_enumeration:
        description:
          - 'Allow enumeration of emulated smart card for all users.'
          - 'V(enabled): All users see all cards, so that one person may sign in with an ordinary and a privileged
            account. To use a card still takes its owner''s factor.'
          - 'V(disabled): A user sees only their own card.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: owner only.'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Windows Hello for
            Business.'
        type: str
        choices: [enabled, disabled, not_configured]
      disable_card_emulation:
        description:
          - 'Turn off smart card emulation.'
          - 'V(enabled): Credentials made from now on are no smart cards. Those made before stay what they are: a user
            gets another by removing the credential and enrolling again.'
          - 'V(disabled): Credentials made from now on work as smart cards.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: emulation on.'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Windows Hello for
            Business.'
        type: str
        choices: [enabled, disabled, not_configured]
      hello_cert_as_smartcard_cert:
        description:
          - 'Use Windows Hello for Business certificates as smart card certificates.'
          - 'V(enabled): Applications use Hello certificates as smart card certificates, and biometrics can''t release
            the key.'
          - 'V(disabled): Hello certificates are no smart card certificates, and biometrics may release the key.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: off.'
          - 'In the Group Policy editor below Administrative Templates: Windows Components > Windows Hello for
            Business.'
        type: str
        choices: [enabled, disabled, not_configured]
      hello_provisioning_for_security_keys:
        description:
          - 'Enable Windows Hello provisioning for security keys. Only the CSP has it.'
          - 'V(enabled): Provisioning starts also after a sign-in with a FIDO2 security key.'
          - 'V(disabled): A sign-in with a security key starts no provisioning.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: off.'
        type: str
        choices: [enabled, disabled, not_configured]
      use_remote_passport:
        description:
          - 'Use Remote Passport. Only the CSP has it.'
          - 'V(enabled): A phone may serve as a companion device for sign-in. Microsoft calls this unsupported at
            present.'
          - 'V(disabled): No phone sign-in.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: off.'
        type: str
        choices: [enabled, disabled, not_configured]
      use_security_key_for_signin:
        description:
          - 'Use security key for sign-in. Only the CSP has it.'
          - 'V(enabled): Users may sign in with a FIDO2 security key.'
          - 'V(disabled): No sign-in with a security key.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: off.'
        type: str
        choices: [enabled, disabled, not_configured]
      disable_post_logon_credential_caching:
        description:
          - 'Disable caching of the Hello credential after sign-in. Only the CSP has it.'
          - 'V(enabled): The credential is not cached after sign-in.'
          - 'V(disabled): The credential is cached after sign-in.'
          - 'V(not_configured): The same as disabled.'
          - 'Default of Windows: cached (disputed).'
          - 'Disputed: It stands in the DDFs of 2023 for Insider builds only, and is gone from those of 2024 and 2025.'
        type: str
        choices: [enabled, disabled, not_configured]
"""
