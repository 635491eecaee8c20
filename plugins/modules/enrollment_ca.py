#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: enrollment_ca
short_description: A root and an issuing CA for keys that were attested
version_added: 0.1.0
description:
  - Makes and keeps a certification authority, a root and a CA below it that issues, in a folder on the controller.
  - Keeps its ledger, the database that holds every decision, and its revocation lists.
  - Revokes certificates.
  - The private keys are encrypted at rest, with scrypt and AES-256. They never leave the controller.
  - While certificates are issued, nothing changes in the folder but the ledger, if that is in it. With a ledger
    elsewhere the folder may be read-only, such as a part of an execution environment.
  - The ledger can't be made again. Back it up. An empty one is refused beside a CA that has issued before.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
attributes:
  action:
    description: Runs on the controller, whatever host the task is for.
    support: full
requirements:
  - cryptography >= 38 on the controller
  - SQLAlchemy >= 1.4 on the controller
options:
  path:
    description:
      - Folder of the CA on the controller.
      - Made if it is not there, as a whole or not at all.
    type: path
    required: true
  name:
    description:
      - Common name of the issuing CA, up to 59 characters. The root's common name is the same with C( Root) behind it.
      - The name stays for the CA's life.
    type: str
    required: true
  organization:
    description: Organization in both names, for the CA's whole life.
    type: str
    default: ""
  passphrase:
    description:
      - Opens the issuing CA's key and the key that signs SSH certificates. At least 12 characters.
      - Keep it in a vault. Let a password manager make it, for whoever steals the folder can try as many as they like.
    type: str
    required: true
  root_passphrase:
    description:
      - Opens the root's key, if the root shall have a passphrase of its own. If left out, O(passphrase) opens it.
      - The root's key, C(private/root.key), may lie elsewhere. That key is needed to make the CA, to certify the
        issuing CA anew, and to sign the root's revocation list.
    type: str
  algorithm:
    description: Kind of the CA's keys, for the CA's whole life. A Samba domain controller takes cards of a CA with an
      RSA key alone.
    type: str
    choices: [ecc_p256, ecc_p384, ecc_p521, rsa_3072, rsa_4096]
    default: ecc_p256
  days:
    description:
      - Lifetime of the issuing CA's certificate. The issuing CA is certified anew, with the same key, when two thirds
        of it are over.
    type: int
    default: 1825
  root_days:
    description: Lifetime of the root.
    type: int
    default: 7300
  permitted_domains:
    description:
      - DNS domains and Kerberos realms, in lower case, in which the names in certificates may lie. None means any.
      - DNS names and mail addresses are constrained in the CA's certificate as well, so that others hold it to them.
    type: list
    elements: str
    default: []
  crl_urls:
    description:
      - Where you publish C(public/issuing.crl), as C(http) or C(ldap). Written into certificates.
      - Active Directory accepts no logon certificate without such a URL.
    type: list
    elements: str
    default: []
  root_crl_urls:
    description: Where you publish C(public/root.crl). Written into the issuing CA's certificate when it is made.
    type: list
    elements: str
    default: []
  issuer_urls:
    description: Where you publish C(public/issuing.cer). Written into certificates.
    type: list
    elements: str
    default: []
  crl_days:
    description: How long a revocation list is good. A new one is signed when half of it is over, or on a revocation.
    type: int
    default: 7
  root_crl_days:
    description: How long the root's revocation list is good. Renewed as the issuing CA's is.
    type: int
    default: 180
  ledger:
    description:
      - URL of the ledger's database, as SQLAlchemy writes it.
      - If left out, an SQLite file in the CA's folder. Where several controllers issue, name a database server.
      - The URL may hold a password, so it is treated as a secret.
    type: str
  revoked:
    description:
      - What shall be revoked. An entry means all certificates that match what it names.
      - A key whose certificate was revoked gets no other one. The card needs a new key.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Name of the host in the inventory.
        type: str
      card:
        description: Name of the card.
        type: str
      slot:
        description: Slot of the card.
        type: str
      serial:
        description: Serial number in hexadecimal, with or without colons.
        type: str
      reason:
        description: Why, as the list says it.
        type: str
        choices: [unspecified, key_compromise, affiliation_changed, cessation_of_operation, privilege_withdrawn]
        default: unspecified
