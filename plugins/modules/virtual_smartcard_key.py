#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: virtual_smartcard_key
short_description: A key of a virtual smart card
version_added: 0.1.0
description:
  - Makes a key in a slot of a virtual smart card, or removes it with its certificate.
  - A key that is there is never overwritten.
  - A key that was removed is gone from the host, but not from copies of the card's file. With such a copy, the PIN
    and the host's TPM the key works again, until the card is destroyed.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm.card
  - hardbound.identity._card.key
options:
  state:
    description: Whether the slot shall hold a key.
    type: str
    choices: [present, absent]
    default: present
  pin:
    description:
      - The PIN, needed to make a key in any slot but V(card_authentication). A wrong one costs a try.
      - A task that changes nothing does not look at it.
    type: str
seealso:
  - module: hardbound.identity.virtual_smartcard
  - module: hardbound.identity.virtual_smartcard_certificate
  - module: hardbound.identity.virtual_smartcard_request
"""

EXAMPLES = r"""
- name: A key for signatures
  hardbound.identity.virtual_smartcard_key:
    name: VirtualSmartCardForCorpAccess
    slot: signature
    algorithm: rsa_2048
    pin: "{{ vaulted_pin }}"
  register: made

- name: Its public key
  ansible.builtin.debug:
    msg: "{{ made.key.public_key }}"

- name: The slot is empty
  hardbound.identity.virtual_smartcard_key:
    name: VirtualSmartCardForCorpAccess
    slot: signature
    state: absent
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
key:
  description: The key; null if the slot is empty.
  returned: success
  type: dict
  contains:
    slot:
      description: The slot's name.
      type: str
    reference:
      description: The slot's PIV key reference, or the key file of a GIDS container, in hexadecimal.
      type: str
    algorithm:
      description: Type of the key.
      type: str
    pin:
      description: When the key asks for the PIN (V(once), V(always) or V(never)).
      type: str
    public_key:
      description: The public key, PEM.
      type: str
    certificate:
      description: The certificate, PEM; null if there is none.
      type: str
    attestation:
      description: What a PIV card answers ATTEST with for the key, PEM; null if no CA has attested it.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import converge
from ansible_collections.hardbound.identity.plugins.module_utils._task.existing_card import NAMED
from ansible_collections.hardbound.identity.plugins.module_utils._task.key import ARGUMENTS, SmartcardKey


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True, required_one_of=NAMED)
    converge(module, lambda: SmartcardKey.from_task(module.params))


if __name__ == "__main__":
    main()
