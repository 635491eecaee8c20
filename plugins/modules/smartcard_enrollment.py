#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: smartcard_enrollment
short_description: Enrol a host's virtual smart cards, with proof that their keys live in its TPM
version_added: 0.1.0
description:
  - Makes a host's virtual smart cards as the inventory wants them, has its TPM prove that their keys can't leave it and
    are used only with the PIN, and gives them certificates of an enrolment CA.
  - Visits the host twice if there is something to issue, and once if not. All cards of the host go together.
  - The controller decides. It believes nothing that the host merely says, and takes the names in certificates from the
    inventory alone. The controller needs no TPM software.
  - A card with time left is left alone. A certificate is renewed when two thirds of its lifetime are over, or when
    profile or names have changed.
  - A run that was cut off is taken up by the next one. Runs at the same time end with one certificate.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm
  - hardbound.identity._tpm.store
  - hardbound.identity._tpm.change
  - hardbound.identity._tpm.endorsement
  - hardbound.identity._card.enrolled_cards
  - hardbound.identity._ca
attributes:
  action:
    description: Runs on the controller, and visits the host.
    support: full
requirements:
  - cryptography >= 38 on the controller
  - SQLAlchemy >= 1.4 on the controller
options:
  state:
    description:
      - V(present) enrols.
      - V(absent) revokes the cards' certificates, signs the revocation list, destroys the cards, and lets go of the
        keys that were pinned. Certificates are revoked even if the host does not answer.
    type: str
    choices: [present, absent]
    default: present
  cards:
    description:
      - The host's cards, from the inventory.
      - Making a card or a key takes the card's PIN. Enrolling and renewing take no PIN.
      - With O(state=absent) only their names count; none means all cards of the host that the CA knows, and the host
        itself, so that its TPM may serve another one.
    type: list
    elements: dict
    default: []
  profile:
    description: Profile of the certificates, such as V(ad_smartcard_logon), V(mit_pkinit) or V(tls_client).
    type: str
  profiles:
    description: Profiles of your own, beside the shipped ones or in their place. See the page on the CA.
    type: dict
    default: {}
  external_ca:
    description:
      - Another CA, which issues the certificates of the cards' keys in place of O(ca). Certificates of attestation
        keys, the ledger and all checks stay with O(ca). See the page on the CA.
      - A new key signs its request when the key is made. For a key that exists, a request with other names or for
        another profile takes the card's PIN.
    type: dict
    suboptions:
      name:
        description: Name of that CA in messages. A change of the name has every certificate issued anew.
        type: str
        default: the other CA
      certificates:
        description: File on the controller with that CA's certificates, in PEM. One of these CAs has to have signed
          the certificate that comes back.
        type: path
        required: true
      requests:
        description:
          - Folder on the controller for requests, as C(HOST.CARD.SLOT.csr), and answers, as C(HOST.CARD.SLOT.pem).
          - Without O(external_ca.command), somebody has that CA answer a request and puts the certificate there. A
            card that waits for a certificate is V(pending), and the next run goes on with the card.
        type: path
        required: true
      command:
        description: Program and arguments that ask that CA at once. Runs on the controller without a shell, gets the
          request in PEM on standard input, and prints the certificate. Exit code 75 says that the CA has yet to decide.
          The card is V(pending) then, and the next run asks again.
        type: list
        elements: str
        default: []
      revoke_command:
        description:
          - Program and arguments that have that CA revoke a certificate. Runs on the controller without a shell, and
            gets the certificate in PEM on standard input. In the arguments, C({serial}) stands for the serial number in
            hexadecimal, and C({reason}) for why, in the words of RFC 5280, such as C(keyCompromise).
          - Asked with O(state=absent), for what a new certificate replaces, and at the end of a run for what no TPM has
            answered for. The next run of the host asks again where the command failed, or ended with exit code 75.
          - Without it, a warning says which certificate that CA has to revoke.
        type: list
        elements: str
        default: []
      profiles:
        description: Profiles whose certificates that CA issues. If left out, all profiles.
        type: list
        elements: str
        default: []
  trust_anchors:
    description:
      - Folder, or bundle, of certificates on the controller. A TPM is trusted if its EK certificate leads to one.
      - Required with O(state=present). Nothing is trusted by default, a software TPM least of all.
    type: path
  replace_cards:
    description:
      - Cards that were made anew and may replace the cards of the same names, each as C(NAME=FINGERPRINT). A card
        counts as another one if its attestation key, its genesis object, the parent of its keys or one of its NV
        indices has another Name. The fingerprint is that of the old card. The message that refuses the new card
        tells the fingerprint.
      - Each entry counts for one run. An entry that is left standing permits nothing more, for the new card has another
        fingerprint. A run that finds the old card uses the entry up as well. Otherwise somebody who controls a host
        could later put a card of their own in the place of a card that may be replaced.
    type: list
    elements: str
    default: []
  recovery_key:
    description:
      - Public key for which the controller's halves of PUKs are sealed. PEM of an X25519, RSA (2048 bits or more) or
        NIST curve public key, or of a certificate for one. The private key belongs elsewhere.
      - A card that is made without C(puk), and does not say C(has_puk=false), gets a PUK of two halves then, which
        nobody knows. M(hardbound.identity.smartcard_recovery) gives such a card a new PIN.
    type: str
  timeout:
    description: Seconds that a visit to the host may take; 0 for no end. A host that has not answered by then is
      refused, and holds up nobody.
    type: int
    default: 900
  reason:
    description: Why certificates are revoked, with O(state=absent).
    type: str
    choices: [unspecified, key_compromise, affiliation_changed, cessation_of_operation, privilege_withdrawn]
    default: cessation_of_operation
