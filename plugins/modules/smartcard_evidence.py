#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: smartcard_evidence
short_description: First visit of an enrolment to a host
version_added: 0.1.0
description:
  - Makes and completes a host's cards, and returns what its TPM states of them.
  - This module is a part of M(hardbound.identity.smartcard_enrollment), which runs it and checks what it returns. Run
    by itself, the module proves nothing to anybody.
  - Its result holds no secret. Proving cards takes no PIN; making them does.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm
  - hardbound.identity._tpm.store
  - hardbound.identity._tpm.change
  - hardbound.identity._tpm.endorsement
  - hardbound.identity._card.proved_cards
options:
  cards:
    description: The cards that the host shall have and prove.
    type: list
    elements: dict
    required: true
seealso:
  - module: hardbound.identity.smartcard_enrollment
  - module: hardbound.identity.smartcard_activate
"""

EXAMPLES = r"""
- name: Look at what a host shows
  hardbound.identity.smartcard_evidence:
    cards:
      - name: VirtualSmartCardForCorpAccess
        nonce: "{{ lookup('ansible.builtin.pipe', 'head -c 32 /dev/urandom | base64 -w0') }}"
        keys:
          - slot: authentication
"""

RETURN = r"""
evidence:
  description: The evidence. Its fields are described in docs/attestation.md.
  returned: success
  type: dict
cards:
  description: The cards, those too that check mode has not made.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the card.
      type: str
    changed:
      description: Whether the card was made, completed or adjusted.
      type: bool
    instance_id:
      description: The card's instance id.
      type: str
    certificates:
      description: SHA-256 of each certificate on the card, by the slot's PIV key reference or GIDS key file.
      type: dict
    pin_escrow:
      description: The PIN of a card that was made with V(random), encrypted; it is returned once.
      type: str
    admin_key_escrow:
      description: The admin key of a card that was made with V(escrow), encrypted; it is returned once.
      type: str
    recovery:
      description: Identifiers of the halves that the card's PUK is made of, the newest first.
      type: list
      elements: str
    ak_certificate:
      description: SHA-256 of the certificate of the card's attestation key; empty if there is none.
      type: str
    attestations:
      description:
        - SHA-256 of each certificate that attests a key of the card, followed by that of its issuer; by the slot's PIV
          key reference.
      type: dict
"""

import contextlib

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import converge
from ansible_collections.hardbound.identity.plugins.module_utils._task.enrollment import (
    ARGUMENTS,
    EvidenceVisit,
)


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    with contextlib.ExitStack() as stack:

        def visit() -> EvidenceVisit:
            made = EvidenceVisit(module.params)
            if not module.check_mode:
                stack.enter_context(made.alone())
            return made

        converge(module, visit)


if __name__ == "__main__":
    main()
