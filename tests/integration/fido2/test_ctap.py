# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card as an authenticator, before python-fido2's client and relying party."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.derivation import Derivation
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.authenticator import Authenticator
from ansible_collections.hardbound.identity.tests.integration.fido2.client import (
    HASH,
    RP,
    USER,
    Program,
    relying_party,
)
from ansible_collections.hardbound.identity.tests.support.hid_device import PluggedIn
from fido2.client import ClientError
from fido2.cose import CoseKey
from fido2.ctap import CtapError
from fido2.utils import websafe_decode
from fido2.webauthn import AttestationConveyancePreference, AuthenticatorData, PublicKeyCredentialUserEntity

pytestmark = [pytest.mark.tpm, pytest.mark.filterwarnings("ignore::DeprecationWarning:fido2")]

PIN, OTHER = "123456", "654321"
ERR = CtapError.ERR


def refused(act, *errors):
    with pytest.raises(CtapError) as caught:
        act()
    assert caught.value.code in errors, caught.value


def register(program, server, extensions=None, resident=False, user=USER, **more):
    options, state = server.register_begin(
        user, resident_key_requirement="required" if resident else "discouraged", extensions=extensions, **more
    )
    answer = program.client().make_credential(options.public_key)
    return server.register_complete(state, answer.client_data, answer.attestation_object).credential_data, answer


def log_on(program, server, credentials, extensions=None, allowed=True):
    options, state = server.authenticate_begin(credentials if allowed else None, extensions=extensions)
    selection = program.client().get_assertion(options.public_key)
    answer = selection.get_response(0)
    shown = answer.credential_id, answer.client_data, answer.authenticator_data, answer.signature
    server.authenticate_complete(state, credentials, *shown)
    return answer, selection


def test_what_it_says_of_itself(program, card):
    info = program.ctap.info
    assert {"FIDO_2_0", "FIDO_2_1"} == set(info.versions) and info.pin_uv_protocols == [2, 1]
    assert info.options["alwaysUv"] and info.options["clientPin"] and not info.options["makeCredUvNotRqd"]
    assert [each["alg"] for each in info.algorithms] == [-7, -35, -257]
    assert info.min_pin_length == card.shortest_pin and not info.force_pin_change


@pytest.mark.parametrize("resident", [True, False])
def test_a_person_registers_and_logs_on(program, resident):
    server = relying_party()
    credential, _answer = register(program, server, resident=resident)
    answer, _selection = log_on(program, server, [credential], allowed=not resident)
    flags = answer.authenticator_data.flags
    assert flags & AuthenticatorData.FLAG.UP and flags & AuthenticatorData.FLAG.UV


@pytest.mark.parametrize("algorithm", [-7, -35, -257])
def test_each_algorithm(program, algorithm):
    made = program.make(algorithm=algorithm)
    got = program.get(allowed=[made.auth_data.credential_data.credential_id])
    CoseKey.parse(made.auth_data.credential_data.public_key).verify(got.auth_data + HASH, got.signature)


def test_the_first_algorithm_that_the_tpm_has(program):
    def make(*algorithms):
        token = program.token("MAKE_CREDENTIAL", rp=RP)
        asked = [{"type": "public-key", "alg": each} for each in algorithms]
        mac = program.mac(token, HASH)
        return program.ctap.make_credential(HASH, {"id": RP}, {"id": b"1"}, asked, None, None, None, mac, 2)

    assert make(-8, -35, -7).auth_data.credential_data.public_key[3] == -35
    refused(lambda: make(-8), ERR.UNSUPPORTED_ALGORITHM)


def test_a_list_of_credentials_finds_the_one_that_is_there(program):
    made = program.make().auth_data.credential_data.credential_id
    others = [hashlib.sha256(bytes((number,))).digest() for number in range(64)]
    assert program.ctap.info.max_creds_in_list == 64
    assert program.get(allowed=[*others[1:40], made, *others[41:]]).credential["id"] == made
    refused(lambda: program.get(allowed=[*others, made]), ERR.LIMIT_EXCEEDED)


