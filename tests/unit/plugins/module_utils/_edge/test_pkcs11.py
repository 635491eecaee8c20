# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interpreter of PKCS#11, over cards in software: the test is the program."""

from __future__ import annotations

import hashlib
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.edge import Edge
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import TpmLockedOut
from ansible_collections.hardbound.identity.plugins.module_utils._card.face import Face
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import PinUse
from ansible_collections.hardbound.identity.plugins.module_utils._card.secret import Reference
from ansible_collections.hardbound.identity.plugins.module_utils._edge.pkcs11.reference import (
    Cka,
    KeyType,
    ObjectClass,
    Rv,
    SessionState,
    TokenFlag,
    User,
)
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.p11_kit_mechanism import MechanismType
from ansible_collections.hardbound.identity.tests.support.card_table import PRIVATE, OneCard, Table, private
from ansible_collections.hardbound.identity.tests.support.p11_kit_client import Client, Mechanism, Refused
from ansible_collections.hardbound.identity.tests.support.soft_card import (
    ADMIN_KEY,
    PIN,
    PUK,
)
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from hypothesis import given
from hypothesis import strategies as st

M = MechanismType
DIGEST = hashlib.sha256(b"message").digest()
PUBLIC = (Cka.CLASS, int(ObjectClass.PUBLIC_KEY))
CERTIFICATE = (Cka.CLASS, int(ObjectClass.CERTIFICATE))
P256 = bytes.fromhex("06082a8648ce3d030107")


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def card(rsa_key: rsa.RSAPrivateKey) -> OneCard:
    card = OneCard()
    card.add(0x9A, KeyAlgorithm.ECC_P256)
    card.put(0x9C, KeyAlgorithm.RSA_2048, rsa_key)
    card.add(0x9D, KeyAlgorithm.ECC_P384)
    card.add(0x9E, KeyAlgorithm.ECC_P256)
    card.certify(0x9A)
    card.certify(0x9C)
    return card


@pytest.fixture
def table(card: OneCard) -> Table:
    return Table(card)


@pytest.fixture
def client(table: Table) -> Client:
    return table.client


@pytest.fixture
def session(client: Client) -> int:
    """A session that has logged in."""
    session = client.open(0)
    client.call("C_Login", session, User.USER, PIN)
    return session


# What there is.


def test_the_module_says_what_it_is(client: Client) -> None:
    assert client.call("C_GetInfo")[:2] == ((2, 40), "hardbound.identity")


@pytest.mark.parametrize("name", ["C_GetInfo", "C_Finalize", "C_GetSlotList"])
def test_a_program_has_to_begin_with_the_handshake(card: OneCard, name: str) -> None:
    client = Table(card, initialize=False).client
    assert client.rv("C_Initialize", b"PRIVATE-SOMETHING", 0, b"\0") is Rv.ARGUMENTS_BAD
    assert client.rv(name, *((1, 9) if name == "C_GetSlotList" else ())) is Rv.CRYPTOKI_NOT_INITIALIZED


def test_slots_are_cards(card: OneCard) -> None:
    client = Table(card, OneCard(7)).client
    assert client.call("C_GetSlotList", 1, 9) == ([0, 7],)
    assert client.call("C_GetSlotList", 1, 0) == (2,)
    assert client.call("C_GetSlotInfo", 7)[0] == "Soft card"
    assert client.rv("C_GetSlotInfo", 1) is Rv.SLOT_ID_INVALID
    assert client.rv("C_OpenSession", 1, 4) is Rv.SLOT_ID_INVALID


def test_nobody_waits_for_slots(client: Client) -> None:
    assert client.rv("C_WaitForSlotEvent", 1) is Rv.NO_EVENT
    assert client.rv("C_WaitForSlotEvent", 0) is Rv.FUNCTION_NOT_SUPPORTED


def test_a_token_tells_the_card(card: OneCard, client: Client) -> None:
    label, maker, model, serial, flags, *_counts = client.call("C_GetTokenInfo", 0)
    assert (label, maker, model) == ("Soft card", "hardbound.identity", "PIV in a TPM")
    assert serial == card.serial.hex()[:16]
    assert (
        flags == TokenFlag.RNG | TokenFlag.LOGIN_REQUIRED | TokenFlag.USER_PIN_INITIALIZED | TokenFlag.TOKEN_INITIALIZED
    )


def test_a_token_tells_what_is_left_of_the_pin(card: OneCard, client: Client) -> None:
    def flags() -> TokenFlag:
        return TokenFlag(client.call("C_GetTokenInfo", 0)[4])

    session = client.open(0)
    low, last, locked = TokenFlag.USER_PIN_COUNT_LOW, TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED
    ends = []
    for expected in (low, low | last, locked):
        ends.append(client.rv("C_Login", session, User.USER, b"000000"))
        assert flags() & (low | last | locked) == expected
    assert ends == [Rv.PIN_INCORRECT, Rv.PIN_INCORRECT, Rv.PIN_LOCKED]
    assert client.rv("C_Login", session, User.USER, PIN) is Rv.PIN_LOCKED


def test_a_token_tells_a_pin_that_has_to_be_changed(card: OneCard, client: Client) -> None:
    card.pin_must_change = True
    assert client.call("C_GetTokenInfo", 0)[4] & TokenFlag.USER_PIN_TO_BE_CHANGED


def test_mechanisms(client: Client) -> None:
    (listed,) = client.call("C_GetMechanismList", 0, 99)
    assert set(listed) == set(M)
    for number in listed:
        least, most, _flags = client.call("C_GetMechanismInfo", 0, number)
        assert least <= most
    assert client.rv("C_GetMechanismInfo", 0, 0x1082) is Rv.MECHANISM_INVALID


# Sessions and logins.


