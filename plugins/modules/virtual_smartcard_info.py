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
    - The C(keys) of each are as M(hardbound.identity.virtual_smartcard) returns them.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The card's name.
      type: str
    instance_id:
      description: The card's instance id.
      type: str
    state:
      description:
        - V(ready), V(blocked) if the PIN has no tries left, V(lost) if the TPM no longer holds what the card
          was made with, V(unfinished) if a run was interrupted while it made or destroyed the card,
          V(unreachable) if its TPM does not answer.
      type: str
    reader:
      description: Name of the PC/SC reader that the card is in; null for a card that the host's Hello policy gave none.
      type: str
    serial:
      description: The card's serial number, 16 bytes in hexadecimal.
      type: str
    owner:
      description: User who may use the card.
      type: str
    group:
      description: Group that may use the card.
      type: str
    card_edge:
      description: The application that the card shows to programs.
      type: str
    generated:
      description: Whether a GIDS card has its file system; false for other cards.
      type: bool
    tpm:
      description: Where the card's TPM is.
      type: str
    pin_policy:
      description: The rules for PINs.
      type: dict
    pin_set_at:
      description: When the PIN was set, UTC; null for a card of a release that did not note it.
      type: str
    pin_must_change:
      description: Whether the PIN can do nothing but be changed.
      type: bool
    pin_expires_at:
      description: From when on the PIN can do nothing but be changed, UTC; null for never.
      type: str
    objections:
      description:
        - What about the card is no longer as its own rules and the host's Hello policy want it; empty if all is well.
      type: list
      elements: str
      sample: ["The PIN has expired."]
    pin_retries:
      description: Wrong PINs until the card is blocked.
      type: int
    pin_tries_left:
      description: Tries that the PIN has left; null where the TPM can't tell.
      type: int
    puk_retries:
      description: Wrong PUKs until the PUK is blocked; null for a card without PUK.
      type: int
    puk_tries_left:
      description: Tries that the PUK has left; null for a card without PUK.
      type: int
    has_admin_key:
      description: Whether the card has an admin key that somebody knows.
      type: bool
    attestation:
      description: What the card can prove, V(none), V(aik_only) or V(aik_and_cert).
      type: str
    attestation_certificate:
      description: PEM of the certificate of the card's attestation key; null if it has none.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._converge import show
from ansible_collections.hardbound.identity.plugins.module_utils._smartcards import list_cards
from ansible_collections.hardbound.identity.plugins.module_utils._spec import STORE


def main() -> None:
    module = AnsibleModule(argument_spec={**STORE, "name": {"type": "str"}}, supports_check_mode=True)
    show(module, lambda: list_cards(module.params))


if __name__ == "__main__":
    main()
