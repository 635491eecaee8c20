# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  tpm:
    description:
      - Where the TPM is, as a TCTI string.
      - V(device:/dev/tpmrm0) for the TPM of the machine, V(swtpm:path=/a/socket) or V(swtpm:host=h,port=n)
        for a software TPM, V(tabrmd:) for the access broker.
      - If left out, the TPM for which the role P(hardbound.identity.tpm_host#role) has prepared the host; the role
        writes its name to C(/etc/hardbound/tpm). On a host without that file, V(device:/dev/tpmrm0).
    type: str
requirements:
  - A TPM 2.0, revision 1.38 or newer
"""

    STORE = r"""
options:
  store:
    description:
      - Folder in which the host keeps its cards.
    type: path
    default: /var/lib/hardbound
"""

    CHANGE = r"""
options:
  tpm_owner_auth:
    description:
      - Authorisation of the TPM's owner hierarchy, where one is set.
    type: str
requirements:
  - python3-cryptography 38 or newer
  - python3-tpm2-pytss 1.2 or newer
"""

    ENDORSEMENT = r"""
options:
  tpm_endorsement_auth:
    description:
      - Authorisation of the TPM's endorsement hierarchy, where one is set. Proving a card needs it.
    type: str
"""

    CARD = r"""
options:
  name:
    description:
      - Name of the card. This or O(instance_id) is required. If both are given, they have to be those of one card.
    type: str
  instance_id:
    description:
      - The card's instance id, in the form C(ROOT\SMARTCARDREADER\0000).
    type: str
  store:
    description:
      - Folder in which the host keeps its cards.
    type: path
    default: /var/lib/hardbound
requirements:
  - A TPM 2.0, revision 1.38 or newer
  - python3-cryptography 38 or newer
  - python3-tpm2-pytss 1.2 or newer
"""
