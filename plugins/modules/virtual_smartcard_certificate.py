#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: virtual_smartcard_certificate
short_description: The certificate of a key on a virtual smart card
version_added: 0.1.0
description:
  - Puts a certificate beside a key of a virtual smart card, in place of the one that is there, or removes it.
  - Refuses a certificate whose public key is not that of the slot.
  - The certificate that the card holds is returned, in check mode too.
  - Needs neither the PIN nor the TPM.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm.card
  - hardbound.identity._card.slot
options:
  certificate:
    description:
      - The certificate, PEM, without those of the CAs. Required with O(state=present).
    type: str
  state:
    description: Whether the slot shall hold a certificate.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: hardbound.identity.virtual_smartcard_request
  - module: hardbound.identity.virtual_smartcard_key
"""

EXAMPLES = r"""
- name: The certificate that the CA has issued
  hardbound.identity.virtual_smartcard_certificate:
    name: VirtualSmartCardForCorpAccess
    slot: authentication
    certificate: "{{ lookup('ansible.builtin.file', 'alice.pem') }}"
  register: stored

- name: Until when it is valid
  ansible.builtin.debug:
    msg: "{{ stored.certificate.not_after }}"

- name: No certificate, and the key stays
  hardbound.identity.virtual_smartcard_certificate:
    name: VirtualSmartCardForCorpAccess
    slot: authentication
    state: absent
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
certificate:
  description: The certificate that the slot holds; null if there is none.
  returned: success
  type: dict
  contains:
    pem:
      description: The certificate, PEM.
      type: str
    subject:
      description: Whom it names, as in RFC 4514.
      type: str
      sample: CN=alice,O=Corp
    issuer:
      description: Who issued it, as in RFC 4514.
      type: str
      sample: CN=Corp Issuing CA,O=Corp
    serial_number:
      description: Its serial number, in hexadecimal.
      type: str
    not_before:
      description: From when it is valid, UTC.
      type: str
      sample: "2026-01-01T00:00:00Z"
    not_after:
      description: Until when it is valid, UTC.
      type: str
      sample: "2027-01-01T00:00:00Z"
    fingerprint_sha256:
      description: SHA-256 of the certificate, in hexadecimal.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._task.certificate import (
    ARGUMENTS,
    SmartcardCertificate,
)
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import converge
from ansible_collections.hardbound.identity.plugins.module_utils._task.existing_card import NAMED


def main() -> None:
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        required_one_of=NAMED,
        required_if=[("state", "present", ["certificate"])],
    )
    converge(module, lambda: SmartcardCertificate.from_task(module.params))


if __name__ == "__main__":
    main()
