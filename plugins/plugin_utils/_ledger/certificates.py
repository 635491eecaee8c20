# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates as the ledger holds them: from being signed to being answered for, revoked, or withdrawn.

A certificate counts once a TPM has answered for it. Until then its key is only claimed, which stands in nobody's way.
"""

from __future__ import annotations

import typing as t

from ...module_utils._errors import InputError
from . import schema, statement
from .database import Connection
from .journal import Journal
from .packages import sa
from .record import EXTERNAL, SHARED_SECONDS, EventKind, IssuedCertificate, RevocationReason, Row
from .refusal import Refusal, RefusalCode

LEFT_OVER_SECONDS = 2 * SHARED_SECONDS
"""A run that took a certificate up at the last moment has its challenge open for as long again."""


class Certificates(Journal):
    """Reads and writes them. The CA that signs is given by the identifier of its key."""

    def of_key(self, connection: Connection, authority: str, key: str) -> t.List[IssuedCertificate]:
        """Returns all certificates of a key, given by its SHA-256 in hex, oldest first."""
        return [each for each in _all(connection, statement.OF_KEY, {"key": key}) if each.authority == authority]

    def insert(self, connection: Connection, certificate: IssuedCertificate) -> None:
        connection.execute(statement.INSERT_CERTIFICATE, certificate.row())

    def find(self, serial: str) -> IssuedCertificate:
        """Returns the certificate of that serial, in hex. Raises :class:`InputError` if there is none."""
        return self.reading(lambda connection: self._found(connection, serial))

    def _found(self, connection: Connection, serial: str) -> IssuedCertificate:
        found = _all(connection, statement.OF_SERIAL, {"serial": serial})
        if not found:
            raise InputError("serial", f"is {serial!r}, which the ledger does not hold", "take it from the audit")
        return found[0]

    def activate(self, answered: t.Sequence[IssuedCertificate]) -> t.List[IssuedCertificate]:
        """Records that the host has proved to hold the certificates' keys, with no bundle that says so; see
        :meth:`_activate`.
        """
        return self.writing(lambda connection: self._activate(connection, answered, ""))

    def _activate(
        self, connection: Connection, answered: t.Sequence[IssuedCertificate], evidence: str
    ) -> t.List[IssuedCertificate]:
        """Records that the host has proved to hold the certificates' keys; from here on their bodies lie open.

        What they replace is revoked in the same step: certificates at the same place for another key or
        another identity, or of an earlier content of the profile. A plain renewal leaves the old one to expire.

        :param answered: with their bodies as they were sealed for the host's TPM
        :param evidence: digest of the bundle that says so
        :returns: what was revoked
        :raises InputError: the ledger holds no certificate of that serial
        :raises Refusal: ``KEY_SERVES_OTHER_CARD``, where another card has answered for the key meanwhile;
            ``CERTIFICATE_WITHDRAWN``
        """
        replaced: t.List[IssuedCertificate] = []
        for given in answered:
            certificate = self._found(connection, given.serial)
            if not certificate.activated_at:
                self._refuse_late(connection, certificate)
                values = {"at": self._stamp(), "upon": evidence, "opened": given.body}
                connection.execute(statement.ACTIVATE, {"which": given.serial, **values})
                self.note(connection, EventKind.ACTIVATED, certificate.place, serial=given.serial)
                replaced += self._supersede(connection, certificate)
        return replaced

    def _refuse_late(self, connection: Connection, certificate: IssuedCertificate) -> None:
        if certificate.revoked_at:
            raise Refusal(RefusalCode.CERTIFICATE_WITHDRAWN, "the certificate was withdrawn by another run: run again")
        place = (certificate.host, certificate.card)
        for other in self.of_key(connection, certificate.authority, certificate.key):
            if other.activated_at and (other.host, other.card) != place:
                raise Refusal(
                    RefusalCode.KEY_SERVES_OTHER_CARD, f"the key belongs to card {other.card} of {other.host}"
                )

    def _supersede(self, connection: Connection, certificate: IssuedCertificate) -> t.Iterator[IssuedCertificate]:
        place = {"host": certificate.host, "card": certificate.card, "slot": certificate.slot}
        for other in _all(connection, statement.AT_PLACE, place):
            if self._is_live(other, certificate.authority) and other.is_replaced_by(certificate):
                self._revoke_one(connection, other, RevocationReason.SUPERSEDED)
                yield other

    def withdraw(self, serials: t.Sequence[str]) -> t.List[IssuedCertificate]:
        """Revokes those of the certificates that nobody has answered for. Their keys may be certified again.

        :returns: what was withdrawn now
        """

        def work(connection: Connection) -> t.List[IssuedCertificate]:
            found = (self._found(connection, serial) for serial in serials)
            gone = [each for each in found if not each.activated_at and not each.revoked_at]
            for certificate in gone:
                self._mark_revoked(connection, certificate, RevocationReason.UNSPECIFIED)
                self.note(connection, EventKind.WITHDRAWN, certificate.place, serial=certificate.serial)
            return gone

        return self.writing(work) if serials else []

    def left_over(self, authority: str) -> t.List[IssuedCertificate]:
        """Returns what runs have left that did not come to their end: signed, not answered for, and too old for any
        run that still goes on.
        """
        latest = {"latest": self._stamp() - LEFT_OVER_SECONDS}
        found = self.reading(lambda connection: _all(connection, statement.LEFT_OVER, latest))
        return [each for each in found if each.authority == authority]

    def revoke(self, where: t.Mapping[str, str], reason: RevocationReason, authority: str) -> t.List[IssuedCertificate]:
        """Revokes what is valid and matches, by ``host``, ``card``, ``slot``, ``serial`` or ``key``.

        :returns: what was revoked now; an empty list where nothing was left to revoke
        """

        def work(connection: Connection) -> t.List[IssuedCertificate]:
            found = self._matching(connection, where, authority)
            for certificate in found:
                self._revoke_one(connection, certificate, reason)
            return found

        return self.writing(work)

    def owed_elsewhere(self, host: str, authority: str) -> t.List[IssuedCertificate]:
        """Returns what another CA has issued for a host and has yet to revoke, for it counts as revoked here."""
        told = {each.serial for each in self.events(host) if each.kind is EventKind.REVOKED_ELSEWHERE}
        external = [each for each in self.certificates(host) if each.kind == EXTERNAL and each.authority == authority]
        gone = [each for each in external if each.revoked_at and each.not_after > self._stamp()]
        return [each for each in gone if each.serial not in told]

    def revocable(self, where: t.Mapping[str, str], authority: str) -> t.List[IssuedCertificate]:
        """Returns what :meth:`revoke` would revoke."""
        return self.reading(lambda connection: self._matching(connection, where, authority))

    def holds(self, where: t.Mapping[str, str]) -> bool:
        """Whether any certificate matches, revoked or not; ``where`` as of :meth:`revoke`."""
        return bool(self.reading(lambda connection: self._all_matching(connection, where)))

    def revoked(self, connection: Connection, authority: str, expired: bool = False) -> t.List[IssuedCertificate]:
        """Returns all revoked certificates that have not expired yet: what a CRL lists.

        :param expired: those that have expired, too
        """
        table = schema.certificates
        query = sa.select(table).where(table.c.authority == authority, table.c.revoked_at.is_not(None))
        query = query if expired else query.where(table.c.not_after > self._stamp())
        return _all(connection, query.order_by(table.c.revoked_at, table.c.serial))

    def _matching(
        self, connection: Connection, where: t.Mapping[str, str], authority: str
    ) -> t.List[IssuedCertificate]:
        return [each for each in self._all_matching(connection, where) if self._is_live(each, authority)]

    def _all_matching(self, connection: Connection, where: t.Mapping[str, str]) -> t.List[IssuedCertificate]:
        table = schema.certificates
        columns = {"host", "card", "slot", "serial", "key"}
        if not where or not set(where) <= columns:
            raise InputError("revoked", "names no certificate", f"give one or more of {', '.join(sorted(columns))}")
        return _all(connection, sa.select(table).where(*(table.c[name] == value for name, value in where.items())))

    def _is_live(self, certificate: IssuedCertificate, authority: str) -> bool:
        in_force = not certificate.revoked_at and certificate.not_after > self._stamp()
        return in_force and certificate.authority == authority

    def _revoke_one(self, connection: Connection, certificate: IssuedCertificate, reason: RevocationReason) -> None:
        self._mark_revoked(connection, certificate, reason)
        self.note(connection, EventKind.REVOKED, certificate.place, code=reason.value, serial=certificate.serial)

    def _mark_revoked(self, connection: Connection, certificate: IssuedCertificate, reason: RevocationReason) -> None:
        table = schema.certificates
        change = sa.update(table).where(table.c.serial == certificate.serial, table.c.revoked_at.is_(None))
        connection.execute(change.values(revoked_at=self._stamp(), reason=reason.value))

    def certificates(self, host: str = "", bodies: bool = True) -> t.List[IssuedCertificate]:
        """Returns every certificate, of one host if it is named, oldest first.

        :param bodies: False leaves them empty, which makes a fleet's quick to read
        """
        table = schema.certificates
        columns = [column for column in table.c if bodies or column is not table.c.body]
        left_out = [] if bodies else [sa.literal(b"").label(table.c.body.name)]
        query = sa.select(*columns, *left_out).order_by(table.c.issued_at, table.c.serial)
        query = query.where(table.c.host == host) if host else query
        return self.reading(lambda connection: _all(connection, query))

    def newest_crl(self, connection: Connection, authority: str) -> t.Optional[Row]:
        table = schema.crls
        query = sa.select(table).where(table.c.authority == authority).order_by(table.c.number.desc()).limit(1)
        return t.cast(t.Optional[Row], connection.execute(query).mappings().first())

    def insert_crl(self, connection: Connection, values: t.Mapping[str, t.Any]) -> None:
        connection.execute(sa.insert(schema.crls).values(**values))


def _all(
    connection: Connection, query: t.Any, values: t.Optional[t.Mapping[str, t.Any]] = None
) -> t.List[IssuedCertificate]:
    rows = connection.execute(query, dict(values or {})).mappings()
    return [IssuedCertificate.of(t.cast(Row, row)) for row in rows]
