# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""virtual_smartcard_pin, _key, _certificate and _request as a playbook runs them."""

from __future__ import annotations

import base64
import datetime
import json
import subprocess

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._escrow import unseal
from ansible_collections.hardbound.identity.tests.support.tasks import ADMIN_KEY
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PIN, PUK = "pin-4711", "puk-0815"
NEW, THIRD, NEW_PUK = "pin-1234", "pin-9999", "puk-1234"
KEY = [{"slot": "authentication", "algorithm": "ecc_p256"}]


def record(ansible):
    return json.loads((ansible.store / "cards/0000.json").read_text())


def tries(ansible):
    [found] = ansible.run(ansible.info())
    [card] = found["cards"]
    return card["pin_tries_left"], card["puk_tries_left"]


def key_pair(ansible):
    """PEMs of a recipient."""
    private, public = ansible.recipient()
    return private.read_text(), public


def refuses(ansible, module, *cases):
    """Each task fails with its message, and the card stays as it is."""
    before = record(ansible)
    results = ansible.run(*(ansible.part(module, **arguments) for arguments, _unused in cases))
    for refused, (_unused, message) in zip(results, cases):
        assert refused.get("failed") and message in refused["msg"], refused
    assert "Traceback" not in ansible.output
    assert record(ansible) == before


@pytest.fixture
def card(ansible):
    [made] = ansible.run(ansible.card(pin=PIN, puk=PUK, keys=KEY))
    assert made["changed"], made
    return made["card"]


