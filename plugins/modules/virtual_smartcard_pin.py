#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: virtual_smartcard_pin
short_description: Change PIN and PUK of a virtual smart card
version_added: 0.1.0
description:
  - Changes the PIN or the PUK, and gives a card a new PIN with its PUK, or, if it has none, with its admin key.
  - The TPM counts tries. A secret that is right already changes nothing and costs no try, and neither does a change
    with the right PIN or PUK. A task whose secrets are all wrong costs up to two tries of each, in check mode too,
    but never the last of several.
  - The module leaves one bit of a hash of a PIN or PUK that it has set in the card's file, by which its next run knows
    which PIN the card has. Whoever steals that file has to guess among half as many PINs; the TPM counts the guesses as
    before. The bit goes when the holder sets another PIN.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm.card
options:
  pin:
    description:
      - The present PIN, with which O(new_pin) is set.
    type: str
  new_pin:
    description:
      - The PIN that the card shall have. It has to follow the card's rules.
      - Set with O(pin), or with O(puk) or O(admin_key) if O(pin) is left out, blocked or wrong.
      - V(random) is a PIN that the host makes by the rules of card and host. RV(pin_escrow) returns it once, encrypted
        for O(pin_escrow_key). The card gets another one each time the task runs; but with O(pin) alone, the second
        run fails, and costs no try.
      - Here and in the other PINs and PUKs, V(default) means V(12345678), which everybody knows.
    type: str
  pin_escrow_key:
    description:
      - Whom the PIN is encrypted for, with O(new_pin=random). PEM of an X25519, RSA (2048 bits or more) or NIST curve
        public key, or of a certificate for one.
    type: str
  must_change:
    description:
      - Whether the PIN of O(new_pin) can do nothing but be changed by the holder. Once the holder has changed it,
        O(new_pin) is wrong, and the task fails.
    type: bool
    default: false
  compromised:
    description:
      - Whether somebody else may know the former PIN or PUK. A ticket of the TPM that it has brought outlives the
        change, until the TPM is restarted. A warning says so where something was changed, and RV(tickets_until_restart)
        tells a playbook.
    type: bool
    default: false
  puk:
    description:
      - The present PUK. A new PIN that is set with the PUK has all its tries again.
    type: str
  new_puk:
    description:
      - The PUK that the card shall have, 8 printable ASCII characters. Set with O(puk).
    type: str
  admin_key:
    description:
      - The admin key, with which O(new_pin) is set on a card without PUK. The new PIN has all its tries
        again.
      - Hexadecimal digits, 48 for a 3DES key, which a new card has, 32, 48 or 64 for one of AES. A wrong one costs no
        try. The filter P(hardbound.identity.open_escrow#filter) opens an escrowed one.
      - V(default) is the one that everybody knows.
    type: str
seealso:
  - module: hardbound.identity.virtual_smartcard
  - module: hardbound.identity.virtual_smartcard_info
"""

EXAMPLES = r"""
- name: Another PIN
  hardbound.identity.virtual_smartcard_pin:
    name: VirtualSmartCardForCorpAccess
    pin: "{{ vaulted_first_pin }}"
    new_pin: "{{ vaulted_second_pin }}"

- name: A new PIN for a card that is blocked
  hardbound.identity.virtual_smartcard_pin:
    name: VirtualSmartCardForCorpAccess
    puk: "{{ vaulted_puk }}"
    new_pin: "{{ vaulted_third_pin }}"

- name: A new PIN from the help desk, for the holder to change
  hardbound.identity.virtual_smartcard_pin:
    name: VirtualSmartCardForCorpAccess
    admin_key: "{{ escrowed_admin_key | hardbound.identity.open_escrow(vaulted_helpdesk_key) }}"
    new_pin: random
    pin_escrow_key: "{{ lookup('ansible.builtin.file', 'print_shop.pem') }}"
    must_change: true
  register: reset

- name: Another PIN, because somebody has seen the old one
  hardbound.identity.virtual_smartcard_pin:
    name: VirtualSmartCardForCorpAccess
    pin: "{{ vaulted_second_pin }}"
    new_pin: "{{ vaulted_third_pin }}"
    compromised: true
  register: changed

- name: The end of what the old one has brought
  ansible.builtin.reboot:
  when: changed.tickets_until_restart

- name: Another PUK
  hardbound.identity.virtual_smartcard_pin:
    instance_id: ROOT\SMARTCARDREADER\0000
    puk: "{{ vaulted_puk }}"
    new_puk: "{{ vaulted_second_puk }}"
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
pin_must_change:
  description: Whether the PIN can do nothing but be changed.
  returned: success
  type: bool
pin_escrow:
  description: The PIN that the card has got, encrypted for O(pin_escrow_key) as a JSON Web Encryption (RFC 7516,
    compact); null without O(new_pin=random).
  returned: success
  type: str
tickets_until_restart:
  description: Whether this task has changed PIN or PUK, so that what somebody has made of the former one, a ticket of
    the TPM, ends with the TPM's next restart and not before.
  returned: success
  type: bool
pin_tries_left:
  description: Tries that the PIN has left.
  returned: success
  type: int
  sample: 5
puk_tries_left:
  description: Tries that the PUK has left; null for a card without PUK.
  returned: success
  type: int
  sample: 5
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import converge
from ansible_collections.hardbound.identity.plugins.module_utils._task.existing_card import NAMED
from ansible_collections.hardbound.identity.plugins.module_utils._task.pin import ARGUMENTS, SOMETHING_NEW, SmartcardPin


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_one_of=[*NAMED, *SOMETHING_NEW],
    )
    converge(module, lambda: SmartcardPin.from_task(module.params))


if __name__ == "__main__":
    main()
