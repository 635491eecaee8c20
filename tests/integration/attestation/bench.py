# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with one card on a software TPM, and the controller that looks at it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

from ansible_collections.hardbound.identity.plugins.module_utils._card import lifecycle
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import (
    KeySpecification,
    Secrets,
    Specification,
)
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.workbench import Workbench
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.ek import TrustPolicy
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.request import (
    CardRequest,
    EvidenceRequest,
    KeyRequest,
    new_nonce,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.trust import (
    Trust,
    parse_certificates,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.verifier import verify
from ansible_collections.hardbound.identity.tests.integration.attestation.host import Host
from ansible_collections.hardbound.identity.tests.support.remembered import Remembered

NAME, HOST = "card", "ws-017"
RETRIES, PUK_RETRIES = 5, 3
KEYS = {
    0x9A: KeyAlgorithm.ECC_P256,
    0x9C: KeyAlgorithm.RSA_2048,
    0x9D: KeyAlgorithm.ECC_P384,
    0x9E: KeyAlgorithm.ECC_P256,
    0x82: KeyAlgorithm.ECC_P521,
}


def now() -> datetime:
    return datetime.now(timezone.utc)


class Bench:
    """The host, its card with a key of each kind, and what the controller asks of it."""

    def __init__(self, folder, software_tpm, maker) -> None:
        self.maker = maker
        self.store = Store(str(folder))
        self.store.prepare()
        tcti = Tcti.parse(software_tpm.tcti)
        self.tpm = Tpm(tcti, str(folder))
        keys = tuple(KeySpecification(slot, algorithm) for slot, algorithm in KEYS.items())
        specification = Specification(
            NAME,
            tcti,
            pin_policy=PinPolicy(minlen=4, maxlen=8),
            pin_retries=RETRIES,
            puk_retries=PUK_RETRIES,
            has_puk=True,
            keys=keys,
        )
        record = lifecycle.create(self.store, self.tpm, specification, Secrets("123456", "87654321"))
        self.card = Card(self.store, Workbench(self.tpm), record.number)
        self.card.verify(b"123456")
        for key in keys:
            self.card.make_key(key)
        self.host = Host(self.tpm)
        with self.tpm.taken():
            self.ak = self.record.ak
        self.nonce = new_nonce()

    @property
    def record(self):
        return self.store.read(self.card.record.number)

    def show(self, title="H-3", record=None, ak=None):
        with self.tpm.taken():
            card = self.host.card(record or self.record, ak or self.ak, self.nonce)
            return self.host.evidence(title, [card])

    def request(self, **changes):
        keys = tuple(KeyRequest.of(slot, algorithm) for slot, algorithm in KEYS.items())
        card = CardRequest(NAME, self.nonce, keys, RETRIES, PUK_RETRIES, puk=True)
        return EvidenceRequest(HOST, (replace(card, **changes),))

    def policy(self):
        return TrustPolicy(Trust.of(parse_certificates(self.maker.anchors.read_bytes()), "the test's own CA"))

    def judge(self, evidence, request=None, known=None):
        document = json.loads(json.dumps(evidence.document()))
        return verify(document, request or self.request(), self.policy(), known or Remembered(), now())

    def codes(self, *args, **kwargs):
        return {finding.code for finding in self.judge(*args, **kwargs).findings}

    def close(self) -> None:
        with self.tpm.taken():
            lifecycle.destroy(self.store, self.tpm, self.record.number)
        self.tpm.close()