class TestPin:
    def test_a_change_in_four_steps(self, ansible, card):
        """Check mode tells the truth, the second run changes nothing, and none of it costs a try."""
        change = {"pin": PIN, "new_pin": NEW}
        planned, made, again, planned_again = ansible.run(
            ansible.part("pin", check=True, **change),
            ansible.part("pin", **change),
            ansible.part("pin", **change),
            ansible.part("pin", check=True, **change),
        )
        assert [each["changed"] for each in (planned, made, again, planned_again)] == [True, True, False, False]
        assert planned["diff"] == made["diff"] and made["diff"]["before"]["pin"] == "the present one"
        assert [each["pin_tries_left"] for each in (planned, made, again, planned_again)] == [5, 5, 5, 5]

    def test_a_new_playbook_with_the_next_pin(self, ansible, card):
        _unused, second, again, foreign = ansible.run(
            ansible.part("pin", pin=PIN, new_pin=NEW),
            ansible.part("pin", pin=NEW, new_pin=THIRD),
            ansible.part("pin", pin=NEW, new_pin=THIRD),
            ansible.part("key", slot="signature", pin=THIRD),
        )
        assert second["changed"] and not again["changed"] and foreign["changed"]
        assert tries(ansible) == (5, 5)

    def test_secrets_that_are_all_wrong_never_block_the_card(self, ansible, card):
        """Run every night, such a task leaves the last try to the holder."""
        results = ansible.run(*[ansible.part("pin", pin="wrong-00", new_pin="wrong-11") for _unused in range(4)])
        assert all(each["failed"] for each in results)
        assert "pin is wrong, and has 3 tries left" in results[0]["msg"]
        assert "pin may be wrong, and the card's PIN has one try left" in results[-1]["msg"]
        assert tries(ansible) == (1, 5)
        [made] = ansible.run(ansible.part("pin", puk=PUK, new_pin=NEW))
        assert made["changed"] and made["pin_tries_left"] == 5

    def test_the_puk_sets_a_pin(self, ansible, card):
        unblock = {"puk": PUK, "new_pin": NEW}
        planned, made, again, wrong = ansible.run(
            ansible.part("pin", check=True, **unblock),
            ansible.part("pin", **unblock),
            ansible.part("pin", **unblock),
            ansible.part("pin", puk="puk-9999", new_pin=THIRD),
        )
        assert [each["changed"] for each in (planned, made, again)] == [True, True, False]
        assert "puk is wrong, and has 4 tries left" in wrong["msg"]

    def test_pin_and_puk_at_once(self, ansible, card):
        both = {"pin": PIN, "new_pin": NEW, "puk": PUK, "new_puk": NEW_PUK}
        made, again, back = ansible.run(
            ansible.part("pin", **both),
            ansible.part("pin", **both),
            ansible.part("pin", puk=NEW_PUK, new_puk=PUK),
        )
        assert [each["changed"] for each in (made, again, back)] == [True, False, True]
        assert tries(ansible) == (5, 5)

    def test_one_bit_is_kept_and_no_more(self, ansible, card):
        ansible.run(ansible.part("pin", pin=PIN, new_pin=NEW))
        kept = record(ansible)["telltales"]
        assert set(kept) == {"PIN"} and kept["PIN"]["bit"] in (0, 1)
        assert set(kept["PIN"]) == {"nonce", "bit"}

    def test_a_random_pin_with_the_puk(self, ansible, card):
        """Each run sets another one; only the recipient learns it, and the holder has to change it."""
        private, public = key_pair(ansible)
        reset = {"puk": PUK, "new_pin": "random", "pin_escrow_key": public, "must_change": True}
        planned, first, second = ansible.run(
            ansible.part("pin", check=True, **reset), ansible.part("pin", **reset), ansible.part("pin", **reset)
        )
        assert [each["changed"] for each in (planned, first, second)] == [True] * 3 and planned["pin_escrow"] is None
        pins = [unseal(each["pin_escrow"], private).decode() for each in (first, second)]
        assert pins[0] != pins[1] and all(len(pin) == 8 for pin in pins) and second["pin_must_change"]
        made, again = ansible.run(
            ansible.part("pin", pin=pins[1], new_pin="random", pin_escrow_key=public),
            ansible.part("pin", pin=pins[1], new_pin="random", pin_escrow_key=public),
        )
        assert made["changed"] and not made["pin_must_change"]
        assert "pin is not the card's" in again["msg"] and "no try was spent" in again["msg"]
        assert tries(ansible) == (5, 5)
        contents = [path.read_bytes() for path in ansible.store.rglob("*") if path.is_file()]
        for pin in (*pins, unseal(made["pin_escrow"], private).decode()):
            assert not any(pin.encode() in content for content in contents)

    def test_bad_input(self, ansible, card):
        refuses(
            ansible,
            "pin",
            (
                {"pin": PIN, "new_pin": "random"},
                "pin_escrow_key is missing, and new_pin is random: give the public key",
            ),
            ({"pin": PIN, "new_pin": NEW, "pin_escrow_key": "x"}, "pin_escrow_key is given, but new_pin is not random"),
            ({"puk": PUK, "new_puk": NEW_PUK, "must_change": True}, "must_change is given without new_pin"),
            ({"puk": PUK, "new_puk": NEW_PUK, "admin_key": ADMIN_KEY}, "admin_key is given without new_pin"),
            ({"admin_key": ADMIN_KEY, "new_pin": NEW}, "admin_key is given, but nobody knows one of the card 'card'"),
            ({"new_pin": NEW}, "new_pin comes without pin, puk and admin_key: give the present PIN"),
            ({"new_puk": NEW_PUK}, "new_puk comes without puk"),
            ({"pin": PIN, "new_pin": "4-to"}, "new_pin is shorter than the 8 characters"),
            ({"puk": PUK, "new_puk": "4-to"}, "new_puk does not have 8 printable ASCII characters"),
            ({"pin": PIN}, "one of the following is required: new_pin, new_puk"),
            ({"name": "other", "pin": PIN, "new_pin": NEW}, "there is no card named 'other'"),
            ({"name": None, "instance_id": "0", "pin": PIN, "new_pin": NEW}, "instance_id is '0'"),
        )
        assert tries(ansible) == (5, 5)

    def test_secrets_go_nowhere(self, ansible, card):
        ansible.run(ansible.part("pin", pin=PIN, new_pin=NEW, puk=PUK, new_puk=NEW_PUK))
        (ansible.folder / "playbook.yml").unlink()
        contents = [path.read_bytes() for path in ansible.folder.rglob("*") if path.is_file()]
        for secret in (PIN, NEW, PUK, NEW_PUK):
            raw = secret.encode()
            for form in (raw, raw.hex().encode(), base64.b64encode(raw)):
                assert form not in ansible.output.encode()
                assert not any(form in content for content in contents)


