#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hello_policy
short_description: Write a Windows Hello for Business policy where it takes effect
version_added: 0.1.0
description:
  - Writes the settings of Windows Hello for Business into a Group Policy object, a Registry.pol, a document for a
    device management service, or the store of a Linux host whose TPM cards obey it.
  - Knows the 21 settings of Microsoft's reference and 4 more of the PassportForWork CSP.
  - Settings that the task doesn't name stay as they are, and so does all that belongs to no setting.
  - What contradicts itself, and what a target can't express, is refused by name before anything is written.
    On Linux, settings about Windows itself are not refused but returned in RV(not_applicable), with a warning.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._hello
options:
  state:
    description:
      - V(present) makes the policy say what O(settings) say.
      - V(absent) takes out the settings that O(settings) name, whatever their values. Without any, all settings go.
    type: str
    choices: [present, absent]
    default: present
  scope:
    description:
      - Whose policy it is, the computer's or the users'. Only some settings and targets know users.
    type: str
    choices: [device, user]
    default: device
  dest:
    description:
      - File to write. A new file can be read by everybody; a file that is there keeps its owner and mode.
      - Needed with O(target=registry_pol), unknown to O(target=gpo). With O(target=linux) the default is
        C(/etc/hardbound/hello_policy.json), with O(target=himmelblau)
        C(/etc/himmelblau/himmelblau.conf.d/50-hardbound.conf).
      - With any other target and without O(dest), the document is returned in RV(document), and nothing is changed.
    type: path
  tenant_id:
    description:
      - Id of the Entra ID tenant, a GUID. O(target=syncml) and O(target=graph_custom) need it.
    type: str
  title:
    description:
      - Name that a new document gets. Only with O(target=graph_custom), O(target=graph_catalog) and
        O(target=provisioning), for which the default is C(Windows Hello for Business).
    type: str
  gpo:
    description:
      - Which GPO, and how to get there. Needed with O(target=gpo).
    type: dict
    suboptions:
      name:
        description: Display name of the GPO, or its GUID in braces.
        type: str
        required: true
      create:
        description: Whether to create the GPO if there is none of that name.
        type: bool
        default: false
      link:
        description: DN of a domain, an organizational unit or a site to link the GPO to. Other links stay.
        type: str
        default: ""
      domain:
        description: DNS name of the domain. Needed unless O(gpo.server) is given.
        type: str
        default: ""
      server:
        description: Name of a domain controller. By default the one that is the PDC emulator.
        type: str
        default: ""
      username:
        description: Account that may edit the GPO, such as C(name@REALM). By default a Kerberos ticket is used.
        type: str
        default: ""
      password:
        description: Password of O(gpo.username).
        type: str
        default: ""
      ccache:
        description: Kerberos credential cache. By default the one of the environment.
        type: path
        default: ""
  himmelblau:
    description:
      - What Himmelblau knows beside the settings. Only with O(target=himmelblau).
    type: dict
    suboptions:
      pin_retry_count:
        description:
          - Wrong PINs that a user may give before Himmelblau asks for multi-factor authentication instead of the PIN.
            After that authentication the user sets a new PIN.
          - A whole number, 0 or more.
        type: int
notes:
  - The task runs on the host that keeps the document. For a domain or a service that is often C(localhost).
seealso:
  - module: hardbound.identity.hello_policy_info
  - name: Windows Hello for Business policy settings
    description: Microsoft's reference of the settings.
    link: https://learn.microsoft.com/windows/security/identity-protection/hello-for-business/policy-settings
"""

EXAMPLES = r"""
- name: Company rules, in a GPO of the domain
  hardbound.identity.hello_policy:
    target: gpo
    gpo:
      name: Hello for Business
      domain: corp.example
      create: true
      link: OU=Workstations,DC=corp,DC=example
    settings:
      use_hello: enabled
      require_security_device: {state: enabled, exclude_tpm12: true}
      use_certificate_for_on_prem_auth: enabled
      pin_min_length: 8
      pin_digits: required
      pin_history: 5
      device_unlock:
        group_a: [pin, fingerprint]
        group_b: [trusted_signal]
        rules:
          - all:
              - wifi: {ssid: Corp, security: WPA2-Enterprise}
              - ip_config: {ipv4_prefix: 10.1.0.0/16}

