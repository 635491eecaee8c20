#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: virtual_smartcard_info
short_description: The virtual smart cards of a host
version_added: 0.1.0
description:
  - Lists the virtual smart cards of a host with their keys, certificates and readers.
  - Asks the TPM how many tries PIN and PUK have left, which costs no try.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._attributes.info_module
  - hardbound.identity._tpm.store
options:
  name:
    description:
      - Only the card of this name.
    type: str
seealso:
  - module: hardbound.identity.virtual_smartcard
"""

EXAMPLES = r"""
- name: Which cards there are
  hardbound.identity.virtual_smartcard_info:
  register: found

- name: Those that have few tries left
  ansible.builtin.debug:
    msg: "{{ found.cards | selectattr('pin_tries_left', 'lt', 2) | map(attribute='name') }}"

- name: Those that no longer comply
  ansible.builtin.debug:
    msg: "{{ found.cards | selectattr('objections') | map(attribute='name') }}"
"""

RETURN = r"""
cards:
  description:
    - The cards, ordered by instance id.
    - Each has the fields of RV(hardbound.identity.virtual_smartcard#module:card), C(slots) among them, and those listed
      here.
  returned: success
  type: list
  elements: dict
  contains:
    state:
      description:
        - V(ready), V(blocked) if the PIN has no tries left, V(lost) if the TPM no longer holds what the card
          was made with, V(unfinished) if a run was interrupted while it made or destroyed the card,
          V(unreachable) if its TPM does not answer.
      type: str
    reader:
      description: Name of the PC/SC reader that the card is in; null for a card that the host's Hello policy gave none.
      type: str
    pin_expires_at:
      description: From when on the PIN can do nothing but be changed, UTC; null for never.
      type: str
    objections:
      description:
        - What about the card is no longer as its own rules and the host's Hello policy want it; empty if all is well.
      type: list
      elements: str
      sample: ["The PIN has expired."]
    discoverable_passkeys:
      description: The discoverable passkeys that the card's user has made, the oldest first.
      type: list
      elements: dict
      contains:
        relying_party:
          description: The relying party id, mostly the domain of a web site.
          type: str
          sample: corp.example
        user_name:
          description: The user's name there; empty if the relying party gave none.
          type: str
          sample: alice
        user_display_name:
          description: The name that browsers show; empty if the relying party gave none.
          type: str
        user_id:
          description: The relying party's own identifier of the user, base64url.
          type: str
        credential_id:
          description: The passkey's identifier, base64url.
          type: str
        algorithm:
          description: What key it is.
          type: str
          sample: ecc_p256
        made_at:
          description: When it was made, UTC.
          type: str
    pin_tries_left:
      description: Tries that the PIN has left; null where the TPM can't tell.
      type: int
    puk_tries_left:
      description: Tries that the PUK has left; null for a card without PUK.
      type: int
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._task.arguments import STORE
from ansible_collections.hardbound.identity.plugins.module_utils._task.card_info import list_cards
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import show


def main() -> None:
    module = AnsibleModule(argument_spec={**STORE, "name": {"type": "str"}}, supports_check_mode=True)
    show(module, lambda: list_cards(module.params))


if __name__ == "__main__":
    main()