class TestAdminKey:
    @pytest.fixture
    def card(self, ansible):
        [made] = ansible.run(ansible.card(pin=PIN, keys=KEY, admin_key=ADMIN_KEY))
        assert made["changed"], made

    def test_it_sets_a_pin(self, ansible, card):
        """Of a card that is blocked too; a second run changes nothing, and the keys stay usable."""
        reset = {"admin_key": ADMIN_KEY, "new_pin": NEW}
        ansible.run(*[ansible.part("key", slot="signature", pin="wrong-00") for _unused in range(5)])
        assert tries(ansible) == (0, None)
        before = record(ansible)
        planned, made, again, used = ansible.run(
            ansible.part("pin", check=True, **reset),
            ansible.part("pin", **reset),
            ansible.part("pin", **reset),
            ansible.part("key", slot="signature", pin=NEW),
        )
        assert [each["changed"] for each in (planned, made, again, used)] == [True, True, False, True]
        assert planned["diff"] == made["diff"] and made["pin_tries_left"] == 5
        assert before["administration"] != record(ansible)["administration"]
        assert ADMIN_KEY not in ansible.output and tries(ansible) == (5, None)

    def test_what_it_does_not(self, ansible, card):
        refuses(
            ansible,
            "pin",
            (
                {"admin_key": ADMIN_KEY[:-1] + "8", "new_pin": NEW},
                "admin_key is not that of the card 'card': give",
            ),
            ({"admin_key": ADMIN_KEY[:-1], "new_pin": NEW}, "admin_key has 47 characters that are no key for 3des"),
            ({"admin_key": "default", "new_pin": NEW}, "admin_key is not that of the card"),
            ({"admin_key": ADMIN_KEY, "new_pin": "4-to"}, "new_pin is shorter"),
        )
        assert tries(ansible) == (5, None) and ADMIN_KEY[:40] not in ansible.output

    def test_a_card_with_a_puk_does_not_obey_it(self, ansible):
        [made] = ansible.run(ansible.card(pin=PIN, puk=PUK, admin_key=ADMIN_KEY))
        assert made["changed"]
        wanted = ({"admin_key": ADMIN_KEY, "new_pin": NEW}, "admin_key sets no PIN on the card 'card', which has a PUK")
        refuses(ansible, "pin", wanted)


class TestKey:
    def test_made_and_removed(self, ansible, card):
        key = {"slot": "signature", "algorithm": "rsa_2048"}
        planned, made, again, gone, gone_again = ansible.run(
            ansible.part("key", check=True, pin=PIN, **key),
            ansible.part("key", pin=PIN, **key),
            ansible.part("key", **key),
            ansible.part("key", slot="signature", state="absent"),
            ansible.part("key", slot="signature", state="absent"),
        )
        changed = [each["changed"] for each in (planned, made, again, gone, gone_again)]
        assert changed == [True, True, False, True, False]
        assert planned["key"] is None and gone["key"] is None and again["key"] == made["key"]
        assert made["key"]["certificate"].startswith("-----BEGIN CERTIFICATE")
        assert made["diff"]["after"] == {"signature": "rsa_2048"}
        assert set(record(ansible)["keys"]) == set(record(ansible)["certificates"]) == {str(0x9A)}

    def test_card_authentication_takes_no_pin(self, ansible, card):
        [made] = ansible.run(ansible.part("key", slot="card_authentication"))
        assert made["changed"] and made["key"]["pin"] == "never"

    def test_bad_input(self, ansible, card):
        refuses(
            ansible,
            "key",
            ({"slot": "signature"}, "pin is missing, and a new key needs it"),
            ({"slot": "signature", "pin": "wrong-00"}, "pin is wrong, and has 4 tries left"),
            ({"slot": "f9"}, "slot is 'f9', which is no slot"),
            ({"slot": "authentication", "algorithm": "rsa_2048"}, "holds a key of ecc_p256"),
            ({"slot": "signature", "algorithm": "rsa_4096", "pin": PIN}, "algorithm asks for rsa_4096"),
        )


