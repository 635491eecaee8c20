# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# ansible-core merges fragments at the top level of options alone. So the CA of one option takes the same text as its
# suboptions, built here.

from __future__ import annotations

import textwrap

_CA = r"""
ca:
  description: Folder on the controller of a CA made with M(hardbound.identity.enrollment_ca), or its name below
    C(/etc/hardbound/ca).
  type: str
  required: true
ca_passphrase:
  description: Opens the issuing CA's key. Keep it in a vault.
  type: str
  required: true
ledger:
  description: URL of the CA's ledger, if it is not in the CA's folder. It may hold a password.
  type: str
revocation:
  description: What to do about the revocation lists of TPM makers.
  type: str
  choices: ["off", where_reachable, required]
  default: where_reachable
online:
  description: Whether the controller may fetch EK certificates and revocation lists that makers serve online.
  type: bool
  default: true
cache:
  description: Folder on the controller in which fetched EK certificates and revocation lists are kept.
  type: path
ek:
  description: SHA-256 of the host's endorsement key (its SubjectPublicKeyInfo), in hexadecimal. Without it, the key
    that the host first shows is pinned to it.
  type: str
replace_ek:
  description: Fingerprint of the TPM that the host had, which lets the host have another one, because TPM or board was
    replaced. The message that refuses the new one tells it. It counts for one run.
  type: str
"""

_ATTESTATION_CA = (
    _CA
    + r"""
trust_anchors:
  description: Folder, or bundle, of certificates on the controller. A TPM is trusted if its EK certificate leads
    to one.
  type: path
  required: true
replace_card:
  description: Fingerprint of the card of before, which lets the card be another one, because it was made anew. The
    message that refuses the new one tells it. It counts for one run.
  type: str
"""
)


class ModuleDocFragment:
    # Annotated, because ansible-test takes a plain assignment here for one of a literal.
    DOCUMENTATION: str = "options:\n" + textwrap.indent(_CA, "  ")
    ATTESTATION_CA: str = "options:\n  attestation_ca:\n    suboptions:\n" + textwrap.indent(_ATTESTATION_CA, "      ")
