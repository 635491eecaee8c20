# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of another CA that shall count no more: only that CA can put them on a list.

Our ledger counts them as revoked, whatever becomes of that: they go to no card any more, and ``ssh.revoked`` names
the keys of those that were retired. What the other CA has yet to do is asked of it at each later run of the host.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._cryptography import x509
from ...module_utils._files import locked
from .._ca import files
from .._ca.external_ca import ExternalCa, called, revoke_elsewhere
from .._ca.issuer import Issuer
from .._ledger.ledger import Ledger
from .._ledger.record import EXTERNAL, EventKind, IssuedCertificate
from .._ledger.refusal import Refusal

_LOCK = ".revoking"


class Left(t.NamedTuple):
    """What the other CA has not revoked.

    :param sentences: what somebody has to do, or what that CA has yet to decide
    :param failures: what its command said
    """

    sentences: t.List[str]
    failures: t.List[Refusal]

    @property
    def warnings(self) -> t.List[str]:
        return [*self.sentences, *map(str, self.failures)]


@dataclass(frozen=True)
class Elsewhere:
    """The way to have the other CA revoke.

    :param ca: None where a task names no other CA
    """

    ca: t.Optional[ExternalCa]
    issuer: Issuer
    ledger: Ledger
    authority: str

    def revoke(self, host: str, gone: t.Iterable[IssuedCertificate]) -> Left:
        """Has revoked what has gone now, and what that CA has yet to revoke for the host.

        :param gone: certificates that the ledger counts as revoked since this run, of whichever CA and host
        :raises StateError: ledger or folder don't allow it
        """
        external = [each for each in gone if each.kind == EXTERNAL]
        left = Left(self.foretell(external), [])
        if self.ca and self.ca.revoke_command:
            for name in dict.fromkeys((host, *(each.host for each in external))):
                self._ask_for(name, self.ca, left)
        return left

    def foretell(self, gone: t.Iterable[IssuedCertificate]) -> t.List[str]:
        """Returns what somebody has to have revoked, because no command does so."""
        return [revoke_elsewhere(each) for each in gone if each.kind == EXTERNAL and not self._can_ask(each)]

    def _can_ask(self, certificate: IssuedCertificate) -> bool:
        """Whether that CA has issued it, and is asked by a command."""
        if not self.ca or not self.ca.revoke_command:
            return False
        body = self.issuer.opened(certificate).body  # Empty, if an older release had it in the ledger in the clear.
        subjects = [each.subject for each in self.ca.certificates]
        return bool(body) and x509.load_der_x509_certificate(body).issuer in subjects

    def _ask_for(self, host: str, ca: ExternalCa, left: Left) -> None:
        for certificate in self.ledger.owed_elsewhere(host, self.authority):
            with files.explained(ca.folder), locked(str(ca.folder / _LOCK)):  # Of runs at the same time, one asks.
                owed = {each.serial for each in self.ledger.owed_elsewhere(host, self.authority)}
                if certificate.serial in owed and self._can_ask(certificate):
                    self._ask(certificate, ca, left)

    def _ask(self, certificate: IssuedCertificate, ca: ExternalCa, left: Left) -> None:
        what = called(certificate)
        body, reason = self.issuer.opened(certificate).body, certificate.reason or ""
        try:
            if not ca.revoke(body, certificate.number, reason):
                left.sentences.append(f"{ca.name} has yet to revoke {what}: the next run asks again.")
                return
        except Refusal as error:
            left.failures.append(Refusal(error.code, f"{what} is not revoked there: {str(error)[:-1]}"))
            return
        detail = f"{certificate.number} of {ca.name}"
        self.ledger.record(EventKind.REVOKED_ELSEWHERE, certificate.place, reason, certificate.serial, detail)
