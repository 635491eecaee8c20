# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``attestation`` of virtual_smartcard: an attestation key, and a CA's certificate for it, or no card at all."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import ssl
import subprocess

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.ek import TrustPolicy
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.request import (
    CardRequest,
    EvidenceRequest,
    KeyRequest,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.revocation import RevocationPolicy
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.trust import Trust
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.verifier import verify
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import clock
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import EXTERNAL
from ansible_collections.hardbound.identity.tests.support.fleet import GUESS, PASSPHRASE, PIN, PYTHON
from ansible_collections.hardbound.identity.tests.support.remembered import Remembered
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm
from ansible_collections.hardbound.identity.tests.support.tpmvscmgr_page import Typist, playbooks
from cryptography import x509

pytestmark = pytest.mark.slow

HOST = "localhost"
KEYS = [{"slot": "authentication"}]
SECRET = "of-the-endorsement"


class Site:
    """A fleet whose one host is localhost, with tasks for its card."""

    def __init__(self, fleet):
        self.fleet = fleet
        self.tpm = fleet.maker.make(fleet.folder / "host" / "tpm")
        fleet.tpms[HOST] = self.tpm
        self.store = fleet.folder / "host" / "store"
        self.store.mkdir()
        self.before = self.indices()

    def card(self, check=False, ca=(), **arguments):
        place = {"name": "corp", "tpm": self.tpm.tcti, "store": str(self.store)}
        ours = {"ca": str(self.fleet.ca), "ca_passphrase": PASSPHRASE, "online": False}
        ours = {**ours, "trust_anchors": str(self.fleet.maker.anchors), **dict(ca)}
        whole = {**place, "pin": PIN, "attestation": "aik_and_cert", "attestation_ca": ours, **arguments}
        task = {"hardbound.identity.virtual_smartcard": {k: v for k, v in whole.items() if v is not None}}
        return {**task, "vars": {"ansible_python_interpreter": PYTHON}, "check_mode": check, "diff": True}

    def run(self, *tasks):
        return self.fleet.tasks(*tasks)

    def indices(self):
        command = ["tpm2_getcap", "-T", self.tpm.tcti, "handles-nv-index"]
        return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())

    def record(self):
        return json.loads((self.store / "cards" / "0000.json").read_text())

    def nothing_is_left(self):
        return not list(self.store.glob("cards/*.json")) and self.indices() == self.before

    def live(self):
        return [each for each in self.fleet.ledger().certificates(HOST) if not each.revoked_at]


@pytest.fixture
def site(fleet):
    return Site(fleet)


def test_a_key_with_a_certificate(site):
    """Check mode tells the truth, the second run changes nothing, and what the CA issued is for the card's own key."""
    planned, made, again, plain, info = site.run(
        site.card(check=True, keys=KEYS),
        site.card(keys=KEYS),
        site.card(keys=KEYS),
        site.card(attestation="none", attestation_ca=None, keys=KEYS),
        {"hardbound.identity.virtual_smartcard_info": {"store": str(site.store)}},
    )
    changed = [each["changed"] for each in (planned, made, again, plain)]
    assert changed == [True, True, False, False], (planned, made)
    assert planned["diff"] == made["diff"] and made["diff"]["after"]["attestation"] == "aik_and_cert"
    certificate = x509.load_pem_x509_certificate(made["card"]["attestation_certificate"].encode())
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [usage.dotted_string for usage in usages] == ["2.23.133.8.3"]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    [tpm] = names.value.get_values_for_type(x509.DirectoryName)
    assert names.critical and list(certificate.subject) == []
    assert [each.oid.dotted_string for each in tpm] == ["2.23.133.2.1", "2.23.133.2.2", "2.23.133.2.3"]
    body = base64.b64decode(site.record()["ak_certificate"])
    issued = {each.label: each.body for each in site.live() if each.activated_at}
    assert body == ssl_der(made) == issued[""] and set(issued) == {"", "authentication attestation"}
    [key] = site.record()["keys"].values()
    assert base64.b64decode(key["attestation"]) == issued["authentication attestation"]
    told = made["card"]["slots"][0]["attestation"], made["card"]["attestation_issuer"]
    assert [ssl.PEM_cert_to_DER_cert(each) for each in told] == [
        issued["authentication attestation"],
        (site.fleet.ca / "public/issuing.cer").read_bytes(),
    ]
    for each in (again, plain, {"card": info["cards"][0]}):
        assert each["card"]["attestation"] == "aik_and_cert" and ssl_der(each) == body
        assert (each["card"]["slots"][0]["attestation"], each["card"]["attestation_issuer"]) == told
    output = (site.fleet.folder / "output").read_text() + (site.fleet.folder / "ansible.log").read_text()
    assert PASSPHRASE not in output and PIN not in output


def ssl_der(result):
    lines = result["card"]["attestation_certificate"].splitlines()
    return base64.b64decode("".join(lines[1:-1]))


