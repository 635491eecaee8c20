# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why evidence is refused: a stable code, the number of the check, what it demands, and what to do."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass


class Check(t.NamedTuple):
    """What a code stands for.

    :param number: in docs/attestation.md; 0 is before all checks
    :param demand: what has to be
    :param remedy: what to do where it is not, as an imperative clause
    """

    number: int
    demand: str
    remedy: str


class Code(enum.Enum):
    """A check that failed. The name is the code; it stays the same from release to release."""

    EVIDENCE_MALFORMED = Check(
        0,
        "the evidence is a document of a known version with all its fields",
        "bring host and controller to the same release of the collection, then run again",
    )
    EVIDENCE_INCOMPLETE = Check(
        0,
        "the evidence shows every card and key that the inventory asks for",
        "make the key in the TPM instead of importing it, or take it out of the inventory",
    )
    EVIDENCE_SURPLUS = Check(
        0,
        "the evidence shows no card or key that the inventory does not ask for",
        "run again; if it stays, look into who controls the host",
    )

    EK_CHAIN_UNTRUSTED = Check(
        1,
        "the path from the EK certificate ends at a configured anchor",
        "put the maker's certificates into trust_anchors if you trust that maker",
    )
    EK_CHAIN_SIGNATURE = Check(
        1,
        "each certificate of the path is signed by the next, not with SHA-1",
        "get the maker's certificates anew; if it stays, the certificate is forged",
    )
    EK_CHAIN_EXPIRED = Check(
        1,
        "no certificate of the path is past its end",
        "set the controller's clock; if it is right, trust the EK's nearest issuer or update the TPM",
    )
    EK_CHAIN_NOT_YET_VALID = Check(1, "no certificate of the path is before its begin", "set the controller's clock")
    EK_CHAIN_NOT_CA = Check(
        1,
        "each issuer in the path is a version 3 CA certificate",
        "do not enrol the host: the certificate is forged or the maker's chain is broken",
    )
    EK_CHAIN_PATH_LENGTH = Check(
        1,
        "no issuer in the path has more CAs below it than it allows",
        "do not enrol the host: the certificate is forged or the maker's chain is broken",
    )
    EK_CHAIN_KEY_USAGE = Check(
        1,
        "each issuer in the path may sign certificates",
        "do not enrol the host: the certificate is forged or the maker's chain is broken",
    )
    EK_CHAIN_EXTENSION = Check(
        1,
        "no certificate of the path has a critical extension that is not understood",
        "use a newer release of the collection, or trust the EK's nearest issuer",
    )

    EK_CERTIFICATE_MISSING = Check(
        2,
        "the EK has a certificate",
        "let the controller go online, put the certificate into its cache, update the TPM's firmware, or name the EK "
        "in smartcard_enrollment_ek and allow uncertified_ek",
    )
    EK_CERTIFICATE_MALFORMED = Check(
        2, "the EK certificate can be read", "update the TPM's firmware, or put the maker's certificate into the cache"
    )
    EK_CERTIFICATE_VERSION = Check(
        2, "the EK certificate has version 3", "do not enrol the host: the certificate is not an EK's"
    )
    EK_CERTIFICATE_CA = Check(
        2, "the EK certificate is no CA's", "do not enrol the host: the certificate is not an EK's"
    )
    EK_CERTIFICATE_KEY_USAGE = Check(
        2,
        "the EK certificate is for encipherment (RSA) or agreement (ECC)",
        "ask the maker for a certificate by the TCG's profile; one that no maker of TPMs has issued is not an EK's",
    )
    EK_CERTIFICATE_PURPOSE = Check(
        2,
        "the EK certificate, if it names purposes, names that of an EK",
        "do not enrol the host: the certificate is not an EK's",
    )
    EK_CERTIFICATE_NAME = Check(
        2,
        "the EK certificate names manufacturer, model and version of one TPM",
        "ask its issuer for one by the TCG's profile; that of some cloud vendors' vTPMs names no TPM, and can't enrol",
    )
    EK_CERTIFICATE_MANUFACTURER = Check(
        2,
        "the manufacturer is the one whose CA issued the EK certificate",
        "do not enrol the host: that CA does not certify TPMs of that maker",
    )

    EK_REVOKED = Check(
        3, "no certificate of the path is revoked", "replace the TPM, or update its firmware as its maker says"
    )
    EK_REVOCATION_UNKNOWN = Check(
        3,
        "the revocation lists can be had and are valid, where the policy requires them",
        "let the controller reach the list or put it into its cache, or ask for less with revocation",
    )

    EK_KEY_MISMATCH = Check(
        4, "the EK is the key in its certificate", "do not enrol the host: it shows the certificate of another TPM"
    )
    EK_TEMPLATE = Check(
        5,
        "the EK is made by a template of the TCG, so that only its own TPM can use it",
        "do not enrol the host: such an EK may be one of software",
    )

    EK_SERVES_OTHER_HOST = Check(
        6, "the EK serves no other host", "retire the other host first if this is the same computer under a new name"
    )
    ROOT_SERVES_OTHER_HOST = Check(
        6,
        "the storage root key serves no other host, whichever EK of the TPM is shown",
        "retire the other host first if this is the same computer under a new name",
    )
    STORAGE_ROOT_TEMPLATE = Check(
        6,
        "the storage root key is made by the one template of the TCG that all hosts use",
        "bring host and controller to the same release of the collection, then run again",
    )
    EK_NOT_PINNED = Check(
        6,
        "the EK is the one that the inventory names for the host",
        "correct smartcard_enrollment_ek of the host, or find out whose computer it is",
    )

    AK_ATTRIBUTES = Check(
        7,
        "the AK is bound to its TPM, restricted, and only signs",
        "do not enrol the host: such a key signs whatever it is told to",
    )
    AK_ALGORITHM = Check(
        7,
        "the AK signs with ECDSA, RSASSA or RSAPSS and SHA-2, its Name is made with SHA-256",
        "destroy the card and make it anew",
    )

    CHALLENGE_ANSWER = Check(
        8,
        "the answer shows that the TPM opened the challenge for the AK",
        "run again; if it stays, the AK is not in the TPM whose EK is shown",
    )
    CHALLENGE_EXPIRED = Check(8, "the challenge is answered in time", "run again")
    CHALLENGE_SPENT = Check(8, "the challenge is answered once, rightly or not", "run again")
    CHALLENGE_OTHER_REQUESTER = Check(
        8,
        "the challenge is answered by the host and card that it was made for",
        "run again; if it stays, look into who controls the host",
    )

    STRUCTURE_MALFORMED = Check(
        9,
        "each TPM structure is whole, within bounds, and has nothing after its end",
        "run again; if it stays, look into who controls the host",
    )
    ATTEST_TYPE = Check(9, "each attestation says what it is shown for", "look into who controls the host")

    SIGNATURE_SCHEME = Check(10, "each signature has the scheme and hash of the AK", "look into who controls the host")
    SIGNATURE_INVALID = Check(10, "each attestation is signed by the AK", "look into who controls the host")

    NONCE_MISMATCH = Check(
        11, "each attestation was made for this request", "run again; if it stays, the host shows old evidence"
    )

    KEY_NAME_MISMATCH = Check(
        12,
        "what is attested is the key that is shown",
        "look into who controls the host: the key may be one of software",
    )
    KEY_SHOWN_TWICE = Check(
        12,
        "each slot of a card has a key of its own",
        "make another key in one of the two slots; if it stays, look into who controls the host",
    )
    INDEX_NAME_MISMATCH = Check(12, "what is attested is the NV index that is shown", "look into who controls the host")
    SIGNER_MISMATCH = Check(
        12, "each attestation is by the AK under this storage root key", "look into who controls the host"
    )

    KEY_ATTRIBUTES = Check(
        13,
        "the key is bound to its TPM, made in it, and usable by its policy alone",
        "destroy the card and make it anew; the key can be used without the PIN or moved",
    )
    KEY_POLICY = Check(
        13,
        "the key's policy is the PIN of this card",
        "destroy the card and make it anew; the key is not bound to the card's PIN",
    )
    KEY_ALGORITHM = Check(
        13,
        "the key has the algorithm that the inventory asks for, free of a scheme",
        "ask for the algorithm that the key has, or destroy the card and make it anew",
    )
    GENESIS = Check(
        13,
        "the genesis object is the one of the card's indices, and of the kind that the model says",
        "destroy the card and make it anew",
    )
    PIN_INDEX = Check(
        13,
        "the PIN index is defined as the card's model says",
        "destroy the card and make it anew; its PIN is not what it should be",
    )
    PIN_RETRIES = Check(
        13,
        "the PIN has as many tries as the inventory says",
        "write the card's number of tries into the inventory, or destroy the card and make it anew",
    )
    PUK_INDEX = Check(
        13,
        "the PUK is there if the inventory says so, and its index is defined as the model says",
        "write into the inventory whether there is a PUK, or destroy the card and make it anew",
    )
    PUK_RETRIES = Check(
        13,
        "the PUK has as many tries as the inventory says",
        "write the card's number of tries into the inventory, or destroy the card and make it anew",
    )
    ADMIN_KEY = Check(
        13,
        "the card has an admin key if the inventory says so",
        "write into the inventory whether there is an admin key, or destroy the card and make it anew",
    )
    POLICY_INDEX = Check(
        13,
        "the POLICY index is defined, and holds what it must, as the model says",
        "destroy the card and make it anew; others than its user could set its PIN",
    )

    CREATION_HASH = Check(14, "the creation data is what the TPM attests", "look into who controls the host")
    CREATION_PARENT = Check(
        14, "the key was made under the card's parent, under this storage root key", "destroy the card and make it anew"
    )
    CREATION_OUTSIDE_INFO = Check(
        14,
        "the key was made for this request, or for none",
        "run again; if it stays, destroy the card and make it anew",
    )
    PARENT_ATTRIBUTES = Check(
        14, "the card's parent is a storage key bound to its TPM", "destroy the card and make it anew"
    )

    CERTIFICATE_OTHER_KEY = Check(15, "the certificate is for the attested key", "have the CA certify the attested key")

    AK_CERTIFICATE_MALFORMED = Check(16, "the AK certificate can be read", "run the enrolment again")
    AK_CERTIFICATE_PURPOSE = Check(16, "the AK certificate is for an AK and no CA's", "run the enrolment again")
    AK_CERTIFICATE_ISSUER = Check(
        16, "the AK certificate is by our CA", "enrol with the CA that issued it, or retire the card first"
    )
    AK_CERTIFICATE_EXPIRED = Check(
        16, "the AK certificate is valid now", "set the controller's clock, or run the enrolment again"
    )
    AK_CERTIFICATE_REVOKED = Check(16, "the AK certificate is not revoked", "destroy the card and make it anew")
    AK_CERTIFICATE_OTHER_CARD = Check(16, "the AK certificate is for the AK of this card", "run the enrolment again")

    BUNDLE_MALFORMED = Check(
        17, "the bundle is a document of a known version with all its fields", "take the bundle from the ledger anew"
    )
    BUNDLE_ALTERED = Check(
        17,
        "what the bundle records is what its evidence shows",
        "take the bundle from the ledger anew, and find out who altered this one",
    )

    BUNDLE_UNSIGNED = Check(
        17,
        "the bundle is signed by the key for evidence of the CA that is named",
        "name the CA that enrolled the host, or take the bundle from its ledger anew",
    )
    BUNDLE_UNANSWERED = Check(
        17, "the bundle holds the TPM's right answer to a challenge", "enrol the host, and take the bundle of that run"
    )

    EK_CHANGED = Check(
        18,
        "the EK of a host is that of the same TPM as before, unless its replacement is asked for",
        "if TPM or board was replaced, put that fingerprint into smartcard_enrollment_replace_ek",
    )
    ROOT_CHANGED = Check(
        18,
        "the storage root key of a host stays the same, unless the replacement of its EK is asked for",
        "if the TPM was replaced or cleared, put that fingerprint into smartcard_enrollment_replace_ek",
    )
    AK_CHANGED = Check(
        18,
        "the AK of a card stays the same, unless its replacement is asked for",
        "if it was made anew, put that into smartcard_enrollment_replace_cards, or retire the card first",
    )
    CARD_CHANGED = Check(
        18,
        "genesis object, parent and indices of a card stay the same, unless the card's replacement is asked for",
        "find out who controls the host; if it was made anew, put that into smartcard_enrollment_replace_cards, or "
        "retire the card first",
    )
    CARDS_SHARE = Check(
        18,
        "each card of a host has an AK, a genesis object, a parent and indices of its own",
        "destroy one of the two cards and make it anew; if it stays, look into who controls the host",
    )

    ASSURANCE_TOO_LOW = Check(
        19,
        "what was verified reaches the assurance that the profile asks for",
        "choose a profile that asks for less, or make the key in the TPM",
    )

    IDENTITY_FROM_HOST = Check(
        20,
        "subject, UPN and SID come from the inventory alone",
        "bring host and controller to the same release; if it stays, look into who controls the host",
    )

    GENESIS_HIERARCHY = Check(
        21,
        "the genesis object was in the NULL hierarchy, which ends when the TPM is restarted",
        "destroy the card and make it anew; whoever made it could set PIN and tries at will, for good",
    )
    GENESIS_UNPROVEN = Check(
        21,
        "the card proves that its genesis object ended, where the profile asks for it",
        "make the card anew with this release, or choose a profile that does not ask for sealed",
    )
    NOT_SEALED = Check(
        21,
        "the TPM was restarted since the card was made, where the profile asks for it",
        "restart the host, then run the enrolment again, or set smartcard_enrollment_restart",
    )
    TPM_RESTARTED = Check(
        21, "all attestations of a card are from between the same two restarts of the TPM", "run again"
    )

    @property
    def check(self) -> int:
        return self.value.number

    @property
    def demand(self) -> str:
        return self.value.demand

    @property
    def remedy(self) -> str:
        return self.value.remedy


