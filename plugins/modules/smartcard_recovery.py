#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: smartcard_recovery
short_description: A new PIN for an enrolled card, by host and controller together
version_added: 0.1.0
description:
  - Gives a card whose holder has lost the PIN a new one, which the holder has to change. Keys and certificates stay.
  - The card's PUK is made of two halves. The host's TPM keeps one, the controller's ledger keeps the other, sealed for
    a recovery key. M(hardbound.identity.smartcard_enrollment) has made both, if it was given O(recovery_key).
  - The controller sends its half to the TPM that the card was enrolled in and to no other, and makes the card have
    another PUK, so that both halves are used once.
  - The host's Hello policy decides whether a PIN may be recovered. See the setting C(pin_recovery) of
    M(hardbound.identity.hello_policy).
  - Changes the card each time it runs.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm
  - hardbound.identity._tpm.store
  - hardbound.identity._tpm.change
  - hardbound.identity._tpm.endorsement
attributes:
  action:
    description: Runs on the controller, and visits the host.
    support: full
requirements:
  - cryptography >= 38 on the controller
  - SQLAlchemy >= 1.4 on the controller
options:
  name:
    description: Name of the card.
    type: str
    required: true
  new_pin:
    description:
      - The PIN that the card gets. It has to follow the rules of card and host.
      - V(random) is a PIN that the host makes. RV(pin_escrow) returns it, encrypted for O(pin_escrow_key).
    type: str
    required: true
  pin_escrow_key:
    description: Whom the PIN is encrypted for, with O(new_pin=random). PEM of a public key or a certificate.
    type: str
  ca:
    description: Folder of the CA on the controller that the card was enrolled with, or its name below
      C(/etc/hardbound/ca).
    type: str
    required: true
  ledger:
    description: URL of the CA's ledger, if it is not in the CA's folder.
    type: str
  recovery_key:
    description: Public key for which the controller's next half is sealed, as PEM.
    type: str
    required: true
  recovery_private_key:
    description: Private key that opens the controller's half, as PEM. It has to be encrypted.
    type: str
    required: true
  recovery_passphrase:
    description: Passphrase of O(recovery_private_key).
    type: str
    required: true
  reason:
    description: Why, and who has agreed, for the ledger. Up to 200 characters.
    type: str
    default: ""
  timeout:
    description: Seconds that a visit to the host may take; 0 for no end.
    type: int
    default: 900
seealso:
  - module: hardbound.identity.smartcard_enrollment
  - module: hardbound.identity.virtual_smartcard_pin
  - name: PIN recovery
    description: Who can do what.
    link: https://github.com/hardbound/identity/blob/main/docs/recovery.md
"""

EXAMPLES = r"""
- name: A new PIN for somebody who has lost it
  hardbound.identity.smartcard_recovery:
    name: VirtualSmartCardForCorpAccess
    new_pin: "{{ vaulted_new_pin }}"
    ca: corp_issuing
    recovery_key: "{{ lookup('ansible.builtin.file', 'recovery.pem') }}"
    recovery_private_key: "{{ lookup('ansible.builtin.file', '/media/safe/recovery.key') }}"
    recovery_passphrase: "{{ asked_for }}"
    reason: The holder came to the desk on Monday
"""

RETURN = r"""
name:
  description: The card's name.
  returned: success
  type: str
  sample: VirtualSmartCardForCorpAccess
pin_escrow:
  description: The PIN that the card has got, encrypted for O(pin_escrow_key) as a JSON Web Encryption (RFC 7516,
    compact); null without O(new_pin=random).
  returned: success
  type: str
tickets_until_restart:
  description: Whether what somebody has made of the former PIN, a ticket of the TPM, ends with the TPM's next restart
    and not before.
  returned: success
  type: bool
"""
