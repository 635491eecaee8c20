# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""For each check a host in which only that check fails."""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import replace

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.key import PinUse
from ansible_collections.hardbound.identity.plugins.module_utils._card.model import Role, counter_data
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import der
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.algorithm import Algorithm, Curve
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.attest import CertifyInfo, CreationInfo
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.creation import CreationData
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.ek_template import TEMPLATES
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.nv_public import NvPublic
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.policy import PolicyAuthValue, policy_digest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import (
    KeyedHashArea,
    ObjectAttribute,
    Scheme,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.finding import Code
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.genesis import RH_NULL
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.revocation import RevocationPolicy
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.verifier import Verdict, verify
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import Assurance
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.pins import NAMES, CardPins, KnownCard
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.replacement import Replacement
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.forge import (
    DAY,
    NOW,
    A,
    Authority,
    ForgedCard,
    ForgedHost,
    ForgedIndex,
    ForgedKey,
)
from ansible_collections.hardbound.identity.tests.support.remembered import Remembered
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

LIST = "http://crl.maker.example/root.crl"


class Case:
    """One lie: how the host, the request, the policy and what is known differ from what would be accepted."""

    def __init__(self) -> None:
        self.host = ForgedHost()
        self.known = Remembered()
        self.request: t.Callable[[t.Any], t.Any] = lambda request: request
        self.policy: t.Callable[[t.Any], t.Any] = lambda policy: policy
        self.evidence: t.Callable[[t.Any], t.Any] = lambda evidence: evidence
        self.document: t.Callable[[t.Any], t.Any] = lambda document: document

    @property
    def card(self):
        return self.host.card

    @property
    def key(self) -> ForgedKey:
        return self.card.keys[0]

    def verify(self) -> Verdict:
        document = self.document(self.evidence(self.host.evidence()).document())
        request, policy = self.request(self.host.request()), self.policy(self.host.policy())
        return verify(document, request, policy, self.known, NOW)

    def with_card(self, **values: t.Any) -> None:
        """Changes fields of the card's evidence after it was made."""
        self.evidence = lambda evidence: replace(evidence, cards=(replace(evidence.cards[0], **values),))

    def asked(self, **values: t.Any) -> None:
        self.request = lambda request: replace(request, cards=(replace(request.cards[0], **values),))

    def authorities(self, *titles: str, **changes: t.Any) -> t.List[Authority]:
        """A chain whose last authority differs."""
        chain: t.List[Authority] = []
        for title in titles:
            more = changes if title == titles[-1] else {}
            chain.append(Authority(title, chain[-1] if chain else None, **more))
        self.host.authorities = chain
        return chain


CASES: t.List[t.Tuple[Code, t.Callable[[Case], None]]] = []


def lie(code: Code) -> t.Callable[[t.Callable[[Case], None]], t.Callable[[Case], None]]:
    def register(tell: t.Callable[[Case], None]) -> t.Callable[[Case], None]:
        CASES.append((code, tell))
        return tell

    return register


def test_the_truth_is_accepted():
    case = Case()
    verdict = case.verify()
    assert verdict.findings == () and verdict.accepted and verdict.accepts(case.card.name)
    assert verdict.ek.tpm.manufacturer == "LAB"
    assert verdict.cards[case.card.name].keys["authentication"].assurance is Assurance.FIXED


def test_the_truth_about_a_key_on_the_largest_curve_is_accepted():
    case = Case()
    case.key.private, case.key.algorithm = forge.ecc_key(Curve.NIST_P521), KeyAlgorithm.ECC_P521
    assert case.verify().findings == ()


def test_the_truth_with_rsa_is_accepted():
    case = Case()
    case.host.ek_key, case.host.ek_template = forge.rsa_key(0), TEMPLATES[0]
    case.host.ek_certificate.key_usage = forge.usage("key_encipherment")
    case.card.ak_key, case.card.ak_scheme = forge.rsa_key(1), Scheme(Algorithm.RSASSA, Algorithm.SHA256)
    case.key.private, case.key.algorithm = forge.rsa_key(2), KeyAlgorithm.RSA_2048
    assert case.verify().findings == ()


def test_the_truth_with_a_puk_is_accepted():
    case = Case()
    case.host = ForgedHost(puk=True)
    assert case.verify().findings == ()


def test_a_key_that_never_asks_is_accepted_where_the_inventory_says_so():
    case = Case()
    case.key.slot, case.key.pin = "card_authentication", PinUse.NEVER
    assert case.verify().findings == ()


# 0: the document


@lie(Code.EVIDENCE_MALFORMED)
def a_field_is_missing(case):
    case.document = lambda document: {name: value for name, value in document.items() if name != "ek"}


@lie(Code.EVIDENCE_MALFORMED)
def another_version(case):
    case.document = lambda document: {**document, "version": 3}


@lie(Code.EVIDENCE_MALFORMED)
def no_document(case):
    case.document = lambda document: None


@lie(Code.EVIDENCE_INCOMPLETE)
def a_card_is_withheld(case):
    case.evidence = lambda evidence: replace(evidence, cards=())


@lie(Code.EVIDENCE_INCOMPLETE)
def a_key_is_withheld(case):
    case.with_card(keys=())


@lie(Code.EVIDENCE_INCOMPLETE)
def the_pin_index_is_withheld(case):
    case.with_card(indices={"policy": case.card.show_index(Role.POLICY)})


@lie(Code.EVIDENCE_SURPLUS)
def a_card_too_many(case):
    case.request = lambda request: replace(request, cards=())


@lie(Code.EVIDENCE_SURPLUS)
def a_key_too_many(case):
    case.asked(keys=())


@lie(Code.EVIDENCE_SURPLUS)
def a_key_twice(case):
    case.with_card(keys=(case.card.show_key(case.key),) * 2)


# 1: the path


@lie(Code.EK_CHAIN_UNTRUSTED)
def a_maker_that_nobody_named(case):
    stranger = ForgedHost(authorities=[Authority("Another root CA")])
    case.policy = lambda policy: stranger.policy()


@lie(Code.EK_CHAIN_UNTRUSTED)
def the_intermediate_is_missing(case):
    case.evidence = lambda evidence: replace(evidence, certificates=evidence.certificates[:1])


@lie(Code.EK_CHAIN_UNTRUSTED)
def an_intermediate_that_did_not_sign(case):
    root = case.host.authorities[0]
    pretender = Authority("Intermediate CA", root)
    case.evidence = lambda evidence: replace(
        evidence, certificates=(evidence.certificates[0], forge.der(pretender.certificate))
    )


ATTRIBUTE = bytes.fromhex("300c060355040a0c05") + b"Maker"
NO_ATTRIBUTE = {
    "empty": bytes.fromhex("3000060355040a0c05") + b"Maker",
    "one member": bytes.fromhex("300c040a060355040a0c034d"),
    "three members": bytes.fromhex("300c060355040a0c034d616b0500"),
    "a long identifier": bytes.fromhex("300c060affffffffffffffffffff"),
}


@pytest.mark.parametrize("of", ["what was sent", "the EK's issuer"])
@pytest.mark.parametrize("name", NO_ATTRIBUTE)
def test_a_name_that_is_none_helps_nobody_and_harms_nobody(name, of):
    """Anybody can send such a certificate: nobody has to have signed it."""
    case = Case()
    malformed = NO_ATTRIBUTE[name].ljust(len(ATTRIBUTE), b"\0")[: len(ATTRIBUTE)]

    def changed(evidence):
        leaf, issuer = evidence.certificates
        assert ATTRIBUTE in issuer and ATTRIBUTE in leaf
        if of == "what was sent":
            return replace(evidence, certificates=(leaf, issuer.replace(ATTRIBUTE, malformed)))
        return replace(evidence, certificates=(leaf.replace(ATTRIBUTE, malformed, 1), issuer))

    case.evidence = changed
    verdict = case.verify()
    assert {each.code for each in verdict.findings} <= {Code.EK_CHAIN_UNTRUSTED, Code.EK_CERTIFICATE_MALFORMED}
    assert verdict.findings and not verdict.accepted


@pytest.mark.parametrize("length", [b"\x80" + bytes(2000), b"\x7f" + bytes(2000), b"\xff", b"\x01\x00"], ids=len)
def test_a_path_length_that_is_none(length):
    """A CA of the host's own says something that Python does not write as a number."""
    case = Case()
    _root, own = case.authorities("Root CA", "Intermediate CA")
    own.constraints = x509.UnrecognizedExtension(
        x509.BasicConstraints.oid, der.sequence(b"\x01\x01\xff", der.integer(1)[:1] + _length(length) + length)
    )
    assert {each.code for each in case.verify().findings} == {Code.EK_CHAIN_NOT_CA}


def _length(value):
    return der.octets(value)[1 : -len(value)]


@lie(Code.EK_CHAIN_SIGNATURE)
def a_maker_that_calls_itself_like_a_trusted_one(case):
    policy = ForgedHost(authorities=[Authority("Root CA")]).policy()
    case.host.authorities = [Authority("Root CA")]
    case.policy = lambda _unused: policy


@lie(Code.EK_CHAIN_SIGNATURE)
def a_sha1_signature(case):
    case.host.authorities = case.host.authorities[:1]
    sha1 = "300906072a8648ce3d0401"  # ecdsa-with-SHA1
    case.evidence = lambda evidence: replace(
        evidence, certificates=(_with_algorithm(evidence.certificates[0], bytes.fromhex(sha1)),)
    )


def _with_algorithm(certificate: bytes, algorithm: bytes) -> bytes:
    """ECDSA with SHA-256 and with SHA-1 are written in as many bytes but one."""
    sha256 = bytes.fromhex("300a06082a8648ce3d040302")
    parsed = x509.load_der_x509_certificate(certificate)
    body = parsed.tbs_certificate_bytes
    inner = body[4:].replace(sha256, algorithm, 1)
    return der.sequence(der.sequence(inner), algorithm, der.bits(parsed.signature))


@lie(Code.EK_CHAIN_EXPIRED)
def an_ek_certificate_that_has_ended(case):
    case.host.ek_certificate.not_before, case.host.ek_certificate.not_after = NOW - 9 * DAY, NOW - DAY


@lie(Code.EK_CHAIN_EXPIRED)
def an_intermediate_that_has_ended(case):
    case.authorities("Root CA", "Intermediate CA", not_after=NOW - DAY)


@lie(Code.EK_CHAIN_NOT_YET_VALID)
def an_ek_certificate_that_begins_tomorrow(case):
    case.host.ek_certificate.not_before = NOW + DAY


@lie(Code.EK_CHAIN_NOT_CA)
def an_issuer_without_basic_constraints(case):
    case.authorities("Root CA", "Intermediate CA", constraints=None)


@lie(Code.EK_CHAIN_NOT_CA)
def a_leaf_that_issues(case):
    case.authorities("Root CA", "A leaf", constraints=x509.BasicConstraints(ca=False, path_length=None))


@lie(Code.EK_CHAIN_PATH_LENGTH)
def one_ca_too_many(case):
    _unused, first, _unused = case.authorities("Root CA", "Intermediate CA", "Another CA")
    first.constraints = x509.BasicConstraints(ca=True, path_length=0)


@lie(Code.EK_CHAIN_KEY_USAGE)
def an_issuer_that_may_not_sign(case):
    case.authorities("Root CA", "Intermediate CA", key_usage=forge.usage("digital_signature"))


@lie(Code.EK_CHAIN_EXTENSION)
def a_critical_extension_that_nobody_understands(case):
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    case.host.ek_certificate.more.append((unknown, True))


# 2: the EK certificate


@lie(Code.EK_CERTIFICATE_MISSING)
def no_certificate(case):
    case.evidence = lambda evidence: replace(evidence, certificates=())


@lie(Code.EK_CERTIFICATE_MALFORMED)
def a_cut_certificate(case):
    case.evidence = lambda evidence: replace(evidence, certificates=(evidence.certificates[0][:-1],))


@lie(Code.EK_CERTIFICATE_VERSION)
def version_2(case):
    root = case.host.authorities[0]
    case.host.authorities = [root]
    case.evidence = lambda evidence: replace(evidence, certificates=(_as_version_2(evidence.certificates[0], root),))


def _as_version_2(certificate: bytes, authority: Authority) -> bytes:
    body = x509.load_der_x509_certificate(certificate).tbs_certificate_bytes.replace(
        b"\x02\x01\x02", b"\x02\x01\x01", 1
    )
    signature = authority.key.sign(body, ec.ECDSA(hashes.SHA256()))
    return der.sequence(body, bytes.fromhex("300a06082a8648ce3d040302"), der.bits(signature))


@lie(Code.EK_CERTIFICATE_CA)
def a_ca_as_ek(case):
    case.host.ek_certificate.constraints = x509.BasicConstraints(ca=True, path_length=None)


@lie(Code.EK_CERTIFICATE_KEY_USAGE)
def a_signing_certificate(case):
    case.host.ek_certificate.key_usage = forge.usage("digital_signature")


@lie(Code.EK_CERTIFICATE_KEY_USAGE)
def no_key_usage(case):
    case.host.ek_certificate.key_usage = None


@lie(Code.EK_CERTIFICATE_KEY_USAGE)
def an_elliptic_key_for_encipherment(case):
    """As in some real ECC certificates."""
    case.host.ek_certificate.key_usage = forge.usage("key_encipherment")


@lie(Code.EK_CERTIFICATE_PURPOSE)
def a_certificate_for_web_servers(case):
    case.host.ek_certificate.purposes = [x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")]


@lie(Code.EK_CERTIFICATE_NAME)
def no_tpm_named(case):
    case.host.ek_certificate.tpm = None


@lie(Code.EK_CERTIFICATE_NAME)
def a_model_without_a_name(case):
    attributes = [*forge.tpm_name()]
    attributes[1] = x509.NameAttribute(attributes[1].oid, "", _validate=False)
    case.host.ek_certificate.tpm = x509.Name(attributes)


@lie(Code.EK_CERTIFICATE_NAME)
def two_manufacturers(case):
    case.host.ek_certificate.tpm = x509.Name([*forge.tpm_name(), *forge.tpm_name()])


@lie(Code.EK_CERTIFICATE_NAME)
def neither_subject_nor_critical_alternative(case):
    case.host.ek_certificate.san_critical = False


def test_the_rule_is_named_that_a_real_certificate_does_not_keep():
    case = Case()
    case.host.ek_certificate.key_usage, case.host.ek_certificate.tpm = forge.usage("key_encipherment"), None
    usage, name = case.verify().findings
    assert "is not keyAgreement, which the TCG's profile has for an ECC key" in usage.sentence
    assert "no subject alternative name, where the TCG's profile has manufacturer, model and" in name.sentence
    assert "vTPM" in name.code.remedy


@lie(Code.EK_CERTIFICATE_MANUFACTURER)
def a_tpm_of_another_maker(case):
    root = Authority("Root CA", organisation="Infineon Technologies AG")
    case.host.authorities = [root]


# 3: revocation


def _revoked(case, *serials, policy=RevocationPolicy.REQUIRED, **changes):
    root = case.host.authorities[0]
    case.host.authorities = [root]
    case.host.ek_certificate.more.append((forge.crl_points(LIST), False))
    lists = {LIST: root.revoke(*serials, **changes)}
    case.policy = lambda trusted: replace(trusted, revocation=policy, lists=lists.get)
    return lists


@lie(Code.EK_REVOKED)
def a_revoked_intermediate(case, url=LIST):
    root = Authority("Root CA")
    intermediate = Authority("Intermediate CA", root, crl_url=url)
    certificate = intermediate.certificate
    lists = {url: root.revoke(certificate.serial_number)}
    case.host.authorities = [root, intermediate]
    case.evidence = lambda evidence: replace(evidence, certificates=(evidence.certificates[0], forge.der(certificate)))
    case.policy = lambda policy: replace(policy, lists=lists.get)


@lie(Code.EK_REVOKED)
def a_list_at_an_address_in_capitals(case):
    a_revoked_intermediate(case, LIST.replace("http", "HTTP"))


@lie(Code.EK_REVOCATION_UNKNOWN)
def a_list_that_is_out_of_reach(case):
    _revoked(case).clear()


@lie(Code.EK_REVOCATION_UNKNOWN)
def a_list_that_is_too_old(case):
    _revoked(case, until=NOW - DAY)


@lie(Code.EK_REVOCATION_UNKNOWN)
def a_list_by_somebody_else(case):
    _revoked(case)[LIST] = Authority("Root CA").revoke()


@lie(Code.EK_REVOCATION_UNKNOWN)
def a_list_that_is_none(case):
    _revoked(case)[LIST] = b"<html>"


@lie(Code.EK_REVOCATION_UNKNOWN)
def a_list_where_nobody_looks(case):
    _revoked(case)
    case.host.ek_certificate.more[-1] = (forge.crl_points("ldap://crl.maker.example/cn=root"), False)


def test_a_list_out_of_reach_is_a_warning_where_the_policy_lets_it_pass():
    case = Case()
    _revoked(case, policy=RevocationPolicy.WHERE_REACHABLE).clear()
    verdict = case.verify()
    assert verdict.accepted and LIST in verdict.warnings[0]


def test_no_list_is_asked_for_where_the_policy_is_off():
    case = Case()
    _revoked(case)
    case.policy = lambda policy: replace(policy, revocation=RevocationPolicy.OFF, lists=None)
    assert case.verify().accepted


def test_a_certificate_that_is_not_on_the_list_is_accepted():
    case = Case()
    _revoked(case, 1, 2, 3)
    assert case.verify().findings == ()


# 4 and 5: the EK itself


@lie(Code.EK_KEY_MISMATCH)
def the_certificate_of_another_tpm(case):
    case.host.certified_key = forge.ecc_key().public_key()


@lie(Code.EK_TEMPLATE)
def a_software_ek_that_can_be_moved(case):
    made = case.host.ek
    free = replace(made, attributes=made.attributes & ~A.FIXED_TPM)
    case.evidence = lambda evidence: replace(evidence, ek=free.marshal())


@lie(Code.EK_TEMPLATE)
def an_ek_with_a_policy_of_its_own(case):
    open_to_all = replace(case.host.ek, policy=bytes(32))
    case.evidence = lambda evidence: replace(evidence, ek=open_to_all.marshal())


@lie(Code.EK_TEMPLATE)
def an_ek_with_weaker_encryption(case):
    made = case.host.ek
    other = replace(made, area=replace(made.area, symmetric=type(made.area.symmetric)(256)))
    case.evidence = lambda evidence: replace(evidence, ek=other.marshal())


# 6 and 18: whose EK and AK


def _fingerprint(case) -> str:
    return hashlib.sha256(case.host.ek.spki()).hexdigest()


@lie(Code.EK_SERVES_OTHER_HOST)
def one_ek_for_two_hosts(case):
    case.known.eks["ws-001"] = _fingerprint(case)


@lie(Code.EK_NOT_PINNED)
def an_ek_that_the_inventory_does_not_name(case):
    case.request = lambda request: replace(request, ek="0" * 64)


@lie(Code.EK_CHANGED)
def another_ek_than_last_time(case):
    case.known.eks[case.host.host] = "0" * 64


@lie(Code.ROOT_SERVES_OTHER_HOST)
def one_tpm_for_two_hosts(case):
    """It shows another of its EKs."""
    case.known.roots["ws-001"] = case.host.root.name.hex()


@lie(Code.ROOT_CHANGED)
def another_storage_root_than_last_time(case):
    case.known.eks[case.host.host] = _fingerprint(case)
    case.known.roots[case.host.host] = "00" * 34


@lie(Code.STORAGE_ROOT_TEMPLATE)
def a_storage_root_of_ones_own_template(case):
    case.host.root = replace(case.host.root, policy=bytes(32))
    case.card.root = case.host.root


def _pins(case, **changes):
    """What the card showed last time."""
    known = KnownCard(replace(Case.verify(case).cards[case.card.name].pins, **changes))
    case.known.cards[case.host.host, case.card.name] = known


@lie(Code.AK_CHANGED)
def another_ak_than_last_time(case):
    _pins(case, ak="00" * 34)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_of_the_card_has_to_be_that_of_last_time(name):
    case = Case()
    _pins(case, **{name: "00" * 34})
    assert [finding.code for finding in case.verify().findings] == [Code.CARD_CHANGED]
    case = Case()
    _pins(case, **{name: None})
    assert case.verify().findings == ()


def test_one_card_is_not_two():
    """One lends the other its indices and its parent; or both have one AK."""
    case = Case()
    twin = ForgedCard(case.host.root, "other", bytes(32))
    twin.keys[0] = ForgedKey()
    case.host.cards.append(twin)
    twin.first_handle += 8
    twin.indices[Role.POLICY] = ForgedIndex(twin.model.policy_data)
    assert case.verify().findings == ()
    twin.parent = case.card.parent
    both = [("VirtualSmartCardForCorpAccess", Code.CARDS_SHARE), ("other", Code.CARDS_SHARE)]
    assert [(finding.card, finding.code) for finding in case.verify().findings] == both
    twin.parent = ForgedCard(case.host.root).parent
    twin.genesis, twin.proof, twin.first_handle = case.card.genesis, case.card.proof, case.card.first_handle
    twin.indices[Role.POLICY] = ForgedIndex(twin.model.policy_data)
    assert "genesis and pin and policy" in case.verify().findings[0].sentence
    _pins(case)  # The other one is the copy, then.
    assert [(finding.card, finding.code) for finding in case.verify().findings] == both[1:]
    case.known.cards["ws-666", "old"] = KnownCard(CardPins("00" * 34, parent=twin.parent.name.hex()))
    assert len(case.verify().findings) == 1  # What another host showed says nothing of this one.
    case.known.cards[case.host.host, "old"] = KnownCard(CardPins("00" * 34, parent=twin.parent.name.hex()))
    assert [finding.code for finding in case.verify().findings] == [Code.CARDS_SHARE] * 2


@lie(Code.KEY_SHOWN_TWICE)
def one_key_in_two_slots(case):
    case.card.keys.append(replace(case.key, slot="signature", pin=PinUse.ONCE))
    request = replace(case.card.request().keys[0], slot="signature", pin=PinUse.ONCE)
    case.asked(keys=(*case.card.request().keys[:1], request))


def test_replacement_is_accepted_where_it_is_asked_for():
    case = Case()
    another_ek_than_last_time(case)
    another_ak_than_last_time(case)
    told = {finding.code: finding.sentence for finding in case.verify().findings}
    tpm = re.search("fingerprint ([0-9a-f]{32})", told[Code.EK_CHANGED])[1]
    goes = re.search("before is ([^;]*)", told[Code.AK_CHANGED])[1].rstrip(".")
    case.request = lambda request: replace(request, replacement=Replacement.parse(tpm, [goes]))
    assert case.verify().findings == ()
    for other in (Replacement.parse("0" * 32, [goes]), Replacement.parse(tpm, [f"{case.card.name}={'0' * 32}"])):
        case.request = lambda request, other=other: replace(request, replacement=other)
        assert case.verify().findings != ()


def test_the_same_ek_and_ak_as_last_time_are_accepted():
    case = Case()
    case.known.eks[case.host.host] = _fingerprint(case)
    case.known.roots[case.host.host] = case.host.root.name.hex()
    _pins(case)
    case.request = lambda request: replace(request, ek=_fingerprint(case))
    assert case.verify().findings == ()


# 7: the AK


@pytest.mark.parametrize(
    "missing", [A.FIXED_TPM, A.FIXED_PARENT, A.SENSITIVE_DATA_ORIGIN, A.RESTRICTED, A.SIGN_ENCRYPT]
)
def test_each_attribute_of_the_ak_counts(missing):
    case = Case()
    case.card.ak_attributes &= ~missing
    assert [finding.code for finding in case.verify().findings] == [Code.AK_ATTRIBUTES]


@lie(Code.AK_ATTRIBUTES)
def an_unrestricted_ak(case):
    case.card.ak_attributes &= ~A.RESTRICTED


@lie(Code.AK_ATTRIBUTES)
def an_ak_that_decrypts(case):
    case.card.ak_attributes |= A.DECRYPT


@lie(Code.AK_ALGORITHM)
def a_short_ak(case):
    case.card.ak_key, case.card.ak_scheme = forge.rsa_key(3, 1024), Scheme(Algorithm.RSASSA, Algorithm.SHA256)


@lie(Code.AK_ALGORITHM)
def an_ak_named_by_another_hash(case):
    case.card.ak_name_algorithm = Algorithm.SHA384


@lie(Code.AK_ALGORITHM)
def an_ak_that_signs_with_sha1(case):
    case.card.ak_scheme = Scheme(Algorithm.ECDSA, Algorithm.SHA1)
    case.card.signing_hash = Algorithm.SHA1


# 9 to 12: statements


@lie(Code.STRUCTURE_MALFORMED)
def a_blob_that_no_tpm_made(case):
    statement = case.card.show_key(case.key)
    forged = b"\0" + statement.creation.attest[1:]
    creation = replace(statement.creation, attest=forged, signature=case.card.sign(forged))
    case.with_card(keys=(replace(statement, creation=creation),))


@lie(Code.STRUCTURE_MALFORMED)
def bytes_after_the_end_of_a_statement(case):
    statement = case.card.show_key(case.key)
    longer = statement.creation.attest + b"\0"
    creation = replace(statement.creation, attest=longer, signature=case.card.sign(longer))
    case.with_card(keys=(replace(statement, creation=creation),))


@lie(Code.STRUCTURE_MALFORMED)
def a_cut_signature(case):
    statement = case.card.show_key(case.key)
    creation = replace(statement.creation, signature=statement.creation.signature[:-1])
    case.with_card(keys=(replace(statement, creation=creation),))


@lie(Code.STRUCTURE_MALFORMED)
def a_point_off_the_curve(case):
    made = case.host.ek
    off = replace(made, area=replace(made.area, y=bytes(31) + b"\1"))
    case.evidence = lambda evidence: replace(evidence, ek=off.marshal())


@lie(Code.ATTEST_TYPE)
def a_statement_of_another_type(case):
    name = case.card.public(case.key).name
    case.key.attested = CertifyInfo(name, name)


@lie(Code.SIGNATURE_SCHEME)
def a_signature_with_another_hash(case):
    case.card.signing_hash = Algorithm.SHA384


@lie(Code.SIGNATURE_INVALID)
def a_statement_signed_by_another_key(case):
    case.card.signing_key = forge.ecc_key()


@lie(Code.NONCE_MISMATCH)
def replayed_evidence(case):
    case.asked(nonce=bytes(32))


@lie(Code.NONCE_MISMATCH)
def a_replayed_pin_index(case):
    case.card.indices[Role.PIN].nonce = bytes(32)


@lie(Code.KEY_NAME_MISMATCH)
def a_key_in_the_place_of_another(case):
    case.key.attested_name = case.card.public(ForgedKey()).name


@lie(Code.INDEX_NAME_MISMATCH)
def another_index_than_is_shown(case):
    case.card.indices[Role.PIN].attested_name = case.card.model.name(Role.SECRET)


@lie(Code.SIGNER_MISMATCH)
def an_ak_somewhere_else(case):
    case.card.signer = case.card.ak.name


# 13: the key and its PIN


@pytest.mark.parametrize(
    "missing", [A.FIXED_TPM, A.FIXED_PARENT, A.SENSITIVE_DATA_ORIGIN, A.ADMIN_WITH_POLICY, A.NO_DA]
)
def test_each_attribute_of_a_key_counts(missing):
    case = Case()
    case.key.attributes &= ~missing
    case.request = lambda request: replace(
        request, cards=(replace(request.cards[0], keys=(_resident(request.cards[0].keys[0]),)),)
    )
    assert [finding.code for finding in case.verify().findings] == [Code.KEY_ATTRIBUTES]


def _resident(key):
    return replace(key, assurance=Assurance.RESIDENT)


@lie(Code.KEY_ATTRIBUTES)
def a_key_that_opens_with_a_password(case):
    case.key.attributes |= A.USER_WITH_AUTH


@lie(Code.KEY_ATTRIBUTES)
def a_restricted_card_key(case):
    case.key.attributes |= A.RESTRICTED


@lie(Code.KEY_ATTRIBUTES)
def a_key_for_nothing(case):
    case.key.attributes &= ~(A.SIGN_ENCRYPT | A.DECRYPT)


@lie(Code.KEY_POLICY)
def a_key_that_opens_for_everybody(case):
    case.key.policy = policy_digest((PolicyAuthValue(),))


@lie(Code.KEY_POLICY)
def a_key_that_never_asks_where_it_should(case):
    case.key.policy = policy_digest(case.card.model.key_policy(PinUse.NEVER))


@lie(Code.KEY_POLICY)
def a_key_of_another_card(case):
    other = forge.ForgedCard(case.host.root)
    other.first_handle += 8
    case.key.policy = policy_digest(other.model.key_policy(PinUse.ONCE))


@lie(Code.KEY_ALGORITHM)
def a_key_of_another_algorithm(case):
    case.key.algorithm = KeyAlgorithm.ECC_P384


@lie(Code.KEY_ALGORITHM)
def a_key_on_a_smaller_curve(case):
    case.key.private, case.key.algorithm = forge.ecc_key(Curve.NIST_P384), KeyAlgorithm.ECC_P521


@lie(Code.KEY_ALGORITHM)
def a_key_with_a_scheme(case):
    case.key.scheme = Scheme(Algorithm.ECDSA, Algorithm.SHA256)


@lie(Code.GENESIS)
def the_owner_as_genesis(case):
    case.with_card(genesis=bytes.fromhex("40000001"))


@lie(Code.GENESIS)
def another_genesis_than_that_of_the_indices(case):
    case.card.proof.area = KeyedHashArea(Scheme(), bytes(31) + b"\1")


def _genesis(case, **changes) -> None:
    """A genesis object of another kind, whose Name all indices have."""
    case.card.proof = forge.ForgedGenesis(**changes)
    case.card.genesis = case.card.proof.public.name
    case.card.indices[Role.POLICY].contents = case.card.model.policy_data


@lie(Code.GENESIS)
def a_genesis_that_can_be_brought_to_another_hierarchy(case):
    _genesis(case, attributes=forge.GENESIS & ~A.FIXED_PARENT)


@lie(Code.GENESIS)
def a_genesis_that_is_a_key(case):
    _genesis(case, area=forge.ecc_area(forge.ecc_key()))


@lie(Code.GENESIS)
def a_statement_of_another_genesis(case):
    honest = case.card.proof.public
    made = CreationData(Algorithm.SHA256, RH_NULL, RH_NULL, b"").hash(Algorithm.SHA256)
    case.card.proof.attested = CreationInfo(honest.name[:-1] + b"\1", made)


@lie(Code.GENESIS_HIERARCHY)
def a_genesis_of_the_owner(case):
    case.card.proof.hierarchy = forge.RH_OWNER


@lie(Code.CREATION_HASH)
def a_genesis_of_the_owner_said_to_be_of_none(case):
    owner = CreationData(Algorithm.SHA256, forge.RH_OWNER, forge.RH_OWNER, b"")
    case.card.proof.creation_hash = owner.hash(Algorithm.SHA256)


@lie(Code.ATTEST_TYPE)
def a_genesis_that_was_only_certified(case):
    case.card.proof.attested = CertifyInfo(case.card.genesis, case.card.genesis)


@lie(Code.NONCE_MISMATCH)
def a_genesis_stated_over_the_nonce(case):
    case.card.proof.nonce = case.card.nonce


@lie(Code.TPM_RESTARTED)
def a_restart_in_the_middle_of_the_evidence(case):
    """Indices shown before it, and what follows after it: in between genesis could have changed them."""
    honest = case.card.show_index

    def earlier(role):
        case.card.resets -= role is Role.PIN
        shown = honest(role)
        case.card.resets += role is Role.PIN
        return shown

    case.card.show_index = earlier


@lie(Code.NOT_SEALED)
def a_card_whose_tpm_was_not_restarted(case):
    case.card.proof.resets = case.card.resets
    case.asked(sealed=True)


@lie(Code.GENESIS_UNPROVEN)
def a_card_that_hides_how_genesis_was_made(case):
    case.card.proof = None
    case.asked(sealed=True)


@pytest.mark.parametrize(("since", "sealed"), [(0, False), (1, True), (2**32 - 1, True)])
def test_a_restart_seals_a_card(since, sealed):
    """The counter is 32 bits of a start that is secret, so it may run over."""
    case = Case()
    case.card.resets = 3
    case.card.proof.resets = (3 - since) % 2**32
    verdict = case.verify()
    card = verdict.cards[forge.CARD]
    assert verdict.accepted and card.genesis_proven and card.sealed is sealed
    assert card.document()["sealed"] is sealed and card.resets == 3


def test_a_card_of_an_older_release_is_accepted_and_not_sealed():
    case = Case()
    case.card.proof = None
    case.key.policy = policy_digest(case.card.model.key_policy(PinUse.ONCE, certifiable=False))
    verdict = case.verify()
    card = verdict.cards[forge.CARD]
    assert verdict.accepted and not card.genesis_proven and not card.sealed


def _redefined(case, role: Role, **changes) -> None:
    index = case.card.model.indices[role]
    written = index.attributes | 1 << 29
    honest = NvPublic(index.handle, Algorithm.SHA256, written, index.policy, index.size)
    case.card.indices[role].public = replace(honest, **changes)


@lie(Code.PIN_INDEX)
def a_pin_index_that_the_owner_writes(case):
    _redefined(case, Role.PIN, attributes=case.card.model.indices[Role.PIN].attributes | 1 << 29 | 1 << 1)


@lie(Code.PIN_INDEX)
def a_pin_index_that_does_not_count(case):
    _redefined(case, Role.PIN, attributes=(case.card.model.indices[Role.PIN].attributes | 1 << 29) & ~0xF0)


@lie(Code.PIN_INDEX)
def a_pin_index_that_was_never_written(case):
    _redefined(case, Role.PIN, attributes=case.card.model.indices[Role.PIN].attributes)


@lie(Code.PIN_INDEX)
def a_pin_index_with_another_policy(case):
    _redefined(case, Role.PIN, policy=bytes(32))


@lie(Code.PIN_INDEX)
def a_pin_index_elsewhere(case):
    _redefined(case, Role.PIN, handle=0x01800000)


@lie(Code.PIN_RETRIES)
def a_pin_with_more_tries(case):
    case.card.indices[Role.PIN].contents = counter_data(1000)


@lie(Code.PIN_RETRIES)
def half_a_pin_index(case):
    case.card.indices[Role.PIN].contents = counter_data(forge.RETRIES)[4:]
    case.card.indices[Role.PIN].offset = 4


def test_spent_tries_do_not_count_against_a_card():
    case = Case()
    case.card.indices[Role.PIN].contents = bytes([0, 0, 0, 3, 0, 0, 0, forge.RETRIES])
    assert case.verify().accepted


@lie(Code.PUK_INDEX)
def a_puk_that_nobody_asked_for(case):
    case.host = ForgedHost(puk=True)
    case.asked(puk=False, puk_retries=forge.RETRIES)


@lie(Code.PUK_INDEX)
def a_puk_index_that_the_owner_writes(case):
    case.host = ForgedHost(puk=True)
    _redefined(case, Role.PUK, attributes=case.card.model.indices[Role.PUK].attributes | 1 << 29 | 1 << 1)


@lie(Code.PUK_RETRIES)
def a_puk_with_more_tries(case):
    case.host = ForgedHost(puk=True)
    case.card.indices[Role.PUK].contents = counter_data(1000)


@lie(Code.ADMIN_KEY)
def an_admin_key_that_nobody_asked_for(case):
    case.card.admin = True
    case.card.indices[Role.POLICY].contents = case.card.model.policy_data
    case.asked(admin=False)


@lie(Code.POLICY_INDEX)
def a_policy_index_that_lets_anybody_change_the_pin(case):
    case.card.indices[Role.POLICY].contents = b"\x00\x0b" + bytes(32)


@lie(Code.POLICY_INDEX)
def a_policy_index_that_the_owner_writes(case):
    _redefined(case, Role.POLICY, attributes=case.card.model.indices[Role.POLICY].attributes | 1 << 29 | 1 << 1)


# 14: how the key came to be


@lie(Code.CREATION_HASH)
def other_creation_data(case):
    case.key.creation_hash = bytes(32)


@lie(Code.CREATION_PARENT)
def a_key_made_under_another_parent(case):
    case.key.parent_name = case.host.root.name


@lie(Code.CREATION_PARENT)
def a_key_made_under_another_root(case):
    case.key.parent_qualified_name = case.card.parent.name


@lie(Code.CREATION_OUTSIDE_INFO)
def a_key_made_for_another_request(case):
    case.key.outside_info = bytes(32)


@lie(Code.CREATION_OUTSIDE_INFO)
def an_old_key_where_a_fresh_one_is_asked_for(case):
    case.asked(fresh=True)


def test_a_fresh_key_is_accepted_where_one_is_asked_for():
    case = Case()
    case.key.outside_info = case.card.nonce
    case.asked(fresh=True)
    assert case.verify().accepted


@lie(Code.PARENT_ATTRIBUTES)
def a_parent_that_can_be_moved(case):
    parent = case.card.parent
    case.card.parent = replace(parent, attributes=parent.attributes & ~A.FIXED_TPM)


# 19 and 20


@lie(Code.ASSURANCE_TOO_LOW)
def a_logon_key_where_a_restricted_one_is_asked_for(case):
    case.request = lambda request: replace(
        request,
        cards=(
            replace(
                request.cards[0],
                keys=tuple(replace(key, assurance=Assurance.RESTRICTED) for key in request.cards[0].keys),
            ),
        ),
    )


@lie(Code.IDENTITY_FROM_HOST)
def a_host_that_names_its_user(case):
    case.document = lambda document: {**document, "upn": "administrator@corp.example"}


@lie(Code.IDENTITY_FROM_HOST)
def a_card_that_names_its_user(case):
    case.document = lambda document: {**document, "cards": [{**document["cards"][0], "sid": "S-1-5-21-1-500"}]}


@pytest.mark.parametrize("code, tell", CASES, ids=[f"{code.name}-{tell.__name__}" for code, tell in CASES])
def test_only_this_check_fails(code, tell):
    case = Case()
    tell(case)
    verdict = case.verify()
    assert {finding.code for finding in verdict.findings} == {code}
    assert not verdict.accepted and code.name in verdict.message
    assert not verdict.accepts(case.card.name)


ELSEWHERE = {
    code for code in Code if code.name.startswith(("CHALLENGE_", "CERTIFICATE_", "AK_CERTIFICATE_", "BUNDLE_"))
}


def test_every_check_has_its_lie():
    """The others are in test_pending.py, test_issued.py and test_bundle.py."""
    here = {Code.CARD_CHANGED, Code.CARDS_SHARE}
    assert {code for code, _unused in CASES} | here == set(Code) - ELSEWHERE


def test_a_fault_of_one_card_does_not_refuse_another():
    case = Case()
    other = forge.ForgedCard(case.host.root, "Another card", bytes(reversed(forge.NONCE)))
    other.first_handle += 8
    case.host.cards.append(other)
    other.keys[0].attributes |= ObjectAttribute.USER_WITH_AUTH
    verdict = case.verify()
    assert verdict.accepts(case.card.name) and not verdict.accepts(other.name) and not verdict.accepted


def test_a_statement_for_one_card_does_not_serve_another():
    case = Case()
    other = forge.ForgedCard(case.host.root, "Another card", bytes(reversed(forge.NONCE)))
    case.host.cards.append(other)
    case.evidence = lambda evidence: replace(
        evidence, cards=(evidence.cards[0], replace(evidence.cards[0], name=other.name))
    )
    assert Code.NONCE_MISMATCH in {finding.code for finding in case.verify().findings if finding.card == other.name}
