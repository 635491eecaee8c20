#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: smartcard_recover
short_description: Visit of a PIN recovery to a host
version_added: 0.1.0
description:
  - Without O(challenge), has the host's TPM state what a card is, and says which half of a PUK the card has.
  - With O(challenge), gives the card the new PIN, which its holder has to change, and another PUK. Keys and
    certificates stay.
  - This module is a part of M(hardbound.identity.smartcard_recovery), which makes the challenge and checks the answer.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm
  - hardbound.identity._tpm.store
  - hardbound.identity._tpm.change
  - hardbound.identity._tpm.endorsement
attributes:
  diff_mode:
    support: none
    description: Returns what differs, or would differ, when in diff mode. Secrets are not shown.
options:
  name:
    description: Name of the card.
    type: str
    required: true
  nonce:
    description: What the TPM's statements are made over, in base64.
    type: str
    required: true
  challenge:
    description: What the card's TPM alone opens, as the controller made it. The controller's halves of the PUK are
      in it.
    type: dict
  new_pin:
    description: The PIN that the card gets, V(random) for one that nobody but its recipient reads.
    type: str
  pin_escrow_key:
    description: Whom a random PIN is encrypted for.
    type: str
seealso:
  - module: hardbound.identity.smartcard_recovery
"""

EXAMPLES = r"""
- name: Look at a card
  hardbound.identity.smartcard_recover:
    name: VirtualSmartCardForCorpAccess
    nonce: "{{ nonce }}"
"""

RETURN = r"""
recovery:
  description: Identifiers of the halves that the card has, the newest first.
  returned: success
  type: list
  elements: str
evidence:
  description: What the TPM states of the card.
  returned: success
  type: dict
answer:
  description: The proof that the TPM opened the challenge, in base64; empty without O(challenge).
  returned: success
  type: str
pin_escrow:
  description: The PIN, encrypted for O(pin_escrow_key); null without O(new_pin=random).
  returned: success
  type: str
tickets_until_restart:
  description: Whether what somebody has made of the former PIN, a ticket of the TPM, ends with the TPM's next restart
    and not before.
  returned: with O(challenge)
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import show
from ansible_collections.hardbound.identity.plugins.module_utils._task.recovery import ARGUMENTS, CardRecovery


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    show(module, lambda: CardRecovery.from_task(module.params).run(module.check_mode))


if __name__ == "__main__":
    main()
