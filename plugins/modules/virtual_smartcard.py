#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: virtual_smartcard
short_description: Make and destroy smart cards in a computer's TPM
version_added: 0.1.0
description:
  - Makes a virtual smart card whose keys live in the TPM 2.0 of the host, or destroys one.
  - The TPM itself counts wrong PINs and refuses the keys to whoever does not know the PIN, root included.
  - Programs use the card over PC/SC as a PIV or GIDS card, once the role P(hardbound.identity.tpm_host#role)
    has set up the host.
  - What is destroyed can't be restored, not even from a copy of the disk.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm
  - hardbound.identity._tpm.store
  - hardbound.identity._tpm.change
  - hardbound.identity._tpm.endorsement
  - hardbound.identity._card
  - hardbound.identity._ca.attestation_ca
attributes:
  action:
    description: Has a part that runs on the controller, with O(attestation_ca).
    support: full
options:
  name:
    description:
      - Name of the card, 1 to 127 printable ASCII characters. The card's reader has the same name.
      - Required with O(state=present); with O(state=absent), this or O(instance_id), or both, of one card.
    type: str
  instance_id:
    description:
      - The card's instance id, in the form C(ROOT\SMARTCARDREADER\0000). Only with O(state=absent).
    type: str
  state:
    description:
      - Whether the card shall exist.
    type: str
    choices: [present, absent]
    default: present
  attestation:
    description:
      - What the card shall be able to prove, as with Tpmvscmgr. A card that can prove more than is asked for stays so.
      - V(aik_only) is for an attestation key, and returns what the TPM states with it in RV(evidence).
      - V(aik_and_cert) also has the CA of O(attestation_ca) check that evidence, and puts the CA's certificate of the
        attestation key on the card. If the TPM has no EK certificate that leads to a trust anchor, or the CA can't be
        reached, the task fails, and leaves nothing of a card that it has made.
      - With V(none) nothing is returned or certified. A new card has its attestation key all the same; a card of an
        earlier release gets one when it first has to prove something, as to M(hardbound.identity.smartcard_enrollment).
    type: str
    choices: [none, aik_only, aik_and_cert]
    default: none
  attestation_nonce:
    description:
      - 32 bytes in base64 that a verifier has made. RV(evidence) is made over them, whenever the task runs.
      - Without it, evidence is returned when the task makes the attestation key, over a nonce of the host. That shows
        what the card is, and not when that was stated.
      - With O(attestation=aik_and_cert) the controller makes it.
    type: str
  attestation_ca:
    description:
      - The CA, for O(attestation=aik_and_cert). With O(state=absent), what that CA has issued for the card is revoked
        first, and the host may get another card of that name.
      - The option is for the controller, which needs the packages of M(hardbound.identity.smartcard_enrollment); the
        host never gets it. That module is also the one that gives the card's keys certificates.
    type: dict
seealso:
  - module: hardbound.identity.smartcard_enrollment
  - module: hardbound.identity.virtual_smartcard_info
  - module: hardbound.identity.virtual_smartcard_pin
  - module: hardbound.identity.virtual_smartcard_key
  - module: hardbound.identity.hello_policy
  - module: hardbound.identity.tpm_info
  - name: The card
    description: PIV and GIDS, the admin key, and what an administrator does over PC/SC.
    link: https://github.com/hardbound/identity/blob/main/docs/card.md
"""

EXAMPLES = r"""
- name: A smart card in this computer's TPM
  hardbound.identity.virtual_smartcard:
    name: VirtualSmartCardForCorpAccess
    owner: alice
    pin: "{{ vaulted_first_pin }}"
    puk: "{{ vaulted_puk }}"
    pin_policy:
      minlen: 6
      digits: required
    keys:
      - slot: authentication
        algorithm: ecc_p256
      - slot: signature
        algorithm: rsa_2048
  register: card

- name: A folder for what is returned once
  ansible.builtin.file:
    path: escrow
    state: directory
    mode: "0700"
  delegate_to: localhost
  run_once: true

- name: A card whose admin key only the help desk can read
  hardbound.identity.virtual_smartcard:
    name: VirtualSmartCardForCorpAccess
    owner: alice
    pin: "{{ vaulted_first_pin }}"
    admin_key: escrow
    escrow_key: "{{ lookup('ansible.builtin.file', 'helpdesk.pem') }}"
  register: card

- name: Keep it, if the card is new
  ansible.builtin.copy:
    content: "{{ card.admin_key_escrow }}"
    dest: "escrow/{{ inventory_hostname }}.jwe"
    mode: "0600"
  delegate_to: localhost
  when: card.admin_key_escrow is not none

- name: A card as Windows makes them, with containers for programs to fill
  hardbound.identity.virtual_smartcard:
    name: VirtualSmartCardForCorpAccess
    card_edge: gids
    generate: true
    owner: alice
    pin: "{{ vaulted_first_pin }}"
    admin_key: "{{ vaulted_admin_key }}"
    keys:
      - slot: container_0

- name: A card with a first PIN that only the print shop reads
  hardbound.identity.virtual_smartcard:
    name: VirtualSmartCardForCorpAccess
    owner: alice
    pin: random
    pin_escrow_key: "{{ lookup('ansible.builtin.file', 'print_shop.pem') }}"
    pin_must_change: true
  register: card

- name: A card whose attestation key is certified
  hardbound.identity.virtual_smartcard:
    name: VirtualSmartCardForCorpAccess
    owner: alice
    pin: "{{ vaulted_first_pin }}"
    attestation: aik_and_cert
    attestation_ca:
      ca: corp_issuing
      ca_passphrase: "{{ vaulted_ca_passphrase }}"
      trust_anchors: /etc/pki/tpm-vendors

- name: Where it is
  ansible.builtin.debug:
    msg: "{{ card.instance_id }} in reader {{ card.reader }}"

- name: The card and its keys are gone for good
  hardbound.identity.virtual_smartcard:
    name: VirtualSmartCardForCorpAccess
    state: absent
"""

RETURN = r"""
instance_id:
  description: The card's instance id; null if there is no card.
  returned: success
  type: str
  sample: ROOT\SMARTCARDREADER\0000
reader:
  description:
    - Name of the PC/SC reader that the card is in.
    - Null if there is no card, or if the host's Hello policy gave it no reader.
    - See O(hardbound.identity.hello_policy#module:settings.disable_card_emulation).
  returned: success
  type: str
  sample: VirtualSmartCardForCorpAccess 00 00
created:
  description: Whether this task has made the card.
  returned: success
  type: bool
tickets_until_restart:
  description: Whether this task has destroyed the card, so that what somebody has made of its PIN, a ticket of the TPM
    and copies of the keys, ends with the TPM's next restart and not before.
  returned: success
  type: bool
pin_escrow:
  description:
    - The new card's PIN, encrypted for O(pin_escrow_key) like RV(admin_key_escrow). Null for a card that existed, and
      without O(pin=random). If a run is cut off before this is kept, nobody knows the PIN.
  returned: success
  type: str
evidence:
  description:
    - What the TPM states of the card, with O(attestation) and O(attestation_nonce). Its fields are described in
      docs/attestation.md. It proves nothing until a verifier has checked it.
  returned: success
  type: dict
attestation_nonce:
  description: What RV(evidence) was made over, in base64; null without evidence.
  returned: success
  type: str
admin_key_escrow:
  description:
    - The new card's admin key, 48 hexadecimal digits, encrypted for O(escrow_key) as a JSON Web Encryption
      (RFC 7516, compact). Null for a card that existed, and without O(admin_key=escrow).
    - The filter P(hardbound.identity.open_escrow#filter) opens it, and so does any program that knows JWE.
  returned: success
  type: str
card:
  description:
    - The card; null if there is none.
    - Its C(slots) are a list of those that hold a key, each with C(slot), C(reference), C(algorithm), C(pin),
      C(imported), C(public_key) (PEM) and C(certificate) (PEM, or null).
  returned: success
  type: dict
  contains:
    name:
      description: The card's name.
      type: str
    instance_id:
      description: The card's instance id.
      type: str
    serial:
      description: The card's serial number, 16 bytes in hexadecimal; also the GUID of its CHUID.
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
    passkeys:
      description: Whether the card is a FIDO2 authenticator too.
      type: bool
    presence:
      description: What tells a passkey's relying party that somebody is there.
      type: str
    passkey_attestation:
      description: Who attests a new passkey, where no relying parties are named.
      type: str
    enterprise_attestation:
      description: Relying parties that alone see the card's attestation key, if there are any.
      type: list
      elements: str
    card_reset:
      description: Whether a program may make the card anew whose PIN and PUK are blocked.
      type: bool
    faces:
      description: The ways by which programs reach the card.
      type: list
      elements: str
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
    pin_retries:
      description: Wrong PINs until the card is blocked.
      type: int
    puk_retries:
      description: Wrong PUKs until the PUK is blocked; null for a card without PUK.
      type: int
    has_admin_key:
      description: Whether the card has an admin key that somebody knows.
      type: bool
    attestation:
      description: What the card can prove, as O(attestation).
      type: str
    attestation_certificate:
      description: PEM of the certificate of the card's attestation key; null if it has none.
      type: str
    attestation_issuer:
      description: PEM of the certificate of the CA that attests the card's keys; null if none has.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._task.card import Smartcard
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import converge
from ansible_collections.hardbound.identity.plugins.module_utils._task.wanted_card import ARGUMENTS


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_if=[("state", "present", ["name"]), ("state", "absent", ["name", "instance_id"], True)],
    )
    converge(module, lambda: Smartcard.from_task(module.params))


if __name__ == "__main__":
    main()