def test_sessions_and_their_states(client: Client) -> None:
    reading, writing = client.open(0, writable=False), client.open(0)
    assert client.call("C_GetSessionInfo", reading) == (0, SessionState.RO_PUBLIC_SESSION, 4, 0)
    assert client.call("C_GetSessionInfo", writing) == (0, SessionState.RW_PUBLIC_SESSION, 6, 0)
    client.call("C_Login", reading, User.USER, PIN)
    assert client.call("C_GetSessionInfo", writing)[1] == SessionState.RW_USER_FUNCTIONS
    assert client.rv("C_Login", writing, User.USER, PIN) is Rv.USER_ALREADY_LOGGED_IN
    assert client.rv("C_Login", writing, User.SO, PUK) is Rv.USER_ANOTHER_ALREADY_LOGGED_IN
    client.call("C_Logout", writing)
    assert client.call("C_GetSessionInfo", reading)[1] == SessionState.RO_PUBLIC_SESSION
    assert client.rv("C_Logout", writing) is Rv.USER_NOT_LOGGED_IN
    assert client.rv("C_Login", writing, User.SO, PUK) is Rv.SESSION_READ_ONLY_EXISTS


def test_a_session_has_to_be_serial(client: Client) -> None:
    assert client.rv("C_OpenSession", 0, 2) is Rv.SESSION_PARALLEL_NOT_SUPPORTED


def test_the_last_session_takes_the_login_with_it(card: OneCard, client: Client, session: int) -> None:
    other = client.open(0)
    client.call("C_CloseSession", session)
    assert card.verified
    assert client.rv("C_GetSessionInfo", session) is Rv.SESSION_HANDLE_INVALID
    client.call("C_CloseSession", other)
    assert not card.verified


@pytest.mark.parametrize("end", ["C_CloseAllSessions", "C_Finalize"])
def test_all_sessions_end_at_once(card: OneCard, client: Client, session: int, end: str) -> None:
    client.call(end, *((0,) if end == "C_CloseAllSessions" else ()))
    assert client.rv("C_GetSessionInfo", session) is Rv.SESSION_HANDLE_INVALID
    assert not card.verified or card.closed


def test_a_program_that_goes_takes_its_login_with_it(card: OneCard, table: Table, session: int) -> None:
    table.program.end()
    assert card.closed


def test_another_program_has_other_handles(card: OneCard, table: Table, session: int) -> None:
    other = Table(card).client
    assert other.rv("C_GetSessionInfo", session) is Rv.SESSION_HANDLE_INVALID


def test_sessions_have_a_limit(client: Client) -> None:
    for _each in range(256):
        client.open(0)
    assert client.rv("C_OpenSession", 0, 4) is Rv.SESSION_COUNT


@pytest.mark.parametrize("pin", [b"", b"123456789"])
def test_a_pin_that_no_card_has_costs_no_try(card: OneCard, client: Client, pin: bytes) -> None:
    assert client.rv("C_Login", client.open(0), User.USER, pin) is Rv.PIN_INCORRECT
    assert card.tries(Reference.PIN).left == 3


def test_logins_that_make_no_sense(client: Client) -> None:
    session = client.open(0)
    assert client.rv("C_Login", session, User.USER, None) is Rv.ARGUMENTS_BAD
    assert client.rv("C_Login", session, 7, PIN) is Rv.USER_TYPE_INVALID
    assert client.rv("C_Login", session, User.CONTEXT_SPECIFIC, PIN) is Rv.OPERATION_NOT_INITIALIZED
    assert client.rv("C_LoginUser", session, User.USER, PIN, b"somebody") is Rv.ARGUMENTS_BAD
    assert client.rv("C_LoginUser", session, User.USER, PIN, b"") is Rv.OK


def test_a_lockout_of_the_tpm_is_no_locked_pin(card: OneCard, table: Table) -> None:
    def locked_out(_pin: bytes) -> None:
        raise TpmLockedOut("wait")

    card.verify = locked_out  # type: ignore[method-assign]
    assert table.client.rv("C_Login", table.client.open(0), User.USER, PIN) is Rv.DEVICE_ERROR
    assert [type(each) for each in table.failures] == [TpmLockedOut]


def test_a_card_that_is_no_more(card: OneCard, table: Table, session: int) -> None:
    card.gone = True
    assert table.client.rv("C_GetTokenInfo", 0) is Rv.DEVICE_REMOVED
    del table.cards.cards[0]
    assert table.client.rv("C_FindObjectsInit", session, []) is Rv.DEVICE_REMOVED
    assert table.client.rv("C_FindObjectsInit", session, []) is Rv.SESSION_HANDLE_INVALID
    assert table.client.call("C_GetSlotList", 1, 9) == ([],)
    assert card.closed


# PIN, PUK, admin key.


def test_the_pin_is_changed_and_the_login_stays(card: OneCard, client: Client, session: int) -> None:
    client.call("C_SetPIN", session, PIN, b"654321")
    assert client.call("C_GetSessionInfo", session)[1] == SessionState.RW_USER_FUNCTIONS
    key = private(client, session, 1)
    assert len(client.sign(session, Mechanism(M.ECDSA), key, DIGEST)) == 64
    client.call("C_Logout", session)
    assert client.rv("C_Login", session, User.USER, PIN) is Rv.PIN_INCORRECT
    assert client.rv("C_Login", session, User.USER, b"654321") is Rv.OK


def test_changes_that_are_refused(card: OneCard, client: Client) -> None:
    reading, session = client.open(0, writable=False), client.open(0)
    assert client.rv("C_SetPIN", reading, PIN, b"654321") is Rv.SESSION_READ_ONLY
    assert client.rv("C_SetPIN", session, PIN, b"1") is Rv.PIN_INVALID
    assert client.rv("C_SetPIN", session, PIN, None) is Rv.ARGUMENTS_BAD
    assert card.tries(Reference.PIN).left == 3
    assert client.rv("C_SetPIN", session, b"000000", b"654321") is Rv.PIN_INCORRECT
    assert client.rv("C_InitPIN", session, b"654321") is Rv.USER_NOT_LOGGED_IN


def test_a_pin_that_is_due_can_only_be_changed(card: OneCard, client: Client, session: int) -> None:
    card.due = "has expired"
    key = private(client, session, 1)
    assert client.call("C_GetTokenInfo", 0)[4] & TokenFlag.USER_PIN_TO_BE_CHANGED
    client.call("C_SignInit", session, Mechanism(M.ECDSA), key)
    assert client.rv("C_Sign", session, DIGEST, 64) is Rv.PIN_EXPIRED


