# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs and hosts that mean no good, before a card as an authenticator."""

from __future__ import annotations

import functools
import hashlib
import shutil

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import lifecycle
from ansible_collections.hardbound.identity.plugins.module_utils._card.card import Card
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._card.store import Store
from ansible_collections.hardbound.identity.plugins.module_utils._edge.fido2.authenticator import Authenticator
from ansible_collections.hardbound.identity.tests.integration.fido2.client import HASH, RP, Program
from ansible_collections.hardbound.identity.tests.support.hid_device import PluggedIn
from cryptography.exceptions import InvalidSignature
from fido2.cose import CoseKey
from fido2.ctap import CtapError
from fido2.webauthn import AuthenticatorData

pytestmark = pytest.mark.tpm

PIN, OTHER = "123456", "654321"
ERR = CtapError.ERR


def refused(act, *errors):
    with pytest.raises(CtapError) as caught:
        act()
    assert caught.value.code in errors, caught.value


def identifier(made):
    return made.auth_data.credential_data.credential_id


def test_guesses_by_one_face_are_counted_with_those_by_another(program, bench, card):
    piv, program.pin = bench.open(card.record), OTHER
    refused(lambda: program.token("CREDENTIAL_MGMT"), ERR.PIN_INVALID)
    with pytest.raises(Exception, match="6 tries"):
        piv.verify(OTHER.encode())
    refused(lambda: program.client_pin.change_pin(OTHER, "111111"), ERR.PIN_INVALID)
    assert program.client_pin.get_pin_retries()[0] == piv.tries(Reference.PIN).left == 5


def test_guesses_in_two_programs_are_three_in_a_row_together(program, plugged_in):
    other = Program(plugged_in, OTHER)
    program.pin = OTHER
    refused(lambda: program.token("CREDENTIAL_MGMT"), ERR.PIN_INVALID)
    refused(lambda: other.token("CREDENTIAL_MGMT"), ERR.PIN_INVALID)
    refused(lambda: program.token("CREDENTIAL_MGMT"), ERR.PIN_AUTH_BLOCKED)
    refused(lambda: other.token("CREDENTIAL_MGMT"), ERR.PIN_AUTH_BLOCKED)


def test_a_pin_given_by_one_face_opens_no_other(program, bench, card):
    """The PIN that was verified over PC/SC is not that of a browser's user."""
    made = program.make()
    piv = bench.open(card.record, PIN.encode())
    assert piv.verified and not card.verified
    refused(lambda: program.get(token=bytes(32), allowed=[identifier(made)]), ERR.PIN_AUTH_INVALID)


def test_a_cloned_disk(program, bench, card, tmp_path, clock, unexpected):
    """Another host has the files, and a TPM that never saw the card; the card's own TPM counts on for all copies."""
    made = program.make(options={"rk": True})
    shutil.copytree(bench.store.folder, tmp_path / "store")
    clone = Card(Store(str(tmp_path / "store")), bench.workbench, card.number)
    with PluggedIn(Authenticator(clone, unexpected.append, clock), clock) as plugged_in:
        thief = Program(plugged_in, OTHER)
        refused(lambda: thief.token("GET_ASSERTION", rp=RP), ERR.PIN_INVALID)
        assert program.client_pin.get_pin_retries()[0] == 7
        program.client_pin.change_pin(PIN, OTHER)
        refused(lambda: Program(plugged_in, PIN).token("GET_ASSERTION", rp=RP), ERR.PIN_INVALID)
    program.pin = OTHER
    assert program.get().credential["id"] == identifier(made)


def test_a_cloned_disk_beside_another_tpm(program, bench, bench_type, card, other_tpm, tmp_path, clock):
    made = program.make(options={"rk": True})
    elsewhere = bench_type(tmp_path, other_tpm.tcti)
    shutil.copytree(bench.store.folder, tmp_path, dirs_exist_ok=True)
    errors = []
    clone = Card(elsewhere.store, elsewhere.workbench, card.number)
    with PluggedIn(Authenticator(clone, errors.append, clock), clock) as plugged_in:
        refused(lambda: Program(plugged_in, PIN).token("GET_ASSERTION", rp=RP), ERR.OTHER)
    assert [type(each).__name__ for each in errors] == ["CardLost"]
    elsewhere.tpm.close()
    assert program.get().credential["id"] == identifier(made)


