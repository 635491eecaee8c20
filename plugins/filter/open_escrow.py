# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: open_escrow
short_description: Open a secret that a host has handed out for one reader
version_added: 0.1.0
author:
  - The hardbound.identity authors
description:
  - Returns a secret that a module of this collection has encrypted for a public key,
    such as RV(hardbound.identity.virtual_smartcard#module:admin_key_escrow).
  - It runs on the controller, with cryptography. The secret is a JSON Web Encryption (RFC 7516) in compact form,
    with RSA-OAEP-256 or ECDH-ES and A256GCM, so that other programs open it as well.
options:
  _input:
    description: The encrypted secret.
    type: str
    required: true
  private_key:
    description: PEM of the private key. Take it from a vault; it belongs on no host.
    type: str
    required: true
  passphrase:
    description: What the private key is encrypted with.
    type: str
positional: private_key, passphrase
"""

EXAMPLES = r"""
- name: Give a card whose owner forgot the PIN to the help desk
  ansible.builtin.set_fact:
    admin_key: >-
      {{ lookup('ansible.builtin.file', 'escrow/' ~ inventory_hostname ~ '.jwe')
         | hardbound.identity.open_escrow(vaulted_helpdesk_key) }}
  no_log: true
"""

RETURN = r"""
_value:
  description: The secret.
  type: str
"""

from ansible.errors import AnsibleFilterError
from ansible_collections.hardbound.identity.plugins.module_utils._escrow import unseal


def open_escrow(sealed: str, private_key: str, passphrase: str | None = None) -> str:
    try:
        return unseal(sealed, private_key, passphrase).decode()
    except (ValueError, AttributeError) as error:
        raise AnsibleFilterError(f"open_escrow: {error}") from None


class FilterModule:
    """Jinja2 filters for secrets that hosts hand out."""

    def filters(self) -> dict[str, object]:
        return {"open_escrow": open_escrow}
