#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tpm_lockout
short_description: A TPM's own protection against guessing
version_added: 0.1.0
description:
  - Sets how many failures a TPM 2.0 takes until it locks, how fast it forgets them, and who may reset it.
  - A card counts wrong PINs by itself, and nothing of a card is under this protection, but for seals of cards that an
    older release made. The protection guards what else is in the TPM, such as the key of
    an encrypted disk.
  - As long as the lockout has no authorisation, whoever is root can reset it.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes
  - hardbound.identity._tpm
  - hardbound.identity._tpm.store
  - hardbound.identity._tpm.change
options:
  max_tries:
    description: Failures at which the TPM locks, 1 or more. Left out, the number stays as it is.
    type: int
  recovery:
    description:
      - Seconds after which the TPM forgets one failure; with 0 the TPM never locks. Left out, the time stays as it is.
    type: int
  lockout_recovery:
    description:
      - Seconds after a wrong lockout authorisation until the TPM takes another; with 0, the TPM has to restart first.
        Left out, the time stays as it is.
    type: int
  value:
    description:
      - The lockout authorisation, 1 to 32 bytes. The task sets it if the TPM has none.
      - If the TPM has one, O(value) has to be the same. The task uses O(value) only if something else has to be
        changed, since a wrong authorisation closes the lockout for O(lockout_recovery). So a TPM with another
        authorisation is not noticed before.
    type: str
  reset:
    description:
      - Has the TPM forget all failures, which ends a lockout, if there are any. Takes the lockout authorisation, if
        the TPM has one.
    type: bool
    default: false
  discard:
    description:
      - Sets a random authorisation that nobody keeps, if the TPM has none. After that nobody can change these settings
        or reset the lockout, until the TPM is cleared in the firmware settings.
    type: bool
    default: false
seealso:
  - module: hardbound.identity.tpm_info
"""

EXAMPLES = r"""
- name: Ten failures, one forgotten in two hours, and only we can reset it
  hardbound.identity.tpm_lockout:
    max_tries: 10
    recovery: 7200
    lockout_recovery: 86400
    value: "{{ vaulted_lockout_authorisation }}"

- name: The lockout ends now
  hardbound.identity.tpm_lockout:
    reset: true
    value: "{{ vaulted_lockout_authorisation }}"

- name: Nobody can reset it any more
  hardbound.identity.tpm_lockout:
    discard: true
"""

RETURN = r"""
lockout:
  description: The TPM's own protection against guessing.
  returned: success
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
      description: Whether the lockout has an authorisation.
      type: bool
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hardbound.identity.plugins.module_utils._task.converge import converge
from ansible_collections.hardbound.identity.plugins.module_utils._task.tpm_lockout import ARGUMENTS, EITHER, TpmLockout


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True, mutually_exclusive=EITHER)
    converge(module, lambda: TpmLockout.from_task(module.params))


if __name__ == "__main__":
    main()