def test_a_credential_of_another_card(program, bench, unexpected, clock):
    record = bench.make("stranger")
    with PluggedIn(Authenticator(bench.open(record), unexpected.append, clock), clock) as plugged_in:
        stranger = Program(plugged_in, PIN)
        made = stranger.make()
        refused(lambda: program.get(allowed=[identifier(made)]), ERR.NO_CREDENTIALS)
        refused(lambda: program.look_for(identifier(made)), ERR.NO_CREDENTIALS)
        stranger.get(allowed=[identifier(made)])
    lifecycle.destroy(bench.store, bench.tpm, record.number)


@pytest.mark.parametrize("options", [{}, {"rk": True}])
def test_a_credential_of_another_relying_party(program, options):
    made = program.make(options=options)
    refused(lambda: program.get(rp="evil.example", allowed=[identifier(made)]), ERR.NO_CREDENTIALS)
    refused(lambda: program.get(rp="evil.example"), ERR.NO_CREDENTIALS)
    refused(lambda: program.look_for(identifier(made), "evil.example"), ERR.NO_CREDENTIALS)


def test_what_is_told_without_the_pin_is_no_signature(program):
    """A program may ask whether a credential is there. What it gets, no relying party believes, for two reasons."""
    made = program.make()
    told = program.look_for(identifier(made))
    assert not told.auth_data.flags & (AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV)
    with pytest.raises(InvalidSignature):
        CoseKey.parse(made.auth_data.credential_data.public_key).verify(told.auth_data + HASH, told.signature)
    refused(lambda: program.ctap.get_assertion(RP, HASH), ERR.PUAT_REQUIRED)


@pytest.mark.parametrize(("level", "with_list", "without"), [(1, True, True), (2, True, False), (3, False, False)])
def test_cred_protect(program, level, with_list, without):
    """Who may learn that a credential is there: CTAP 2.1, clause 12.1."""
    made = program.make(options={"rk": True}, extensions={"credProtect": level})
    assert made.auth_data.extensions == {"credProtect": level}

    def is_told(act):
        try:
            act()
        except CtapError as error:
            assert error.code == ERR.NO_CREDENTIALS
            return False
        return True

    assert is_told(lambda: program.look_for(identifier(made))) is with_list
    assert is_told(lambda: program.ctap.get_assertion(RP, HASH, options={"up": False})) is without
    program.get()
    program.get(allowed=[identifier(made)])


def test_secrets_are_not_told_without_the_pin(program):
    made = program.make(options={"rk": True}, extensions={"credBlob": b"secret"})
    listed = [{"id": identifier(made), "type": "public-key"}]
    told = program.ctap.get_assertion(RP, HASH, listed, {"credBlob": True}, {"up": False})
    assert told.auth_data.extensions == {"credBlob": b""} and set(told.user) == {"id"}
    shared = {1: {1: 2, 3: -25, -1: 1, -2: b"", -3: b""}, 2: bytes(32), 3: bytes(16)}
    asked = {"hmac-secret": shared}
    refused(lambda: program.ctap.get_assertion(RP, HASH, listed, asked, {"up": False}), ERR.UNSUPPORTED_OPTION)


def test_a_token_is_good_for_one_use(program):
    token = program.token("MAKE_CREDENTIAL", "GET_ASSERTION", rp=RP)
    made = program.make(token)
    refused(lambda: program.make(token), ERR.PIN_AUTH_INVALID)
    refused(lambda: program.get(token, allowed=[identifier(made)]), ERR.PIN_AUTH_INVALID)


def test_a_replayed_request(program):
    """The same bytes again, token's MAC included."""
    token = program.token("GET_ASSERTION", rp=RP)
    made = program.make()
    refused(lambda: program.get(token, allowed=[identifier(made)]), ERR.PIN_AUTH_INVALID)
    token = program.token("GET_ASSERTION", rp=RP)
    program.get(token, allowed=[identifier(made)])
    refused(lambda: program.get(token, allowed=[identifier(made)]), ERR.PIN_AUTH_INVALID)


def test_a_token_for_another_use_or_party(program, card):
    for permission, rp in (("GET_ASSERTION", RP), ("MAKE_CREDENTIAL", "other.example")):
        token = program.token(permission, rp=rp)
        refused(lambda: program.make(token), ERR.PIN_AUTH_INVALID)  # noqa: B023
    assert card.passkeys.listed() == ()