seealso:
  - name: The CA and its profiles
    description: What certificates look like, and how to run the CA.
    link: https://github.com/hardbound/identity/blob/main/docs/enrollment_ca.md
"""

EXAMPLES = r"""
- name: A CA for smart card logon
  hardbound.identity.enrollment_ca:
    path: /etc/hardbound/ca/corp_issuing
    name: Corp Issuing CA
    organization: Corp
    passphrase: "{{ vaulted_ca_passphrase }}"
    permitted_domains: [corp.example]
    crl_urls: [http://pki.corp.example/issuing.crl]
    root_crl_urls: [http://pki.corp.example/root.crl]
    issuer_urls: [http://pki.corp.example/issuing.cer]
  register: ca

- name: Revoke what a stolen computer holds
  hardbound.identity.enrollment_ca:
    path: /etc/hardbound/ca/corp_issuing
    name: Corp Issuing CA
    organization: Corp
    passphrase: "{{ vaulted_ca_passphrase }}"
    permitted_domains: [corp.example]
    crl_urls: [http://pki.corp.example/issuing.crl]
    root_crl_urls: [http://pki.corp.example/root.crl]
    issuer_urls: [http://pki.corp.example/issuing.cer]
    revoked:
      - {host: ws-017, reason: key_compromise}

- name: A CA whose ledger several controllers share
  hardbound.identity.enrollment_ca:
    path: /etc/hardbound/ca/fleet
    name: Fleet CA
    passphrase: "{{ vaulted_ca_passphrase }}"
    ledger: "postgresql+psycopg2://ca:{{ vaulted_database_password }}@db.corp.example/ledger"
"""

RETURN = r"""
path:
  description: Folder of the CA on the controller.
  returned: success
  type: str
public:
  description: Folder with what hosts and relying parties may fetch.
  returned: success, if there is a CA
  type: str
public_files:
  description: Names of the files in RV(public), each with its SHA-256 in hexadecimal.
  returned: success, if there is a CA
  type: dict
certificate:
  description: The issuing CA's certificate.
  returned: success, if there is a CA
  type: dict
  contains:
    pem:
      description: The certificate in PEM.
      type: str
    subject:
      description: Its subject, by RFC 4514.
      type: str
      sample: CN=Corp Issuing CA,O=Corp
    sha256:
      description: Fingerprint in hexadecimal.
      type: str
    not_before:
      description: From when it is valid, in UTC.
      type: str
      sample: "2026-03-01T11:50:00Z"
    not_after:
      description: Until when it is valid, in UTC.
      type: str
      sample: "2031-02-28T12:00:00Z"
root_certificate:
  description: The root's certificate, with the fields of RV(certificate).
  returned: success, if there is a CA
  type: dict
ssh_public_key:
  description: Key for C(TrustedUserCAKeys) of sshd.
  returned: success, if there is a CA
  type: str
crl:
  description: The issuing CA's revocation list.
  returned: success, if there is a CA
  type: dict
  contains:
    path:
      description: File on the controller, in DER.
      type: str
    number:
      description: Number of the list.
      type: int
    next_update:
      description: Until when it is good, in UTC.
      type: str
      sample: "2026-03-08T12:00:00Z"
root_crl:
  description: The root's revocation list, with the fields of RV(crl).
  returned: success, if there is a CA
  type: dict
revoked:
  description: What was revoked now. In check mode, what would be.
  returned: success, if there is a CA
  type: list
  elements: dict
  contains:
    serial:
      description: Serial number in hexadecimal.
      type: str
    host:
      description: Name of the host in the inventory.
      type: str
    card:
      description: Name of the card.
      type: str
    slot:
      description: Slot of the card.
      type: str
    profile:
      description: Profile of the certificate.
      type: str
    reason:
      description: Why, as RFC 5280 spells it.
      type: str
      sample: keyCompromise
code:
  description: Why the CA refused, in a word that stays the same from release to release.
  returned: failure, if the CA refused
  type: str
"""
