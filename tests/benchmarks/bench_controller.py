# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host costs the controller: evidence verified and kept, three certificates issued, the challenge
answered.

One card and one P-256 key each, every host with another EK certificate, the ledger on a disk and with more and more
hosts in it.
"""

from __future__ import annotations

import json
import pathlib
import secrets
import time
import typing as t
from dataclasses import replace
from datetime import timedelta

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.challenge import answer
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.bundle import verify_and_keep
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.ek import TrustPolicy
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.finding import Report
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.pending import PendingChallenge
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.seal import seal
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, profiles
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer, Order
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import Assurance
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import schema
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.packages import sa
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.pins import Admission
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import CertificatePlace
from ansible_collections.hardbound.identity.tests.support import forge
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FLEETS = (10, 100, 1000, 10_000)
SAMPLE = 60
STEPS = ("verify", "examine", "issue", "challenge", "accept")
_UNLIKE = ("serial", "key", "claim", "ek", "root", "ak", "digest")
BLUEPRINT = authority.Blueprint(
    name="Corp Issuing CA",
    organization="Corp",
    permitted_domains=("corp.example",),
    crl_urls=("http://pki.corp.example/issuing.crl",),
)
SID = "S-1-5-21-1004336348-1177238915-682003330-"


class Controller:
    """What the controller does for one host, each step with the processor time that it took."""

    def __init__(self, folder: pathlib.Path, policy: TrustPolicy) -> None:
        self._policy = policy
        self._folder = authority.CaFolder(folder)
        authority.create(self._folder, BLUEPRINT, "passphrase", "root passphrase", forge.NOW - timedelta(days=1))
        self.ledger = Ledger(self._folder.ledger_url, lambda: forge.NOW, create=True)
        self._issuer = Issuer(authority.Authority(self._folder, "passphrase"), self.ledger)
        self.taken: t.Dict[str, t.List[float]] = {step: [] for step in STEPS}

    def enrol(self, host: forge.ForgedHost, shown: str, number: int) -> None:
        request = host.request()
        marks = [time.process_time()]
        verdict, bundle = verify_and_keep(json.loads(shown), request, self._policy, self.ledger.known, forge.NOW)
        assert verdict.accepted and verdict.ek is not None, verdict.message
        marks.append(time.process_time())
        card = verdict.cards[host.card.name]
        admission = Admission(host.host, verdict.ek.fingerprint, verdict.root, {card.name: card.claim})
        self.ledger.examine(admission)
        marks.append(time.process_time())
        user = f"user{number}@corp.example"
        identity = Identity.parse({"common_name": user, "upn": user, "sid": f"{SID}{1000 + number}"})
        key, ak, tpm = card.keys["authentication"], card.ak.public_key(), verdict.ek.tpm
        assert tpm is not None
        ak_spki = ak.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ak_profile, logon = profiles.SHIPPED[profiles.AK], profiles.SHIPPED["ad_smartcard_logon"]
        attested = profiles.for_attested_keys(ak_profile)
        place = CertificatePlace(host.host, card.name)
        orders = [
            Order(place, ak_profile, identity, ak_spki, Assurance.RESTRICTED, tpm=tpm.name),
            Order(replace(place, slot=key.slot), logon, identity, key.spki, key.assurance),
            Order(replace(place, slot=key.slot), attested, Identity("PIV attestation 9a"), key.spki, key.assurance),
        ]
        issued = self._issuer.issue_all(orders)
        marks.append(time.process_time())
        payload = b"".join(each.certificate.body for each in issued)
        challenge = self.ledger.open_challenge(host.host, card.name)
        pending = PendingChallenge(verdict.ek.public, card.ak, host.host, card.name, payload, forge.NOW)
        marks.append(time.process_time())
        self.ledger.spend_challenge(challenge, host.host, card.name)
        given = answer(pending._secret, card.name, pending.challenge.sealed)
        assert pending.accept(host.host, card.name, given, forge.NOW, Report(card.name))
        kept = seal(bundle, [pending.proof(forge.NOW)], self._issuer.evidence_signer(), self._issuer.certificate)
        self.ledger.settle(admission, kept, [each.certificate for each in issued])
        marks.append(time.process_time())
        for step, (began, ended) in zip(self.taken.values(), zip(marks, marks[1:])):
            step.append(ended - began)


def fill(ledger: Ledger, template: str, hosts: int) -> None:
    """Writes hosts into the ledger that look like one that was enrolled, as many rows and as long ones."""
    tables = [table for table in schema.METADATA.sorted_tables if "host" in table.c and table is not schema.challenges]

    def work(connection: t.Any) -> None:
        for table in tables:
            kept = connection.execute(sa.select(table).where(table.c.host == template)).mappings().all()
            rows = [_copy(dict(row), f"pc-{secrets.token_hex(6)}") for _unused in range(hosts) for row in kept]
            if rows:
                connection.execute(sa.insert(table), rows)

    ledger.writing(work)


def _copy(row: t.Dict[str, t.Any], host: str) -> t.Dict[str, t.Any]:
    """What has to be unlike in each row is random, as it is in life."""
    unlike = {name: secrets.token_hex(len(row[name]) // 2) for name in _UNLIKE if row.get(name)}
    return {**{name: value for name, value in row.items() if name != "id"}, **unlike, "host": host}


def test_a_host_costs_the_same_however_many_there_are(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture) -> None:
    first = forge.ForgedHost()
    hosts = [forge.ForgedHost(f"ws-{number:05}", first.authorities) for number in range(SAMPLE * len(FLEETS))]
    answers = [json.dumps(host.evidence().document()) for host in hosts]
    controller = Controller(tmp_path / "ca", first.policy())
    controller.enrol(hosts[0], answers[0], 0)
    lines: t.List[t.Dict[str, float]] = []
    quickest: t.List[float] = []  # what others take of the processor's caches is least in it
    there = 1
    for turn, fleet in enumerate(FLEETS):
        fill(controller.ledger, hosts[0].host, max(0, fleet - there))
        there = max(fleet, there) + SAMPLE
        controller.taken = {step: [] for step in STEPS}
        for number in range(turn * SAMPLE + 1, (turn + 1) * SAMPLE):
            controller.enrol(hosts[number], answers[number], number)
        lines.append({step: sum(taken) / len(taken) for step, taken in controller.taken.items()})
        quickest.append(min(sum(steps) for steps in zip(*controller.taken.values())))
    with capsys.disabled():
        print("\nprocessor time of one core, in ms a host; in brackets the sum beside that of the smallest fleet")
        print("  hosts before " + "".join(f"{step:>10}" for step in STEPS) + "       sum        hosts/s  quickest")
        for fleet, line, least in zip(FLEETS, lines, quickest):
            whole, beside = sum(line.values()), sum(line.values()) / sum(lines[0].values())
            steps = "".join(f"{taken * 1e3:10.2f}" for taken in line.values())
            print(f"  {fleet:12} {steps}{whole * 1e3:10.2f} ({beside:4.2f}) {1 / whole:7.0f} {1 / least:9.0f}")