- name: The same PIN rules for the TPM cards of this Linux host
  hardbound.identity.hello_policy:
    target: linux
    settings:
      require_security_device: enabled
      pin_min_length: 8
      pin_digits: required
      pin_history: 5

- name: A custom configuration to upload to Intune
  hardbound.identity.hello_policy:
    target: graph_custom
    tenant_id: 2a1b3c4d-0000-4000-8000-123456789abc
    dest: /tmp/hello-for-business.json
    settings:
      use_hello: enabled
      dynamic_lock: enabled
      pin_expiration: 365

- name: Look at the SyncML without writing a file
  hardbound.identity.hello_policy:
    target: syncml
    tenant_id: 2a1b3c4d-0000-4000-8000-123456789abc
    settings:
      pin_min_length: 10
      pin_max_length: not_configured

- name: Take the history rule out of a Registry.pol, and leave all else
  hardbound.identity.hello_policy:
    target: registry_pol
    dest: /tmp/Registry.pol
    state: absent
    settings:
      pin_history: not_configured
"""

RETURN = r"""
settings:
  description: What the policy says in the end of the settings of the catalogue, those that the task didn't name too.
  returned: success
  type: dict
  sample: {use_hello: enabled, pin_min_length: 8, pin_digits: required}
changed_settings:
  description: Names of the settings that were, or in check mode would be, changed.
  returned: success
  type: list
  elements: str
  sample: [pin_min_length]
not_applicable:
  description: Settings that the target has no counterpart for, each with the reason. They were left out.
  returned: success
  type: dict
  sample: {use_remote_passport: "is about phones, a TPM card takes no part in it"}
dest:
  description: The file that was written, or would be.
  returned: when the target is a file
  type: str
  sample: /etc/hardbound/hello_policy.json
document:
  description: The document.
  returned: when the target takes O(dest), and none was given
  type: str
gpo:
  description: The GPO as it is now. Empty if there is none.
  returned: when O(target=gpo)
  type: dict
  contains:
    name:
      description: Its display name.
      type: str
      returned: success
    guid:
      description: Its GUID, in braces.
      type: str
      returned: success
    dn:
      description: Its DN.
      type: str
      returned: success
    version:
      description: The versions of its two halves, C(machine) and C(user).
      type: dict
      returned: success
    interrupted:
      description: Whether a write was begun and not ended. The next run that is no check finishes it.
      type: bool
      returned: success
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._hello import arguments
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import suggestion
from ansible_collections.hardbound.identity.plugins.module_utils._hello.target import policy, target_named
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import Noun, converge

ARGUMENTS = arguments.policy_arguments()


class PolicyModule(AnsibleModule):
    """Names the nearest setting where an unknown one stands."""

    def fail_json(self, msg: str, **facts: t.Any) -> t.NoReturn:
        unknown = self.validation_result.unsupported_parameters
        hints = [f"{each[1]}: {suggestion(each[1])}" for each in sorted(unknown, key=str) if each[:1] == ("settings",)]
        fail: t.Callable[..., t.NoReturn] = super().fail_json
        fail(" ".join([msg, *hints]), **facts)


def noun(task: t.Mapping[str, t.Any]) -> Noun[t.Any, t.Any]:
    """Returns the policy that the task is about. That of this host brings its readers along."""
    made = policy(task)
    if not target_named(task["target"]).obeyed_here(task["dest"]):
        return made
    # What knows cards and readers is of no use to the other targets.
    from ansible_collections.hardbound.identity.plugins.module_utils._task.hello_linux import LinuxPolicy

    return LinuxPolicy(made)


def main() -> None:
    module = PolicyModule(
        argument_spec=ARGUMENTS,
        required_if=arguments.needed_arguments(),
        supports_check_mode=True,
    )
    converge(module, lambda: noun(module.params))


if __name__ == "__main__":
    main()
