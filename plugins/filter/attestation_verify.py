# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter ``attestation_verify``."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError


def attestation_verify(bundle: t.Any, ca: str = "", trust_anchors: str = "") -> dict[str, t.Any]:
    """Returns the verdict on a bundle, given as JSON or as what that parses to."""
    # Ansible's tools load filters where cryptography is not installed.
    from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.verification import (
        judge_again,
        parse_bundle,
    )

    try:
        document = parse_bundle(bundle, "input") if isinstance(bundle, (str, bytes)) else bundle
        return dict(judge_again(document, ca, trust_anchors).document())
    except HardboundError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Any]:
        return {"attestation_verify": attestation_verify}
