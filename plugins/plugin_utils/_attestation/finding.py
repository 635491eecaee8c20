# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why evidence is refused: a stable code, the number of the check, and what the check demands."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass


class Code(enum.Enum):
    """A check that failed. The name is the code; it stays the same from release to release.

    The value is the check's number in docs/attestation.md (0: before all checks) and its demand.
    """

    EVIDENCE_MALFORMED = (0, "the evidence is a document of a known version with all its fields")
    EVIDENCE_INCOMPLETE = (0, "the evidence shows every card and key that the inventory asks for")
    EVIDENCE_SURPLUS = (0, "the evidence shows no card or key that the inventory does not ask for")

    EK_CHAIN_UNTRUSTED = (1, "the path from the EK certificate ends at a configured anchor")
    EK_CHAIN_SIGNATURE = (1, "each certificate of the path is signed by the next, not with SHA-1")
    EK_CHAIN_EXPIRED = (1, "no certificate of the path is past its end")
    EK_CHAIN_NOT_YET_VALID = (1, "no certificate of the path is before its begin")
    EK_CHAIN_NOT_CA = (1, "each issuer in the path is a version 3 CA certificate")
    EK_CHAIN_PATH_LENGTH = (1, "no issuer in the path has more CAs below it than it allows")
    EK_CHAIN_KEY_USAGE = (1, "each issuer in the path may sign certificates")
    EK_CHAIN_EXTENSION = (1, "no certificate of the path has a critical extension that is not understood")

    EK_CERTIFICATE_MISSING = (2, "the EK has a certificate")
    EK_CERTIFICATE_MALFORMED = (2, "the EK certificate can be read")
    EK_CERTIFICATE_VERSION = (2, "the EK certificate has version 3")
    EK_CERTIFICATE_CA = (2, "the EK certificate is no CA's")
    EK_CERTIFICATE_KEY_USAGE = (2, "the EK certificate is for encipherment (RSA) or agreement (ECC)")
    EK_CERTIFICATE_PURPOSE = (2, "the EK certificate, if it names purposes, names that of an EK")
    EK_CERTIFICATE_NAME = (2, "the EK certificate names manufacturer, model and version of one TPM")
    EK_CERTIFICATE_MANUFACTURER = (2, "the manufacturer is the one whose CA issued the EK certificate")

    EK_REVOKED = (3, "no certificate of the path is revoked")
    EK_REVOCATION_UNKNOWN = (3, "the revocation lists can be had and are valid, where the policy requires them")

    EK_KEY_MISMATCH = (4, "the EK is the key in its certificate")
    EK_TEMPLATE = (5, "the EK is made by a template of the TCG, so that only its own TPM can use it")

    EK_SERVES_OTHER_HOST = (6, "the EK serves no other host")
    EK_NOT_PINNED = (6, "the EK is the one that the inventory names for the host")

    AK_ATTRIBUTES = (7, "the AK is bound to its TPM, restricted, and only signs")
    AK_ALGORITHM = (7, "the AK signs with ECDSA, RSASSA or RSAPSS and SHA-2, its Name is made with SHA-256")

    CHALLENGE_ANSWER = (8, "the answer shows that the TPM opened the challenge for the AK")
    CHALLENGE_EXPIRED = (8, "the challenge is answered in time")
    CHALLENGE_SPENT = (8, "the challenge is answered once, rightly or not")
    CHALLENGE_OTHER_REQUESTER = (8, "the challenge is answered by the host and card that it was made for")

    STRUCTURE_MALFORMED = (9, "each TPM structure is whole, within bounds, and has nothing after its end")
    ATTEST_TYPE = (9, "each attestation says what it is shown for")

    SIGNATURE_SCHEME = (10, "each signature has the scheme and hash of the AK")
    SIGNATURE_INVALID = (10, "each attestation is signed by the AK")

    NONCE_MISMATCH = (11, "each attestation was made for this request")

    KEY_NAME_MISMATCH = (12, "what is attested is the key that is shown")
    INDEX_NAME_MISMATCH = (12, "what is attested is the NV index that is shown")
    SIGNER_MISMATCH = (12, "each attestation is by the AK under this storage root key")

    KEY_ATTRIBUTES = (13, "the key is bound to its TPM, made in it, and usable by its policy alone")
    KEY_POLICY = (13, "the key's policy is the PIN of this card")
    KEY_ALGORITHM = (13, "the key has the algorithm that the inventory asks for, free of a scheme")
    GENESIS = (13, "the genesis object has a Name made with SHA-256")
    PIN_INDEX = (13, "the PIN index is defined as the card's model says")
    PIN_RETRIES = (13, "the PIN has as many tries as the inventory says")
    PUK_INDEX = (13, "the PUK is there if the inventory says so, and its index is defined as the model says")
    PUK_RETRIES = (13, "the PUK has as many tries as the inventory says")
    ADMIN_KEY = (13, "the card has an admin key if the inventory says so")
    POLICY_INDEX = (13, "the POLICY index is defined, and holds what it must, as the model says")

    CREATION_HASH = (14, "the creation data is what the TPM attests")
    CREATION_PARENT = (14, "the key was made under the card's parent, under this storage root key")
    CREATION_OUTSIDE_INFO = (14, "the key was made for this request, or for none")
    PARENT_ATTRIBUTES = (14, "the card's parent is a storage key bound to its TPM")

    CERTIFICATE_OTHER_KEY = (15, "the certificate is for the attested key")

    AK_CERTIFICATE_MALFORMED = (16, "the AK certificate can be read")
    AK_CERTIFICATE_PURPOSE = (16, "the AK certificate is for an AK and no CA's")
    AK_CERTIFICATE_ISSUER = (16, "the AK certificate is by our CA")
    AK_CERTIFICATE_EXPIRED = (16, "the AK certificate is valid now")
    AK_CERTIFICATE_REVOKED = (16, "the AK certificate is not revoked")
    AK_CERTIFICATE_OTHER_CARD = (16, "the AK certificate is for the AK of this card")

    BUNDLE_MALFORMED = (17, "the bundle is a document of a known version with all its fields")
    BUNDLE_ALTERED = (17, "what the bundle records is what its evidence shows")

    EK_CHANGED = (18, "the EK of a host stays the same, unless its replacement is asked for")
    AK_CHANGED = (18, "the AK of a card stays the same, unless its replacement is asked for")

    ASSURANCE_TOO_LOW = (19, "what was verified reaches the assurance that the profile asks for")

    IDENTITY_FROM_HOST = (20, "subject, UPN and SID come from the inventory alone")

    @property
    def check(self) -> int:
        return self.value[0]

    @property
    def demand(self) -> str:
        return self.value[1]


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
        return {"code": self.code.name, "sentence": self.sentence, "card": self.card}


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
