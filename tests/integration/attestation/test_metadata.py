# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What relying parties are told of cards, read by python-fido2, and enterprise attestation for those that are named."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace

import pytest

pytest.importorskip("cbor2", reason="needs cbor2, as in Debian's python3-cbor2")
mds3 = pytest.importorskip("fido2.mds3", reason="needs PyPI's fido2: tests/requirements/pip-old.txt")

from ansible_collections.hardbound.identity.plugins.module_utils._card.passkey import PasskeyAttestation
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.authenticator import Authenticator
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.cbor import decode
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.metadata_statement import metadata_statement
from ansible_collections.hardbound.identity.tests.integration.attestation.certified import Corp, bench, corp
from ansible_collections.hardbound.identity.tests.integration.fido2.client import HASH, RP, Program
from ansible_collections.hardbound.identity.tests.support.hid_device import PluggedIn, SettableClock
from fido2.attestation import InvalidData, UntrustedAttestation
from fido2.ctap import CtapError
from fido2.ctap2 import Config
from fido2.webauthn import Aaguid, AttestationObject

__all__ = ["bench", "corp"]
pytestmark = [pytest.mark.tpm, pytest.mark.filterwarnings("ignore::DeprecationWarning:fido2")]

PIN, OTHER_RP = "123456", "shop.example"
_INFO_KEYS = {
    "versions": 0x01,
    "extensions": 0x02,
    "aaguid": 0x03,
    "options": 0x04,
    "maxMsgSize": 0x05,
    "pinUvAuthProtocols": 0x06,
    "maxCredentialCountInList": 0x07,
    "maxCredentialIdLength": 0x08,
    "transports": 0x09,
    "algorithms": 0x0A,
    "maxSerializedLargeBlobArray": 0x0B,
    "firmwareVersion": 0x0E,
    "maxCredBlobLength": 0x0F,
    "maxRPIDsForSetMinPINLength": 0x10,
}
"""CTAP 2.1, clause 6.4. The other members differ from card to card, and from hour to hour."""


@pytest.fixture
def plugged_in(bench, corp):
    """A card whose attestation key our CA has certified; relying parties are named by calling it."""
    certificate, issuer = corp.chain(bench)
    known = bench.card._session.record
    errors, clock = [], SettableClock()

    def name(*parties, certified=True, attestation=PasskeyAttestation.TPM):
        ak = {"ak_certificate": certificate, "attestation_issuer": issuer} if certified else {"ak_certificate": b""}
        said = {**ak, "enterprise_attestation": parties, "passkey_attestation": attestation}
        bench.card._session.revise(lambda record: replace(record, **said))

    with PluggedIn(Authenticator(bench.card, errors.append, clock), clock) as plugged_in:
        name()
        plugged_in.name = name
        yield plugged_in
    bench.card._session.revise(lambda record: replace(record, ak_certificate=known.ak_certificate))
    assert errors == []


@pytest.fixture
def program(plugged_in):
    return Program(plugged_in, PIN)


def statement_of(corp):
    return json.loads((corp.folder.public / "fido_metadata.json").read_bytes())


def verifier(corp):
    """A relying party that knows our statement, and nothing else."""
    today = datetime.date(2026, 11, 1)
    report = mds3.StatusReport(mds3.AuthenticatorStatus.NOT_FIDO_CERTIFIED)
    statement = mds3.MetadataStatement.from_dict(statement_of(corp))
    entry = mds3.MetadataBlobPayloadEntry([report], today, aaguid=statement.aaguid, metadata_statement=statement)
    return mds3.MdsAttestationVerifier(mds3.MetadataBlobPayload("", 1, today, [entry]))


def test_a_relying_party_that_goes_by_the_statement_believes_a_passkey(program, corp):
    made = program.make()
    verifier(corp).verify_attestation(made, HASH)
    assert mds3.MetadataStatement.from_dict(statement_of(corp)).aaguid == made.auth_data.credential_data.aaguid


def test_another_ca_s_statement_does_not_vouch_for_it(program, tmp_path):
    stranger = Corp(tmp_path / "ca")
    with pytest.raises(UntrustedAttestation):
        verifier(stranger).verify_attestation(program.make(), HASH)
    stranger.ledger.close()


