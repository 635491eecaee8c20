# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The enrolment of one host, as the controller goes through it: ask, judge, issue, challenge, accept.

The visits themselves are the caller's. Whatever a host says, it ends in certificates or in refusals.
"""

from __future__ import annotations

import typing as t

from ...module_utils._encoding.evidence import Document
from ...module_utils._encoding.fields import encoded
from .._attestation.ek import TrustPolicy
from .._attestation.online import Online
from .._attestation.request import new_nonce
from .._ca.issuer import Issued, Issuer, Outcome
from .._ledger.ledger import Ledger
from .._ledger.record import IssuedCertificate
from . import lapses
from .answers import FirstAnswer, SecondAnswer
from .errands import Errands
from .examination import Examination
from .external import ExternalDesk
from .handover import Handover
from .observation import observe
from .offers import Offers
from .progress import Progress, Status
from .refused import Refused
from .wanted import WantedHost


class Enrollment:
    """One host.

    :param issuer: of our CA
    :param ledger: where decisions are kept
    :param policy: whom the verifier trusts
    :param online: where certificates of EKs are that lie in no TPM
    :param check: check mode: nothing is issued and nothing recorded
    """

    def __init__(
        self,
        wanted: WantedHost,
        issuer: Issuer,
        ledger: Ledger,
        policy: TrustPolicy,
        online: Online,
        check: bool = False,
    ) -> None:
        self._ledger = ledger
        self.wanted = wanted = lapses.without_lapsed(wanted, ledger)
        self.progress = {card.name: Progress(card) for card in wanted.cards}
        self.answer = FirstAnswer.read(None)
        self.withdrawn: t.List[IssuedCertificate] = []
        """What was signed in this run, and revoked because the host did not answer for it."""
        self._online = online
        self._issuer = issuer
        self.check = check
        self._nonces = {card.name: new_nonce() for card in wanted.cards}
        self._offers = Offers(wanted, ledger, check)
        self._was_visited = False
        self._warnings: t.List[str] = list(policy.trust.warnings)
        desk = ExternalDesk(wanted.external_ca, issuer, ledger) if wanted.external_ca else None
        self._errands = Errands(wanted, issuer, desk, check)
        self._examination = Examination(wanted, issuer, ledger, policy, online, self._errands, self._nonces, check)
        self._handover = Handover(wanted, issuer, ledger, self._errands)
        for at, card in enumerate(wanted.cards):
            for key in card.keys:
                for profile in key.profiles[key.external :]:
                    issuer.check_names(profile, card.identity, f"cards[{at}]")

    # First visit.

    def questions(self) -> t.List[Document]:
        """Returns the cards that the host is asked for, each with its nonce."""
        return [
            {
                **card.task,
                "nonce": encoded(self._nonces[card.name]),
                "requests": self._errands.questions(card),
                **self._offers.question(card),
            }
            for card in self.wanted.cards
        ]

    def judge(self, answer: t.Any) -> None:
        """Verifies what the host showed, and issues what is due.

        :param answer: the result of ``smartcard_evidence``, which may be anything
        :raises StateError: ledger, passphrase or clock don't allow it
        """
        self.answer, self._was_visited = FirstAnswer.read(answer), True
        for name, progress in self.progress.items():
            progress.take_over(self.answer.card(name))
        verdict, bundle = self._examination.judge(self.answer, self.progress)
        self._warnings += [*self._online.troubles, *verdict.warnings]
        if not self.check:
            observe(verdict, self._ledger)
            self._warnings += lapses.note(self.wanted, verdict, self._ledger)
            self._handover.issue(verdict, bundle, self.progress.values())

    # Second visit.

    def challenges(self) -> t.List[Document]:
        """Returns what the host has yet to open; nothing if no further visit is needed."""
        return [challenge.document() for challenge in self._handover.challenges(self.progress.values())]

    def accept(self, answer: t.Any) -> None:
        """Records what the host has proved to hold.

        :param answer: the result of ``smartcard_activate``, which may be anything
        :raises StateError: if the ledger does not allow it
        """
        self._handover.accept(SecondAnswer.read_all(answer), self.progress.values())

    def give_up(self, refused: Refused) -> None:
        """Notes that the host opened no challenge."""
        self._handover.give_up(refused, self.progress.values())

    def close(self) -> None:
        """Ends the enrolment, however far it came: what the host has not answered for is revoked.

        :raises StateError: if the ledger does not allow it
        """
        self.withdrawn += self._handover.close(list(self.progress.values()))
        for name, progress in self.progress.items() if self._was_visited else ():
            warning = self._offers.settle(progress, self.answer.card(name).recovery)
            self._warnings += [warning] if warning else []

    @property
    def gone(self) -> t.List[IssuedCertificate]:
        """Returns what the ledger counts as revoked because of this run."""
        return [*self.withdrawn, *self._handover.replaced]

    def warn(self, sentence: str) -> None:
        """Adds what somebody has to see to."""
        self._warnings.append(sentence)

    # What came of it.

    @property
    def evidence(self) -> str:
        """Returns the digest of the bundle that was kept; empty if the host has answered for nothing."""
        return self._handover.evidence

    @property
    def issuer(self) -> bytes:
        """Returns the certificate of the CA that signs, in DER."""
        return self._issuer.certificate

    @property
    def warnings(self) -> t.List[str]:
        return [*self._warnings, *self.answer.warnings]

    @property
    def refused(self) -> t.List[Refused]:
        """Returns every refusal once."""
        found = [each for progress in self.progress.values() for each in progress.refused]
        return list(dict.fromkeys(found))

    @property
    def status(self) -> Status:
        """The host's: the first in the order of :class:`Status` that one of its cards has."""
        found = {progress.status for progress in self.progress.values()}
        return next((status for status in Status if status in found), Status.UNCHANGED)

    @property
    def changed(self) -> bool:
        """Whether anything was done, or in check mode would be."""
        return any(each.adjusted or self._is_changed(each) for each in self.progress.values())

    def _is_changed(self, progress: Progress) -> bool:
        return progress.is_due if self.check else bool(progress.issued)

    def cards(self) -> t.List[Document]:
        """Returns what a task returns of each card."""
        return [each.document(list(self._kept(each))) for each in self.progress.values()]

    def _kept(self, progress: Progress) -> t.Iterator[Issued]:
        """Certificates that the card has and keeps, where nothing was issued for it."""
        if progress.issued:
            return
        for order in progress.orders:
            keeps = order.label in progress.idle or not progress.reasons
            kept = progress.current.get(order.label) if order.place.slot and keeps else None
            if kept is not None and kept.activated_at:
                yield Issued(kept, Outcome.KEPT)

    def before(self) -> Document:
        """Returns certificates as a diff shows them."""
        return {name: progress.lines_before() for name, progress in self.progress.items()}

    def after(self) -> Document:
        return {name: progress.lines_after() for name, progress in self.progress.items()}