def test_self_attestation_without_a_certificate(program):
    server = relying_party(attestation=AttestationConveyancePreference.DIRECT)
    _credential, answer = register(program, server)
    assert answer.attestation_object.fmt == "packed" and "x5c" not in answer.attestation_object.att_stmt


def test_several_people_at_one_relying_party(program):
    server = relying_party()
    people = [PublicKeyCredentialUserEntity(id=bytes((n,)), name=f"p{n}", display_name=f"P{n}") for n in range(3)]
    credentials = [register(program, server, resident=True, user=person)[0] for person in people]
    _answer, selection = log_on(program, server, credentials, allowed=False)
    found = [(each.user["id"], each.user["name"]) for each in selection.get_assertions()]
    assert found == [(b"\2", "p2"), (b"\1", "p1"), (b"\0", "p0")]


def test_one_person_has_no_name_in_an_assertion(program):
    program.make(options={"rk": True})
    assert program.get().user == {"id": USER.id}


def test_a_credential_that_is_there_already(program):
    made = program.make()
    listed = [{"id": made.auth_data.credential_data.credential_id, "type": "public-key"}]
    refused(lambda: program.make(exclude_list=listed), ERR.CREDENTIAL_EXCLUDED)
    program.make(exclude_list=[{"id": bytes(32), "type": "public-key"}])


# The PIN.


def test_wrong_pins_stop_this_face_until_it_is_plugged_in_anew(program, card, clock, unexpected):
    program.pin = OTHER
    refused(lambda: program.token("CREDENTIAL_MGMT"), ERR.PIN_INVALID)
    refused(lambda: program.token("CREDENTIAL_MGMT"), ERR.PIN_INVALID)
    refused(lambda: program.token("CREDENTIAL_MGMT"), ERR.PIN_AUTH_BLOCKED)
    assert program.client_pin.get_pin_retries() == (5, True)
    program.pin = PIN
    refused(lambda: program.token("CREDENTIAL_MGMT"), ERR.PIN_AUTH_BLOCKED)
    assert card.tries(Reference.PIN).left == 5
    with PluggedIn(Authenticator(card, unexpected.append, clock), clock) as plugged_in:
        program = Program(plugged_in, PIN)
        program.token("CREDENTIAL_MGMT")
        assert program.client_pin.get_pin_retries() == (8, False)


def test_a_right_pin_by_another_face_lets_this_one_go_on(program, bench, card):
    program.pin = OTHER
    for error in (ERR.PIN_INVALID, ERR.PIN_INVALID, ERR.PIN_AUTH_BLOCKED):
        refused(lambda: program.token("CREDENTIAL_MGMT"), error)
    bench.open(card.record, PIN.encode()).close()
    program.pin = PIN
    program.token("CREDENTIAL_MGMT")


def test_the_last_try_blocks_all_faces(program, bench, card):
    piv = bench.open(card.record)
    for left in range(7, 0, -1):
        with pytest.raises(Exception, match=f"{left} tr"):
            piv.verify(OTHER.encode())
    program.pin = OTHER
    refused(lambda: program.token("CREDENTIAL_MGMT"), ERR.PIN_BLOCKED)
    program.pin = PIN
    refused(lambda: program.token("CREDENTIAL_MGMT"), ERR.PIN_BLOCKED)
    with pytest.raises(Exception, match="blocked"):
        piv.verify(PIN.encode())
    piv.unblock(b"87654321", OTHER.encode())
    program.pin = OTHER
    program.token("CREDENTIAL_MGMT")


