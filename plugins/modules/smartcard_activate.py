#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: smartcard_activate
short_description: Second visit of an enrolment to a host
version_added: 0.1.0
description:
  - Has the host's TPM open challenges, and stores the certificates that are in them on their cards.
  - This module is a part of M(hardbound.identity.smartcard_enrollment), which makes the challenges and checks the
    answers. It takes no PIN.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm
  - hardbound.identity._tpm.store
  - hardbound.identity._tpm.change
  - hardbound.identity._tpm.endorsement
attributes:
  check_mode:
    support: none
    description: Can run in C(check_mode) and return what would change without changing it.
  diff_mode:
    support: none
    description: Returns what differs, or would differ, when in diff mode. Secrets are not shown.
options:
  challenges:
    description: The challenges, one for each card, as the controller made them.
    type: list
    elements: dict
    required: true
seealso:
  - module: hardbound.identity.smartcard_enrollment
  - module: hardbound.identity.smartcard_evidence
"""

EXAMPLES = r"""
- name: Answer no challenge
  hardbound.identity.smartcard_activate:
    challenges: []
"""

RETURN = r"""
cards:
  description: What came of each challenge.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the card.
      type: str
    answer:
      description: The proof that the TPM opened the challenge, in base64. Empty if it could not.
      type: str
    failure:
      description: Why the TPM could not open it; empty if it could.
      type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._task.activation import ARGUMENTS, activate
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import show


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS)
    show(module, lambda: activate(module.params))


if __name__ == "__main__":
    main()