def test_the_puk_gives_a_new_pin(card: OneCard, client: Client) -> None:
    session = client.open(0)
    for _each in range(3):
        client.rv("C_Login", session, User.USER, b"000000")
    assert client.rv("C_Login", session, User.SO, b"00000000") is Rv.PIN_INCORRECT
    client.call("C_Login", session, User.SO, PUK)
    assert client.call("C_GetSessionInfo", session)[1] == SessionState.RW_SO_FUNCTIONS
    assert client.rv("C_OpenSession", 0, 4) is Rv.SESSION_READ_WRITE_SO_EXISTS
    assert client.rv("C_InitPIN", session, b"1") is Rv.PIN_INVALID
    client.call("C_InitPIN", session, b"654321")
    client.call("C_SetPIN", session, PUK, b"11223344")
    client.call("C_Logout", session)
    client.call("C_Login", session, User.USER, b"654321")
    client.call("C_Logout", session)
    client.call("C_Login", session, User.SO, b"11223344")


def test_the_admin_key_gives_a_new_pin_on_a_card_without_puk() -> None:
    card = OneCard(puk=None)
    client = Table(card).client
    session = client.open(0)
    assert client.rv("C_Login", session, User.SO, b"00" * 24) is Rv.PIN_INCORRECT
    client.call("C_Login", session, User.SO, ADMIN_KEY.value.hex().encode())
    client.call("C_InitPIN", session, b"654321")
    client.call("C_SetPIN", session, ADMIN_KEY.value.hex().encode(), bytes(range(24)).hex().encode())
    assert card.admin_key is not None and card.admin_key.value == bytes(range(24))
    client.call("C_Logout", session)
    assert not card.administered
    client.call("C_Login", session, User.USER, b"654321")


def test_nobody_is_the_officer_of_a_card_without_puk_and_admin_key() -> None:
    client = Table(OneCard(puk=None, admin_key=None)).client
    assert client.rv("C_Login", client.open(0), User.SO, b"00" * 24) is Rv.PIN_INCORRECT


# Objects.


def test_a_program_sees_private_keys_once_it_has_logged_in(client: Client) -> None:
    session = client.open(0)
    assert [client.attribute(session, each, Cka.ID) for each in client.find(session, PRIVATE)] == [b"\4"]
    assert client.rv("C_SignInit", session, Mechanism(M.ECDSA), 0x9A * 8 + 3) is Rv.KEY_HANDLE_INVALID
    client.call("C_Login", session, User.USER, PIN)
    found = client.find(session, PRIVATE)
    assert [client.attribute(session, each, Cka.ID) for each in found] == [b"\1", b"\2", b"\3", b"\4"]
    asks = [client.attribute(session, each, Cka.ALWAYS_AUTHENTICATE) for each in found]
    assert asks == [False, True, False, False]


@pytest.mark.parametrize(
    ("slot", "identifier", "labels"),
    [
        (0x9A, b"\x01", ("Certificate for PIV Authentication", "PIV AUTH pubkey", "PIV AUTH key")),
        (0x9E, b"\x04", ("Certificate for Card Authentication", "CARD AUTH pubkey", "CARD AUTH key")),
        (0x82, b"\x05", ("Retired Certificate for Key Management 1", "Retired KEY MAN 1", "Retired KEY MAN 1")),
        (0x95, b"\x18", ("Retired Certificate for Key Management 20", "Retired KEY MAN 20", "Retired KEY MAN 20")),
        (0xB081, b"\x00", ("container 0", "container 0", "container 0")),
        (0xB09E, b"\x1d", ("container 29", "container 29", "container 29")),
    ],
)
def test_identifiers_and_labels_are_those_of_opensc(
    slot: int, identifier: bytes, labels: t.Tuple[str, str, str], rsa_key: rsa.RSAPrivateKey
) -> None:
    card = OneCard(edge=Edge.of(slot))
    card.put(slot, KeyAlgorithm.RSA_2048, rsa_key)
    card.certify(slot)
    client = Table(card).client
    session = client.open(0)
    client.call("C_Login", session, User.USER, PIN)
    found = client.find(session, (Cka.ID, identifier))
    assert tuple(client.attribute(session, each, Cka.LABEL).decode() for each in found) == labels


def test_a_certificate_tells_its_names(card: OneCard, client: Client, session: int) -> None:
    (found,) = client.find(session, CERTIFICATE, (Cka.ID, b"\1"))
    assert client.attribute(session, found, Cka.VALUE) == card.certificates[0x9A]
    assert client.attribute(session, found, Cka.SERIAL_NUMBER).hex() == "0202009b"
    subject = client.attribute(session, found, Cka.SUBJECT)
    assert (
        subject
        == client.attribute(session, found, Cka.ISSUER)
        == client.attribute(session, private(client, session, 1), Cka.SUBJECT)
    )
    assert b"slot 9A" in subject


def test_data_objects_of_piv(card: OneCard, client: Client) -> None:
    data = (Cka.CLASS, int(ObjectClass.DATA))
    card.objects[0x5FC109] = b"printed"
    session = client.open(0)
    labels = [client.attribute(session, each, Cka.LABEL) for each in client.find(session, data)]
    assert labels == [b"Card Capability Container", b"Card Holder Unique Identifier", b"Discovery Object"]
    (chuid,) = client.find(session, data, (Cka.OBJECT_ID, bytes.fromhex("060a6086480165030702" + "3000")))
    assert card.serial in client.attribute(session, chuid, Cka.VALUE)
    client.call("C_Login", session, User.USER, PIN)
    (printed,) = client.find(session, data, (Cka.PRIVATE, True))
    assert client.attribute(session, printed, Cka.VALUE) == b"\x53\x07printed"
    client.call("C_Logout", session)
    assert client.rv("C_GetAttributeValue", session, printed, [(Cka.VALUE, 0)]) is Rv.OBJECT_HANDLE_INVALID
    client.call("C_Login", session, User.SO, ADMIN_KEY.value.hex().encode())
    assert client.rv("C_DestroyObject", session, chuid) is Rv.ACTION_PROHIBITED