def test_a_token_is_over_when_nobody_uses_it(program, clock, card):
    token = program.token("MAKE_CREDENTIAL", rp=RP)
    assert card.verified
    clock.seconds += 29
    program.ctap.get_info()
    assert card.verified
    clock.seconds += 2
    refused(lambda: program.make(token), ERR.PIN_AUTH_INVALID)
    assert not card.verified


def test_a_token_is_over_after_ten_minutes(program, clock, card):
    made = program.make()
    token = program.token("GET_ASSERTION", rp=RP)
    for _minute in range(10):
        program.get(token, allowed=[identifier(made)], options={"up": False})
        clock.seconds += 60
    refused(lambda: program.get(token, allowed=[identifier(made)]), ERR.PIN_AUTH_INVALID)
    assert not card.verified


def test_a_pin_that_was_changed_elsewhere_ends_the_token(program, bench, card):
    token = program.token("MAKE_CREDENTIAL", rp=RP)
    other = bench.open(card.record)
    other.change(Reference.PIN, PIN.encode(), OTHER.encode())
    refused(lambda: program.make(token), ERR.PIN_AUTH_INVALID)


def test_a_second_program_in_the_middle_gets_nothing_of_the_first_ones(program, plugged_in):
    for number in range(2):
        program.make(options={"rk": True}, user={"id": bytes((number,)), "name": "x", "displayName": "X"})
    assert program.get().number_of_credentials == 2
    other = Program(plugged_in, "")
    refused(other.ctap.get_next_assertion, ERR.NOT_ALLOWED)
    management = program.management()
    management.enumerate_creds_begin(hashlib.sha256(RP.encode()).digest())
    stranger = type(management)(other.ctap, other.protocol, bytes(32))
    refused(stranger.enumerate_creds_next, ERR.NOT_ALLOWED)


def test_a_series_ends(program, clock):
    for number in range(3):
        program.make(options={"rk": True}, user={"id": bytes((number,)), "name": "x", "displayName": "X"})
    assert program.get().number_of_credentials == 3
    program.ctap.get_next_assertion()
    program.ctap.get_next_assertion()
    refused(program.ctap.get_next_assertion, ERR.NOT_ALLOWED)
    program.get()
    clock.seconds += 31
    refused(program.ctap.get_next_assertion, ERR.NOT_ALLOWED)
    program.get()
    program.ctap.get_info()
    refused(program.ctap.get_next_assertion, ERR.NOT_ALLOWED)


def large_blob_message(whole):
    """What a token signs for an array that comes in one piece: CTAP 2.1, clause 6.10.2."""
    return b"\xff" * 32 + b"\x0c\x00" + bytes(4) + hashlib.sha256(whole).digest()


def test_large_blobs_are_not_written_by_who_has_no_pin(program, card):
    whole = b"\x80" + hashlib.sha256(b"\x80").digest()[:16]
    token = program.token("GET_ASSERTION", rp=RP)
    for mac in (b"", bytes(32), program.mac(token, large_blob_message(whole))):
        asked = {"set": whole, "length": 17, "pin_uv_param": mac, "pin_uv_protocol": 2}
        refused(functools.partial(program.ctap.large_blobs, 0, **asked), ERR.PIN_AUTH_INVALID)
    assert card.passkeys.large_blobs == b""


def test_a_damaged_array_of_large_blobs_is_not_kept(program, card):
    broken = b"\x80" + bytes(16)
    asked = {"set": broken, "length": 17, "pin_uv_protocol": 2}
    asked["pin_uv_param"] = program.mac(program.token("LARGE_BLOB_WRITE"), large_blob_message(broken))
    refused(lambda: program.ctap.large_blobs(0, **asked), ERR.INTEGRITY_FAILURE)
    assert card.passkeys.large_blobs == b""


def test_a_card_that_is_destroyed_answers_nothing_more(program, bench, card, plugged_in, unexpected):
    made = program.make()
    token = program.token("GET_ASSERTION", rp=RP)
    bench.destroy(card.record)
    refused(lambda: program.get(token, allowed=[identifier(made)]), ERR.OTHER)
    assert {type(each).__name__ for each in unexpected} == {"CardGone"}
    unexpected.clear()
    bench.make(pin_retries=8)
