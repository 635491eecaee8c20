# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a host that host and a card that card: keys and Names that have to stay. Checks 6 and 18 of
docs/attestation.md.

They are pinned once the host's TPM has answered for them, so that a mere claim stands in nobody's way.
"""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field, replace

from . import schema, statement
from .database import Connection
from .journal import Journal
from .packages import sa
from .record import CertificatePlace, EventKind, Row, digest
from .refusal import Refusal, RefusalCode
from .replacement import DIGITS, NOTHING, Replacement

NAMES = ("genesis", "parent", "pin", "puk", "policy", "admin")
"""Names of a card beside that of its attestation key: of the genesis object, of its keys' parent, of its indices."""


class Standing(str, enum.Enum):
    """How far a card's proof has come."""

    ENROLLED = "enrolled"
    """Keys, PIN and policy are as they should be."""
    SEALED = "sealed"
    """And the TPM was restarted since, which ended the genesis object, all sessions and all tickets of before."""


@dataclass(frozen=True)
class CardPins:
    """The Names of a card, in hex. None: not known yet; empty: the card has none of the kind."""

    ak: str
    genesis: t.Optional[str] = None
    parent: t.Optional[str] = None
    pin: t.Optional[str] = None
    puk: t.Optional[str] = None
    policy: t.Optional[str] = None
    admin: t.Optional[str] = None

    def names(self) -> t.Dict[str, t.Optional[str]]:
        return {name: getattr(self, name) for name in NAMES}

    @property
    def fingerprint(self) -> str:
        """What stands for all of them, in hex, where somebody says that this card may go."""
        names = ("unknown" if each is None else each for each in self.names().values())
        return digest("card", self.ak, *names)[:DIGITS]

    def is_shown_by(self, shown: CardPins) -> bool:
        """Whether what is shown is this card."""
        return self.ak == shown.ak and not self.changed(shown)

    def changed(self, shown: CardPins) -> t.List[str]:
        """Returns which Names that are known are another now; the attestation key's is looked at apart."""
        known, now = self.names(), shown.names()
        return [name for name in NAMES if known[name] is not None and known[name] != now[name]]

    def shared(self, other: CardPins) -> t.List[str]:
        """Returns which Names two cards have in common, though each card has its own."""
        mine, theirs = self.names(), other.names()
        return [name for name in NAMES if mine[name] and mine[name] == theirs[name]]


@dataclass(frozen=True)
class CardClaim:
    """What evidence shows of a card.

    :param resets: resetCount of the attestation key's statements; moves by 1 with each restart of the TPM
    :param genesis_proven: whether the TPM states that the genesis object was made in the NULL hierarchy
    :param made_at: resetCount when that was stated; the card was made then
    """

    pins: CardPins
    resets: t.Optional[int] = None
    genesis_proven: bool = False
    made_at: t.Optional[int] = None


@dataclass(frozen=True)
class KnownCard:
    """What is pinned of a card.

    :param first_reset: of the card's making, or of its first evidence if that does not say when it was made
    :param last_reset: of its last evidence
    """

    pins: CardPins
    first_reset: t.Optional[int] = None
    last_reset: t.Optional[int] = None
    genesis_proven: bool = False
    standing: Standing = Standing.ENROLLED

    COLUMNS: t.ClassVar[t.Tuple[str, ...]] = (
        *("ak", *NAMES),
        *("first_reset", "last_reset", "genesis_proven", "standing"),
    )

    @classmethod
    def of(cls, row: Row) -> KnownCard:
        pins = CardPins(row["ak"], *(row[name] for name in NAMES))
        standing = Standing(row["standing"])
        return cls(pins, row["first_reset"], row["last_reset"], bool(row["genesis_proven"]), standing)

    def after(self, claim: CardClaim) -> KnownCard:
        """Returns what is known once the claim was answered for.

        The genesis object is proven by evidence of its making, or not: later evidence without it takes nothing back.
        """
        made_at = claim.resets if claim.made_at is None else claim.made_at
        first = made_at if self.first_reset is None else self.first_reset
        last = self.last_reset if claim.resets is None else claim.resets
        proven = self.genesis_proven or claim.genesis_proven
        restarted = first is not None and last is not None and first != last
        sealed = self.standing is Standing.SEALED or (proven and restarted)
        return KnownCard(claim.pins, first, last, proven, Standing.SEALED if sealed else Standing.ENROLLED)

    def is_same(self, claim: CardClaim) -> bool:
        """Whether what is claimed is this card."""
        return self.pins.is_shown_by(claim.pins)

    def is_news(self, claim: CardClaim) -> bool:
        """Whether a claim of this card tells of it what was not known."""
        after = self.after(claim)
        return (after.pins, after.standing) != (self.pins, self.standing)

    def row(self) -> t.Dict[str, t.Any]:
        values = {"ak": self.pins.ak, **self.pins.names(), "standing": self.standing.value}
        counts = {"first_reset": self.first_reset, "last_reset": self.last_reset}
        return {**values, **counts, "genesis_proven": int(self.genesis_proven)}