class Authority:
    """A CA outside of the collection."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Outside CA")])

    def issue(self, request):
        start = datetime.datetime(2026, 1, 1)
        builder = x509.CertificateBuilder(self._name, request.subject, request.public_key(), 17, start)
        builder = builder.not_valid_after(start.replace(year=2046))
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


class TestRequestAndCertificate:
    def test_from_the_request_to_the_certificate(self, ansible, card):
        path = ansible.folder / "alice.csr"
        wanted = {
            "slot": "authentication",
            "subject": {"CN": "alice", "OU": ["Sales", "Japan"], "O": "Corp"},
            "subject_alt_name": ["upn:alice@corp.example", "email:alice@corp.example"],
            "path": str(path),
        }
        [planned] = ansible.run(ansible.part("request", check=True, pin=PIN, **wanted))
        assert planned["changed"] and planned["csr"] is None and not path.exists()
        made, again, other = ansible.run(
            ansible.part("request", pin=PIN, **wanted),
            ansible.part("request", **wanted),
            ansible.part("request", check=True, pin=PIN, **{**wanted, "subject": {"CN": "bob"}}),
        )
        assert [each["changed"] for each in (made, again, other)] == [True, False, True]
        assert again["csr"] == made["csr"] == path.read_text()
        request = x509.load_pem_x509_csr(made["csr"].encode())
        assert request.is_signature_valid
        assert request.subject.rfc4514_string() == "O=Corp,OU=Japan,OU=Sales,CN=alice"
        openssl = ["openssl", "req", "-in", str(path), "-verify", "-noout", "-text"]
        shown = subprocess.run(openssl, capture_output=True, text=True, check=True)
        assert "verify OK" in shown.stdout + shown.stderr and "UPN" in shown.stdout, shown.stdout

        issued = Authority().issue(request)
        store = {"slot": "authentication", "certificate": issued}
        planned, stored, again, gone, gone_again = ansible.run(
            ansible.part("certificate", check=True, **store),
            ansible.part("certificate", **store),
            ansible.part("certificate", **store),
            ansible.part("certificate", slot="authentication", state="absent"),
            ansible.part("certificate", slot="authentication", state="absent"),
        )
        changed = [each["changed"] for each in (planned, stored, again, gone, gone_again)]
        assert changed == [True, True, False, True, False]
        assert stored["certificate"]["pem"].split() == issued.split()
        assert stored["certificate"]["issuer"] == "CN=Outside CA"
        assert stored["certificate"]["not_after"] == "2046-01-01T00:00:00Z"
        assert planned["certificate"]["issuer"] != "CN=Outside CA"
        assert gone["certificate"] is None and str(0x9A) in record(ansible)["keys"]

    def test_a_request_by_an_rsa_key_that_always_asks(self, ansible, card):
        _unused, made = ansible.run(
            ansible.part("key", slot="signature", algorithm="rsa_2048", pin=PIN),
            ansible.part("request", slot="signature", subject={"CN": "alice"}, path=f"{ansible.folder}/r", pin=PIN),
        )
        assert x509.load_pem_x509_csr(made["csr"].encode()).is_signature_valid

    def test_a_certificate_for_another_key(self, ansible, card):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mallory")])
        builder = x509.CertificateSigningRequestBuilder().subject_name(name)
        foreign = Authority().issue(builder.sign(key, hashes.SHA256()))
        own = card["slots"][0]["certificate"]
        refuses(
            ansible,
            "certificate",
            ({"slot": "authentication", "certificate": foreign}, "is for another key than the one in slot"),
            ({"slot": "signature", "certificate": own}, "slot is signature, which holds no key"),
            ({"slot": "authentication", "certificate": own + own}, "does not hold exactly one certificate"),
            ({"slot": "authentication", "certificate": "no PEM"}, "does not hold exactly one certificate"),
            ({"slot": "authentication", "certificate": own.replace("M", "-")}, "certificate can't be read"),
            ({"slot": "authentication"}, "state is present but all of the following are missing: certificate"),
        )

    def test_bad_requests(self, ansible, card):
        precious = ansible.folder / "precious"
        precious.write_text("not to be lost")
        defaults = {"slot": "authentication", "subject": {"CN": "alice"}, "path": f"{ansible.folder}/r", "pin": PIN}
        cases = [
            ({"slot": "signature"}, "slot is signature, which holds no key"),
            ({"subject": {"XX": "alice"}}, "subject has the attribute 'XX', which is not known"),
            ({"subject": {}}, "subject is empty"),
            ({"subject": {"C": "Japan"}}, "subject.C is 'Japan'"),
            ({"subject_alt_name": ["alice"]}, "subject_alt_name[0] is 'alice', which is no known kind of name"),
            ({"subject_alt_name": ["ip:1.2.3"]}, "subject_alt_name[0] is 'ip:1.2.3'"),
            ({"path": "/no/such/folder/r"}, "whose folder does not exist"),
            ({"path": str(precious)}, "holds no certification request"),
            ({"pin": "{{ omit }}"}, "pin is missing, and a new request needs it"),
        ]
        refuses(ansible, "request", *(({**defaults, **changes}, message) for changes, message in cases))
        assert precious.read_text() == "not to be lost" and not (ansible.folder / "r").exists()
