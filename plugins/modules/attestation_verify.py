#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: attestation_verify
short_description: Verify kept evidence again, offline
version_added: 0.1.0
description:
  - Judges an evidence bundle that M(hardbound.identity.smartcard_enrollment) kept, as of the time that it was made, and
    compares with the decision that it records.
  - No host is asked and nothing is fetched. Fails if the evidence does not hold.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes.info_module
attributes:
  action:
    description: Runs on the controller, whatever host the task is for.
    support: full
requirements:
  - cryptography >= 38 on the controller
options:
  bundle:
    description: The bundle. One of O(bundle), O(path) and O(evidence) is required.
    type: dict
  path:
    description: File on the controller that holds it.
    type: path
  evidence:
    description: SHA-256 by which the ledger keeps it, as RV(hardbound.identity.smartcard_enrollment#module:evidence).
    type: str
  ca:
    description: Folder of the CA in whose ledger O(evidence) is, or its name below C(/etc/hardbound/ca).
    type: str
  ledger:
    description: URL of that ledger, if it is not in the CA's folder.
    type: str
  trust_anchors:
    description: Folder or bundle of certificates of TPM makers. Without it those in the evidence bundle are believed,
      and a warning says so.
    type: path
seealso:
  - module: hardbound.identity.smartcard_enrollment
"""

EXAMPLES = r"""
- name: Is what was believed about a host still to be believed?
  hardbound.identity.attestation_verify:
    evidence: 0da94b6c12f75328ffe9211be59bdb659fa34c260a8cd674ae9966dba7e59b07
    ca: corp_issuing
    trust_anchors: /etc/pki/tpm-vendors
"""

RETURN = r"""
accepted:
  description: Whether nothing is wrong.
  returned: if there is a bundle
  type: bool
host:
  description: Name of the host in the inventory at that time.
  returned: if there is a bundle
  type: str
findings:
  description: Failed checks.
  returned: if there is a bundle
  type: list
  elements: dict
  contains:
    code:
      description: The code, which stays the same from release to release.
      type: str
    sentence:
      description: What was found.
      type: str
    card:
      description: Name of the card; empty if it is about the host.
      type: str
code:
  description: The first code; empty if nothing is wrong.
  returned: if there is a bundle
  type: str
ek:
  description: Fingerprint, TPM and issuers of the endorsement key.
  returned: if there is a bundle
  type: dict
cards:
  description: Attestation key and keys of each card.
  returned: if there is a bundle
  type: dict
"""
