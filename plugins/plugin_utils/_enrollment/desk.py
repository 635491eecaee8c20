# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller works with: CA, ledger, anchors, and the way to what makers serve online."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ...module_utils._errors import InputError, StateError
from .._attestation.ek import TrustPolicy
from .._attestation.online import Fetch, Online
from .._attestation.revocation import RevocationPolicy
from .._attestation.trust import Trust
from .._ca.authority import Authority, CaFolder
from .._ca.external_ca import ExternalCa
from .._ca.issuer import Issuer
from .._ca.publication import publish_if_due
from .._ledger.ledger import Ledger
from .._ledger.record import IssuedCertificate
from .elsewhere import Elsewhere

if t.TYPE_CHECKING:
    from .enrollment import Enrollment

CA_HOME = "/etc/hardbound/ca"
"""Where a CA lies that is given by its name."""


def ca_folder(ca: str) -> CaFolder:
    """Returns the folder of a CA, given by a path or by its name below :data:`CA_HOME`."""
    return CaFolder(Path(os.path.expanduser(ca) if "/" in ca else os.path.join(CA_HOME, ca)))


def ledger_of(arguments: t.Mapping[str, t.Any]) -> Ledger:
    """Returns the ledger that a task names, or the one in the folder of its CA.

    :raises StateError: if the ledger is in trouble
    """
    return Ledger(arguments["ledger"] or ca_folder(arguments["ca"] or "").ledger_url)


@dataclass
class Desk:
    """An opened CA and its ledger."""

    authority: Authority
    ledger: Ledger

    @classmethod
    def open(cls, arguments: t.Mapping[str, t.Any]) -> Desk:
        """:raises StateError: if there is no CA, or its ledger is in trouble"""
        authority = Authority(ca_folder(arguments["ca"]), arguments["ca_passphrase"] or "")
        return cls(authority, ledger_of(arguments))

    @property
    def issuer(self) -> Issuer:
        return Issuer(self.authority, self.ledger)

    def publish(self) -> None:
        """Signs and writes the revocation lists, if something was revoked since.

        :raises StateError: if ledger, folder or passphrase don't allow it
        """
        publish_if_due(self.authority, self.ledger)

    def end(self, enrollment: Enrollment) -> None:
        """Ends an enrolment, however far it came, and has listed what was signed in vain, by this run or by one, for
        whatever host, that was killed.

        :raises StateError: if the ledger does not allow it
        """
        enrollment.close()
        left_over = [] if enrollment.check else self.ledger.left_over(self.authority.identifier)
        left_over = self.ledger.withdraw([each.serial for each in left_over])
        if left_over or enrollment.withdrawn:
            try:
                self.publish()
            except StateError as error:  # The folder may be read-only here: the ledger has it.
                enrollment.warn(
                    f"What was signed and not answered for is revoked, and the list is not written: {error}"
                )
        if not enrollment.check:
            self._end_elsewhere(enrollment, [*left_over, *enrollment.gone])

    def elsewhere(self, ca: t.Optional[ExternalCa]) -> Elsewhere:
        """Returns the way to have another CA revoke, if there is one."""
        return Elsewhere(ca, self.issuer, self.ledger, self.authority.identifier)

    def _end_elsewhere(self, enrollment: Enrollment, gone: t.Sequence[IssuedCertificate]) -> None:
        wanted = enrollment.wanted
        try:
            warnings = self.elsewhere(wanted.external_ca).revoke(wanted.host, gone).warnings
        except StateError as error:  # What was issued is on the card.
            warnings = [f"What another CA has to revoke was not asked of it: {error}"]
        for warning in warnings:
            enrollment.warn(warning)

    def policy(self, arguments: t.Mapping[str, t.Any], online: Online) -> TrustPolicy:
        """Returns whom the verifier trusts.

        :raises InputError: if there are no anchors
        """
        path = arguments["trust_anchors"]
        if not path:
            raise InputError("trust_anchors", "is missing", "name a folder or a bundle of TPM makers' certificates")
        revocation = RevocationPolicy(arguments["revocation"])
        return TrustPolicy(Trust.load(path), revocation, lambda url: online.revocation_list(url, self.ledger.now()))


def online(arguments: t.Mapping[str, t.Any], fetch: Fetch) -> Online:
    """Returns the way to what makers serve: through the cache, and out if that is allowed."""
    return Online(arguments["cache"] or "", fetch if arguments["online"] else None)
