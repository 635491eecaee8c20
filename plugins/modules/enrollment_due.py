#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: enrollment_due
short_description: Tells which hosts have something due at enrolment
version_added: 0.1.0
description:
  - Asks the CA's ledger which hosts have to be visited, so that a run over a large fleet connects to these alone.
  - A host is due if it has no certificate of the CA in force, if two thirds of the lifetime of one of its certificates
    are over, or if a run on it did not come to its end.
  - The ledger does not know what the inventory wants. After a change of the inventory, visit all hosts.
  - The playbook C(hardbound.identity.renew) uses this module.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes.info_module
attributes:
  action:
    description: Runs on the controller, whatever host the task is for.
    support: full
requirements:
  - SQLAlchemy >= 1.4 on the controller
options:
  hosts:
    description: Hosts to ask about.
    type: list
    elements: str
    required: true
  ca:
    description: Folder of the CA on the controller, or its name below C(/etc/hardbound/ca).
    type: str
    required: true
  ledger:
    description: URL of the CA's ledger, if it is not in the CA's folder.
    type: str
  every:
    description: Whether to call all hosts due, and not to ask the ledger.
    type: bool
    default: false
seealso:
  - module: hardbound.identity.smartcard_enrollment
"""

EXAMPLES = r"""
- name: Ask who is due
  hardbound.identity.enrollment_due:
    ca: corp_issuing
    hosts: "{{ groups['workstations'] }}"
  register: asked
"""

RETURN = r"""
due:
  description: The hosts that have something due, each with the reason.
  returned: success
  type: dict
  sample:
    ws-017: "VirtualSmartCardForCorpAccess authentication: two thirds of the certificate's lifetime are over"
summary:
  description: How many hosts are due, and the first 20 of them with the reason, as lines for a person.
  returned: success
  type: list
  elements: str
"""
