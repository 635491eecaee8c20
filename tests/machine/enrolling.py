# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CA on the controller, for a machine whose TPM has an EK certificate."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import clock
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab

PASSPHRASE = "correct-horse-battery-staple"
NAME = "Corp"
PERSON = {"upn": "alice@corp.example", "sid": "S-1-5-21-1004336348-1177238915-682003330-1000"}


def new_ca(lab: Lab) -> t.Dict[str, t.Any]:
    """Makes a CA and returns the variables of an inventory that has one card certified by it."""
    ca = lab.controller.folder / "ca"
    blueprint = authority.Blueprint("Corp Issuing CA", crl_urls=("http://pki.corp.example/issuing.crl",))
    authority.create(authority.CaFolder(ca), blueprint, PASSPHRASE, "", clock.now())
    Ledger(authority.CaFolder(ca).ledger_url, create=True).close()
    return {
        "smartcard_enrollment_ca": str(ca),
        "smartcard_enrollment_ca_passphrase": PASSPHRASE,
        "smartcard_enrollment_trust_anchors": str(lab.anchors),
        "smartcard_enrollment_online": False,
        "smartcard_enrollment_profile": "ad_smartcard_logon",
        "smartcard_enrollment_cards": [{**steps.card("alice", **PERSON, pin_policy={"minlen": 6}), "name": NAME}],
    }
