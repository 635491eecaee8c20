# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of what runs on the controller says what the action takes."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.hardbound.identity.plugins.action import attestation_verify, enrollment_audit
from ansible_collections.hardbound.identity.plugins.action import smartcard_enrollment as enrollment
from ansible_collections.hardbound.identity.plugins.doc_fragments._tpm import ModuleDocFragment
from ansible_collections.hardbound.identity.plugins.module_utils import _visits
from ansible_collections.hardbound.identity.plugins.modules import (
    attestation_verify as attestation_verify_doc,
)
from ansible_collections.hardbound.identity.plugins.modules import (
    enrollment_audit as enrollment_audit_doc,
)
from ansible_collections.hardbound.identity.plugins.modules import (
    smartcard_activate,
    smartcard_evidence,
)
from ansible_collections.hardbound.identity.plugins.modules import (
    smartcard_enrollment as enrollment_doc,
)

FRAGMENTS = (ModuleDocFragment.DOCUMENTATION, ModuleDocFragment.STORE, ModuleDocFragment.CHANGE)
PAIRS = [
    (enrollment_doc, enrollment.ARGUMENTS, FRAGMENTS),
    (attestation_verify_doc, attestation_verify.ARGUMENTS, ()),
    (enrollment_audit_doc, enrollment_audit.ARGUMENTS, ()),
    (smartcard_evidence, _visits.EVIDENCE_ARGUMENTS, FRAGMENTS),
    (smartcard_activate, _visits.ACTIVATE_ARGUMENTS, FRAGMENTS),
]


def compare(told: t.Mapping[str, t.Any], arguments: t.Mapping[str, t.Any]) -> None:
    assert set(told) == set(arguments)
    for name, argument in arguments.items():
        for field in ("type", "choices", "default", "elements", "required"):
            assert told[name].get(field, False) == argument.get(field, False), f"{name}.{field}"
        if "options" in argument:
            compare(told[name]["suboptions"], argument["options"])


@pytest.mark.parametrize(
    ("documented", "arguments", "fragments"), PAIRS, ids=lambda each: getattr(each, "__name__", "")
)
def test_the_documentation_describes_the_arguments(documented, arguments, fragments):
    told = dict(yaml.safe_load(documented.DOCUMENTATION)["options"])
    for fragment in fragments:
        told.update(yaml.safe_load(fragment)["options"])
    compare(told, arguments)


def secrets(arguments: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for name, argument in arguments.items():
        if argument.get("no_log"):
            yield name
        yield from secrets(argument.get("options", {}))


def test_every_secret_is_kept_out_of_logs():
    assert set(secrets(enrollment.ARGUMENTS)) == {
        "ca_passphrase",
        "ledger",
        "tpm_owner_auth",
        "pin",
        "puk",
        "admin_key",
    }
    assert set(secrets(_visits.EVIDENCE_ARGUMENTS)) == {"tpm_owner_auth", "pin", "puk", "admin_key"}
