# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a card has come in an enrolment, and what is told of it."""

from __future__ import annotations

import enum
import json
import ssl
import typing as t
from dataclasses import dataclass, field

from ...module_utils._encoding.evidence import Document
from ...module_utils._encoding.ssh_file import certificate_file
from ...module_utils._errors import HardboundError
from ...module_utils._escrow import ESCROWED
from .._attestation.card import VerifiedCard
from .._attestation.ek import Ek
from .._attestation.pending import PendingChallenge
from .._ca.issuer import Issued, Order
from .._ledger import clock
from .._ledger.record import SSH, SSH_USER, IssuedCertificate
from .answers import HeldCard
from .external import Errand
from .refused import Refused
from .wanted import CardToEnroll, KeyToCertify

_AK = "attestation_key"
"""What a person calls the place that is no slot."""


class Status(str, enum.Enum):
    """What came of a card, or of a host."""

    REFUSED = "refused"
    PENDING = "pending"
    ENROLLED = "enrolled"
    RENEWED = "renewed"
    ADJUSTED = "adjusted"
    UNCHANGED = "unchanged"


@dataclass
class Progress:
    """How far a card has come.

    :param orders: certificates that it shall have, that of its AK first
    :param before: certificates that it had, by what they are for
    :param current: the newest certificate, valid or not, of each of its orders that has one, by what it is for
    :param issued: what it gets: first what our CA has issued, in the order of ``orders``; empty in check mode
    :param reasons: why something is issued, by what it is for: see :attr:`IssuedCertificate.label`
    :param errands: what another CA has to be asked for, by slot
    :param idle: slots for which nothing can be done before the other CA has answered
    :param waiting: what the other CA has not answered yet: the request, and where the answer is looked for
    """

    card: CardToEnroll
    adjusted: bool = False
    ek: t.Optional[Ek] = None
    verified: t.Optional[VerifiedCard] = None
    orders: t.List[Order] = field(default_factory=list)
    before: t.Dict[str, IssuedCertificate] = field(default_factory=dict)
    current: t.Dict[str, IssuedCertificate] = field(default_factory=dict)
    issued: t.List[Issued] = field(default_factory=list)
    reasons: t.Dict[str, str] = field(default_factory=dict)
    errands: t.Dict[str, Errand] = field(default_factory=dict)
    idle: t.Set[str] = field(default_factory=set)
    waiting: t.List[t.Dict[str, str]] = field(default_factory=list)
    pending: t.Optional[PendingChallenge] = None
    answered: bool = False
    """Whether the host was asked to open the challenge. It is asked once, whatever it says."""
    challenge: str = ""
    proven: t.FrozenSet[str] = frozenset()
    """Serial numbers of what the host's TPM has answered for in this run."""
    refused: t.List[Refused] = field(default_factory=list)
    escrowed: t.Mapping[str, t.Optional[str]] = field(default_factory=lambda: dict.fromkeys(ESCROWED))
    """PIN and admin key of a card that was just made, encrypted for whom the inventory says."""

    def take_over(self, held: HeldCard) -> None:
        """Notes what the host says of the card."""
        self.adjusted, self.escrowed = held.changed, held.escrowed

    def fail(self, error: HardboundError) -> None:
        """Notes an error that keeps the card from its certificates."""
        self.refused.append(Refused.of_error(error, self.card.name))

    @property
    def is_due(self) -> bool:
        """Whether something has to be issued, and can be."""
        return bool(self.reasons.keys() - self.idle) and not self.refused

    @property
    def status(self) -> Status:
        if self.refused:
            return Status.REFUSED
        if self.waiting:
            return Status.PENDING
        if self.reasons:
            return Status.RENEWED if self.before else Status.ENROLLED
        return Status.ADJUSTED if self.adjusted else Status.UNCHANGED

    def document(self, kept: t.Sequence[Issued]) -> Document:
        """Returns what a task returns of the card: of certificates those alone that its TPM has answered for.

        :param kept: certificates that it has and keeps
        """
        answered = [each for each in self.issued if each.certificate.serial in self.proven]
        every = [each for each in (*answered, *kept) if each.certificate.slot and not each.certificate.attests]
        for_ssh = [each for each in every if each.certificate.kind == SSH_USER]
        return {
            "name": self.card.name,
            "status": self.status.value,
            "certificates": [_certificate(each) for each in every if each not in for_ssh],
            "ssh_certificates": [self._ssh_certificate(each) for each in for_ssh],
            "pending": self.waiting,
            **self.escrowed,
            "reasons": {slot or _AK: reason for slot, reason in self.reasons.items()},
            "refused": [each.document() for each in self.refused],
        }

    def _ssh_certificate(self, issued: Issued) -> Document:
        certificate = issued.certificate
        return {
            **_summary(issued),
            "principals": list(self.card.identity.ssh_principals),
            "certificate": certificate.body.decode("utf-8"),
            "owner": self.card.task.get("owner", ""),
            "file": certificate_file(self.card.name, certificate.slot),
        }

    @staticmethod
    def labels(key: KeyToCertify) -> t.List[str]:
        """Returns what a key gets certificates for."""
        return [key.slot, f"{key.slot} {SSH}"][: len(key.profiles)]

    def lines_before(self) -> t.Dict[str, str]:
        """Returns the certificates as a diff shows them."""
        return {slot: _line(certificate) for slot, certificate in sorted(self.before.items())}

    def lines_after(self) -> t.Dict[str, str]:
        lines = self.lines_before()
        if not self.refused:
            asked = {each["slot"] for each in self.waiting}
            for key in self.card.keys:
                for label, profile in zip(self.labels(key), key.profiles):
                    if label in self.reasons:
                        end = "as the other CA answers" if label in asked else f"{profile.days} days"
                        lines[label] = f"{profile.name}, {self.card.identity.common_name}, {end}"
            shown = (each.certificate for each in self.issued if not each.certificate.attests)
            lines.update({each.label: _line(each) for each in shown})
        return dict(sorted((slot, line) for slot, line in lines.items() if slot))


def _line(certificate: IssuedCertificate) -> str:
    name = json.loads(certificate.identity)["common_name"]
    return f"{certificate.profile}, {name}, until {clock.text(clock.moment(certificate.not_after))}"


def _certificate(issued: Issued) -> Document:
    return {**_summary(issued), "certificate": ssl.DER_cert_to_PEM_cert(issued.certificate.body)}


def _summary(issued: Issued) -> Document:
    certificate = issued.certificate
    return {
        "slot": certificate.slot,
        "profile": certificate.profile,
        "serial": certificate.number,
        "assurance": certificate.assurance,
        "not_before": clock.text(clock.moment(certificate.not_before)),
        "not_after": clock.text(clock.moment(certificate.not_after)),
        "outcome": issued.outcome.value,
    }