seealso:
  - module: hardbound.identity.enrollment_ca
  - module: hardbound.identity.attestation_verify
  - name: Attested enrolment
    description: What is checked, and what it does not prove.
    link: https://github.com/hardbound/identity/blob/main/docs/attestation.md
  - name: The CA and its profiles
    description: Profiles of your own, and another CA.
    link: https://github.com/hardbound/identity/blob/main/docs/enrollment_ca.md
"""

EXAMPLES = r"""
- name: A logon card for Alice
  hardbound.identity.smartcard_enrollment:
    ca: corp_issuing
    ca_passphrase: "{{ vaulted_ca_passphrase }}"
    trust_anchors: /etc/pki/tpm-vendors
    profile: ad_smartcard_logon
    cards:
      - name: VirtualSmartCardForCorpAccess
        owner: alice
        upn: alice@corp.example
        sid: S-1-5-21-1004336348-1177238915-682003330-512
        pin: "{{ vaulted_first_pin }}"
        keys:
          - slot: authentication
            algorithm: ecc_p256

- name: Certificates of another CA, which a program asks at once
  hardbound.identity.smartcard_enrollment:
    ca: corp_issuing
    ca_passphrase: "{{ vaulted_ca_passphrase }}"
    external_ca:
      certificates: /etc/pki/corp/issuing.pem
      requests: /var/lib/hardbound-requests
      command: [openssl, ca, -config, /etc/pki/corp/openssl.cnf, -batch, -notext, -in, /dev/stdin]
      revoke_command: [openssl, ca, -config, /etc/pki/corp/openssl.cnf, -revoke, /dev/stdin, -crl_reason, "{reason}"]
    trust_anchors: /etc/pki/tpm-vendors
    profile: tls_client
    cards:
      - name: VirtualSmartCardForCorpAccess
        owner: alice
        pin: "{{ vaulted_first_pin }}"
        keys:
          - slot: authentication

- name: The card is gone, and its certificates are revoked
  hardbound.identity.smartcard_enrollment:
    state: absent
    ca: corp_issuing
    ca_passphrase: "{{ vaulted_ca_passphrase }}"
    cards:
      - name: VirtualSmartCardForCorpAccess
"""

RETURN = r"""
status:
  description: V(enrolled), V(renewed), V(adjusted), V(unchanged), V(pending), V(refused) or V(retired); of several
    cards, the first in the order refused, pending, enrolled, renewed, adjusted, unchanged. In check mode, what would
    come of it.
  returned: always
  type: str
  sample: enrolled
code:
  description: Why the first refusal was made, in a word that stays the same from release to release.
  returned: failure
  type: str
  sample: EK_CHAIN_UNTRUSTED
refused:
  description: Every refusal.
  returned: failure
  type: list
  elements: dict
  contains:
    code:
      description: The code.
      type: str
    sentence:
      description: What was found, for a person.
      type: str
    card:
      description: Name of the card; empty if the refusal is about the host.
      type: str
cards:
  description: What came of each card.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the card.
      type: str
    status:
      description: As RV(status).
      type: str
    pin_escrow:
      description: The PIN of a card that was made with V(random), encrypted; it is returned once.
      type: str
    admin_key_escrow:
      description: The admin key of a card that was made with V(escrow), encrypted; it is returned once.
      type: str
    ssh_certificates:
      description: OpenSSH certificates of the card's keys, as C(certificates), where nothing was refused.
      type: list
      elements: dict
      contains:
        principals:
          description: Login names that the certificate admits.
          type: list
          elements: str
        certificate:
          description: The certificate, a line.
          type: str
        owner:
          description: The card's owner.
          type: str
        file:
          description: Name of the file in the owner's C(~/.ssh).
          type: str
    pending:
      description: What another CA has yet to answer.
      type: list
      elements: dict
      contains:
        slot:
          description: The slot's name.
          type: str
        request:
          description: File with the request.
          type: str
        answer:
          description: File in which the certificate is looked for.
          type: str
    reasons:
      description:
        - Why certificates were issued; in check mode, why they would be. A key of this dictionary is a slot; C(slot
          ssh) for a key's OpenSSH certificate; C(slot attestation) for the certificate with which the card answers
          ATTEST; or V(attestation_key).
      type: dict
    refused:
      description: The card's refusals, as RV(refused).
      type: list
      elements: dict
    certificates:
      description: The card's certificates.
      type: list
      elements: dict
      contains:
        slot:
          description: The slot's name.
          type: str
        profile:
          description: Name of the profile.
          type: str
        serial:
          description: Serial number in hexadecimal.
          type: str
        assurance:
          description: What was verified about the key (V(resident), V(fixed) or V(restricted)).
          type: str
        not_before:
          description: Start of the validity, in UTC.
          type: str
        not_after:
          description: End of the validity, in UTC.
          type: str
        certificate:
          description: The certificate in PEM.
          type: str
        outcome:
          description: V(issued), V(renewed) or V(kept).
          type: str
evidence:
  description: SHA-256 by which the ledger keeps the evidence bundle of this run; empty if nothing was issued.
  returned: always
  type: str
tickets_until_restart:
  description: Whether cards were destroyed whose old tickets end with the TPM's next restart. Somebody who knew a PIN
    may hold a ticket of the TPM and a copy of a key's blob, which serve until then. False once the role has restarted
    the host.
  returned: with O(state=absent)
  type: bool
revoked:
  description: What was revoked; in check mode, what would be.
  returned: with O(state=absent)
  type: list
  elements: dict
"""