def test_a_certificate_that_nobody_can_read_is_still_there(card: OneCard, client: Client, session: int) -> None:
    card.store_certificate(0x9A, b"no certificate")
    (found,) = client.find(session, CERTIFICATE, (Cka.ID, b"\1"))
    assert client.attribute(session, found, Cka.VALUE) == b"no certificate"
    with pytest.raises(Refused):
        client.attribute(session, found, Cka.SUBJECT)


def test_attributes_that_are_told_and_not_told(client: Client, session: int) -> None:
    key = private(client, session, 2)
    wanted = [(Cka.LABEL, 100), (Cka.PRIVATE_EXPONENT, 0), (Cka.ISSUER, 0), (Cka.MODULUS, 10)]
    attributes, rv = client.call("C_GetAttributeValue", session, key, wanted)
    assert [value for _kind, value in attributes] == [b"SIGN key", None, None, None]
    assert rv == Rv.ATTRIBUTE_SENSITIVE
    assert client.call("C_GetAttributeValue", session, key, [(Cka.MODULUS, 10)])[1] == Rv.BUFFER_TOO_SMALL
    assert client.call("C_GetAttributeValue", session, key, [(Cka.ISSUER, 10)])[1] == Rv.ATTRIBUTE_TYPE_INVALID
    assert client.rv("C_GetAttributeValue", session, 1, [(Cka.ISSUER, 10)]) is Rv.OBJECT_HANDLE_INVALID


