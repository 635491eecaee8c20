# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates by another CA, which is OpenSSL's: through a folder, and by a command."""

from __future__ import annotations

import base64
import json
import subprocess

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import ssh
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import EXTERNAL, EventKind
from ansible_collections.hardbound.identity.tests.support.fleet import GUESS, PIN, new_fleet
from cryptography import x509

pytestmark = pytest.mark.slow

EVIDENCE, ACTIVATE = "smartcard_evidence", "smartcard_activate"
CONFIG = """\
[ca]
default_ca = other
[other]
dir = {folder}
database = $dir/index.txt
new_certs_dir = $dir/issued
serial = $dir/serial
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
default_days = {days}
policy = any
copy_extensions = copyall
unique_subject = no
[any]
commonName = supplied
"""


class OtherCa:
    """A CA of OpenSSL's, with serial numbers that it counts from 1."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "issued").mkdir(parents=True)
        (folder / "index.txt").touch()
        (folder / "serial").write_text("01\n")
        self.days(365)
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        files = ["-keyout", str(folder / "ca.key"), "-out", str(folder / "ca.pem")]
        self.openssl("req", "-x509", *curve, "-subj", "/CN=Other CA", "-days", "3650", *files)

    def days(self, days):
        (self.folder / "ca.cnf").write_text(CONFIG.format(folder=self.folder, days=days))

    def openssl(self, *arguments):
        return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout

    @property
    def command(self):
        return ["openssl", "ca", "-batch", "-config", str(self.folder / "ca.cnf"), "-in", "/dev/stdin"]

    def answer(self, request, answer, *more):
        self.openssl(*self.command[1:-1], request, "-out", answer, *more)

    def revoke(self, serial):
        self.openssl("ca", "-config", str(self.folder / "ca.cnf"), "-revoke", str(self.folder / f"issued/{serial}.pem"))

    @property
    def revoke_command(self):
        return [
            "openssl",
            "ca",
            "-config",
            str(self.folder / "ca.cnf"),
            "-revoke",
            "/dev/stdin",
            "-crl_reason",
            "{reason}",
        ]

    def listed(self):
        """Returns the reasons on that CA's list, by serial number."""
        self.openssl(
            "ca", "-config", str(self.folder / "ca.cnf"), "-gencrl", "-crldays", "7", "-out", str(self.folder / "crl")
        )
        found = x509.load_pem_x509_crl((self.folder / "crl").read_bytes())
        reasons = {each.serial_number: list(each.extensions) for each in found}
        return {number: each[0].value.reason.value if each else "" for number, each in reasons.items()}

    def issued(self):
        return sorted(path.stem for path in (self.folder / "issued").iterdir())


def other_ca(fleet):
    """Logon certificates come from another CA, and what the CA of the fleet issues beside them from that."""
    other = OtherCa(fleet.folder / "other")
    requests = fleet.folder / "requests"
    requests.mkdir()
    places = {"certificates": str(other.folder / "ca.pem"), "requests": str(requests)}
    fleet.variables["smartcard_enrollment_external_ca"] = {**places, "profiles": ["ad_smartcard_logon"]}
    return other


@pytest.fixture
def other(fleet):
    return other_ca(fleet)


def on_card(fleet, host="ws-001", slot=0x9A):
    body = fleet.record(host)["certificates"].get(str(slot))
    return x509.load_der_x509_certificate(base64.b64decode(body)) if body else None


def test_through_a_folder(fleet, other):
    """The card waits, its other key and its AK do not; then the answer goes to the card, without PIN and PUK."""
    fleet.add("ws-001", has_puk=True, keys=[{"slot": "authentication"}, {"slot": "signature", "profile": "tls_client"}])
    would = fleet.play("--check", "--diff")
    assert would.statuses() == {"ws-001": "pending"} and not list((fleet.folder / "requests").iterdir()), would.output
    assert "ad_smartcard_logon, user0@corp.example, as the other CA answers" in would.output
    run = fleet.play()
    assert run.code == 0 and run.statuses() == {"ws-001": "pending"}, run.output
    assert run.visits == {"ws-001": [EVIDENCE, ACTIVATE]}
    [waiting] = run.results["ws-001"]["cards"][0]["pending"]
    assert f"pending ws-001  corp authentication: have the other CA answer {waiting['request']}" in run.output
    text = other.openssl("req", "-verify", "-text", "-noout", "-in", waiting["request"])
    assert "user0@corp.example" in text
    assert on_card(fleet) is None and on_card(fleet, slot=0x9C) is not None
    [card] = fleet.inventory["ws-001"]["smartcard_enrollment_cards"]
    del card["pin"], card["puk"]
    for options in ((), ("--check",)):
        waits = fleet.play(*options)
        assert waits.statuses() == {"ws-001": "pending"} and waits.visits == {"ws-001": [EVIDENCE]}, waits.output
        assert "changed=1" not in waits.output
    other.answer(waiting["request"], waiting["answer"])
    would = fleet.play("--check")
    assert would.statuses() == {"ws-001": "renewed"} and on_card(fleet) is None, would.output
    run = fleet.play()
    assert run.code == 0 and run.visits == {"ws-001": [EVIDENCE, ACTIVATE]}, run.output
    assert on_card(fleet).issuer.rfc4514_string() == "CN=Other CA" and on_card(fleet).serial_number == 1
    again = fleet.play()
    assert again.statuses() == {"ws-001": "unchanged"} and again.visits == {"ws-001": [EVIDENCE]}, again.output
    kinds = [each.kind for each in fleet.ledger().certificates() if each.label == "authentication"]
    assert kinds == [EXTERNAL]
    assert EventKind.REQUESTED in {each.kind for each in fleet.ledger().events("ws-001")}