@dataclass(frozen=True)
class Known:
    """What is pinned of one host, and whether others have what the host shows.

    :param ek_host: the host that the shown endorsement key is pinned to
    :param root_host: the host that the shown storage root key is pinned to
    :param eks: SHA-256, in hex, of the host's endorsement keys
    :param root: Name, in hex, of the host's storage root key
    """

    ek_host: t.Optional[str] = None
    root_host: t.Optional[str] = None
    eks: t.Tuple[str, ...] = ()
    root: t.Optional[str] = None
    cards: t.Mapping[str, KnownCard] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """What stands for the host's TPM, in hex, where somebody says that it may go."""
        return digest("tpm", self.root or "", *self.eks)[:DIGITS]

    def is_another_tpm(self, ek: str, root: str) -> bool:
        """Whether what is shown is of another TPM than before: an EK beside the known ones, over the same storage
        root key, is another EK of the same TPM.
        """
        return bool(self.eks) and ek not in self.eks and root != self.root


@dataclass(frozen=True)
class Admission:
    """What the verifier has found to be true of a host.

    :param ek: SHA-256 of the endorsement key's SubjectPublicKeyInfo, in hex
    :param root: Name of the storage root key, in hex
    :param source: ``first use``, or ``inventory`` where that named the EK
    :param replacement: what may be another than before; a TPM that serves another host stays refused
    """

    host: str
    ek: str
    root: str
    cards: t.Mapping[str, CardClaim]
    source: str = "first use"
    replacement: Replacement = NOTHING

    def of_card(self, card: str) -> Admission:
        """Returns the part of it that is about one card."""
        return replace(self, cards={card: self.cards[card]})


