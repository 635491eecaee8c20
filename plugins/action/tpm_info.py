# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``tpm_info``, and shows at ``-v`` what the TPM is."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.plugins.plugin_utils._table import Table, TableAction


class ActionModule(TableAction):
    """The table alone."""

    def tables(self, result: t.Mapping[str, t.Any]) -> t.Iterable[Table]:
        tpm = _mapping(result.get("tpm"))
        rows = [(name.replace("_", " "), value) for name, value in tpm.items() if name != "lockout"]
        rows += [(f"lockout: {name.replace('_', ' ')}", value) for name, value in _mapping(tpm.get("lockout")).items()]
        yield Table("The TPM", ("what", "value"), rows)


def _mapping(found: object) -> dict[str, object]:
    return {str(name): value for name, value in found.items()} if isinstance(found, dict) else {}