def test_a_passkey_that_attests_itself_is_none_of_the_statement_s(program, plugged_in, corp):
    plugged_in.name(certified=False)
    made = program.make()
    assert made.fmt == "packed"
    with pytest.raises((UntrustedAttestation, InvalidData, IndexError)):
        verifier(corp).verify_attestation(AttestationObject.create("packed", made.auth_data, made.att_stmt), HASH)
    assert statement_of(corp)["attestationTypes"] == ["attca"]


def test_the_statement_says_what_the_card_says(plugged_in, corp):
    said = statement_of(corp)["authenticatorGetInfo"]
    info = decode(plugged_in.authenticator.transmit(b"\x04")[1:])
    info[3] = info[3].hex()
    found = {name: info[key] for name, key in _INFO_KEYS.items()}
    assert found == {name: value for name, value in said.items() if name != "minPINLength"}
    assert said["minPINLength"] == 4 and Aaguid.fromhex(said["aaguid"]) == Aaguid.parse(statement_of(corp)["aaguid"])


def test_the_root_in_it_is_the_ca_s(corp):
    assert (corp.folder.public / "fido_metadata.json").read_bytes() == metadata_statement(corp.root)


# Relying parties that are named.


def enterprise(program, kind, rp=RP):
    """Returns the answer's format, and whether it says that it is enterprise attestation."""
    made = program.make(rp=rp, enterprise_attestation=kind)
    return made.fmt, bool(made.ep_att)


@pytest.mark.parametrize("kind", [1, 2])
def test_a_named_relying_party_gets_it(program, plugged_in, corp, kind):
    plugged_in.name(RP)
    assert program.ctap.get_info().options["ep"] is True
    made = program.make(enterprise_attestation=kind)
    assert (made.fmt, made.ep_att) == ("tpm", True)
    verifier(corp).verify_attestation(made, HASH)
    assert program.make().ep_att is not True  # where nobody asked for it


def test_others_do_not_see_the_attestation_key(program, plugged_in):
    plugged_in.name(RP)
    assert enterprise(program, 1, OTHER_RP) == ("packed", False)
    assert program.make(rp=OTHER_RP).fmt == "packed"
    assert program.make(rp=RP).fmt == "tpm"


@pytest.mark.parametrize(
    "attestation, parties, formats",
    [
        (PasskeyAttestation.TPM, (), ("tpm", "tpm")),
        (PasskeyAttestation.SELF, (), ("packed", "packed")),
        (PasskeyAttestation.SELF, (RP,), ("tpm", "packed")),
    ],
    ids=["by the TPM", "by themselves", "named"],
)
def test_who_attests_a_passkey_is_what_the_card_was_told(program, plugged_in, attestation, parties, formats):
    plugged_in.name(*parties, attestation=attestation)
    assert (program.make(rp=RP).fmt, program.make(rp=OTHER_RP).fmt) == formats


def test_without_a_list_nobody_gets_it(program, plugged_in):
    assert "ep" not in program.ctap.get_info().options
    with pytest.raises(CtapError, match="INVALID_PARAMETER"):
        enterprise(program, 1)
    with pytest.raises(CtapError, match="INVALID_SUBCOMMAND"):
        program.config().enable_enterprise_attestation()


def test_without_a_certificate_nobody_gets_it(program, plugged_in):
    plugged_in.name(RP, certified=False)
    assert "ep" not in program.ctap.get_info().options
    with pytest.raises(CtapError, match="INVALID_PARAMETER"):
        enterprise(program, 1)


def test_a_kind_that_there_is_not(program, plugged_in):
    plugged_in.name(RP)
    with pytest.raises(CtapError, match="INVALID_OPTION"):
        enterprise(program, 3)


def test_it_is_enabled_already_for_whoever_has_the_pin(program, plugged_in):
    plugged_in.name(RP)
    program.config().enable_enterprise_attestation()
    assert program.ctap.get_info().options["ep"] is True
    token = program.token("MAKE_CREDENTIAL", rp=RP)
    with pytest.raises(CtapError, match="PIN_AUTH_INVALID"):
        Config(program.ctap, program.protocol, token).enable_enterprise_attestation()