class PinnedKeys(Journal):
    """The pinned keys and Names, read and written."""

    def known(self, host: str, ek: str, root: str) -> Known:
        """Returns what is pinned of the host, and to whom the EK and the storage root that it shows are."""
        return self.reading(lambda connection: _known(connection, host, ek, root))

    def endorsement_keys(self) -> t.Dict[str, str]:
        """Returns each host with the SHA-256 of its endorsement key, the newest if there are several."""
        table = schema.endorsement_keys
        query = sa.select(table.c.host, table.c.ek).order_by(table.c.pinned_at)
        return {row.host: row.ek for row in self.reading(lambda connection: connection.execute(query).all())}

    def cards(self) -> t.Dict[t.Tuple[str, str], KnownCard]:
        """Returns what is pinned of every card, by host and card."""
        query = sa.select(schema.cards)
        rows = self.reading(lambda connection: connection.execute(query).mappings().all())
        return {(row["host"], row["card"]): KnownCard.of(t.cast(Row, row)) for row in rows}

    def lapsed(self, host: str) -> t.Set[t.Tuple[str, str]]:
        """Returns what is not to be replaced any more, for the run that it was named for has found it as it was: each
        a card's name, empty for the TPM, and the fingerprint.
        """
        found = [each for each in self.events(host) if each.kind is EventKind.REPLACEMENT_LAPSED]
        return {(each.card, each.detail) for each in found}

    def examine(self, admission: Admission) -> None:
        """Does nothing where the host may have what it shows. Changes nothing.

        :raises Refusal: as :meth:`_pin`; the refusal is recorded
        """

        def work(connection: Connection) -> None:
            _judge(_known(connection, admission.host, admission.ek, admission.root), admission)
            for card, claim in admission.cards.items():
                _judge_ak(connection, admission.host, card, claim.pins.ak)

        self._or_note(CertificatePlace(admission.host), lambda: self.reading(work))

    def observe(self, admission: Admission) -> None:
        """Takes note of what known cards show of themselves and of their host by attestation keys that have answered
        once: Names that were not asked for then, and a restart of the TPM. Such a key's word needs no other answer.

        :param admission: of an EK, and of cards, that are pinned
        :raises Refusal: as :meth:`_pin`; the refusal is recorded
        """
        self._or_note(
            CertificatePlace(admission.host),
            lambda: self.writing(lambda connection: self._pin(connection, admission)),
        )

    def release(self, host: str, card: str = "") -> None:
        """Forgets a card, and its halves of PUKs; without a card, all of the host's, its endorsement keys and its
        storage root key.
        """

        def work(connection: Connection) -> None:
            for table in (schema.cards, schema.halves):
                gone = sa.delete(table).where(table.c.host == host)
                connection.execute(gone.where(table.c.card == card) if card else gone)
            for table in () if card else (schema.endorsement_keys, schema.hosts):
                connection.execute(sa.delete(table).where(table.c.host == host))
            self.note(connection, EventKind.RELEASED, CertificatePlace(host, card))

        self.writing(work)

    def _pin(self, connection: Connection, admission: Admission) -> None:
        """Pins what a TPM has answered for.

        :raises Refusal: ``EK_SERVES_OTHER_HOST``, ``EK_CHANGED``, ``ROOT_SERVES_OTHER_HOST``, ``ROOT_CHANGED``,
            ``AK_SERVES_OTHER_CARD``, ``AK_CHANGED``, ``CARD_CHANGED`` or ``CARDS_SHARE``
        """
        known = _known(connection, admission.host, admission.ek, admission.root)
        _judge(known, admission)
        self._pin_host(connection, known, admission)
        for card, claim in admission.cards.items():
            _judge_ak(connection, admission.host, card, claim.pins.ak)
            self._pin_card(connection, known.cards.get(card), CertificatePlace(admission.host, card), claim)

    def _pin_host(self, connection: Connection, known: Known, admission: Admission) -> None:
        host, place = admission.host, CertificatePlace(admission.host)
        if admission.ek not in known.eks:
            if known.is_another_tpm(admission.ek, admission.root):
                table = schema.endorsement_keys
                connection.execute(sa.delete(table).where(table.c.host == host))
            row = {"ek": admission.ek, "host": host, "source": admission.source, "pinned_at": self._stamp()}
            connection.execute(statement.INSERT_EK, row)
            self.note(connection, EventKind.EK_PINNED, place, detail=f"{admission.ek} by {admission.source}")
        if admission.root != known.root:
            if known.root is not None:
                connection.execute(sa.delete(schema.hosts).where(schema.hosts.c.host == host))
            row = {"host": host, "root": admission.root, "pinned_at": self._stamp()}
            connection.execute(statement.INSERT_HOST, row)
            self.note(connection, EventKind.ROOT_PINNED, place, detail=admission.root)

    def _pin_card(
        self, connection: Connection, known: t.Optional[KnownCard], place: CertificatePlace, claim: CardClaim
    ) -> None:
        same = known is not None and known.is_same(claim)
        now = (known if known is not None and same else KnownCard(claim.pins)).after(claim)
        if now == known:
            return
        where = {"in_host": place.host, "in_card": place.card}
        values = {**now.row(), "host": place.host, "card": place.card, "pinned_at": self._stamp()}
        if known is not None:
            connection.execute(statement.DELETE_CARD, where)
        connection.execute(statement.INSERT_CARD, values)
        if known is not None and not same:
            self.note(connection, EventKind.CARD_REPLACED, place, detail=f"{known.pins.ak} by {claim.pins.ak}")
        elif known is None or known.pins != claim.pins:
            self.note(connection, EventKind.CARD_PINNED, place, detail=claim.pins.ak)
        if now.standing is Standing.SEALED and (known is None or known.standing is not Standing.SEALED):
            self.note(connection, EventKind.SEALED, place)


