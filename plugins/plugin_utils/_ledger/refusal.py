# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the CA refuses to do for a host, with a code that stays the same from release to release."""

from __future__ import annotations

import enum
import typing as t

from ...module_utils._errors import HardboundError


class Explained(enum.Enum):
    """A reason to refuse. The name is the code; the value is what it means, and what to do about it."""

    @property
    def meaning(self) -> str:
        return str(self.value[0])

    @property
    def remedy(self) -> str:
        return str(self.value[1])


class RefusalCode(Explained):
    """Why the CA refused."""

    EK_SERVES_OTHER_HOST = ("the endorsement key is pinned to another host", "retire the other host first")
    EK_CHANGED = (
        "the host shows another endorsement key than before",
        "if TPM or board was replaced, put the fingerprint in the message into smartcard_enrollment_replace_ek",
    )
    ROOT_SERVES_OTHER_HOST = (
        "the storage root key is pinned to another host: both are one TPM",
        "retire the other host first",
    )
    ROOT_CHANGED = (
        "the host shows another storage root key than before",
        "if the TPM was replaced or cleared, put the fingerprint in the message into smartcard_enrollment_replace_ek",
    )
    AK_SERVES_OTHER_CARD = ("the attestation key is pinned to another card", "retire the other card first")
    AK_CHANGED = (
        "the card shows another attestation key than before",
        "if it was made anew, put what the message says into smartcard_enrollment_replace_cards, or retire it first",
    )
    CARD_CHANGED = (
        "the card has its old attestation key, and another genesis object, parent or index than before",
        "find out who controls the host; if the card was made anew, put what the message says into "
        "smartcard_enrollment_replace_cards, or retire it first",
    )
    CARDS_SHARE = (
        "two cards of a host have the same genesis object, parent or index",
        "destroy one of them and make it anew",
    )
    CERTIFICATE_WITHDRAWN = (
        "another run has withdrawn the certificate, for the host had not answered it",
        "run again, with one run at a time for a host",
    )
    CHALLENGE_UNKNOWN = ("the challenge was never made here", "give controllers of one fleet one ledger, and run again")
    CHALLENGE_SPENT = ("the challenge was answered before, rightly or not", "run again")
    CHALLENGE_EXPIRED = ("the challenge was answered too late", "run again")
    CHALLENGE_OTHER_REQUESTER = (
        "the challenge was answered by another than it was made for",
        "run again; if it stays, look into who controls the host",
    )
    KEY_REVOKED = (
        "a certificate for this key was revoked",
        "destroy the card and make it anew, so that it has another key",
    )
    KEY_SERVES_OTHER_CARD = ("the key was certified for another card", "destroy the card and make it anew")
    KEY_UNSUITABLE = ("the CA does not certify that kind, size or encoding of key", "ask for another algorithm")
    TPM_UNNAMED = (
        "no verified EK certificate says what the TPM is, which the attestation key's certificate has to name",
        "put the EK's certificate into the cache, or let the controller go online",
    )
    ASSURANCE_TOO_LOW = (
        "the profile needs more than was verified",
        "choose a profile that asks for less, or make the key in the TPM",
    )
    DOMAIN_NOT_PERMITTED = (
        "a name lies outside permitted_domains",
        "correct the name, or permit its domain with enrollment_ca",
    )
    REQUEST_UNSIGNED = (
        "the card's key has not signed the request for another CA",
        "give the card's PIN for one run, or destroy the card and make it anew",
    )
    EXTERNAL_CA_FAILED = ("the command that asks another CA failed", "do what the message says, then run again")
    EXTERNAL_CERTIFICATE_WRONG = ("another CA's answer is not what was asked for", "have it answer this request")


class Refusal(HardboundError):
    """A host gets nothing, for a reason that has a name.

    :param code: stable, for playbooks
    :param sentence: what was found, and the remedy, without a full stop
    """

    def __init__(self, code: RefusalCode, sentence: str) -> None:
        super().__init__(f"{sentence}.")
        self.code = code

    @property
    def facts(self) -> t.Dict[str, str]:
        """What a module returns beside the message."""
        return {"code": self.code.name}
