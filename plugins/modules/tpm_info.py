#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tpm_info
short_description: What a host's TPM is and can do
version_added: 0.1.0
description:
  - Reads manufacturer, firmware, key types, lockout state and EK certificates of a TPM 2.0.
  - Warns about what makes virtual smart cards impossible or weaker than they could be.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._attributes.info_module
  - hardbound.identity._tpm
  - hardbound.identity._tpm.store
seealso:
  - module: hardbound.identity.tpm_lockout
  - module: hardbound.identity.virtual_smartcard
"""

EXAMPLES = r"""
- name: Look at the TPM
  hardbound.identity.tpm_info:
  register: found

- name: Stop here if it can't carry virtual smart cards
  ansible.builtin.assert:
    that: found.tpm.pin_fail_supported
    fail_msg: "This TPM follows revision {{ found.tpm.revision }}, which has no PIN counters."
"""

RETURN = r"""
tpm:
  description: The TPM.
  returned: success
  type: dict
  contains:
    manufacturer:
      description: Four characters that TCG has given to the maker.
      type: str
      sample: IFX
    vendor:
      description: What the maker calls it.
      type: str
      sample: SLB9670
    firmware:
      description: Version of the firmware.
      type: str
      sample: 7.85.4555.0
    revision:
      description: Revision of the specification that it follows, times 100.
      type: int
      sample: 138
    pin_fail_supported:
      description: Whether its NV indices can count wrong PINs, which virtual smart cards need.
      type: bool
    algorithms:
      description: Key types that it makes, as M(hardbound.identity.virtual_smartcard) names them.
      type: list
      elements: str
      sample: [rsa_2048, ecc_p256, ecc_p384, ecc_p521]
    nv_free:
      description: Small NV indices that still fit, by the TPM's own estimate. A card takes up to five.
      type: int
    owner_auth_set:
      description: Whether the owner hierarchy has an authorisation.
      type: bool
    lockout:
      description: The TPM's own protection against guessing. It has nothing to do with the tries of a card.
      type: dict
      contains:
        counter:
          description: Failures that it remembers.
          type: int
        max_tries:
          description: Failures at which it locks.
          type: int
        recovery:
          description: Seconds after which it forgets one failure.
          type: int
        lockout_recovery:
          description: Seconds after a wrong lockout authorisation until it takes another.
          type: int
        in_lockout:
          description: Whether it is locked now.
          type: bool
        auth_set:
          description: Whether the lockout has an authorisation; without one, root can reset the counter.
          type: bool
    ek_certificates:
      description: NV handles at which it holds certificates of its endorsement keys, in hexadecimal.
      type: list
      elements: str
      sample: ["01C00002"]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._task.arguments import STORE, TPM
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import show
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.report import concerns, report
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti


def main() -> None:
    module = AnsibleModule(argument_spec={**TPM, **STORE}, supports_check_mode=True)

    def look() -> dict[str, t.Any]:
        found = report(Tpm(Tcti.of_task(module.params["tpm"]), module.params["store"]))
        for sentence in concerns(found):
            module.warn(sentence)
        return {"tpm": found}

    show(module, look)


if __name__ == "__main__":
    main()