def test_by_a_command_then_renewed_audited_and_retired(fleet, other):
    """Three visits, for that CA is asked only once the TPM has answered for the card's AK; later two."""
    fleet.variables["smartcard_enrollment_external_ca"]["command"] = other.command
    other.days(3)
    fleet.add("ws-001", has_puk=True)
    run = fleet.play()
    assert run.code == 0 and run.statuses() == {"ws-001": "enrolled"}, run.output
    assert run.visits == {"ws-001": [EVIDENCE, ACTIVATE, ACTIVATE]}
    assert on_card(fleet).serial_number == 1 and other.issued() == ["01"]
    assert fleet.play().statuses() == {"ws-001": "unchanged"} and other.issued() == ["01"]
    [card] = fleet.inventory["ws-001"]["smartcard_enrollment_cards"]
    pin = card.pop("pin")
    card["upn"] = "other@corp.example"
    unsigned = fleet.play()
    assert unsigned.results["ws-001"]["code"] == "REQUEST_UNSIGNED" and other.issued() == ["01"], unsigned.output
    card["pin"] = pin
    run = fleet.play()
    assert run.statuses() == {"ws-001": "renewed"} and run.visits == {"ws-001": [EVIDENCE, ACTIVATE]}, run.output
    assert on_card(fleet).serial_number == 2 and other.issued() == ["01", "02"]
    assert "Have the other CA revoke the certificate 1 of ws-001 corp authentication" in run.output
    audit = fleet.play("-e", f"enrollment_audit_path={fleet.folder}", playbook="hardbound.identity.audit")
    assert audit.code == 0, audit.output
    [host] = json.loads((fleet.folder / "audit.json").read_text())["hosts"]
    [key] = host["cards"][0]["slots"]
    assert (key["status"], key["serial"]) == ("valid", "2") and not host["cards"][0]["drift"]
    gone = fleet.play("-e", "smartcard_enrollment_hosts=ws-001", playbook="hardbound.identity.retire")
    assert gone.statuses() == {"ws-001": "retired"}, gone.output
    assert "Have the other CA revoke the certificate 2 of ws-001 corp authentication" in gone.output
    crl = x509.load_der_x509_crl((fleet.ca / "public/issuing.crl").read_bytes())
    assert len(list(crl)) == 2  # the AK's, and what attests the key; our list names nobody else's
    bodies = [each.body for each in fleet.ledger().certificates() if each.kind == EXTERNAL]
    [key] = {ssh.public_blob(x509.load_der_x509_certificate(body).public_key()) for body in bodies}
    assert key in (fleet.ca / "public/ssh.revoked").read_bytes()
    assert PIN not in run.output + gone.output


def test_two_runs_at_once_ask_the_other_ca_once(fleet, other):
    fleet.variables["smartcard_enrollment_external_ca"]["command"] = other.command
    fleet.add("ws-001")
    fleet.write()
    runs = [fleet.begin(), fleet.begin()]
    outputs = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert other.issued() == ["01"] and on_card(fleet).serial_number == 1
    assert [each.kind for each in fleet.ledger().certificates() if each.label == "authentication"] == [EXTERNAL]


LIES = {
    "another_keys_signature": "next(iter(card['signatures'].values()))[:20] + 'AAAA'",
    "no_signature": "''",
    "no_text": "[1]",
}


@pytest.fixture(scope="module")
def liars():
    """Hosts that lie about what their keys signed, one that answers the challenge wrongly, and a run over them."""
    tell = "def tell(answer):\n    [card] = answer['cards']\n    card['signatures'] = {'authentication': %s}\n"
    with new_fleet() as fleet:
        other = other_ca(fleet)
        fleet.variables["smartcard_enrollment_external_ca"]["command"] = other.command
        for name, lie in LIES.items():
            fleet.add_liar(name, tell % lie, "evidence")
        fleet.add_liar("guesses", GUESS, "activate")
        yield fleet, other, fleet.play()


