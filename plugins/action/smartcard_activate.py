# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``smartcard_activate`` on the host, once its secrets were found to be strings."""

from __future__ import annotations

from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.hardbound.identity.plugins.module_utils._task.activation import ARGUMENTS
from ansible_collections.hardbound.identity.plugins.plugin_utils._string_secrets import StringSecrets


class ActionModule(StringSecrets, NormalAction):
    """The module, with that check before it."""

    ARGUMENTS = ARGUMENTS
