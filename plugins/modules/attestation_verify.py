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
  - A bundle is accepted if the CA has signed it, nothing in it was changed since, nothing was found against the host,
    and the host's TPM has answered the CA's challenge.
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
    description: File on the controller that holds the bundle.
    type: path
  evidence:
    description: SHA-256 by which the ledger keeps the bundle, as
      RV(hardbound.identity.smartcard_enrollment#module:evidence).
    type: str
  ca:
    description:
      - The CA that has to have signed the bundle, and in whose ledger O(evidence) is. Its folder, or its name below
        C(/etc/hardbound/ca).
      - For O(bundle) and O(path), a file with the certificate of its root is enough.
      - Without O(ca) no bundle is accepted.
    type: str
  ledger:
    description: URL of the ledger, if it is not in the CA's folder.
    type: str
  trust_anchors:
    description: Folder or bundle of certificates of TPM makers. If left out, those in the evidence bundle are believed,
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

- name: An auditor has the bundle and the certificate of the CA's root
  hardbound.identity.attestation_verify:
    path: ws-017.json
    ca: corp-root.pem
"""

RETURN = r"""
accepted:
  description: Whether the bundle is signed, whole, and of a host whose TPM has answered, and nothing else is wrong.
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
