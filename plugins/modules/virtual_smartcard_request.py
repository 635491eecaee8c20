#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: virtual_smartcard_request
short_description: A certification request signed by a key of a virtual smart card
version_added: 0.1.0
description:
  - Writes a PKCS#10 certification request to a file on the host, signed by a key of a virtual smart card, for a CA
    outside of this collection.
  - A file that holds a request by this key for the same names is left as it is. A file that holds something else
    than a request is never overwritten.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm.card
  - hardbound.identity._card.slot
options:
  subject:
    description:
      - Whom the certificate shall name, in this order; a value may be a list.
      - Known are C(C), C(ST), C(L), C(O), C(OU), C(CN), C(DC), C(UID), C(GN), C(SN), C(serialNumber), C(emailAddress).
    type: dict
    required: true
  subject_alt_name:
    description:
      - Other names, each with its kind, one of V(upn:), V(email:), V(dns:), V(ip:), V(uri:).
    type: list
    elements: str
    default: []
  path:
    description:
      - File that shall hold the request, PEM. Its folder has to exist. Everybody may read it.
    type: path
    required: true
  pin:
    description:
      - The PIN, needed to sign with any key but that of V(card_authentication). A wrong one costs a try.
      - A task that changes nothing does not look at it.
    type: str
seealso:
  - module: hardbound.identity.virtual_smartcard_certificate
"""

EXAMPLES = r"""
- name: A request for the CA
  hardbound.identity.virtual_smartcard_request:
    name: VirtualSmartCardForCorpAccess
    slot: authentication
    subject:
      CN: alice
      OU: [Sales, Japan]
      O: Corp
    subject_alt_name:
      - upn:alice@corp.example
      - email:alice@corp.example
    path: /var/tmp/alice.csr
    pin: "{{ vaulted_pin }}"
  register: request

- name: What the CA gets
  ansible.builtin.debug:
    msg: "{{ request.csr }}"
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
path:
  description: The file that holds the request.
  returned: success
  type: str
  sample: /var/tmp/alice.csr
csr:
  description: The request, PEM; null in check mode if it would be made.
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import converge
from ansible_collections.hardbound.identity.plugins.module_utils._task.existing_card import NAMED
from ansible_collections.hardbound.identity.plugins.module_utils._task.request import ARGUMENTS, SmartcardRequest


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True, required_one_of=NAMED)
    converge(module, lambda: SmartcardRequest.from_task(module.params))


if __name__ == "__main__":
    main()
