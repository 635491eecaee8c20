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
attributes:
  action:
    description: Has a part that runs on the controller, with O(attestation_ca).
    support: full
options:
  name:
    description:
      - Name of the card, 1 to 127 printable ASCII characters. It is also the name of its reader.
      - Required with O(state=present); with O(state=absent), this or O(instance_id).
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
        Only with O(card_edge=gids), and what Tpmvscmgr calls C(/generate).
      - Without it a GIDS card waits for a management program to write one; see the collection's page on cards.
        A file system that is there stays.
    type: bool
    default: false
  pin:
    description:
      - The first PIN. Needed to make a card, and to add keys to one; a wrong one costs a try then.
      - A task that changes nothing does not look at it. So it does no harm that the owner has changed the PIN since.
      - V(random) is a PIN that the host makes for a new card by the rules of card and host. RV(pin_escrow) returns it
        once, encrypted for O(pin_escrow_key). Go with O(pin_must_change) if somebody else hands it out.
      - V(default) means V(12345678), which everybody knows.
    type: str
  pin_escrow_key:
    description:
      - Whom the PIN is encrypted for, with O(pin=random). PEM of an X25519, RSA (2048 bits or more) or NIST curve
        public key, or of a certificate for one.
    type: str
  puk:
    description:
      - A PUK of 8 printable ASCII characters, with which a blocked card gets a new PIN.
      - Without it only the admin key helps against a forgotten PIN, if there is one.
      - A card with a PUK gets no new PIN from the admin key.
      - V(default) means V(12345678), which everybody knows.
    type: str
  admin_key:
    description:
      - The admin key of a new card. Whoever has it manages keys and certificates over PC/SC,
        changes the admin key, and, on a card without a PUK, sets a new PIN. It signs nothing.
      - "V(default) is V(010203040506070801020304050607080102030405060708), as with Tpmvscmgr. Everybody knows it."
      - A value of 48 hexadecimal digits is a 3DES key.
      - V(random) is a key that nobody ever knows. There is no way back then. A forgotten PIN without a PUK means
        a new card, for root too. This is also what leaving it out means.
      - V(escrow) is a random key that RV(admin_key_escrow) returns once, encrypted for O(escrow_key).
      - It counts when the card is made. A later task does not look at the key,
        only whether the card has one that somebody knows.
    type: str
  escrow_key:
    description:
      - Whom the admin key is encrypted for, with O(admin_key=escrow). PEM of an X25519, RSA (2048 bits or more)
        or NIST curve public key, or of a certificate for one.
    type: str
  attestation:
    description:
      - What the card shall be able to prove, as with Tpmvscmgr. A card that can prove more than is asked for stays so.
      - V(aik_only) makes an attestation key with the card, and returns what the TPM states with it in RV(evidence).
      - V(aik_and_cert) also has the CA of O(attestation_ca) check that evidence, and puts the CA's certificate of the
        attestation key on the card. If the TPM has no EK certificate that leads to a trust anchor, or the CA can't be
        reached, the task fails, and leaves nothing of a card that it has made.
      - With V(none) a card gets its attestation key when it first has to prove something, as to
        M(hardbound.identity.smartcard_enrollment).
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
      - It is for the controller, which needs the packages of M(hardbound.identity.smartcard_enrollment). The host never
        gets it. For certificates of the card's keys use that module.
    type: dict
    suboptions:
      ca:
        description: Folder on the controller of a CA made with M(hardbound.identity.enrollment_ca), or its name below
          C(/etc/hardbound/ca).
        type: str
        required: true
      ca_passphrase:
        description: Opens the issuing CA's key. Keep it in a vault.
        type: str
        required: true
      ledger:
        description: URL of the CA's ledger, if it is not in the CA's folder. It may hold a password.
        type: str
      trust_anchors:
        description: Folder, or bundle, of certificates on the controller. A TPM is trusted if its EK certificate leads
          to one.
        type: path
        required: true
      revocation:
        description: What to do about the revocation lists of TPM makers.
        type: str
        choices: ["off", where_reachable, required]
        default: where_reachable
      online:
        description: Whether the controller may fetch EK certificates and revocation lists that makers serve online.
        type: bool
        default: true
      cache:
        description: Folder on the controller in which they are kept.
        type: path
      ek:
        description: SHA-256 of the host's endorsement key (its SubjectPublicKeyInfo), in hexadecimal. Without it, the
          key that the host first shows is pinned to it.
        type: str
      replace_ek:
        description: Let the host have another endorsement key than before.
        type: bool
        default: false
      replace_ak:
        description: Let the card have another attestation key than before, because it was made anew.
        type: bool
        default: false
  has_puk:
    description:
      - Whether the card has a PUK. Left out, it has one if O(puk) is given.
      - With V(true), a card that exists needs no O(puk) any more, so that it may be kept elsewhere.
    type: bool
  has_admin_key:
    description: The same for O(admin_key).
    type: bool
  pin_retries:
    description:
      - Wrong PINs in a row after which the TPM blocks the card, 1 to 127. This module can't change it later;
        the admin key and the PIN together can, over PC/SC.
    type: int
    default: 5
  puk_retries:
    description:
      - Wrong PUKs in a row after which the TPM blocks the PUK, 1 to 127. As O(pin_retries).
    type: int
    default: 5
  pin_must_change:
    description:
      - Whether the first PIN of a new card can do nothing but be changed, once this task has made its keys with it.
      - It says nothing about a card that exists. The host's software holds it, not the TPM.
    type: bool
    default: false
  pin_policy:
    description:
      - Which PINs the card takes, now and at every later change. PINs are printable ASCII.
      - A change counts from the next PIN on.
      - Where the host has a Hello policy, the stricter of both counts; see M(hardbound.identity.hello_policy).
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
        description:
          - How many of the last PINs, the present one included, may not come back, 50 at most.
        type: int
        default: 0
      expiry_days:
        description:
          - Days after which a PIN can do nothing but be changed, 730 at most; with 0 it does not expire.
          - The host's clock and software hold this, not the TPM.
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
          - Whether a new key gets a certificate that it signs itself. Clients such as OpenSC show a key only with one.
        type: bool
        default: true
  owner:
    description: User who may use the card, beside root. With neither this nor O(group), only root may.
    type: str
    default: ""
  group:
    description: Group whose members may use the card, beside root.
    type: str
    default: ""
