# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``enrollment_summary``."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.summary import summarise

RESULT = "smartcard_enrollment_result"


def enrollment_summary(hostvars: t.Mapping[str, t.Any], hosts: t.Iterable[str]) -> list[str]:
    """Returns the lines at the end of a run, from what the role registered for each host."""
    found = {str(host): hostvars[host].get(RESULT) for host in hosts}
    return summarise({host: result for host, result in found.items() if isinstance(result, t.Mapping)})


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Any]:
        return {"enrollment_summary": enrollment_summary}