def test_what_is_told_of_a_key_takes_no_data_object(
    card: OneCard, client: Client, session: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = private(client, session, 2)
    monkeypatch.setattr(card, "object", None)
    assert client.attribute(session, key, Cka.LABEL) == b"SIGN key"


def test_one_answer_has_a_limit(card: OneCard, client: Client, session: int) -> None:
    card.store_certificate(0x9A, bytes(30000))
    (found,) = client.find(session, CERTIFICATE, (Cka.ID, b"\1"))
    assert client.rv("C_GetAttributeValue", session, found, [(Cka.VALUE, 0)] * 5) is Rv.DEVICE_MEMORY


def test_a_search_goes_on_where_it_was_left(client: Client, session: int) -> None:
    client.call("C_FindObjectsInit", session, [PUBLIC])
    assert client.rv("C_FindObjectsInit", session, []) is Rv.OPERATION_ACTIVE
    first, second = (client.call("C_FindObjects", session, 3)[0] for _each in range(2))
    assert (len(first), len(second)) == (3, 1)
    client.call("C_FindObjectsFinal", session)
    assert client.rv("C_FindObjects", session, 3) is Rv.OPERATION_NOT_INITIALIZED
    assert client.rv("C_FindObjectsFinal", session) is Rv.OPERATION_NOT_INITIALIZED


def test_a_template_without_a_value_finds_nothing(client: Client, session: int) -> None:
    assert client.find(session, (Cka.ISSUER, None)) == []


def test_objects_are_not_changed(client: Client, session: int) -> None:
    key = private(client, session, 1)
    assert client.rv("C_SetAttributeValue", session, key, [(Cka.LABEL, b"x")]) is Rv.ATTRIBUTE_READ_ONLY
    assert client.rv("C_CopyObject", session, key, []) is Rv.ACTION_PROHIBITED
    assert client.call("C_GetObjectSize", session, key) == ((1 << 64) - 1,)


# Signatures.


@pytest.mark.parametrize("version", [0, 1, 2])
def test_ecdsa(card: OneCard, version: int) -> None:
    client = Table(card, version=version).client
    session = client.open(0)
    client.call("C_Login", session, User.USER, PIN)
    public = card._private[0x9D].public_key()
    for number, name in ((M.ECDSA, ""), (M.ECDSA_SHA256, "sha256"), (M.ECDSA_SHA512, "sha512")):
        content = b"message" if name else hashlib.sha384(b"message").digest()
        signature = client.sign(session, Mechanism(number), private(client, session, 3), content)
        r, s = (int.from_bytes(each, "big") for each in (signature[:48], signature[48:]))
        used = {"": hashes.SHA384(), "sha256": hashes.SHA256(), "sha512": hashes.SHA512()}[name]
        public.verify(utils.encode_dss_signature(r, s), b"message", ec.ECDSA(used))


def sign_always(client: Client, session: int, mechanism: Mechanism, data: bytes, pin: bytes = PIN) -> bytes:
    """Signs with the key that asks for the PIN each time."""
    client.call("C_SignInit", session, mechanism, private(client, session, 2))
    client.call("C_Login", session, User.CONTEXT_SPECIFIC, pin)
    return t.cast(bytes, client.call("C_Sign", session, data, 256)[0])


@pytest.mark.parametrize("name", ["sha1", "sha224", "sha256", "sha384", "sha512"])
def test_rsa_with_a_hash(card: OneCard, client: Client, session: int, name: str) -> None:
    public: rsa.RSAPublicKey = card._private[0x9C].public_key()
    used = getattr(hashes, name.upper())()
    signature = sign_always(client, session, Mechanism(M[f"{name.upper()}_RSA_PKCS"]), b"message")
    public.verify(signature, b"message", padding.PKCS1v15(), used)
    numbers = {
        "sha1": (0x220, 1),
        "sha224": (0x255, 5),
        "sha256": (0x250, 2),
        "sha384": (0x260, 3),
        "sha512": (0x270, 4),
    }
    mechanism = Mechanism(M[f"{name.upper()}_RSA_PKCS_PSS"], (*numbers[name], 20))
    signature = sign_always(client, session, mechanism, b"message")
    public.verify(signature, b"message", padding.PSS(padding.MGF1(used), 20), used)


def test_rsa_without_a_hash(card: OneCard, client: Client, session: int) -> None:
    public: rsa.RSAPublicKey = card._private[0x9C].public_key()
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signature = sign_always(client, session, Mechanism(M.RSA_PKCS_PSS, (0x250, 2, 32)), DIGEST)
    public.verify(signature, DIGEST, scheme, utils.Prehashed(hashes.SHA256()))
    info = bytes.fromhex("3031300d060960864801650304020105000420") + DIGEST
    signature = sign_always(client, session, Mechanism(M.RSA_PKCS), info)
    public.verify(signature, b"message", padding.PKCS1v15(), hashes.SHA256())
    numbers = public.public_numbers()
    signature = sign_always(client, session, Mechanism(M.RSA_X_509), b"\x05")
    assert pow(int.from_bytes(signature, "big"), numbers.e, numbers.n) == 5


def test_a_key_that_always_asks_takes_one_pin_for_one_signature(client: Client, session: int) -> None:
    key, other = private(client, session, 2), private(client, session, 1)
    mechanism = Mechanism(M.SHA256_RSA_PKCS)
    client.sign(session, Mechanism(M.ECDSA), other, DIGEST)  # another key has used up the PIN of the login
    with pytest.raises(Refused) as refused:
        client.sign(session, mechanism, key, b"message")
    assert refused.value.rv == Rv.USER_NOT_LOGGED_IN
    assert sign_always(client, session, mechanism, b"message")
    with pytest.raises(Refused):
        client.sign(session, mechanism, key, b"message")


def test_a_wrong_pin_for_one_signature_ends_the_login(client: Client, session: int) -> None:
    with pytest.raises(Refused) as refused:
        sign_always(client, session, Mechanism(M.SHA256_RSA_PKCS), b"message", pin=b"000000")
    assert refused.value.rv == Rv.PIN_INCORRECT
    assert client.call("C_GetSessionInfo", session)[1] == SessionState.RW_USER_FUNCTIONS - 1


def test_a_key_that_never_asks_needs_no_login(client: Client) -> None:
    session = client.open(0, writable=False)
    assert len(client.sign(session, Mechanism(M.ECDSA), private(client, session, 4), DIGEST)) == 64


def test_a_signature_in_parts_and_its_size_asked_for(card: OneCard, client: Client, session: int) -> None:
    client.call("C_SignInit", session, Mechanism(M.ECDSA_SHA256), private(client, session, 1))
    client.call("C_SignUpdate", session, b"mess")
    client.call("C_SignUpdate", session, b"age")
    assert client.call("C_SignFinal", session, 0) == (64,)
    assert client.call("C_SignFinal", session, 63) == (64,)
    (signature,) = client.call("C_SignFinal", session, 64)
    r, s = (int.from_bytes(each, "big") for each in (signature[:32], signature[32:]))
    card._private[0x9A].public_key().verify(utils.encode_dss_signature(r, s), b"message", ec.ECDSA(hashes.SHA256()))
    assert client.rv("C_SignFinal", session, 64) is Rv.OPERATION_NOT_INITIALIZED


def test_an_operation_is_begun_once_and_can_be_cancelled(client: Client, session: int) -> None:
    key = private(client, session, 1)
    client.call("C_SignInit", session, Mechanism(M.ECDSA), key)
    assert client.rv("C_SignInit", session, Mechanism(M.ECDSA), key) is Rv.OPERATION_ACTIVE
    client.call("C_SignInit", session, None, 0)
    assert client.rv("C_Sign", session, DIGEST, 64) is Rv.OPERATION_NOT_INITIALIZED
    client.call("C_SignInit", session, Mechanism(M.ECDSA), key)
    client.call("C_SessionCancel", session, 1 << 11)
    assert client.rv("C_SignUpdate", session, DIGEST) is Rv.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize(
    ("identifier", "mechanism", "rv"),
    [
        (1, Mechanism(M.RSA_PKCS), Rv.KEY_TYPE_INCONSISTENT),
        (2, Mechanism(M.ECDSA), Rv.KEY_TYPE_INCONSISTENT),
        (1, Mechanism(M.ECDH1_DERIVE, (1, b"", b"")), Rv.MECHANISM_INVALID),
        (2, Mechanism(M.RSA_PKCS_OAEP, (0x250, 2, 0, b"")), Rv.MECHANISM_INVALID),
        (2, Mechanism(M.RSA_PKCS_PSS), Rv.MECHANISM_PARAM_INVALID),
        (2, Mechanism(M.RSA_PKCS_PSS, (0x1234, 2, 32)), Rv.MECHANISM_PARAM_INVALID),
        (2, Mechanism(M.RSA_PKCS_PSS, (0x250, 9, 32)), Rv.MECHANISM_PARAM_INVALID),
        (2, Mechanism(M.SHA256_RSA_PKCS_PSS, (0x260, 3, 32)), Rv.MECHANISM_PARAM_INVALID),
        (1, Mechanism(0x1082), Rv.MECHANISM_INVALID),
    ],
)
def test_signatures_that_nobody_can_make(
    client: Client, session: int, identifier: int, mechanism: Mechanism, rv: Rv
) -> None:
    assert client.rv("C_SignInit", session, mechanism, private(client, session, identifier)) is rv


@pytest.mark.parametrize(
    ("mechanism", "data", "rv"),
    [
        (Mechanism(M.RSA_PKCS), bytes(246), Rv.DATA_LEN_RANGE),
        (Mechanism(M.RSA_X_509), b"\xff" * 256, Rv.DATA_INVALID),
        (Mechanism(M.RSA_X_509), bytes(257), Rv.DATA_LEN_RANGE),
        (Mechanism(M.RSA_PKCS_PSS, (0x250, 2, 32)), bytes(20), Rv.DATA_LEN_RANGE),
        (Mechanism(M.RSA_PKCS_PSS, (0x250, 2, 1 << 62)), DIGEST, Rv.DATA_LEN_RANGE),
        (Mechanism(M.RSA_PKCS), bytes(2000), Rv.DATA_LEN_RANGE),
    ],
)
def test_messages_that_fit_no_signature(
    card: OneCard, table: Table, session: int, mechanism: Mechanism, data: bytes, rv: Rv
) -> None:
    client = table.client
    client.call("C_SignInit", session, mechanism, private(client, session, 2))
    assert client.rv("C_Sign", session, data, 256) is rv
    assert client.rv("C_Sign", session, data, 256) is Rv.OPERATION_NOT_INITIALIZED
    assert table.failures == []


def test_a_message_that_is_not_hashed_is_not_gathered_without_end(client: Client, session: int) -> None:
    client.call("C_SignInit", session, Mechanism(M.ECDSA), private(client, session, 1))
    client.call("C_SignUpdate", session, bytes(1024))
    assert client.rv("C_SignUpdate", session, b"\0") is Rv.DATA_LEN_RANGE
    assert client.rv("C_SignUpdate", session, b"\0") is Rv.OPERATION_NOT_INITIALIZED


# Decryption, agreed secrets, random numbers.


@pytest.fixture
def decrypting(card: OneCard, table: Table, rsa_key: rsa.RSAPrivateKey) -> t.Tuple[Client, int, int, t.Any]:
    private_key = card.put(0x9D, KeyAlgorithm.RSA_2048, rsa_key)
    session = table.client.open(0)
    table.client.call("C_Login", session, User.USER, PIN)
    return table.client, session, private(table.client, session, 3), private_key.public_key()


def test_decryption(decrypting: t.Tuple[Client, int, int, t.Any]) -> None:
    client, session, key, public = decrypting
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA256(), b"label")
    for mechanism, scheme in (
        (Mechanism(M.RSA_PKCS), padding.PKCS1v15()),
        (Mechanism(M.RSA_PKCS_OAEP, (0x250, 1, 1, b"label")), oaep),
    ):
        client.call("C_DecryptInit", session, mechanism, key)
        block = public.encrypt(b"secret", scheme)
        assert client.call("C_Decrypt", session, block, 0) == (256,)
        assert client.call("C_Decrypt", session, block, 5) == (6,)
        assert client.call("C_Decrypt", session, block, 6) == (b"secret",)
        assert client.rv("C_Decrypt", session, block, 6) is Rv.OPERATION_NOT_INITIALIZED


