# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A passkey's attestation as relying parties check it, up to our root: python-fido2, and PyPI's and npm's packages."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
from dataclasses import replace

import pytest

pytest.importorskip("cbor2", reason="needs cbor2, as in Debian's python3-cbor2")
pytest.importorskip("webauthn", reason="needs PyPI's webauthn: tests/requirements/pip-old.txt")

import webauthn
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.authenticator import Authenticator
from ansible_collections.hardbound.identity.tests.integration.attestation.certified import (
    SOFTWARE_TPM,
    Corp,
    bench,
    corp,
    known_maker,
)
from ansible_collections.hardbound.identity.tests.integration.fido2.client import (
    HASH,
    ORIGIN,
    RP,
    USER,
    Program,
    relying_party,
)
from ansible_collections.hardbound.identity.tests.support.hid_device import PluggedIn, SettableClock
from cryptography.hazmat.primitives.serialization import Encoding
from fido2.attestation import AttestationVerifier, InvalidSignature, TpmAttestation, UntrustedAttestation
from fido2.webauthn import AttestationConveyancePreference, AttestationObject
from webauthn.helpers import structs

__all__ = ["bench", "corp", "known_maker"]
pytestmark = [pytest.mark.tpm, pytest.mark.filterwarnings("ignore::DeprecationWarning:fido2")]

PIN = "123456"
SIMPLE_WEB_AUTHN = pathlib.Path(__file__).parents[2] / "support/simplewebauthn.js"


@pytest.fixture
def program(bench, corp, known_maker):
    """Of a card whose attestation key our CA has certified."""
    certificate, issuer = corp.chain(bench)
    certified = {"ak_certificate": certificate, "attestation_issuer": issuer}
    bench.card._session.revise(lambda record: replace(record, **certified))
    errors, clock = [], SettableClock()
    with PluggedIn(Authenticator(bench.card, errors.append, clock), clock) as plugged_in:
        yield Program(plugged_in, PIN)
    assert errors == []


def verifier(corp):
    """Trusts the root alone."""
    root = corp.root.public_bytes(Encoding.DER)

    class Verifier(AttestationVerifier):
        def ca_lookup(self, result, data):
            return root

    return Verifier([TpmAttestation()])


def registered(program, algorithm=-7):
    """What a browser hands to the relying party that asks for attestation."""
    server = relying_party(attestation=AttestationConveyancePreference.DIRECT)
    options, state = server.register_begin(USER)
    chosen = [each for each in options.public_key.pub_key_cred_params if each.alg == algorithm]
    answer = program.client().make_credential(replace(options.public_key, pub_key_cred_params=chosen))
    server.register_complete(state, answer.client_data, answer.attestation_object)
    return options.public_key.challenge, answer


def as_json(answer):
    """What a page makes of it with the browser's toJSON()."""
    encoded = webauthn.helpers.bytes_to_base64url
    name = encoded(answer.attestation_object.auth_data.credential_data.credential_id)
    shown = {"clientDataJSON": encoded(answer.client_data), "attestationObject": encoded(answer.attestation_object)}
    return {"id": name, "rawId": name, "response": shown, "type": "public-key", "clientExtensionResults": {}}


def ask_webauthn(corp, challenge, answer):
    return webauthn.verify_registration_response(
        credential=structs.RegistrationCredential.parse_raw(json.dumps(as_json(answer))),
        expected_challenge=challenge,
        expected_rp_id=RP,
        expected_origin=ORIGIN,
        require_user_verification=True,
        pem_root_certs_bytes_by_fmt={structs.AttestationFormat.TPM: [corp.root.public_bytes(Encoding.PEM)]},
    )


def ask_simplewebauthn(corp, challenge, answer, **more):
    """By the CA's metadata statement."""
    folder, node = os.environ.get("HARDBOUND_NPM"), shutil.which("node")
    if not folder or node is None:
        pytest.skip("needs npm's @simplewebauthn/server, which ./run integration installs where there is npm")
    given = {
        "credential": as_json(answer),
        "challenge": webauthn.helpers.bytes_to_base64url(challenge),
        "rp": RP,
        "origin": ORIGIN,
        "statement": json.loads(corp.folder.metadata_statement.read_bytes()),
        "maker": SOFTWARE_TPM,
        **more,
    }
    command = [node, str(SIMPLE_WEB_AUTHN), folder]
    return subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False)


