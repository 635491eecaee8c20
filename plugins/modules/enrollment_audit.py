#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: enrollment_audit
short_description: A report on every host, card and key
version_added: 0.1.0
description:
  - Puts together what the CA's ledger knows, what hosts showed earlier in the play, and what the inventory wants, and
    says where they differ.
  - The playbook C(hardbound.identity.audit) gathers from the hosts, runs this, and writes the report.
  - The report repeats what a host says of itself. Proof comes from
    M(hardbound.identity.smartcard_enrollment) alone.
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
    description: Hosts to report on. The report also names other hosts that the ledger knows.
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
  cards_variable:
    description: Name of the hosts' variable with the cards that the inventory wants.
    type: str
    default: smartcard_enrollment_cards
  found_variable:
    description: Name of the hosts' variable in which M(hardbound.identity.virtual_smartcard_info) was registered.
    type: str
    default: enrollment_audit_found
seealso:
  - module: hardbound.identity.smartcard_enrollment
"""

EXAMPLES = r"""
- name: Report
  hardbound.identity.enrollment_audit:
    ca: corp_issuing
    hosts: "{{ groups['workstations'] }}"
  register: audit
"""

RETURN = r"""
report:
  description: The report.
  returned: success
  type: dict
  contains:
    at:
      description: When it was made, in UTC.
      type: str
    totals:
      description: How many hosts, hosts that did not answer, cards, hosts with drift, cards that are not sealed, and
        keys in each status.
      type: dict
    hosts:
      description: Each host with its EK, its cards, whether they are C(sealed), C(not sealed) or C(never sealed), their
        keys, PIN policy and tries, and what has drifted.
      type: list
      elements: dict
html:
  description: The same as an HTML page, which needs no other file and no network.
  returned: success
  type: str
csv:
  description: The same as CSV, a line for each key.
  returned: success
  type: str
summary:
  description: How much there is of what, and the first 20 differences, as lines for a person.
  returned: success
  type: list
  elements: str
"""