def test_tpmvscmgr_with_pinpolicy_and_attestation(site):
    """``create /name VirtualSmartCardForCorpAccess /AdminKey DEFAULT /PIN PROMPT /pinpolicy minlen 4 maxlen 8
    /attestation AIK_AND_CERT /generate``, the last command line of the reference of Microsoft's Tpmvscmgr.
    """
    arguments = {"card_edge": "gids", "generate": True, "admin_key": "default", "keys": None}
    rules = {"minlen": 4, "maxlen": 8}
    made, again, short, long = site.run(
        site.card(**arguments, pin="4711", pin_policy=rules),
        site.card(**arguments, pin="4711", pin_policy=rules),
        *(
            {
                "hardbound.identity.virtual_smartcard_pin": {
                    "name": "corp",
                    "store": str(site.store),
                    "pin": "4711",
                    **new,
                }
            }
            for new in ({"new_pin": "471"}, {"new_pin": "471147114"})
        ),
    )
    assert made["changed"] and not again["changed"], made
    card = made["card"]
    assert (card["card_edge"], card["generated"], card["attestation"]) == ("gids", True, "aik_and_cert")
    assert (card["pin_policy"]["minlen"], card["pin_policy"]["maxlen"]) == (4, 8)
    assert any("everybody knows" in warning for warning in made["warnings"])
    assert "shorter than the 4" in short["msg"] and "longer than the 8" in long["msg"]
    assert len(site.live()) == 1 and site.live()[0].activated_at


def test_the_last_playbook_of_the_page_about_tpmvscmgr(site):
    """As it stands there, but for where the CA and its anchors are."""
    [play] = [each for command, each in playbooks().items() if "AIK_AND_CERT" in command]
    [task] = play["tasks"]
    theirs = task["hardbound.identity.virtual_smartcard"]["attestation_ca"]
    assert set(theirs) == {"ca", "ca_passphrase", "trust_anchors"}
    ours = site.card()["hardbound.identity.virtual_smartcard"]["attestation_ca"]
    task["hardbound.identity.virtual_smartcard"]["attestation_ca"] = ours
    visits = ("ANSIBLE_CALLBACKS_ENABLED", "ANSIBLE_CALLBACK_PLUGINS")  # nobody counts them here
    environment = {name: value for name, value in site.fleet.environment().items() if name not in visits}
    typist = Typist(site.fleet.folder, environment, {"tpm": site.tpm.tcti, "store": str(site.store)})
    made = typist.run(play, "4711")
    assert made["card"]["attestation"] == "aik_and_cert" and made["card"]["pin_policy"]["minlen"] == 4
    assert len(site.live()) == 1 and site.live()[0].activated_at


def test_a_card_gets_it_later_and_gives_it_back(site):
    """A card that exists, one whose run was cut off before the CA had answered, and the end of it."""
    made, alone = site.run(
        site.card(attestation="none", attestation_ca=None), site.card(attestation="aik_only", attestation_ca=None)
    )
    assert made["card"]["attestation"] == "aik_only" and made["evidence"] is None  # It has its key, unasked.
    assert not alone["changed"] and alone["card"]["attestation"] == "aik_only"
    planned, certified = site.run(site.card(check=True), site.card())
    assert planned["changed"] and certified["changed"] and certified["card"]["attestation"] == "aik_and_cert"
    would, gone, again = site.run(
        site.card(check=True, state="absent"), site.card(state="absent"), site.card(state="absent")
    )
    assert [each["changed"] for each in (would, gone, again)] == [True, True, False]
    assert site.nothing_is_left() and site.live() == []
    [anew] = site.run(site.card())
    assert anew["changed"] and len(site.live()) == 1


def test_what_leaves_nothing_behind(site, tmp_path):
    """No CA, a wrong passphrase, no anchors, an EK that leads to none, a ledger that is gone."""
    other = ("-subj", "/CN=other", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "other.pem"))
    command = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", *other)
    subprocess.run(command, check=True, capture_output=True)
    no_ledger = f"sqlite:///{tmp_path}/none/ledger.db"
    cases = [
        ({"ca": str(tmp_path / "none")}, "holds no CA: make one"),
        ({"ca_passphrase": "wrong"}, "passphrase"),
        ({"trust_anchors": str(tmp_path / "none")}, "none"),
        ({"trust_anchors": str(tmp_path / "other.pem")}, "EK_CHAIN_UNTRUSTED"),
        ({"ledger": no_ledger}, "ledger"),
        ({"ek": "00" * 32}, "EK_"),
    ]
    results = site.run(*(site.card(ca=changes) for changes, _unused in cases))
    for refused, (changes, words) in zip(results, cases):
        assert refused["failed"] and words in refused["msg"], (changes, refused["msg"])
        assert "Traceback" not in refused["msg"]
    no_ca, no_name = site.run(site.card(attestation_ca=None), site.card(name=None, state="absent"))
    assert "give attestation_ca" in no_ca["msg"] and "name is missing" in no_name["msg"]
    assert site.nothing_is_left() and site.live() == []