@pytest.mark.parametrize("protocol", [1, 2])
def test_a_new_pin_holds_for_all_faces(program, bench, card, protocol):
    from fido2.ctap2 import PinProtocolV1, PinProtocolV2

    program.client_pin.protocol = (PinProtocolV1, PinProtocolV2)[protocol - 1]()
    program.client_pin.change_pin(PIN, OTHER)
    bench.open(card.record, OTHER.encode()).close()
    refused(lambda: program.token("CREDENTIAL_MGMT"), ERR.PIN_INVALID)
    program.pin = OTHER
    program.token("CREDENTIAL_MGMT")
    program.make()


def test_a_pin_against_the_cards_rules(program, card, caplog):
    """A PIV card's PIN has 8 characters at most. CTAP has a number for that, the service's log the reason."""
    with caplog.at_level("INFO", "hardbound"):
        refused(lambda: program.client_pin.change_pin(PIN, "123456789"), ERR.PIN_POLICY_VIOLATION)
    assert "longer than the 8 characters" in caplog.text and "123456789" not in caplog.text
    refused(
        lambda: program.client_pin.change_pin(PIN, "12345\N{LATIN SMALL LETTER U WITH DIAERESIS}"),
        ERR.PIN_POLICY_VIOLATION,
    )
    refused(lambda: program.client_pin.change_pin(OTHER, "1234567"), ERR.PIN_INVALID)
    assert card.tries(Reference.PIN).left == 7
    refused(lambda: program.client_pin.set_pin(OTHER), ERR.PIN_AUTH_INVALID)


def change_bare(program, old, new):
    """What python-fido2's client would refuse to send: a PIN of any length, padded to 64 bytes."""
    protocol = program.protocol
    agreement, shared = program.client_pin._get_shared_secret()
    encrypted = protocol.encrypt(shared, new.ljust(64, b"\0"))
    pin_hash = protocol.encrypt(shared, hashlib.sha256(old.encode()).digest()[:16])
    mac = protocol.authenticate(shared, encrypted + pin_hash)
    program.ctap.client_pin(protocol.VERSION, 4, agreement, mac, encrypted, pin_hash)


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (b"", "shorter than"),
        (b"123", "shorter than"),
        (b"1" * 9, "longer than the 8 characters"),
        (b"1" * 63, "longer than the 8 characters"),
        ("\N{LATIN SMALL LETTER U WITH DIAERESIS}".encode() * 32, "63 bytes at most"),
    ],
)
def test_a_new_pin_that_is_too_short_or_too_long(program, card, caplog, new, reason):
    """The PIN stays, no try is spent, and the log has the reason."""
    with caplog.at_level("INFO", "hardbound"):
        refused(lambda: change_bare(program, PIN, new), ERR.PIN_POLICY_VIOLATION)
    assert reason in caplog.text
    assert card.tries(Reference.PIN).left == 8
    program.token("CREDENTIAL_MGMT")


def test_a_pin_that_an_older_release_has_set(program, card, caplog):
    """A client sends no more of it than its hash. No try is spent, and the log has the remedy."""
    card._session.revise(lambda record: replace(record, derivations={Role.PIN: Derivation.SECRET}))
    with caplog.at_level("INFO", "hardbound"):
        refused(lambda: program.token("CREDENTIAL_MGMT"), ERR.OPERATION_DENIED)
    assert "set by an older release: change it" in caplog.text
    assert card.tries(Reference.PIN).left == 8


def test_a_pin_that_must_be_changed(program, bench, card):
    card.must_change_pin()
    assert program.ctap.get_info().force_pin_change
    refused(lambda: program.token("CREDENTIAL_MGMT"), ERR.PIN_POLICY_VIOLATION)
    refused(lambda: program.client_pin.change_pin(PIN, PIN), ERR.PIN_POLICY_VIOLATION)
    program.client_pin.change_pin(PIN, OTHER)
    program.pin = OTHER
    program.token("CREDENTIAL_MGMT")
    assert not program.ctap.get_info().force_pin_change


