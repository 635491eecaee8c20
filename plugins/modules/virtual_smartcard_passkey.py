#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: virtual_smartcard_passkey
short_description: The discoverable passkeys of a virtual smart card
version_added: 0.1.0
description:
  - Removes passkeys from a card that is a FIDO2 authenticator too, those of a relying party or of one user there.
  - Programs make passkeys, with the PIN of the card's user. What passkeys a card has,
    M(hardbound.identity.virtual_smartcard_info) tells.
  - Of passkeys that are not discoverable a card keeps nothing. They end with the card alone.
  - Needs neither the PIN nor the TPM.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm.card
options:
  relying_party:
    description:
      - The relying party id, mostly the domain of a web site, such as V(corp.example).
    type: str
    required: true
  user_name:
    description:
      - The user at the relying party, by the name that it gave when the passkey was made.
      - Left out, the passkeys of all its users go.
    type: str
  state:
    description: What shall be of them. A passkey that was removed can't be brought back.
    type: str
    choices: [absent]
    required: true
seealso:
  - module: hardbound.identity.virtual_smartcard
  - module: hardbound.identity.virtual_smartcard_info
"""

EXAMPLES = r"""
- name: Alice has left corp.example
  hardbound.identity.virtual_smartcard_passkey:
    name: VirtualSmartCardForCorpAccess
    relying_party: corp.example
    user_name: alice
    state: absent
  register: left

- name: Where she still has passkeys
  ansible.builtin.debug:
    msg: "{{ left.discoverable_passkeys | map(attribute='relying_party') }}"
"""

RETURN = r"""
name:
  description: The card's name.
  returned: success
  type: str
  sample: VirtualSmartCardForCorpAccess
instance_id:
  description: The card's instance id.
  returned: success
  type: str
  sample: ROOT\SMARTCARDREADER\0000
discoverable_passkeys:
  description:
    - The passkeys that are left, as RV(hardbound.identity.virtual_smartcard_info#module:cards[].discoverable_passkeys)
      has them.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import converge
from ansible_collections.hardbound.identity.plugins.module_utils._task.existing_card import NAMED
from ansible_collections.hardbound.identity.plugins.module_utils._task.passkey import ARGUMENTS, SmartcardPasskeys


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True, required_one_of=NAMED)
    converge(module, lambda: SmartcardPasskeys.from_task(module.params))


if __name__ == "__main__":
    main()
