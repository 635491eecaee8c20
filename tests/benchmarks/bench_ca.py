# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many hosts a second the CA serves on one core, with the ledger on, and whether that holds for a large fleet.

A host is served when its EK and AK are pinned, its evidence is kept, AK and logon certificate (P-256) are issued, and
both are recorded as activated. A second run over the same hosts keeps what there is.
Run: python bench_ca.py [hosts]
"""

from __future__ import annotations

import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, clock, profiles
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer, Order
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.ledger import Admission, Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import Assurance
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.record import Place
from cryptography.hazmat.primitives.asymmetric import ec

PASSPHRASE = "correct horse battery staple"
EVIDENCE = 12_000
"""Bytes of one host's bundle."""
SAMPLE = 100
"""Hosts that a line of the table is measured on."""

HEAD = "hosts before  ms CPU a host  ms wall  hosts/s and core  ms CPU, 2nd run"

LOGON = profiles.SHIPPED["ad_smartcard_logon"]
AK = profiles.SHIPPED[profiles.AK]


@dataclass(frozen=True)
class Host:
    """A host of the fleet, with the keys that its TPM would have."""

    name: str
    ak: bytes
    key: bytes
    evidence: bytes

    @classmethod
    def new(cls, number: int) -> Host:
        keys = [authority.public_der(ec.generate_private_key(ec.SECP256R1()).public_key()) for _each in range(2)]
        return cls(f"ws-{number:05}", *keys, f"{number:08}".encode() * (EVIDENCE // 8))

    def orders(self, digest: str) -> t.List[Order]:
        user = Identity.parse({"common_name": "Alice", "upn": "alice@corp.example", "sid": "S-1-5-21-1-2-3-1104"})
        device = Identity.parse({"common_name": self.name})
        return [
            Order(Place(self.name, "card", "attestation"), AK, device, self.ak, Assurance.RESTRICTED, digest),
            Order(Place(self.name, "card", "authentication"), LOGON, user, self.key, Assurance.FIXED, digest),
        ]


def serve(ledger: Ledger, issuer: Issuer, host: Host) -> None:
    ek, ak = f"{host.name:0>64}", f"{host.name:0>68}"
    digest = ledger.admit(Admission(host.name, ek, {"card": ak}, host.evidence))
    issued = issuer.issue_all(host.orders(digest))
    ledger.activate(*(each.certificate.serial for each in issued))


def main(count: int) -> None:
    """Prints CPU and wall times; wall includes the waits for the disk, which other cores can use."""
    with tempfile.TemporaryDirectory() as name:
        folder = authority.Folder(Path(name) / "ca")
        blueprint = authority.Blueprint("Corp", crl_urls=("http://pki.corp.example/issuing.crl",))
        authority.create(folder, blueprint, PASSPHRASE, "", clock.now())
        ledger = Ledger(folder.ledger_url, create=True)
        issuer = Issuer(authority.Authority(folder, PASSPHRASE), ledger)
        print(HEAD)
        present = 0
        for target in [mark for mark in (10, 100, 1000, 10_000) if mark <= count]:
            for number in range(present, target):
                serve(ledger, issuer, Host.new(number))
            sample = [Host.new(number) for number in range(target, target + SAMPLE)]
            cpu, wall = measure(ledger, issuer, sample)
            again, _wall = measure(ledger, issuer, sample)
            present = target + SAMPLE
            print(f"{target:12} {cpu:14.2f} {wall:8.2f} {1000 / cpu:17.0f} {again:16.2f}")


def measure(ledger: Ledger, issuer: Issuer, sample: t.Sequence[Host]) -> t.Tuple[float, float]:
    """Returns milliseconds of CPU and of wall time for each host of the sample."""
    cpu, wall = time.process_time(), time.perf_counter()
    for host in sample:
        serve(ledger, issuer, host)
    return (time.process_time() - cpu) * 1000 / len(sample), (time.perf_counter() - wall) * 1000 / len(sample)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