def test_longer_pins(program, card):
    program.config().set_min_pin_length(rp_ids=[RP])
    made = program.make(extensions={"minPinLength": True})
    assert made.auth_data.extensions["minPinLength"] == card.shortest_pin == 4
    assert program.make(rp="other.example", extensions={"minPinLength": True}).auth_data.extensions is None
    refused(lambda: program.config().set_min_pin_length(3), ERR.PIN_POLICY_VIOLATION)
    program.config().set_min_pin_length(7)
    assert program.ctap.get_info().min_pin_length == 7 and program.ctap.get_info().force_pin_change
    refused(lambda: program.client_pin.change_pin(PIN, OTHER), ERR.PIN_POLICY_VIOLATION)
    program.client_pin.change_pin(PIN, "7654321")


def test_the_pin_cannot_be_switched_off(program):
    refused(lambda: program.config().toggle_always_uv(), ERR.OPERATION_DENIED)
    refused(lambda: program.config().enable_enterprise_attestation(), ERR.INVALID_SUBCOMMAND)


def test_a_reset_is_for_whoever_made_the_card(program):
    made = program.make(options={"rk": True})
    refused(program.ctap.reset, ERR.OPERATION_DENIED)
    assert program.get().credential["id"] == made.auth_data.credential_data.credential_id


# Extensions.


def test_secrets_for_browsers(program):
    server, salt = relying_party(), {"eval": {"first": b"s" * 20}}
    credential, answer = register(program, server, {"prf": {}})
    assert answer.extension_results["prf"]["enabled"]
    secrets = [log_on(program, server, [credential], {"prf": salt})[0].extension_results["prf"] for _each in range(2)]
    assert secrets[0] == secrets[1] and len(websafe_decode(secrets[0]["results"]["first"])) == 32


@pytest.mark.parametrize("salts", [{"salt1": b"1" * 32}, {"salt1": b"1" * 32, "salt2": b"2" * 32}])
def test_hmac_secret(program, card, salts):
    server = relying_party()
    credential, answer = register(program, server, {"hmacCreateSecret": True}, resident=True)
    assert answer.extension_results["hmacCreateSecret"]
    got = log_on(program, server, [credential], {"hmacGetSecret": salts})[0].extension_results["hmacGetSecret"]
    card.verify(PIN.encode())
    (passkey,) = card.passkeys.listed()
    assert [websafe_decode(each) for each in got.values()] == [
        card.passkeys.secret(passkey, salt) for salt in salts.values()
    ]


def test_a_large_blob(program):
    server = relying_party()
    credential, answer = register(program, server, {"largeBlob": {"support": "required"}}, resident=True)
    assert answer.extension_results["largeBlob"]["supported"]
    log_on(program, server, [credential], {"largeBlob": {"write": b"blob" * 100}})
    read = log_on(program, server, [credential], {"largeBlob": {"read": True}})[0].extension_results["largeBlob"]
    assert websafe_decode(read["blob"]) == b"blob" * 100


def test_large_blobs_have_their_room(program):
    key, most = bytes(32), hashlib.shake_256(b"").digest(5000)
    refused(lambda: program.large_blobs().put_blob(key, most), ERR.LARGE_BLOB_STORAGE_FULL)
    program.large_blobs().put_blob(key, b"kept")
    assert program.large_blobs().get_blob(key) == b"kept"
    refused(lambda: program.ctap.large_blobs(0, set=b"x" * 17, length=17), ERR.PUAT_REQUIRED)


def test_a_blob_with_the_credential(program):
    made = program.make(options={"rk": True}, extensions={"credBlob": b"x" * 32})
    assert made.auth_data.extensions["credBlob"] is True
    assert program.get(extensions={"credBlob": True}).auth_data.extensions["credBlob"] == b"x" * 32
    long = program.make(options={"rk": True}, extensions={"credBlob": b"x" * 33})
    assert long.auth_data.extensions["credBlob"] is False


# Management.


