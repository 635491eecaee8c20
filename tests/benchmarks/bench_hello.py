# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long planning and rendering all settings to all targets takes, imports left out."""

from __future__ import annotations

import statistics
import time

from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import setting_named
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.plan import fit, plan
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import Model
from ansible_collections.hardbound.identity.plugins.module_utils._hello.writer import Writer
from ansible_collections.hardbound.identity.tests.support.hello_samples import RULES, WRITERS

ROUNDS = 50

SETTINGS = {
    "use_hello": "enabled",
    "require_security_device": {"state": "enabled", "exclude_tpm12": True},
    "use_certificate_for_on_prem_auth": "enabled",
    "use_cloud_trust_for_on_prem_auth": "disabled",
    "device_unlock": {"group_a": ["pin", "fingerprint"], "group_b": ["trusted_signal"], "rules": RULES},
    "dynamic_lock": "enabled",
    "pin_expiration": 365,
    "pin_history": 5,
    "pin_max_length": 20,
    "pin_min_length": 8,
    "pin_digits": "required",
    "pin_lowercase": "required",
    "pin_special": "disallowed",
    "pin_uppercase": "disallowed",
    "pin_recovery": "enabled",
    "enhanced_anti_spoofing": "enabled",
    "ess_with_supported_peripherals": "blocked",
    "use_biometrics": "enabled",
    "allow_all_user_card_enumeration": "disabled",
    "disable_card_emulation": "disabled",
    "hello_cert_as_smartcard_cert": "enabled",
    "hello_provisioning_for_security_keys": "enabled",
    "use_remote_passport": "disabled",
    "use_security_key_for_signin": "enabled",
    "disable_post_logon_credential_caching": "disabled",
}


def held(writer: Writer, desired: Model) -> Model:
    return {name: state for name, state in desired.items() if writer.objection(setting_named(name), state) is None}


TARGETS = [(title, writer) for title, writer in WRITERS.items() if "users" not in title]
"""A GPO holds what a Registry.pol holds, so that one counts twice."""
TARGETS.append(("gpo", WRITERS["registry_pol"]))


def once() -> dict[str, bytes]:
    """Parses all settings, and plans and renders them for each target."""
    desired = parse_settings(SETTINGS)
    documents = {}
    for title, writer in TARGETS:
        steps = plan(fit(held(writer, desired), writer), writer.read(b""), writer).steps
        documents[title] = writer.render({step.name: step.after for step in steps}, b"")
    return documents


def test_planning_and_rendering_all_settings_to_all_targets() -> None:
    elapsed, busy = [], []
    for _round in range(ROUNDS):
        start, cpu = time.perf_counter(), time.process_time()
        documents = once()
        elapsed.append((time.perf_counter() - start) * 1000)
        busy.append((time.process_time() - cpu) * 1000)
    print(
        f"\n{len(SETTINGS)} settings to {len(documents)} targets: "
        f"median {statistics.median(elapsed):.1f} ms (CPU {statistics.median(busy):.1f} ms), "
        f"first {elapsed[0]:.1f} ms (CPU {busy[0]:.1f} ms)"
    )
    found = {name for title, writer in TARGETS for name in writer.read(documents[title])}
    assert found == set(SETTINGS)