@dataclass(frozen=True)
class Finding:
    """One failed check.

    :param sentence: what was found, for a person
    :param card: the card that it is about; empty if it is about the host
    """

    code: Code
    sentence: str
    card: str = ""

    def document(self) -> t.Dict[str, str]:
        return {"code": self.code.name, "sentence": self.sentence, "card": self.card, "remedy": self.code.remedy}


class Report:
    """Gathers what fails, so that one run shows all of it.

    :param card: the card that is looked at; empty for the host
    """

    def __init__(self, card: str = "", findings: t.Optional[t.List[Finding]] = None) -> None:
        self._card = card
        self.findings: t.List[Finding] = [] if findings is None else findings
        self.warnings: t.List[str] = []

    def refuse(self, code: Code, clause: str) -> None:
        """Records a failed check; the clause says what was found, without a full stop."""
        sentence = f"{clause[:1].upper()}{clause[1:]}."
        self.findings.append(Finding(code, sentence, self._card))

    def demand(self, condition: bool, code: Code, clause: str) -> bool:
        """Records a failed check unless the condition holds, and returns the condition."""
        if not condition:
            self.refuse(code, clause)
        return condition

    def about(self, card: str) -> Report:
        """Returns a report that adds to this one, about a card."""
        return Report(card, self.findings)