seealso:
  - module: hardbound.identity.smartcard_enrollment
  - module: hardbound.identity.virtual_smartcard_info
  - module: hardbound.identity.virtual_smartcard_pin
  - module: hardbound.identity.virtual_smartcard_key
  - module: hardbound.identity.hello_policy
  - module: hardbound.identity.tpm_info
"""

EXAMPLES = r"""
- name: A smart card in this computer's TPM
  hardbound.identity.virtual_smartcard:
    name: VirtualSmartCardForCorpAccess
    owner: alice
    pin: "{{ vaulted_first_pin }}"
    puk: "{{ vaulted_puk }}"
    pin_must_change: true
    pin_policy:
      minlen: 6
      digits: required
    keys:
      - slot: authentication
        algorithm: ecc_p256
      - slot: signature
        algorithm: rsa_2048
  register: card

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
    - Its C(keys) are a list, each with C(slot), C(reference), C(algorithm), C(pin), C(imported), C(public_key) (PEM)
      and C(certificate) (PEM, or null).
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
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._converge import converge
from ansible_collections.hardbound.identity.plugins.module_utils._smartcard import Smartcard
from ansible_collections.hardbound.identity.plugins.module_utils._spec import PUBLIC_WORDS
from ansible_collections.hardbound.identity.plugins.module_utils._wanted_card import ARGUMENTS


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_if=[("state", "present", ["name"]), ("state", "absent", ["name", "instance_id"], True)],
    )
    module.no_log_values.difference_update(PUBLIC_WORDS)
    converge(module, lambda: Smartcard.from_task(module.params))


if __name__ == "__main__":
    main()
