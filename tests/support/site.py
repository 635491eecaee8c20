# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller with a CA, and a forged host that answers its questions, all in memory."""

from __future__ import annotations

import base64
import hashlib
import json
import pathlib
import shutil
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.action.smartcard_enrollment import (
    ARGUMENTS,
    CARD_ARGUMENTS,
    KEY_ARGUMENTS,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.challenge import answer, unseal
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.payload import Payload
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.online import Online
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.enrollment import Enrollment
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.wanted import WantedHost
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.corp import PASSPHRASE, SID, Watch
from ansible_collections.hardbound.identity.tests.support.tasks import defaults

BLUEPRINT = authority.Blueprint("Corp", crl_urls=("http://pki.corp.example/issuing.crl",))


def arguments(**changes: t.Any) -> t.Dict[str, t.Any]:
    """A task's arguments as Ansible gives them after validation; ``card_...`` and ``key_...`` change parts."""
    key = {**defaults(KEY_ARGUMENTS), "slot": "authentication", "algorithm": "ecc_p256"}
    key.update({name[4:]: value for name, value in changes.items() if name.startswith("key_")})
    card = {**defaults(CARD_ARGUMENTS), "name": forge.CARD, "upn": "alice@corp.example", "sid": SID, "keys": [key]}
    card.update(pin_retries=forge.RETRIES)
    card.update({name[5:]: value for name, value in changes.items() if name.startswith("card_")})
    whole = {**defaults(ARGUMENTS), "cards": [card], "profile": "ad_smartcard_logon"}
    whole.update({name: value for name, value in changes.items() if not name.startswith(("card_", "key_"))})
    return whole


class Site:
    """The controller, and a host that holds what it was given."""

    def __init__(self, folder: t.Any) -> None:
        self.watch = Watch(forge.NOW)
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
    path: pathlib.Path = tmp_path_factory.mktemp("made") / "ca"
    authority.create(authority.CaFolder(path), BLUEPRINT, PASSPHRASE, "", forge.NOW - forge.DAY)
    return path


@pytest.fixture
def site(made_once: pathlib.Path, tmp_path: pathlib.Path) -> t.Iterator[Site]:
    shutil.copytree(made_once, tmp_path / "ca")
    site = Site(tmp_path / "ca")
    yield site
    site.ledger.close()
