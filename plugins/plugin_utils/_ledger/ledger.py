# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the CA has decided, in a database: SQLite in the CA's folder, or any that SQLAlchemy speaks to.

Every method is one serializable transaction, tried again where another process was faster, so what holds
for one process holds for many, on every node, without a lock service. That a key has one certificate
is a unique constraint besides.
"""

from __future__ import annotations

import hashlib
import os
import typing as t
import zlib
from dataclasses import dataclass
from datetime import timedelta

from ...module_utils._errors import InputError
from . import clock, schema, statement
from .clock import Clock
from .database import Connection, Database, T
from .packages import sa
from .record import Certificate, ChallengeState, Event, EventKind, Place, Reason, Row
from .refusal import Code, Refusal

NONCE_SIZE = 32
CHALLENGE_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class Challenge:
    """A nonce that one host may answer once."""

    id: str
    nonce: bytes


@dataclass(frozen=True)
class Admission:
    """What the verifier has found to be true of a host.

    :param ek: SHA-256 of the endorsement key's SubjectPublicKeyInfo, in hex
    :param aks: Name of the attestation key, in hex, for each card
    :param evidence: the bundle that it was found in
    :param source: ``first use``, or ``inventory`` where that named the EK
    :param replace_ek: let the host have another EK than before; one that serves another host stays refused
    :param replace_aks: cards that may have another AK than before
    """

    host: str
    ek: str
    aks: t.Mapping[str, str]
    evidence: bytes
    source: str = "first use"
    replace_ek: bool = False
    replace_aks: t.FrozenSet[str] = frozenset()


class Ledger(Database):
    """The ledger behind a database URL; see :class:`Database` for what can go wrong.

    :param now: the clock, for what is recorded and for what has expired
    """

    def __init__(self, url: str, now: Clock = clock.now, create: bool = False) -> None:
        self.now = now
        super().__init__(url, create)

    # ------------------------------------------------------------ certificates

    def of_key(self, connection: Connection, authority: str, key: str) -> t.List[Certificate]:
        """Returns all certificates of a key, given by its SHA-256 in hex, oldest first."""
        return [each for each in _all(connection, statement.OF_KEY, {"key": key}) if each.authority == authority]

    def insert(self, connection: Connection, certificate: Certificate) -> None:
        connection.execute(statement.INSERT_CERTIFICATE, certificate.row())

    def find(self, serial: str) -> Certificate:
        """Returns the certificate of that serial, in hex. Raises :class:`InputError` if there is none."""
        return self.reading(lambda connection: self._found(connection, serial))

    def _found(self, connection: Connection, serial: str) -> Certificate:
        found = _all(connection, statement.OF_SERIAL, {"serial": serial})
        if not found:
            raise InputError("serial", f"is {serial!r}, which the ledger does not hold", "take it from the audit")
        return found[0]

    def activate(self, *serials: str) -> t.List[Certificate]:
        """Records that the host has proved to hold the certificates' keys.

        What they replace is revoked in the same step: certificates at the same place for another key or
        another identity, or of an earlier content of the profile. A plain renewal leaves the old one to expire.

        :returns: what was revoked
        :raises InputError: the ledger holds no certificate of that serial; nothing is recorded then
        """

        def work(connection: Connection) -> t.List[Certificate]:
            found = (self._found(connection, serial) for serial in serials)
            return [each for certificate in found for each in self._activate_one(connection, certificate)]

        return self.writing(work)

    def _activate_one(self, connection: Connection, certificate: Certificate) -> t.Iterator[Certificate]:
        if certificate.activated_at:
            return
        connection.execute(statement.ACTIVATE, {"which": certificate.serial, "at": self._stamp()})
        self.note(connection, EventKind.ACTIVATED, certificate.place, serial=certificate.serial)
        place = {"host": certificate.host, "card": certificate.card, "slot": certificate.slot}
        for other in _all(connection, statement.AT_PLACE, place):
            if self._is_live(other, certificate.authority) and other.is_replaced_by(certificate):
                self._revoke_one(connection, other, Reason.SUPERSEDED)
                yield other

    def revoke(self, where: t.Mapping[str, str], reason: Reason, authority: str) -> t.List[Certificate]:
        """Revokes what is valid and matches, by ``host``, ``card``, ``slot``, ``serial`` or ``key``.

        :returns: what was revoked now; an empty list where nothing was left to revoke
        """

        def work(connection: Connection) -> t.List[Certificate]:
            found = self._matching(connection, where, authority)
            for certificate in found:
                self._revoke_one(connection, certificate, reason)
            return found

        return self.writing(work)

    def revocable(self, where: t.Mapping[str, str], authority: str) -> t.List[Certificate]:
        """Returns what :meth:`revoke` would revoke."""
        return self.reading(lambda connection: self._matching(connection, where, authority))

    def revoked(self, connection: Connection, authority: str, expired: bool = False) -> t.List[Certificate]:
        """Returns all revoked certificates that have not expired yet: what a CRL lists.

        :param expired: those that have expired, too
        """
        table = schema.certificates
        query = sa.select(table).where(table.c.authority == authority, table.c.revoked_at.is_not(None))
        query = query if expired else query.where(table.c.not_after > self._stamp())
        return _all(connection, query.order_by(table.c.revoked_at, table.c.serial))

    def _matching(self, connection: Connection, where: t.Mapping[str, str], authority: str) -> t.List[Certificate]:
        table = schema.certificates
        columns = {"host", "card", "slot", "serial", "key"}
        if not where or not set(where) <= columns:
            raise InputError("revoked", "names no certificate", f"give one or more of {', '.join(sorted(columns))}")
        found = _all(connection, sa.select(table).where(*(table.c[name] == value for name, value in where.items())))
        return [each for each in found if self._is_live(each, authority)]

    def _is_live(self, certificate: Certificate, authority: str) -> bool:
        in_force = not certificate.revoked_at and certificate.not_after > self._stamp()
        return in_force and certificate.authority == authority

    def _revoke_one(self, connection: Connection, certificate: Certificate, reason: Reason) -> None:
        table = schema.certificates
        change = sa.update(table).where(table.c.serial == certificate.serial, table.c.revoked_at.is_(None))
        connection.execute(change.values(revoked_at=self._stamp(), reason=reason.value))
        self.note(connection, EventKind.REVOKED, certificate.place, code=reason.value, serial=certificate.serial)

    # ------------------------------------------------------------ pinned keys and evidence

    def admit(self, admission: Admission) -> str:
        """Pins a verified host's keys and keeps its evidence, in one transaction.

        :returns: SHA-256 of the evidence, in hex, for :class:`Order`
        :raises Refusal: ``EK_SERVES_OTHER_HOST``, ``EK_CHANGED``, ``AK_SERVES_OTHER_CARD`` or ``AK_CHANGED``;
            the refusal is recorded
        """

        def work(connection: Connection) -> str:
            self._pin_ek(connection, admission)
            for card, ak in admission.aks.items():
                self._pin_ak(connection, admission, card, ak)
            return self._keep_evidence(connection, admission)

        return self._or_note(Place(admission.host), lambda: self.writing(work))

    def _pin_ek(self, connection: Connection, admission: Admission) -> None:
        host, ek = admission.host, admission.ek
        held = {row.ek: row.host for row in connection.execute(statement.PINS_OF_EK, {"ek": ek, "host": host})}
        if held.get(ek, host) != host:
            raise _ek_serves(held[ek], host)
        if ek in held:
            return
        if held and not admission.replace_ek:
            raise Refusal(
                Code.EK_CHANGED,
                f"{host} shows another endorsement key than the one it was enrolled with: "
                "if its TPM or board was replaced, allow it to replace the key",
            )
        table = schema.endorsement_keys
        if held:
            connection.execute(sa.delete(table).where(table.c.host == host))
        row = {"ek": ek, "host": host, "source": admission.source, "pinned_at": self._stamp()}
        connection.execute(statement.INSERT_EK, row)
        self.note(connection, EventKind.EK_PINNED, Place(host), detail=f"{ek} by {admission.source}")

    def _pin_ak(self, connection: Connection, admission: Admission, card: str, ak: str) -> None:
        host = admission.host
        pins = connection.execute(statement.PINS_OF_AK, {"ak": ak, "host": host, "card": card})
        held = {row.ak: (row.host, row.card) for row in pins}
        if held.get(ak, (host, card)) != (host, card):
            raise Refusal(Code.AK_SERVES_OTHER_CARD, f"the attestation key belongs to {' '.join(held[ak])}")
        if ak in held:
            return
        if held and card not in admission.replace_aks:
            raise Refusal(
                Code.AK_CHANGED,
                f"card {card} of {host} shows another attestation key than the one it was enrolled with: "
                "if the card was made anew, retire the old one or allow it to replace the key",
            )
        table = schema.attestation_keys
        if held:
            connection.execute(sa.delete(table).where(table.c.host == host, table.c.card == card))
        row = {"ak": ak, "host": host, "card": card, "ek": admission.ek, "pinned_at": self._stamp()}
        connection.execute(statement.INSERT_AK, row)
        self.note(connection, EventKind.AK_PINNED, Place(host, card), detail=ak)

    def _keep_evidence(self, connection: Connection, admission: Admission) -> str:
        digest = hashlib.sha256(admission.evidence).hexdigest()
        if not connection.execute(statement.HAS_EVIDENCE, {"digest": digest}).first():
            row = {"digest": digest, "host": admission.host, "at": self._stamp()}
            connection.execute(statement.INSERT_EVIDENCE, {**row, "body": zlib.compress(admission.evidence)})
        return digest

    def release(self, host: str, card: str = "") -> None:
        """Forgets a card's attestation key; without a card, all of the host's and its endorsement key."""

        def work(connection: Connection) -> None:
            keys = schema.attestation_keys
            gone = sa.delete(keys).where(keys.c.host == host)
            connection.execute(gone.where(keys.c.card == card) if card else gone)
            if not card:
                connection.execute(sa.delete(schema.endorsement_keys).where(schema.endorsement_keys.c.host == host))
            self.note(connection, EventKind.RELEASED, Place(host, card))

        self.writing(work)

    # ------------------------------------------------------------ challenges

    def open_challenge(self, host: str, card: str, lifetime: timedelta = CHALLENGE_LIFETIME) -> Challenge:
        """Makes a nonce of 32 random bytes for this host and card."""
        challenge = Challenge(os.urandom(16).hex(), os.urandom(NONCE_SIZE))

        def work(connection: Connection) -> None:
            table = schema.challenges
            connection.execute(sa.delete(table).where(table.c.expires_at < self._stamp() - _KEEP_SECONDS))
            values = {"id": challenge.id, "host": host, "card": card, "nonce": challenge.nonce.hex()}
            expiry = self._stamp() + int(lifetime.total_seconds())
            connection.execute(sa.insert(table).values(**values, state=ChallengeState.OPEN.value, expires_at=expiry))

        self.writing(work)
        return challenge

    def spend_challenge(self, id: str, host: str, card: str) -> bytes:
        """Takes a challenge out of use and returns its nonce. Call it before the answer is looked at:
        so a wrong answer burns the challenge, and so does an answer from elsewhere.

        :raises Refusal: ``CHALLENGE_UNKNOWN``, ``_SPENT``, ``_EXPIRED`` or ``_OTHER_REQUESTER``
        """

        def work(connection: Connection) -> t.Tuple[bool, t.Optional[Row]]:
            table = schema.challenges
            taken = sa.update(table).where(table.c.id == id, table.c.state == ChallengeState.OPEN.value)
            won = connection.execute(taken.values(state=ChallengeState.SPENT.value)).rowcount == 1
            row = connection.execute(sa.select(table).where(table.c.id == id)).mappings().first()
            return won, t.cast(t.Optional[Row], row)

        def judge() -> bytes:
            won, row = self.writing(work)
            return _judge_challenge(won, row, host, card, self._stamp())

        return self._or_note(Place(host, card), judge)

    # ------------------------------------------------------------ what is kept

    def evidence(self, digest: str) -> bytes:
        """Returns a kept bundle. Raises :class:`InputError` if there is none."""
        query = sa.select(schema.evidence.c.body).where(schema.evidence.c.digest == digest)
        body = self.reading(lambda connection: connection.execute(query).scalar())
        if body is None:
            raise InputError("evidence", f"is {digest!r}, which the ledger does not hold", "take it from the audit")
        return zlib.decompress(body)

    def record(self, kind: EventKind, place: Place, code: str = "", serial: str = "", detail: str = "") -> None:
        """Records a decision of the caller, such as a refusal of the verifier."""
        self.writing(lambda connection: self.note(connection, kind, place, code, serial, detail))

    def certificates(self, host: str = "") -> t.List[Certificate]:
        """Returns every certificate, of one host if it is named, oldest first."""
        table = schema.certificates
        query = sa.select(table).order_by(table.c.issued_at, table.c.serial)
        query = query.where(table.c.host == host) if host else query
        return self.reading(lambda connection: _all(connection, query))

    def events(self, host: str = "", since: int = 0) -> t.List[Event]:
        """Returns every decision, of one host if it is named, oldest first."""
        table = schema.events
        query = sa.select(table).where(table.c.at >= since).order_by(table.c.id)
        query = query.where(table.c.host == host) if host else query
        rows = self.reading(lambda connection: connection.execute(query).mappings().all())
        return [Event.of(t.cast(Row, row)) for row in rows]

    def endorsement_keys(self) -> t.Dict[str, str]:
        """Returns each host with the SHA-256 of its endorsement key."""
        table = schema.endorsement_keys
        rows = self.reading(lambda connection: connection.execute(sa.select(table.c.host, table.c.ek)).all())
        return {row.host: row.ek for row in rows}

    def host_of_ek(self, ek: str) -> t.Optional[str]:
        """Returns the host that an endorsement key is pinned to."""
        table = schema.endorsement_keys
        return self._scalar(sa.select(table.c.host).where(table.c.ek == ek))

    def ek_of_host(self, host: str) -> t.Optional[str]:
        """Returns the SHA-256, in hex, of the endorsement key that is pinned to the host."""
        table = schema.endorsement_keys
        return self._scalar(sa.select(table.c.ek).where(table.c.host == host))

    def ak_of_card(self, host: str, card: str) -> t.Optional[str]:
        """Returns the Name, in hex, of the attestation key that is pinned to the card."""
        table = schema.attestation_keys
        return self._scalar(sa.select(table.c.ak).where(table.c.host == host, table.c.card == card))

    def _scalar(self, query: t.Any) -> t.Optional[str]:
        return self.reading(lambda connection: t.cast(t.Optional[str], connection.execute(query).scalar()))

    # ------------------------------------------------------------ CRLs

    def newest_crl(self, connection: Connection, authority: str) -> t.Optional[Row]:
        table = schema.crls
        query = sa.select(table).where(table.c.authority == authority).order_by(table.c.number.desc()).limit(1)
        return t.cast(t.Optional[Row], connection.execute(query).mappings().first())

    def insert_crl(self, connection: Connection, values: t.Mapping[str, t.Any]) -> None:
        connection.execute(sa.insert(schema.crls).values(**values))

    # ------------------------------------------------------------ decisions

    def note(
        self, connection: Connection, kind: EventKind, place: Place, code: str = "", serial: str = "", detail: str = ""
    ) -> None:
        """Records a decision within the transaction that makes it."""
        event = Event(self._stamp(), kind, place.host, place.card, code, serial, detail)
        connection.execute(statement.INSERT_EVENT, event.row())

    def _or_note(self, place: Place, work: t.Callable[[], T]) -> T:
        """Runs work; a refusal is recorded, in a transaction of its own, and goes on."""
        try:
            return work()
        except Refusal as refusal:
            self.record(EventKind.REFUSED, place, refusal.code.name, detail=str(refusal))
            raise

    def _stamp(self) -> int:
        return clock.stamp(self.now())


_KEEP_SECONDS = 86400
"""How long an expired challenge is kept, so that a late answer is told from an unknown one."""


def _all(connection: Connection, query: t.Any, values: t.Optional[t.Mapping[str, str]] = None) -> t.List[Certificate]:
    rows = connection.execute(query, dict(values or {})).mappings()
    return [Certificate.of(t.cast(Row, row)) for row in rows]


def _ek_serves(owner: str, host: str) -> Refusal:
    return Refusal(
        Code.EK_SERVES_OTHER_HOST,
        f"{host} shows the endorsement key that {owner} was enrolled with: one TPM serves one host; "
        f"if the host was renamed, retire {owner} first",
    )


def _judge_challenge(won: bool, row: t.Optional[Row], host: str, card: str, at: int) -> bytes:
    if row is None:
        raise Refusal(Code.CHALLENGE_UNKNOWN, "the challenge was never made here: begin the enrolment anew")
    if not won:
        raise Refusal(Code.CHALLENGE_SPENT, "the challenge was answered before: begin the enrolment anew")
    if (row["host"], row["card"]) != (host, card):
        raise Refusal(Code.CHALLENGE_OTHER_REQUESTER, f"the challenge was made for {row['host']} {row['card']}")
    if row["expires_at"] <= at:
        raise Refusal(Code.CHALLENGE_EXPIRED, "the challenge has expired: begin the enrolment anew")
    return bytes.fromhex(row["nonce"])
