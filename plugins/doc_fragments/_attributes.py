# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Modules that change state, all of them on the one spine
    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/hardbound.identity.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - hardbound.identity.all
  check_mode:
    description: Can run in C(check_mode) and return what would change without changing it.
    support: full
  diff_mode:
    description: Returns what differs, or would differ, when in diff mode. Secrets are not shown.
    support: full
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
    support: full
"""

    # Modules that only read
    INFO_MODULE = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/hardbound.identity.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - hardbound.identity.all
  check_mode:
    description: Can run in C(check_mode) and return what would change without changing it.
    support: full
    details:
      - This module does not change anything.
  diff_mode:
    description: Returns what differs, or would differ, when in diff mode. Secrets are not shown.
    support: N/A
    details:
      - This module does not change anything.
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
    support: full
    details:
      - This module does not change anything.
"""