@pytest.mark.parametrize("name", LIES)
def test_a_request_that_the_key_did_not_sign(liars, name):
    _fleet, other, run = liars
    assert run.results[name]["code"] == "REQUEST_UNSIGNED" and "Traceback" not in run.output, run.output
    assert other.issued() == []


def test_a_host_that_can_not_open_the_challenge_never_reaches_the_other_ca(liars):
    """All that it showed was in order: only the challenge tells whether a TPM holds the AK that said it."""
    fleet, other, run = liars
    assert run.results["guesses"]["code"] == "CHALLENGE_ANSWER", run.output
    assert other.issued() == [] and not list((fleet.folder / "requests").iterdir())


def test_what_the_other_ca_gets_wrong(fleet, other):
    """It fails, says nothing that is a certificate, or certifies something else: a clear line, and a way out."""
    fleet.add("ws-001")
    external = fleet.variables["smartcard_enrollment_external_ca"]
    cases = [
        (["/no/such/program"], "EXTERNAL_CA_FAILED", "can't be run"),
        (["sh", "-c", "echo the CA is shut >&2; exit 3"], "EXTERNAL_CA_FAILED", "ended with 3: the CA is shut"),
        (["echo", "hello"], "EXTERNAL_CERTIFICATE_WRONG", "no X.509 certificate"),
        (["cat", str(other.folder / "ca.pem")], "EXTERNAL_CERTIFICATE_WRONG", "not the attested key"),
    ]
    for command, code, words in cases:
        external["command"] = command
        run = fleet.play()
        assert run.results["ws-001"]["code"] == code and words in run.output, run.output
    external["command"] = []
    path = fleet.folder / "requests/ws-001.corp.authentication"
    other.answer(f"{path}.csr", f"{path}.pem", "-startdate", "20200101000000Z", "-enddate", "20210101000000Z")
    run = fleet.play()
    assert run.results["ws-001"]["code"] == "EXTERNAL_CERTIFICATE_WRONG" and "in force" in run.output, run.output
    other.answer(f"{path}.csr", f"{path}.pem", "-md", "sha1")
    run = fleet.play()
    assert run.results["ws-001"]["code"] == "EXTERNAL_CERTIFICATE_WRONG" and "SHA-2" in run.output, run.output
    other.answer(f"{path}.csr", f"{path}.pem")
    assert fleet.play().statuses() == {"ws-001": "enrolled"} and on_card(fleet).serial_number == 3


def test_what_counts_no_more_is_on_the_other_cas_list(fleet, other):
    """What a new certificate replaces, what nobody has answered for, and what is retired; and a failure is told."""
    external = fleet.variables["smartcard_enrollment_external_ca"]
    external.update(command=other.command, revoke_command=other.revoke_command)
    fleet.add("ws-001")
    assert fleet.play().statuses() == {"ws-001": "enrolled"} and other.listed() == {}
    [card] = fleet.inventory["ws-001"]["smartcard_enrollment_cards"]
    card["upn"] = "other@corp.example"
    run = fleet.play()
    assert run.statuses() == {"ws-001": "renewed"} and "Have the other CA" not in run.output, run.output
    assert on_card(fleet).serial_number == 2 and other.listed() == {1: "superseded"}
    card["upn"] = "third@corp.example"
    fleet.inventory["ws-001"]["ansible_python_interpreter"] = fleet.lying(GUESS, "activate")
    guesses = fleet.play()
    assert guesses.results["ws-001"]["code"] == "CHALLENGE_ANSWER", guesses.output
    assert other.issued() == ["01", "02", "03"] and other.listed() == {1: "superseded", 3: "unspecified"}
    assert "CERTIFICATE-----" not in guesses.output
    external["revoke_command"] = ["sh", "-c", "echo the CA is shut >&2; exit 3"]
    retire = ("-e", "smartcard_enrollment_hosts=ws-001", "-e", "smartcard_enrollment_reason=key_compromise")
    shut = fleet.play(*retire, playbook="hardbound.identity.retire")
    assert shut.code and shut.results["ws-001"]["code"] == "EXTERNAL_CA_FAILED", shut.output
    assert "certificate 2 of ws-001 corp authentication is not revoked there" in shut.output
    assert "the CA is shut" in shut.output and not list(fleet.folder.glob("ws-001/store/cards/*.json"))
    external["revoke_command"] = other.revoke_command
    again = fleet.play(*retire, playbook="hardbound.identity.retire")
    assert again.code == 0 and other.listed() == {1: "superseded", 2: "keyCompromise", 3: "unspecified"}, again.output
    assert fleet.play(*retire, playbook="hardbound.identity.retire").statuses() == {"ws-001": "unchanged"}