def test_decryption_of_a_bare_block(decrypting: t.Tuple[Client, int, int, t.Any]) -> None:
    client, session, key, public = decrypting
    numbers = public.public_numbers()
    client.call("C_DecryptInit", session, Mechanism(M.RSA_X_509), key)
    block = pow(1234567, numbers.e, numbers.n).to_bytes(256, "big")
    assert int.from_bytes(client.call("C_Decrypt", session, block, 256)[0], "big") == 1234567


@pytest.mark.parametrize(
    ("block", "rv"),
    [
        (b"\1" * 256, Rv.ENCRYPTED_DATA_INVALID),
        (b"\xff" * 256, Rv.ENCRYPTED_DATA_INVALID),
        (bytes(257), Rv.ENCRYPTED_DATA_LEN_RANGE),
        (b"", Rv.ENCRYPTED_DATA_LEN_RANGE),
    ],
)
def test_blocks_that_hold_no_message(decrypting: t.Tuple[Client, int, int, t.Any], block: bytes, rv: Rv) -> None:
    client, session, key, _public = decrypting
    client.call("C_DecryptInit", session, Mechanism(M.RSA_PKCS), key)
    assert client.rv("C_DecryptInit", session, Mechanism(M.RSA_PKCS), key) is Rv.OPERATION_ACTIVE
    assert client.rv("C_Decrypt", session, block, 256) is rv
    assert client.rv("C_Decrypt", session, block, 256) is Rv.OPERATION_NOT_INITIALIZED


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_agreed_secret(card: OneCard, client: Client, session: int, wrapped: bool) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    numbers = other.public_key().public_numbers()
    point = b"\4" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    mechanism = Mechanism(M.ECDH1_DERIVE, (1, b"", (b"\x04\x41" if wrapped else b"") + point))
    key = private(client, session, 1)
    expected = other.exchange(ec.ECDH(), card._private[0x9A].public_key())
    rv, _changed, handle = client.call("C_DeriveKey2", session, mechanism, key, [(Cka.VALUE_LEN, 16)])
    assert rv == Rv.OK
    assert client.attribute(session, handle, Cka.VALUE) == expected[16:]
    (hidden,) = client.call("C_DeriveKey", session, mechanism, key, [(Cka.SENSITIVE, True)])
    with pytest.raises(Refused) as refused:
        client.attribute(session, hidden, Cka.VALUE)
    assert refused.value.rv == Rv.ATTRIBUTE_SENSITIVE
    client.call("C_DestroyObject", session, handle)
    client.call("C_Logout", session)
    assert client.rv("C_GetAttributeValue", session, hidden, [(Cka.LABEL, 0)]) is Rv.OBJECT_HANDLE_INVALID


@pytest.mark.parametrize(
    ("parameter", "template", "rv"),
    [
        ((2, b"", bytes(65)), [], Rv.MECHANISM_PARAM_INVALID),
        ((1, b"shared", bytes(65)), [], Rv.MECHANISM_PARAM_INVALID),
        ((1, b"", b"\4" + bytes(63)), [], Rv.MECHANISM_PARAM_INVALID),
        ((1, b"", bytes(65)), [], Rv.MECHANISM_PARAM_INVALID),
        (None, [], Rv.MECHANISM_PARAM_INVALID),
        ((1, b"", b"\4" + bytes(64)), [(Cka.TOKEN, True)], Rv.TEMPLATE_INCONSISTENT),
        ((1, b"", b"\4" + bytes(64)), [(Cka.VALUE_LEN, b"")], Rv.ATTRIBUTE_VALUE_INVALID),
        ((1, b"", b"\4" + bytes(64)), [(Cka.KEY_TYPE, b"")], Rv.ATTRIBUTE_VALUE_INVALID),
    ],
)
def test_secrets_that_nobody_agrees_on(table: Table, session: int, parameter: t.Any, template: t.Any, rv: Rv) -> None:
    client = table.client
    mechanism = Mechanism(M.ECDH1_DERIVE, parameter)
    assert client.rv("C_DeriveKey", session, mechanism, private(client, session, 1), template) is rv
    assert table.failures == []


def test_a_point_off_the_curve(client: Client, session: int) -> None:
    mechanism = Mechanism(M.ECDH1_DERIVE, (1, b"", b"\4" + bytes(64)))
    assert client.rv("C_DeriveKey", session, mechanism, private(client, session, 1), []) is Rv.ARGUMENTS_BAD
    assert client.rv("C_DeriveKey", session, mechanism, private(client, session, 2), []) is Rv.KEY_TYPE_INCONSISTENT


