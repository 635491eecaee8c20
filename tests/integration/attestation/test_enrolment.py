# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two visits to a real TPM: what it shows is believed, what it says under false pretences is not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.errors import WrongSecret
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import PinUse
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import KeyRecord
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.attest import Attest, CreationInfo
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.challenge import Challenge
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.evidence import Statement
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import Public
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import TpmError
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.bundle import (
    judge_content,
    verify_and_keep,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.ek import TrustPolicy
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.finding import Code, Report
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.pending import PendingChallenge
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.request import (
    new_nonce,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.trust import (
    Anchor,
    Trust,
    parse_certificates,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.verifier import verify
from ansible_collections.hardbound.identity.tests.integration.attestation.bench import (
    HOST,
    NAME,
    Bench,
    now,
)
from ansible_collections.hardbound.identity.tests.support.remembered import Remembered
from cryptography.hazmat.primitives.asymmetric import ec
from tpm2_pytss import TSS2_Exception

pytestmark = pytest.mark.tpm


@pytest.fixture(scope="module")
def bench(tmp_path_factory, swtpm, maker):
    bench = Bench(tmp_path_factory.mktemp("store"), swtpm, maker)
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def other(tmp_path_factory, other_swtpm, maker):
    bench = Bench(tmp_path_factory.mktemp("store"), other_swtpm, maker)
    yield bench
    bench.close()


@pytest.mark.parametrize("title", ["L-1", "H-3"])
def test_both_visits(bench, title):
    verdict = bench.judge(bench.show(title))
    assert verdict.findings == ()
    assert verdict.ek.tpm.manufacturer == "ID:00001014" and set(verdict.cards[NAME].keys) == {
        "authentication",
        "signature",
        "retired_1",
        "key_management",
        "card_authentication",
    }
    assert verdict.cards[NAME].keys["authentication"].spki == bench.record.keys[0x9A].public
    pending = PendingChallenge(verdict.ek.public, verdict.cards[NAME].ak, HOST, NAME, b"certificates", now())
    challenge = Challenge.parse(json.loads(json.dumps(pending.challenge.document())))
    with bench.tpm.taken():
        payload, answer = bench.host.open(title, bench.ak, challenge)
    report = Report()
    assert payload == b"certificates" and pending.accept(HOST, NAME, answer, now(), report) and not report.findings


def test_the_bundle_holds_a_real_tpms_evidence(bench):
    document = bench.show().document()
    _unused, content = verify_and_keep(document, bench.request(), bench.policy(), Remembered(), now())
    again, answered = judge_content(json.loads(json.dumps({**content, "answers": []})), bench.policy().trust)
    assert again.findings == () and not answered


def test_the_root_of_a_software_tpm_is_trusted_only_where_it_is_named(bench):
    nobody = TrustPolicy(Trust((), source="nothing"))
    verdict = verify(bench.show().document(), bench.request(), nobody, Remembered(), now())
    assert {finding.code for finding in verdict.findings} == {Code.EK_CHAIN_UNTRUSTED}


def test_the_root_is_reached_over_the_intermediate(bench):
    (root,) = parse_certificates(bench.maker.root.read_bytes())
    trust = Trust([Anchor(root.subject, root.spki)], parse_certificates(bench.maker.anchors.read_bytes()))
    verdict = verify(bench.show().document(), bench.request(), TrustPolicy(trust), Remembered(), now())
    assert verdict.findings == () and len(verdict.ek.path.certificates) == 2


def test_the_ek_certificate_of_another_tpm(bench, other):
    evidence = bench.show()
    stolen = replace(evidence, certificates=other.show().certificates)
    assert bench.codes(stolen) == {Code.EK_KEY_MISMATCH}


def test_a_stolen_challenge_opens_nowhere_else(bench, other):
    verdict = bench.judge(bench.show())
    pending = PendingChallenge(verdict.ek.public, verdict.cards[NAME].ak, HOST, NAME, b"certificates", now())
    with other.tpm.taken(), pytest.raises(TpmError):
        other.host.open("H-3", other.ak, pending.challenge)


def test_a_challenge_opens_for_no_other_ak_of_the_same_tpm(bench):
    verdict = bench.judge(bench.show())
    pending = PendingChallenge(verdict.ek.public, verdict.cards[NAME].ak, HOST, NAME, b"certificates", now())
    with bench.tpm.taken(), pytest.raises(TpmError):
        bench.host.open("H-3", bench.host.make_ak(), pending.challenge)


def test_one_ek_for_two_hosts(bench):
    evidence = bench.show()
    known = Remembered(eks={"ws-001": bench.judge(evidence).ek.fingerprint})
    assert bench.codes(evidence, known=known) == {Code.EK_SERVES_OTHER_HOST}


def test_replayed_evidence(bench):
    evidence = bench.show()
    assert bench.codes(evidence, bench.request(nonce=new_nonce())) == {Code.NONCE_MISMATCH}


def test_a_card_with_other_tries_than_the_inventory_says(bench):
    assert bench.codes(bench.show(), bench.request(pin_retries=3)) == {Code.PIN_RETRIES}
    assert bench.codes(bench.show(), bench.request(puk_retries=9)) == {Code.PUK_RETRIES}


def test_spent_tries_do_not_count_against_a_card(bench):
    with pytest.raises(WrongSecret):
        bench.card.verify(b"000000")
    try:
        assert bench.codes(bench.show()) == set()
    finally:
        bench.card.verify(b"123456")


def test_a_key_that_opens_with_a_password_too(bench):
    with bench.tpm.taken():
        blob, creation = bench.host.make_key_with_password(bench.card)
    public = Public.parse(blob.public[2:]).spki()
    key = KeyRecord(KeyAlgorithm.ECC_P256, PinUse.ONCE, blob, public, creation)
    lying = replace(bench.record, keys={**bench.record.keys, 0x9A: key})
    assert bench.codes(bench.show(record=lying)) == {Code.KEY_ATTRIBUTES}


def test_an_unrestricted_ak_signs_anything_and_is_refused(bench):
    """It can claim that a key of software is in the TPM; a restricted one can't."""
    with bench.tpm.taken():
        free = bench.host.make_ak(restricted=False)
    honest = bench.show(ak=free)
    key = honest.cards[0].keys[0]
    attest = Attest.parse(key.creation.attest)
    forged = replace(attest, attested=CreationInfo(bytes(34), attest.attested.creation_hash)).marshal()
    with bench.tpm.taken():
        signature = bench.host.sign_outside_data(free, forged)
        with pytest.raises(TSS2_Exception):
            bench.host.sign_outside_data(bench.ak, forged)
    keys = (replace(key, creation=Statement(forged, signature)), *honest.cards[0].keys[1:])
    lying = replace(honest, cards=(replace(honest.cards[0], keys=keys),))
    assert bench.codes(honest) == {Code.AK_ATTRIBUTES}
    assert bench.codes(lying) == {Code.AK_ATTRIBUTES, Code.KEY_NAME_MISMATCH}


def test_a_key_made_outside_the_tpm(bench):
    """The TPM certifies no creation of it, so the host shows the statement of another key."""
    evidence = bench.show()
    key = evidence.cards[0].keys[0]
    public = Public.parse(key.public)
    curve = public.area.curve
    point = ec.generate_private_key(curve.elliptic).public_key().public_numbers()
    x, y = (number.to_bytes(curve.size, "big") for number in (point.x, point.y))
    area = replace(public.area, x=x, y=y)
    keys = (replace(key, public=replace(public, area=area).marshal()), *evidence.cards[0].keys[1:])
    lying = replace(evidence, cards=(replace(evidence.cards[0], keys=keys),))
    assert bench.codes(lying) == {Code.KEY_NAME_MISMATCH}


def test_a_pin_index_that_was_never_written(bench):
    """Whoever redefines the index can't write it: what it is called then is not what the key's policy names."""
    evidence = bench.show()
    pin = evidence.cards[0].indices["pin"]
    unwritten = replace(pin, public=pin.public[:6] + bytes([pin.public[6] & ~0x20]) + pin.public[7:])
    lying = replace(
        evidence, cards=(replace(evidence.cards[0], indices={**evidence.cards[0].indices, "pin": unwritten}),)
    )
    assert bench.codes(lying) == {Code.PIN_INDEX, Code.INDEX_NAME_MISMATCH}
