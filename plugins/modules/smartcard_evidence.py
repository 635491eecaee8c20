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
  - It is a part of M(hardbound.identity.smartcard_enrollment), which runs it and checks what it returns. By itself it
    proves nothing to anybody.
  - What it returns holds no secret. To prove cards takes no PIN; to make them does.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm
  - hardbound.identity._tpm.store
  - hardbound.identity._tpm.change
options:
  cards:
    description: The cards that the host shall have and prove.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the card, 1 to 127 printable ASCII characters. It is also the name of its reader.
        type: str
        required: true
      nonce:
        description: 32 bytes in base64 that the controller made for this card and run.
        type: str
        required: true
      card_edge:
        description:
          - The application that programs see. It stays as it was when the card was made.
          - V(piv) serves every program on Linux, and elliptic curve keys. Its PINs have 8 characters at most.
          - V(gids) is what a virtual smart card of Windows is. Its keys are RSA, in containers; its PINs may be longer.
            Programs write keys and certificates with the PIN.
        type: str
        choices: [piv, gids]
        default: piv
      generate:
        description:
          - Whether the card gets the file system without which programs see nothing on it.
            Only with O(cards[].card_edge=gids), and what Tpmvscmgr calls C(/generate).
          - Without it a GIDS card waits for a management program to write one; see the collection's page on cards.
            A file system that is there stays.
        type: bool
        default: false
      pin:
        description:
          - The first PIN. Needed to make a card, and to add keys to one; a wrong one costs a try then.
          - A task that changes nothing does not look at it. So it does no harm that the owner has changed the PIN
            since.
          - V(random) is another one for each new card. It is returned once, in C(pin_escrow) of RV(cards), encrypted
            for O(cards[].pin_escrow_key).
          - V(default) means V(12345678), which everybody knows.
        type: str
      pin_escrow_key:
        description: Whom a random PIN is encrypted for, with O(cards[].pin=random). PEM of a public key, or of a
          certificate for one.
        type: str
      puk:
        description:
          - A PUK of 8 printable ASCII characters, with which a blocked card gets a new PIN.
          - Without it a forgotten PIN means a new card.
          - V(default) means V(12345678), which everybody knows.
        type: str
      admin_key:
        description:
          - The admin key of a new card, as O(hardbound.identity.virtual_smartcard#module:admin_key).
          - With V(escrow), it is returned once, in C(admin_key_escrow) of RV(cards).
        type: str
      escrow_key:
        description: Whom the admin key is encrypted for, with O(cards[].admin_key=escrow). PEM of a public key, or of a
          certificate for one.
        type: str
      has_puk:
        description:
          - Whether the card has a PUK. Left out, it has one if O(cards[].puk) is given.
          - With V(true), a card that exists needs no O(cards[].puk) any more, so that it may be kept elsewhere.
        type: bool
      has_admin_key:
        description: The same for O(cards[].admin_key).
        type: bool
      pin_retries:
        description:
          - Wrong PINs in a row after which the TPM blocks the card, 1 to 127. It can't be changed later.
        type: int
        default: 5
      puk_retries:
        description:
          - Wrong PUKs in a row after which the TPM blocks the PUK, 1 to 127. It can't be changed later.
        type: int
        default: 5
      pin_must_change:
        description:
          - Whether the first PIN of a new card can do nothing but be changed, once its keys are made with it.
          - It says nothing about a card that exists.
        type: bool
        default: false
      pin_policy:
        description:
          - Which PINs the card takes, now and at every later change. PINs are printable ASCII.
          - A change counts from the next PIN on.
        type: dict
        suboptions:
          minlen:
            description:
              - Fewest characters, 4 or more. Some clients want 6.
            type: int
            default: 8
          maxlen:
            description:
              - Most characters, 127 at most. A PIV card takes 8, and if this is left out it means that.
              - A GIDS card takes 127. OpenSC's programs stop at 15 or 16; Microsoft's driver does not.
            type: int
            default: 127
          uppercase:
            description: Whether a PIN may, must or must not hold uppercase letters.
            type: str
            choices: [allowed, disallowed, required]
            default: allowed
          lowercase:
            description: Whether a PIN may, must or must not hold lowercase letters.
            type: str
            choices: [allowed, disallowed, required]
            default: allowed
          digits:
            description: Whether a PIN may, must or must not hold digits.
            type: str
            choices: [allowed, disallowed, required]
            default: allowed
          specialchars:
            description: Whether a PIN may, must or must not hold characters that are neither letters nor digits.
            type: str
            choices: [allowed, disallowed, required]
            default: allowed
          history:
            description: How many of the last PINs, the present one included, may not come back, 50 at most.
            type: int
            default: 0
          expiry_days:
            description: Days after which a PIN can do nothing but be changed, 730 at most; with 0 it does not expire.
            type: int
            default: 0
      keys:
        description:
          - Keys that the card shall have. A slot that is not listed is left alone.
          - A slot that holds a key of another algorithm is an error; nothing overwrites a key.
        type: list
        elements: dict
        default: []
        suboptions:
          slot:
            description:
              - One of V(authentication) (9A), V(signature) (9C, asks for the PIN before every signature),
                V(key_management) (9D), V(card_authentication) (9E, never asks for the PIN),
                or V(retired_1) to V(retired_20) (82 to 95).
              - On a GIDS card, a container, V(container_0) to V(container_29).
                Its key signs and decrypts once the PIN was verified.
            type: str
            required: true
          algorithm:
            description:
              - Type of the key. Not every TPM makes all of them; see M(hardbound.identity.tpm_info).
              - Left out, it is V(ecc_p256), or in a container V(rsa_2048); programs for GIDS cards know RSA only.
            type: str
            choices: [rsa_2048, rsa_3072, rsa_4096, ecc_p256, ecc_p384]
          self_signed:
            description:
              - Whether a new key gets a certificate that it signs itself. Clients such as OpenSC show a key only with
                one.
            type: bool
            default: true
      owner:
        description: User who may use the card, beside root. With neither this nor O(cards[].group), only root may.
        type: str
        default: ""
      group:
        description: Group whose members may use the card, beside root.
        type: str
        default: ""
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
    ak_certificate:
      description: SHA-256 of the certificate of the card's attestation key; empty if there is none.
      type: str
"""

import contextlib

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._converge import converge
from ansible_collections.hardbound.identity.plugins.module_utils._spec import PUBLIC_WORDS
from ansible_collections.hardbound.identity.plugins.module_utils._visits import EVIDENCE_ARGUMENTS, EvidenceVisit


def main() -> None:
    module = AnsibleModule(argument_spec=EVIDENCE_ARGUMENTS, supports_check_mode=True)
    module.no_log_values.difference_update(PUBLIC_WORDS)
    with contextlib.ExitStack() as stack:

        def visit() -> EvidenceVisit:
            made = EvidenceVisit(module.params, keep=not module.check_mode)
            stack.enter_context(made.alone())
            return made

        converge(module, visit)


if __name__ == "__main__":
    main()