def test_random_numbers(client: Client) -> None:
    session = client.open(0)
    first, second = (client.call("C_GenerateRandom", session, 32)[0] for _each in range(2))
    assert len(first) == 32 and first != second
    assert client.rv("C_GenerateRandom", session, 1 << 20) is Rv.ARGUMENTS_BAD
    assert client.rv("C_SeedRandom", session, b"seed") is Rv.RANDOM_SEED_NOT_SUPPORTED


# Keys and certificates.


@pytest.fixture
def officer(client: Client) -> int:
    session = client.open(0)
    client.call("C_Login", session, User.SO, ADMIN_KEY.value.hex().encode())
    return session


def test_the_administrator_makes_a_key(card: OneCard, client: Client, officer: int) -> None:
    public, key = client.call(
        "C_GenerateKeyPair", officer, Mechanism(M.EC_KEY_PAIR_GEN), [(Cka.EC_PARAMS, P256)], [(Cka.ID, b"\x05")]
    )
    assert client.attribute(officer, public, Cka.EC_PARAMS) == P256
    assert card.keys()[0x82].algorithm is KeyAlgorithm.ECC_P256
    (_public, another) = client.call(
        "C_GenerateKeyPair",
        officer,
        Mechanism(M.RSA_PKCS_KEY_PAIR_GEN),
        [(Cka.MODULUS_BITS, 2048)],
        [(Cka.ALWAYS_AUTHENTICATE, True)],
    )
    assert card.keys()[0x83].pin is PinUse.ALWAYS
    assert another != key


@pytest.mark.parametrize(
    ("mechanism", "public", "private_", "rv"),
    [
        (M.RSA_PKCS_KEY_PAIR_GEN, [(Cka.MODULUS_BITS, 1024)], [], Rv.ATTRIBUTE_VALUE_INVALID),
        (M.RSA_PKCS_KEY_PAIR_GEN, [(Cka.MODULUS_BITS, 4096)], [], Rv.ATTRIBUTE_VALUE_INVALID),
        (
            M.RSA_PKCS_KEY_PAIR_GEN,
            [(Cka.MODULUS_BITS, 2048), (Cka.PUBLIC_EXPONENT, b"\3")],
            [],
            Rv.ATTRIBUTE_VALUE_INVALID,
        ),
        (M.RSA_PKCS_KEY_PAIR_GEN, [], [], Rv.TEMPLATE_INCOMPLETE),
        (M.EC_KEY_PAIR_GEN, [], [], Rv.TEMPLATE_INCOMPLETE),
        (M.EC_KEY_PAIR_GEN, [(Cka.EC_PARAMS, b"\6\1\1")], [], Rv.ATTRIBUTE_VALUE_INVALID),
        (M.EC_KEY_PAIR_GEN, [(Cka.EC_PARAMS, P256)], [(Cka.ID, b"\1")], Rv.ATTRIBUTE_VALUE_INVALID),
        (M.EC_KEY_PAIR_GEN, [(Cka.EC_PARAMS, P256)], [(Cka.ID, b"\x77")], Rv.ATTRIBUTE_VALUE_INVALID),
        (M.EC_KEY_PAIR_GEN, [(Cka.EC_PARAMS, P256)], [(Cka.EXTRACTABLE, True)], Rv.TEMPLATE_INCONSISTENT),
        (M.EC_KEY_PAIR_GEN, [(Cka.EC_PARAMS, P256)], [(Cka.TOKEN, False)], Rv.TEMPLATE_INCONSISTENT),
        (M.ECDSA, [], [], Rv.MECHANISM_INVALID),
    ],
)
def test_keys_that_are_not_made(
    card: OneCard, table: Table, officer: int, mechanism: M, public: t.Any, private_: t.Any, rv: Rv
) -> None:
    before = dict(card.keys())
    assert table.client.rv("C_GenerateKeyPair", officer, Mechanism(mechanism), public, private_) is rv
    assert card.keys() == before
    assert table.failures == []


def test_the_user_of_a_piv_card_makes_no_key(client: Client, session: int) -> None:
    wanted = Mechanism(M.EC_KEY_PAIR_GEN), [(Cka.EC_PARAMS, P256)], []
    assert client.rv("C_GenerateKeyPair", session, *wanted) is Rv.USER_NOT_LOGGED_IN
    assert client.rv("C_DestroyObject", session, private(client, session, 1)) is Rv.USER_NOT_LOGGED_IN
    reading = client.open(0, writable=False)
    assert client.rv("C_GenerateKeyPair", reading, *wanted) is Rv.SESSION_READ_ONLY


def test_the_user_of_a_gids_card_makes_keys() -> None:
    card = OneCard(edge=Edge.GIDS)
    client = Table(card).client
    session = client.open(0)
    wanted = Mechanism(M.RSA_PKCS_KEY_PAIR_GEN), [(Cka.MODULUS_BITS, 2048)], []
    assert client.rv("C_GenerateKeyPair", session, *wanted) is Rv.USER_NOT_LOGGED_IN
    client.call("C_Login", session, User.USER, PIN)
    client.call("C_GenerateKeyPair", session, *wanted)
    assert list(card.keys()) == [0xB081]


def test_a_reader_s_programs_have_to_know_the_algorithm() -> None:
    card = OneCard(edge=Edge.GIDS)
    client = Table(card).client
    session = client.open(0)
    client.call("C_Login", session, User.USER, PIN)
    wanted = Mechanism(M.EC_KEY_PAIR_GEN), [(Cka.EC_PARAMS, P256)], []
    card.faces = (Face.PKCS11, Face.PCSC)
    assert client.rv("C_GenerateKeyPair", session, *wanted) is Rv.ATTRIBUTE_VALUE_INVALID
    card.faces = (Face.PKCS11,)
    assert client.rv("C_GenerateKeyPair", session, *wanted) is Rv.OK