def _known(connection: Connection, host: str, ek: str, root: str) -> Known:
    eks = {row.ek: row.host for row in connection.execute(statement.PINS_OF_EK, {"ek": ek, "in_host": host})}
    roots = {row.root: row.host for row in connection.execute(statement.PINS_OF_ROOT, {"root": root, "in_host": host})}
    rows = connection.execute(statement.CARDS_OF_HOST, {"in_host": host}).mappings()
    return Known(
        ek_host=eks.get(ek),
        root_host=roots.get(root),
        eks=tuple(sorted(each for each, owner in eks.items() if owner == host)),
        root=next((each for each, owner in roots.items() if owner == host), None),
        cards={row["card"]: KnownCard.of(t.cast(Row, row)) for row in rows},
    )


def _judge(known: Known, admission: Admission) -> None:
    """Raises :class:`Refusal` where what is shown contradicts what is pinned."""
    host = admission.host
    if known.ek_host not in (None, host):
        raise _serves(RefusalCode.EK_SERVES_OTHER_HOST, "endorsement key", str(known.ek_host), host)
    if known.root_host not in (None, host):
        raise _serves(RefusalCode.ROOT_SERVES_OTHER_HOST, "storage root key", str(known.root_host), host)
    if not admission.replacement.lets_tpm(known.fingerprint):
        if known.is_another_tpm(admission.ek, admission.root):
            raise _changed(RefusalCode.EK_CHANGED, host, "endorsement key", known)
        if known.root not in (None, admission.root):
            raise _changed(RefusalCode.ROOT_CHANGED, host, "storage root key", known)
    _judge_cards(known.cards, admission)


def _judge_cards(known: t.Mapping[str, KnownCard], admission: Admission) -> None:
    for card, claim in admission.cards.items():
        before = known.get(card)
        if before is not None and not admission.replacement.lets_card(card, before.pins.fingerprint):
            if before.pins.ak != claim.pins.ak:
                raise _another(RefusalCode.AK_CHANGED, admission.host, card, "another attestation key", before)
            changed = before.pins.changed(claim.pins)
            if changed:
                raise _another(RefusalCode.CARD_CHANGED, admission.host, card, f"another {', '.join(changed)}", before)
        others = {name: each.pins for name, each in known.items() if name not in (card, *admission.cards)}
        for other, pins in {**others, **_claimed(admission, card)}.items():
            shared = claim.pins.shared(pins)
            if shared:
                raise Refusal(
                    RefusalCode.CARDS_SHARE,
                    f"the cards {card} and {other} of {admission.host} share {', '.join(shared)}: they are one card "
                    "shown twice; destroy one and make it anew",
                )


def _claimed(admission: Admission, card: str) -> t.Dict[str, CardPins]:
    return {name: each.pins for name, each in admission.cards.items() if name != card}


def _judge_ak(connection: Connection, host: str, card: str, ak: str) -> None:
    owner = connection.execute(statement.CARD_OF_AK, {"ak": ak}).first()
    if owner is not None and (owner.host, owner.card) != (host, card):
        raise Refusal(RefusalCode.AK_SERVES_OTHER_CARD, f"the attestation key belongs to {owner.host} {owner.card}")


def _serves(code: RefusalCode, what: str, owner: str, host: str) -> Refusal:
    return Refusal(
        code,
        f"{host} shows the {what} that {owner} was enrolled with: one TPM serves one host; "
        f"if the host was renamed, retire {owner} first",
    )


def _changed(code: RefusalCode, host: str, what: str, known: Known) -> Refusal:
    return Refusal(
        code,
        f"{host} shows another {what} than the one it was enrolled with: if its TPM or board was replaced or cleared, "
        f"let the TPM be replaced that has the fingerprint {known.fingerprint}",
    )


def _another(code: RefusalCode, host: str, card: str, what: str, before: KnownCard) -> Refusal:
    return Refusal(
        code,
        f"card {card} of {host} shows {what} than it was enrolled with: if the card was made anew, "
        f"retire the old one or let {card}={before.pins.fingerprint} be replaced",
    )
