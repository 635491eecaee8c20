# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller with a CA, and a forged host that answers its questions, all in memory."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import pathlib
import shutil
import typing as t
from dataclasses import dataclass

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.challenge import answer, unseal
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.payload import Payload
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.online import Online
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.enrollment import Enrollment
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.wanted import WantedHost
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.tests.support import forge

PASSPHRASE = "correct horse battery staple"
SID = "S-1-5-21-1004336348-1177238915-682003330-512"
BLUEPRINT = authority.Blueprint("Corp", crl_urls=("http://pki.corp.example/issuing.crl",))


@dataclass
class Watch:
    """A clock that stands still until it is turned."""

    at: datetime.datetime = forge.NOW

    def __call__(self) -> datetime.datetime:
        return self.at

    def turn(self, **delta: int) -> None:
        self.at += datetime.timedelta(**delta)


def arguments(**changes: t.Any) -> t.Dict[str, t.Any]:
    """A task's arguments as Ansible gives them after validation; ``card_...`` and ``key_...`` change parts."""
    key = {
        "slot": "authentication",
        "algorithm": "ecc_p256",
        "self_signed": False,
        "profile": None,
        "ssh_profile": None,
    }
    key.update({name[4:]: value for name, value in changes.items() if name.startswith("key_")})
    names = ("common_name", "principal", "email", "profile", "pin", "pin_escrow_key", "puk", "pin_policy")
    unsaid = ("admin_key", "escrow_key", "has_puk", "has_admin_key", "card_reset", "faces")
    card: t.Dict[str, t.Any] = dict.fromkeys((*names, *unsaid), None)
    card.update(name=forge.CARD, upn="alice@corp.example", sid=SID, owner="", group="", dns_names=[], ssh_principals=[])
    card.update(pin_retries=forge.RETRIES, puk_retries=5, keys=[key], card_edge="piv", generate=False)
    card.update(pin_must_change=False)
    card.update({name[5:]: value for name, value in changes.items() if name.startswith("card_")})
    whole = {"cards": [card], "profile": "ad_smartcard_logon", "profiles": {}, "ek": None, "external_ca": None}
    whole.update(replace_ek=None, replace_cards=[])
    whole.update({name: value for name, value in changes.items() if not name.startswith(("card_", "key_"))})
    return whole


class Site:
    """The controller, and a host that holds what it was given."""

    def __init__(self, folder: t.Any) -> None:
        self.watch = Watch()
        self.host = forge.ForgedHost()
        self.held: t.Dict[str, t.Any] = {"certificates": {}, "ak_certificate": "", "attestations": {}}
        self.host.ek_certificate.not_after = forge.NOW + 300 * forge.DAY
        place = authority.CaFolder(folder)
        self.ledger = Ledger(place.ledger_url, self.watch, create=True)
        self.issuer = Issuer(authority.Authority(place, PASSPHRASE), self.ledger)

    def enrollment(self, check: bool = False, host: str = forge.HOST, **changes: t.Any) -> Enrollment:
        wanted = WantedHost.parse(host, arguments(**changes))
        return Enrollment(wanted, self.issuer, self.ledger, self.host.policy(), Online(), check)

    def shown(self, enrollment: Enrollment) -> t.Dict[str, t.Any]:
        """The first visit."""
        [question] = enrollment.questions()
        self.host.card.nonce = base64.b64decode(question["nonce"])
        evidence = json.loads(json.dumps(self.host.evidence().document()))
        return {"evidence": evidence, "cards": [{"name": forge.CARD, "changed": False, **self.held}]}

    def answered(self, enrollment: Enrollment) -> t.Dict[str, t.Any]:
        """The second visit. The forged TPM has no EK to open the challenge with, so it is told the secret."""
        [progress] = enrollment.progress.values()
        pending = progress.pending
        assert pending is not None
        secret, sealed = pending._secret, pending.challenge.sealed
        payload = Payload.parse(unseal(secret, forge.CARD, sealed))
        if payload.certificates:
            self.held["certificates"]["9A"] = _digest(payload.certificates["authentication"])
        self.held["ak_certificate"] = _digest(payload.ak_certificate)
        if payload.attestations:
            attested = payload.attestations["authentication"] + payload.attestation_issuer
            self.held["attestations"]["9A"] = _digest(attested)
        given = base64.b64encode(answer(secret, forge.CARD, sealed)).decode()
        return {"cards": [{"name": forge.CARD, "answer": given, "failure": ""}]}

    def enrol(self, **changes: t.Any) -> Enrollment:
        """Both visits, if both are needed."""
        enrollment = self.enrollment(**changes)
        enrollment.judge(self.shown(enrollment))
        if enrollment.challenges():
            enrollment.accept(self.answered(enrollment))
        enrollment.close()
        return enrollment


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("made") / "ca"
    authority.create(authority.CaFolder(path), BLUEPRINT, PASSPHRASE, "", forge.NOW - forge.DAY)
    return path


@pytest.fixture
def site(made_once: pathlib.Path, tmp_path: pathlib.Path) -> t.Iterator[Site]:
    shutil.copytree(made_once, tmp_path / "ca")
    site = Site(tmp_path / "ca")
    yield site
    site.ledger.close()