def test_certificates_are_written_replaced_and_removed(card: OneCard, client: Client, officer: int) -> None:
    first, other = card.certificates.pop(0x9A), card.certificates[0x9C]
    kind = (Cka.CLASS, int(ObjectClass.CERTIFICATE)), (Cka.TOKEN, True)
    (handle,) = client.call("C_CreateObject", officer, [*kind, (Cka.VALUE, first)])
    assert card.certificates[0x9A] == first, "it goes to the key that it shows"
    assert client.call("C_CreateObject", officer, [*kind, (Cka.VALUE, other), (Cka.ID, b"\1")]) == (handle,)
    assert card.certificates[0x9A] == other
    client.call("C_DestroyObject", officer, handle)
    assert 0x9A not in card.certificates
    assert client.rv("C_CreateObject", officer, [*kind, (Cka.VALUE, b"no certificate")]) is Rv.ATTRIBUTE_VALUE_INVALID
    assert client.rv("C_CreateObject", officer, [*kind]) is Rv.TEMPLATE_INCOMPLETE
    assert client.rv("C_CreateObject", officer, [kind[0], (Cka.VALUE, first)]) is Rv.TEMPLATE_INCONSISTENT


def _rsa_template(key: rsa.RSAPrivateKey) -> t.List[t.Tuple[int, t.Any]]:
    numbers = key.private_numbers()
    return [
        (Cka.CLASS, int(ObjectClass.PRIVATE_KEY)),
        (Cka.TOKEN, True),
        (Cka.KEY_TYPE, int(KeyType.RSA)),
        (Cka.PRIME_1, numbers.p.to_bytes(128, "big")),
        (Cka.PRIME_2, numbers.q.to_bytes(128, "big")),
    ]


def test_keys_are_brought_in_and_removed(
    card: OneCard, client: Client, officer: int, rsa_key: rsa.RSAPrivateKey
) -> None:
    ec_key = ec.generate_private_key(ec.SECP256R1())
    client.call("C_CreateObject", officer, [*_rsa_template(rsa_key), (Cka.ID, b"\x05")])
    assert card._private[0x82].private_numbers().public_numbers == rsa_key.public_key().public_numbers()
    assert card.keys()[0x82].imported
    scalar = ec_key.private_numbers().private_value.to_bytes(32, "big")
    kind = (Cka.CLASS, int(ObjectClass.PRIVATE_KEY)), (Cka.TOKEN, True), (Cka.KEY_TYPE, int(KeyType.EC))
    template = [*kind, (Cka.EC_PARAMS, P256), (Cka.VALUE, scalar), (Cka.ID, b"\x06")]
    client.call("C_CreateObject", officer, template)
    assert client.rv("C_CreateObject", officer, template) is Rv.ATTRIBUTE_VALUE_INVALID, "the slot is taken"
    point = ec_key.public_key().public_numbers()
    told = b"\x04\x41\4" + point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
    public = [(Cka.CLASS, int(ObjectClass.PUBLIC_KEY)), (Cka.TOKEN, True), (Cka.ID, b"\x06")]
    (half,) = client.call("C_CreateObject", officer, [*public, (Cka.EC_POINT, told)])
    assert client.attribute(officer, half, Cka.LOCAL) is False
    assert client.rv("C_CreateObject", officer, [*public, (Cka.EC_POINT, b"other")]) is Rv.TEMPLATE_INCONSISTENT
    assert client.rv("C_DestroyObject", officer, half) is Rv.ACTION_PROHIBITED


def test_keys_that_are_not_brought_in(table: Table, officer: int, rsa_key: rsa.RSAPrivateKey) -> None:
    client = table.client
    template = _rsa_template(rsa_key)
    assert client.rv("C_CreateObject", officer, template[:-1]) is Rv.TEMPLATE_INCOMPLETE
    three = [*template, (Cka.PUBLIC_EXPONENT, b"\3")]
    assert client.rv("C_CreateObject", officer, three) is Rv.ATTRIBUTE_VALUE_INVALID
    unfit = [*template, (Cka.EXPONENT_1, b"\3")]
    assert client.rv("C_CreateObject", officer, unfit) is Rv.ATTRIBUTE_VALUE_INVALID
    same = [*template[:-1], (Cka.PRIME_2, template[-2][1])]
    assert client.rv("C_CreateObject", officer, same) is Rv.ATTRIBUTE_VALUE_INVALID
    assert client.rv("C_CreateObject", officer, [(Cka.CLASS, 4), (Cka.TOKEN, True)]) is Rv.ATTRIBUTE_VALUE_INVALID
    assert table.failures == []


# Any bytes.


@pytest.mark.parametrize("name", ["C_EncryptInit", "C_InitToken", "C_DigestInit", "C_GetOperationState"])
def test_what_a_card_does_not_do(client: Client, name: str) -> None:
    arguments: t.Dict[str, t.Any] = {
        "C_EncryptInit": (1, Mechanism(M.RSA_PKCS), 1),
        "C_InitToken": (0, PUK, b"label"),
        "C_DigestInit": (1, Mechanism(M.RSA_PKCS)),
        "C_GetOperationState": (1, 9),
    }
    assert client.rv(name, *arguments[name]) is Rv.FUNCTION_NOT_SUPPORTED


def test_a_frame_that_is_too_long_gets_an_answer(table: Table) -> None:
    assert table.exchange((16).to_bytes(4, "big") + bytes(4) + b"\xff" * 4)[-8:] == int(Rv.DATA_LEN_RANGE).to_bytes(
        8, "big"
    )


@given(st.binary(max_size=60), st.integers(0, 70))
def test_any_bytes_get_an_answer(rest: bytes, number: int) -> None:
    table = Table(OneCard())
    session = table.client.open(0)
    start = b"" if number == 70 else _start(number, session)
    assert table.client.body(start + rest)
    assert table.failures == []


def _start(number: int, session: int) -> bytes:
    from ansible_collections.hardbound.identity.plugins.module_utils._encoding.p11_kit import CALLS

    call = CALLS.get(number)
    if call is None:
        return number.to_bytes(4, "big")
    signature = call.request.encode()
    handle = session.to_bytes(8, "big") if call.request.startswith("u") else b""
    return number.to_bytes(4, "big") + len(signature).to_bytes(4, "big") + signature + handle