def test_credentials_are_listed_renamed_and_removed(program, card):
    program.make(options={"rk": True})
    program.make(rp="other.example", options={"rk": True})
    program.make()
    management = program.management()
    rps = management.enumerate_rps()
    assert [each[3]["id"] for each in rps] == [RP, "other.example"] and management.get_metadata()[1] == 2
    (credential,) = management.enumerate_creds(hashlib.sha256(RP.encode()).digest())
    assert credential[6] == {"id": USER.id, "name": "alice", "displayName": "Alice"} and credential[10] == 1
    management.update_user_info(credential[7], {"id": USER.id, "name": "Alice Doe"})
    assert card.passkeys.listed()[0].user.name == "Alice Doe"
    management.delete_cred(credential[7])
    refused(lambda: management.delete_cred(credential[7]), ERR.NO_CREDENTIALS)
    refused(program.get, ERR.NO_CREDENTIALS)
    assert [each.rp for each in card.passkeys.listed()] == ["other.example"]


def test_management_for_one_relying_party(program):
    for rp in (RP, "other.example"):
        program.make(rp=rp, options={"rk": True})
    management = program.management(rp=RP)
    assert len(management.enumerate_creds(hashlib.sha256(RP.encode()).digest())) == 1
    other = hashlib.sha256(b"other.example").digest()
    refused(lambda: management.enumerate_creds(other), ERR.PIN_AUTH_INVALID)
    refused(management.enumerate_rps, ERR.PIN_AUTH_INVALID)


def test_no_room(program, card):
    card.store_object(1, bytes(card.passkeys.room - 16 - 100))
    refused(lambda: program.make(options={"rk": True}), ERR.KEY_STORE_FULL)
    assert program.ctap.get_info().remaining_disc_creds == 0
    program.make()


# Bad input.


@pytest.mark.parametrize("rp", ["", "x" * 254, "corp example", "corp\nexample"])
def test_what_is_no_relying_party(program, rp):
    refused(lambda: program.make(rp=rp), ERR.INVALID_PARAMETER, ERR.MISSING_PARAMETER)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"options": {"up": False}}, ERR.INVALID_OPTION),
        ({"enterprise_attestation": 1}, ERR.INVALID_PARAMETER),
        ({"extensions": {"credProtect": 4}}, ERR.INVALID_OPTION),
        ({"extensions": {"largeBlobKey": True}}, ERR.INVALID_OPTION),
        ({"user": {"name": "nobody"}}, ERR.MISSING_PARAMETER),
        ({"user": {"id": b""}}, ERR.INVALID_LENGTH),
        ({"user": {"id": b"x" * 65}}, ERR.INVALID_LENGTH),
        ({"options": {"rk": 1}}, ERR.CBOR_UNEXPECTED_TYPE),
    ],
)
def test_what_cannot_be_made(program, change, error):
    refused(lambda: program.make(**change), error)


def test_a_client_that_was_asked_by_another_site(program):
    server = relying_party()
    options, _state = server.register_begin(USER)
    with pytest.raises(ClientError):
        program.client("https://evil.example").make_credential(options.public_key)


def test_a_program_asks_whether_anybody_is_there(program):
    program.ctap.selection()
    asked = HASH, {"id": RP}, {"id": b"1"}, [{"type": "public-key", "alg": -7}]
    refused(lambda: program.ctap.make_credential(*asked, None, None, None, b"", 2), ERR.PIN_INVALID)
    refused(lambda: program.ctap.make_credential(*asked), ERR.PUAT_REQUIRED)


def test_management_as_it_was_before_it_was_ctap_s(program):
    """libfido2 of Debian 12 asks so."""
    program.make(options={"rk": True})
    mac = program.mac(program.token("CREDENTIAL_MGMT"), b"\x01")
    assert program.ctap.send_cbor(0x41, {1: 1, 3: program.protocol.VERSION, 4: mac})[1] == 1