def test_a_tpm_without_ek_certificate(site):
    """As on machines whose maker gives none. A card that was there before stays as it was."""
    bare = SoftwareTpm(site.fleet.folder / "bare")
    bare.folder.mkdir()
    site.fleet.tpms[HOST].stop()
    bare.start()
    site.fleet.tpms[HOST] = site.tpm = bare
    site.before = site.indices()
    planned, refused = site.run(site.card(check=True), site.card())
    assert planned["changed"] and "EK_CERTIFICATE_MISSING" in refused["msg"], refused
    assert site.nothing_is_left() and site.live() == []
    _made, refused = site.run(site.card(attestation="none", attestation_ca=None, keys=KEYS), site.card())
    assert "EK_CERTIFICATE_MISSING" in refused["msg"]
    assert list(site.record()["keys"]) == ["154"] and site.record()["ak_certificate"] == ""


def test_a_tpm_whose_endorsement_hierarchy_has_an_authorisation(site):
    """Without it nothing is left of a new card, and the message names the option; with it both visits succeed."""
    place = ("-T", site.tpm.tcti)
    kept = subprocess.run(["tpm2_getcap", *place, "handles-persistent"], capture_output=True, text=True, check=True)
    for handle in re.findall("0x8101[0-9A-Fa-f]{4}", kept.stdout):  # An EK of the high range that is kept needs none.
        subprocess.run(["tpm2_evictcontrol", *place, "-C", "owner", "-c", handle], check=True)
    subprocess.run(["tpm2_changeauth", *place, "-c", "endorsement", SECRET], check=True)
    missing, wrong = site.run(site.card(), site.card(tpm_endorsement_auth="guess"))
    assert "tpm_endorsement_auth is missing, and there is one of the TPM's endorsement hierarchy" in missing["msg"]
    assert "tpm_endorsement_auth is not that of the TPM's endorsement hierarchy" in wrong["msg"]
    assert site.nothing_is_left() and site.live() == []
    made, again = site.run(site.card(tpm_endorsement_auth=SECRET), site.card(tpm_endorsement_auth=SECRET))
    assert (made["changed"], again["changed"]) == (True, False), made
    assert len(site.live()) == 1
    output = (site.fleet.folder / "output").read_text() + (site.fleet.folder / "ansible.log").read_text()
    assert SECRET not in output


def test_what_another_ca_has_to_revoke_is_said(site):
    """The ledger counts it as revoked; whoever takes the card away has to be told that no list of ours names it."""
    site.run(site.card())
    ledger = site.fleet.ledger()
    other = {"serial": "ee", "number": "1f", "kind": EXTERNAL, "claim": "ee", "slot": "authentication"}
    certificate = dataclasses.replace(site.live()[0], **other)
    ledger.writing(lambda connection: ledger.insert(connection, certificate))
    [gone] = site.run(site.card(state="absent"))
    assert gone["changed"] and site.live() == [], gone
    assert f"Have the other CA revoke the certificate 1f of {HOST} " in " ".join(gone["warnings"])


def test_a_host_that_does_not_answer_the_challenge(site):
    """What was issued for the card is revoked, and the card is gone."""
    liar = site.fleet.lying(GUESS, "activate")
    task = site.card()
    task["vars"]["ansible_python_interpreter"] = liar
    [refused] = site.run(task)
    assert refused["failed"] and "answer" in refused["msg"], refused
    assert site.nothing_is_left() and site.live() == []
    [made] = site.run(site.card())
    assert made["changed"] and len(site.live()) == 1


def test_a_key_alone_and_its_evidence(site):
    """Evidence of a new card goes with it; afterwards it is made for whoever brings a nonce, and changes nothing."""
    nonce = bytes(range(32))
    asking = {"attestation": "aik_only", "attestation_ca": None, "keys": KEYS}
    asking["attestation_nonce"] = base64.b64encode(nonce).decode()
    made, again, asked, looked = site.run(
        site.card(attestation="aik_only", attestation_ca=None, keys=KEYS),
        site.card(attestation="aik_only", attestation_ca=None, keys=KEYS),
        site.card(**asking),
        site.card(check=True, **asking),
    )
    assert [each["changed"] for each in (made, again, asked, looked)] == [True, False, False, False]
    assert made["evidence"] and again["evidence"] is None and again["attestation_nonce"] is None
    for result in (made, asked, looked):
        over = base64.b64decode(result["attestation_nonce"])
        assert result is made or over == nonce
        assert accepted(site, result["evidence"], over)
        assert not accepted(site, result["evidence"], bytes(32))


def accepted(site, evidence, nonce):
    """Whether the controller's verifier believes it."""
    card = CardRequest("corp", nonce, (KeyRequest.of(0x9A, KeyAlgorithm.ECC_P256),), 5)
    policy = TrustPolicy(Trust.load(str(site.fleet.maker.anchors)), RevocationPolicy.OFF)
    return verify(evidence, EvidenceRequest(HOST, (card,)), policy, Remembered(), clock.now()).accepted
