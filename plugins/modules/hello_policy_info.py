#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hello_policy_info
short_description: Tell which Windows Hello for Business settings take effect, and why
version_added: 0.1.0
description:
  - Reads policies from any mix of sources, and tells for each setting which value takes effect, which source won,
    which values lost, and what can't be enforced where it was said.
  - On Windows, the users' GPO wins over the computer's, then the users' CSP, the device's CSP, and EAS.
    Some settings resolve in groups, from one source.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._attributes.info_module
options:
  sources:
    description:
      - The policies that apply, in any order. Of two of the same kind, the one that stands first wins.
      - Without any, the policy of this Linux host.
    type: list
    elements: dict
    suboptions:
      kind:
        description: Where the policy comes from.
        type: str
        required: true
        choices: [user_gpo, computer_gpo, user_csp, device_csp, eas, linux_host]
      label:
        description: Name of the source in the answer. By default the path, the GPO's name, or the kind.
        type: str
      settings:
        description: What the policy says, as in M(hardbound.identity.hello_policy).
        type: dict
      path:
        description: File that holds the policy.
        type: path
      format:
        description:
          - Format of the file.
          - The default is V(registry_pol) for a GPO, V(syncml) for a CSP, and V(linux) for a Linux host.
        type: str
        choices: [registry_pol, syncml, graph_custom, graph_catalog, provisioning, linux]
      tenant_id:
        description: Id of the tenant whose settings count, where a file holds those of several.
        type: str
      gpo:
        description:
          - Group Policy object that holds the policy. Reading one needs python3-samba on the host of the task.
        type: dict
        suboptions:
          name:
            description: Display name of the GPO, or its GUID in braces.
            type: str
            required: true
          domain:
            description: DNS name of the domain. Needed unless O(sources[].gpo.server) is given.
            type: str
            default: ""
          server:
            description: Name of a domain controller. By default the one that is the PDC emulator.
            type: str
            default: ""
          username:
            description: Account that may read the GPO. By default a Kerberos ticket is used.
            type: str
            default: ""
          password:
            description: Password of O(sources[].gpo.username).
            type: str
            default: ""
          ccache:
            description: Kerberos credential cache. By default the one of the environment.
            type: path
            default: ""
  platform:
    description:
      - What kind of host the question is about.
      - The default is V(linux) if all sources are V(linux_host), else V(windows).
    type: str
    choices: [windows, linux]
notes:
  - With C(-v), B(ansible-playbook) shows what was found as a table, too.
seealso:
  - module: hardbound.identity.hello_policy
"""

EXAMPLES = r"""
- name: What holds on a computer that has a GPO and an MDM policy
  hardbound.identity.hello_policy_info:
    sources:
      - kind: computer_gpo
        settings: {pin_min_length: 8, use_hello: enabled}
      - kind: device_csp
        settings: {pin_min_length: 6, pin_history: 5}
  register: hello

- name: Show the conflicts
  ansible.builtin.debug:
    var: hello.conflicts

- name: What this Linux host enforces
  hardbound.identity.hello_policy_info:
"""

RETURN = r"""
platform:
  description: What kind of host the answer is about.
  returned: success
  type: str
  sample: windows
settings:
  description: What takes effect, all settings of the catalogue in its order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the setting.
      type: str
      returned: success
    value:
      description: What holds, as in M(hardbound.identity.hello_policy). V(not_configured) means the default.
      type: raw
      returned: success
    source:
      description: Label of the source that won. Empty where no source says anything.
      type: str
      returned: success
    default:
      description: Default of Windows, in words.
      type: str
      returned: success
    conflict:
      description: Whether another source says something else.
      type: bool
      returned: success
    overridden:
      description: Sources that lost, with their C(value).
      type: list
      elements: dict
      returned: success
    notes:
      description: What a person should know about this answer.
      type: list
      elements: str
      returned: success
  sample:
    - name: pin_min_length
      value: 8
      source: computer_gpo
      default: 6 (disputed)
      conflict: true
      overridden: [{source: device_csp, value: 6}]
      notes: []
conflicts:
  description: Names of the settings about which sources disagree.
  returned: success
  type: list
  elements: str
  sample: [pin_min_length, pin_history]
not_enforceable:
  description:
    - What a source says that has no effect there, as C(name), C(source) and C(reason).
    - Without O(sources), also what the programs of this host can't do for its cards.
  returned: success
  type: list
  elements: dict
sources:
  description: The policies as they were read, as C(kind), C(label) and C(settings).
  returned: success
  type: list
  elements: dict
notes:
  description: What a person should know about the mix of sources, and about the GPOs that hold some of them.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._hello.sources import ARGUMENTS, answer
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import show
from ansible_collections.hardbound.identity.plugins.module_utils._task.hello_linux import not_enabled_here


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    show(module, lambda: answer(module.params, not_enabled_here()))


if __name__ == "__main__":
    main()
