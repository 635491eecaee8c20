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
  - Everything that decides happens on the controller. It believes nothing that the host merely says, and takes the
    names in certificates from the inventory alone. It needs no TPM software.
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
      - With O(state=absent) only their names count; none means all cards of the host that the CA knows, and the host
        itself, so that its TPM may serve another one.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the card, 1 to 127 printable ASCII characters. It is also the name of its reader.
        type: str
        required: true
      common_name:
        description: Common name in the certificates. UPN, principal, mail address or owner if left out.
        type: str
      upn:
        description: User principal name in Active Directory.
        type: str
      sid:
        description: Security identifier of the account in Active Directory.
        type: str
      principal:
        description: Kerberos principal.
        type: str
      email:
        description: Mail address.
        type: str
      dns_names:
        description: DNS names.
        type: list
        elements: str
        default: []
      ssh_principals:
        description: Login names for OpenSSH certificates.
        type: list
        elements: str
        default: []
      profile:
        description: Profile of the card's certificates, if it is another than O(profile).
        type: str
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
          - The first PIN. Needed to make a card, and to add keys to one; a wrong one costs a try then. Enrolment
            itself, and renewal, take none.
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
              - Whether a new key gets a certificate that it signs itself until it gets its own.
            type: bool
            default: false
          profile:
            description: Profile of this key's certificate, if it is another than the card's.
            type: str
      owner:
        description: User who may use the card, beside root. With neither this nor O(cards[].group), only root may.
        type: str
        default: ""
      group:
        description: Group whose members may use the card, beside root.
        type: str
        default: ""
  profile:
    description: Profile of the certificates, such as V(ad_smartcard_logon), V(mit_pkinit) or V(tls_client).
    type: str
  profiles:
    description: Profiles of your own, beside the shipped ones or in their place. See the page on the CA.
    type: dict
    default: {}
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
    description:
      - Folder, or bundle, of certificates on the controller. A TPM is trusted if its EK certificate leads to one.
      - Required with O(state=present). Nothing is trusted by default, a software TPM least of all.
    type: path
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
    description: SHA-256 of the host's endorsement key (its SubjectPublicKeyInfo), in hexadecimal. Without it, the key
      that the host first shows is pinned to it.
    type: str
  replace_ek:
    description: Let the host have another endorsement key than before, because its TPM or board was replaced.
    type: bool
    default: false
  replace_aks:
    description: Names of cards that may have another attestation key than before, because they were made anew.
    type: list
    elements: str
    default: []
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
  description: V(enrolled), V(renewed), V(adjusted), V(unchanged), V(refused) or V(retired); of several cards, the first
    in the order refused, enrolled, renewed, adjusted, unchanged. In check mode, what would come of it.
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
      description: Name of the card; empty if it is about the host.
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
    reasons:
      description: Why something was issued, by slot; in check mode, why it would be.
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
          description: From when it is valid, in UTC.
          type: str
        not_after:
          description: Until when it is valid, in UTC.
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
revoked:
  description: What was revoked; in check mode, what would be.
  returned: with O(state=absent)
  type: list
  elements: dict
"""