@pytest.mark.parametrize("algorithm", [-7, -257])
def test_npm_s_verifier_believes_a_passkey_by_our_statement(program, corp, algorithm):
    done = ask_simplewebauthn(corp, *registered(program, algorithm))
    assert (done.stdout, done.stderr) == ("tpm\n", "")


def test_npm_s_verifier_by_the_statement_of_another_ca(program, corp, tmp_path):
    stranger, seen = Corp(tmp_path / "ca"), registered(program)
    refused = ask_simplewebauthn(stranger, *seen)
    stranger.ledger.close()
    assert refused.returncode and "could not be chained" in refused.stderr, refused.stderr
    no_maker = ask_simplewebauthn(corp, *seen, maker="")
    assert no_maker.returncode and SOFTWARE_TPM in no_maker.stderr, no_maker.stderr


@pytest.mark.parametrize("algorithm", [-7, -257])
def test_both_verifiers_believe_a_passkey_up_to_our_root(program, corp, algorithm):
    challenge, answer = registered(program, algorithm)
    made = answer.attestation_object
    assert made.fmt == "tpm"
    verifier(corp).verify_attestation(made, answer.client_data.hash)
    assert ask_webauthn(corp, challenge, answer).fmt == "tpm"


def test_python_fido2_believes_p384_too(program, corp):
    _challenge, answer = registered(program, -35)
    verifier(corp).verify_attestation(answer.attestation_object, answer.client_data.hash)


def test_a_relying_party_that_trusts_another_ca(program, corp, tmp_path):
    challenge, answer = registered(program)
    stranger = Corp(tmp_path / "ca")
    with pytest.raises(UntrustedAttestation):
        verifier(stranger).verify_attestation(answer.attestation_object, answer.client_data.hash)
    with pytest.raises(Exception, match="chain could not be validated"):
        ask_webauthn(stranger, challenge, answer)
    stranger.ledger.close()


def test_a_relying_party_that_takes_no_software_tpms(program, corp, monkeypatch):
    from webauthn.helpers.tpm.structs import TPM_MANUFACTURERS

    challenge, answer = registered(program)
    monkeypatch.delitem(TPM_MANUFACTURERS, SOFTWARE_TPM)
    with pytest.raises(Exception, match="Unrecognized TPM Manufacturer"):
        ask_webauthn(corp, challenge, answer)


def test_a_statement_beside_another_passkey(program, corp):
    """A host that has one passkey in its TPM can't say so of another."""
    one, other = (program.make(extensions={}) for _each in range(2))
    lie = AttestationObject.create("tpm", other.auth_data, one.att_stmt)
    with pytest.raises(Exception, match=r"does not match|does not sign"):
        verifier(corp).verify_attestation(lie, HASH)
    changed = {**one.att_stmt, "sig": other.att_stmt["sig"]}
    with pytest.raises(InvalidSignature):
        verifier(corp).verify_attestation(AttestationObject.create("tpm", one.auth_data, changed), HASH)


def test_a_relying_party_that_wants_none(program):
    def make(*formats):
        token = program.token("MAKE_CREDENTIAL", rp=RP)
        asked = {
            1: HASH,
            2: {"id": RP},
            3: {"id": b"1"},
            4: [{"type": "public-key", "alg": -7}],
            8: program.mac(token, HASH),
            9: 2,
            11: list(formats),
        }
        return program.ctap.send_cbor(1, asked)

    assert make("none")[1] == "none" and make("none")[3] == {}
    assert [make(*formats)[1] for formats in ((), ("packed", "none"), ("apple", "tpm"), ("apple",))] == [
        *("tpm", "packed", "tpm", "tpm")
    ]
