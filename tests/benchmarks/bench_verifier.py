# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host costs the controller: evidence verified and kept, both certificates issued, the challenge made.

One card and one P-256 key each, every host with another EK certificate, the ledger on a disk.
"""

from __future__ import annotations

import json
import pathlib
import time
import typing as t
from datetime import timedelta

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.bundle import verify_and_keep
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.ek import Policy
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.pending import Pending
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, profiles
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer, Order
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.ledger import Admission, Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import Assurance
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.record import Place
from ansible_collections.hardbound.identity.tests.unit.plugins.plugin_utils._attestation import forge
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HOSTS = 300
SAMPLE = 50
BLUEPRINT = authority.Blueprint(
    name="Corp Issuing CA",
    organization="Corp",
    permitted_domains=("corp.example",),
    crl_urls=("http://pki.corp.example/issuing.crl",),
)
SID = "S-1-5-21-1004336348-1177238915-682003330-"


class Controller:
    """What the controller does for one host, each step with the processor time that it took."""

    def __init__(self, folder: pathlib.Path, policy: Policy) -> None:
        self._policy = policy
        self._folder = authority.Folder(folder)
        authority.create(self._folder, BLUEPRINT, "passphrase", "root passphrase", forge.NOW - timedelta(days=1))
        self._ledger = Ledger(self._folder.ledger_url, lambda: forge.NOW, create=True)
        self._issuer = Issuer(authority.Authority(self._folder, "passphrase"), self._ledger)
        self.taken: t.Dict[str, t.List[float]] = {"verify": [], "admit": [], "issue": [], "challenge": []}

    def enrol(self, host: forge.ForgedHost, answer: str, number: int) -> None:
        request = host.request()
        marks = [time.process_time()]
        verdict, bundle = verify_and_keep(json.loads(answer), request, self._policy, self._ledger, forge.NOW)
        assert verdict.accepted and verdict.ek is not None, verdict.message
        marks.append(time.process_time())
        card = verdict.cards[host.card.name]
        aks = {card.name: card.ak.name.hex()}
        kept = json.dumps(bundle).encode()
        digest = self._ledger.admit(Admission(host.host, verdict.ek.fingerprint, aks, kept))
        marks.append(time.process_time())
        user = f"user{number}@corp.example"
        identity = Identity.parse({"common_name": user, "upn": user, "sid": f"{SID}{1000 + number}"})
        key, ak = card.keys["authentication"], card.ak.public_key()
        ak_spki = ak.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        logon = profiles.SHIPPED["ad_smartcard_logon"]
        orders = [
            Order(Place(host.host, card.name), profiles.SHIPPED[profiles.AK], identity, ak_spki, Assurance.RESTRICTED),
            Order(Place(host.host, card.name, key.slot), logon, identity, key.spki, key.assurance, digest),
        ]
        issued = self._issuer.issue_all(orders)
        marks.append(time.process_time())
        payload = b"".join(each.certificate.body for each in issued)
        Pending(verdict.ek.public, card.ak, host.host, card.name, payload, forge.NOW)
        marks.append(time.process_time())
        for step, (began, ended) in zip(self.taken.values(), zip(marks, marks[1:])):
            step.append(ended - began)


def test_a_host_costs_the_same_however_many_there_are(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture) -> None:
    first = forge.ForgedHost()
    hosts = [forge.ForgedHost(f"ws-{number:05}", first.authorities) for number in range(HOSTS)]
    answers = [json.dumps(host.evidence().document()) for host in hosts]
    controller = Controller(tmp_path / "ca", first.policy())
    for number, (host, answer) in enumerate(zip(hosts, answers)):
        controller.enrol(host, answer, number)
    whole = [sum(steps) for steps in zip(*controller.taken.values())]
    with capsys.disabled():
        print(f"\n{HOSTS} hosts, processor time of one core")
        for title, taken in {**controller.taken, "all": whole}.items():
            mean = sum(taken) / len(taken)
            print(f"  {title:10} {mean * 1e3:6.2f} ms a host, {1 / mean:6.0f} hosts a second")
        print(
            f"  the last {SAMPLE} hosts cost {sum(whole[-SAMPLE:]) / sum(whole[:SAMPLE]):.2f} times the first {SAMPLE}"
        )
