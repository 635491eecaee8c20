# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PIN and PUK of a card in use: verified, changed, unblocked. What each method promises, :class:`~.card.Card` says."""

from __future__ import annotations

import time
import typing as t
from dataclasses import replace

from .._encoding.blob import Blob
from .._errors import InputError
from .._pin import PinPolicy
from .._tpm.errors import SaltRefused
from .derivation import PinHash, derivations_of, separating_nonce, telltale
from .errors import NotOffered
from .gate import Gates, Opened
from .model import Role
from .pin_record import Due, PinRecord, remembered
from .record import PendingSeal
from .secret import PUK_LENGTH, Reference, Tries
from .session import CardSession
from .telltale import candidates


class SecretSetting(t.NamedTuple):
    """How a secret is set: what is to be known of a new PIN, and whether a task does it."""

    pin: t.Optional[PinRecord]
    by_task: bool


class Pins:
    def __init__(self, session: CardSession) -> None:
        self._session = session

    def tries(self, reference: Reference) -> Tries:
        session, gates = self._session, self._gates()
        role, stamp = gates.role(reference), session.store.stamp(session.number)
        known = session.kept.tries(role, stamp)
        if known is not None:
            return known
        with session.turn():
            tries = gates.tries(role)
        session.kept.keep_tries(role, stamp, tries)
        return tries

    def verify(self, pin: bytes, provisioning: bool) -> None:
        session = self._session
        session.logout()
        with session.counting(), session.turn():
            session.opened = self._opened_again(pin) or self._opened(pin)
        self._settle(session.opened)
        self._judge()
        if provisioning:
            session.due = None

    def _opened(self, pin: bytes) -> Opened:
        """Opens the card, and keeps what the next time will spare."""
        session, gates = self._session, self._gates()
        session.bench.clear()
        opened = gates.open(Reference.PIN, pin)
        contents = opened.contents()
        session.kept.remember(gates.record, gates.found_root(), contents.key, contents.secret)
        return opened

    def _opened_again(self, pin: bytes) -> t.Optional[Opened]:
        """Opens a card of which enough is kept: the TPM is asked about the PIN alone."""
        session, gates = self._session, self._gates()
        kept, record, root = session.kept, gates.record, session.kept.root
        if root is None or not kept.fits(record):
            return None
        try:
            ticket = gates.enter_again(Reference.PIN, pin, session.bench, root)
        except SaltRefused:
            kept.forget()
            return None
        return Opened(Role.PIN, ticket, record.seals[Role.PIN], session.contents_by(ticket, kept.opener(record), root))

    def due(self) -> t.Optional[Due]:
        return self._session.record.pin.due(self._expiry_days(), time.time())

    def expires_at(self) -> t.Optional[int]:
        return self._session.record.pin.expires_at(self._expiry_days())

    def _expiry_days(self) -> int:
        return self._session.store.host_policy().expiry_days(self._session.record.pin_policy)

    def _settle(self, opened: Opened) -> None:
        """Ends a PIN change that was interrupted."""
        session = self._session
        if opened.role in session.known.pending:
            with session.store.changing(session.number):
                session.write(session.read().settled(opened.role, opened.seal))

    def check(self, reference: Reference, secret: bytes) -> None:
        session = self._session
        session.logout()
        with session.counting(), session.changing() as gates:
            opened = gates.open(reference, secret)
            if opened.role in session.known.pending:
                session.write(session.known.settled(opened.role, opened.seal))

    def set_by_task(self, reference: Reference) -> bool:
        role = self._gates().role(reference)
        return role in self._session.known.telltales and role not in self._session.known.pending

    def candidates(self, reference: Reference, secrets: t.Sequence[bytes]) -> t.List[bytes]:
        gates = self._gates()
        role = gates.role(reference)
        kept = self._session.known.telltales[role] if self.set_by_task(reference) else None
        return [secrets[position] for position in candidates(kept, [gates.auth(role, each) for each in secrets])]

    def _gates(self) -> Gates:
        return Gates(self._session.tpm, self._session.record)

    def must_change(self) -> None:
        self._session.revise(lambda record: replace(record, pin=replace(record.pin, must_change=True)))
        self._session.logout()

    def change(self, reference: Reference, old: bytes, new: bytes, by_task: bool, must_change: bool) -> None:
        session = self._session
        rules = self._check_new(reference, new)
        with session.counting(), session.changing() as gates:
            opened = gates.open(reference, old)
            pin = (
                self._new_pin(gates, opened, rules, new, old in (new, PinHash.of(new)))
                if reference is Reference.PIN
                else None
            )
            setting = SecretSetting(pin and replace(pin, must_change=must_change), by_task)
            seal = self._prepare(gates, opened, opened.role, (new, old), setting)
            gates.change_own(opened, gates.new_auth(opened.role, new))
            session.write(session.known.settled(opened.role, seal))
            if reference is Reference.PIN:
                session.opened = replace(opened, seal=seal)
        self._judge()

    def unblock(self, puk: bytes, new_pin: bytes, by_task: bool, must_change: bool) -> None:
        session = self._session
        if not session.store.host_policy().puk_may_reset_pin:
            raise NotOffered("The host's Hello policy does not let the PUK set a PIN: make a new card.")
        if len(puk) == PUK_LENGTH:  # Another costs a try whatever the new PIN is: programs block a card so.
            self._check_new(Reference.PIN, new_pin)
        with session.counting(), session.changing() as gates:
            opened = self._resealed(gates, gates.open(Reference.PUK, puk), puk)
            self._replace(gates, opened, new_pin, by_task, must_change)
        self._judge()

    def reset(self, new_pin: bytes, by_task: bool, must_change: bool) -> None:
        session = self._session
        self._check_new(Reference.PIN, new_pin)
        with session.changing() as gates:
            administrator = session.require_administrator()
            if gates.model.recovery is not Role.ADMIN:
                raise NotOffered("The card has a PUK: unblock it with that.")
            with session.noticing_stale_tickets():
                self._replace(gates, administrator.opened, new_pin, by_task, must_change)
        self._judge()

    def _judge(self) -> None:
        """Finds anew what an open card may do, now that the PIN is another."""
        session = self._session
        session.due = self.due() if session.opened else None

    def _replace(self, gates: Gates, opened: Opened, new_pin: bytes, by_task: bool, must_change: bool) -> None:
        session = self._session
        pin = self._new_pin(gates, opened, self._check_new(Reference.PIN, new_pin), new_pin)
        setting = SecretSetting(replace(pin, must_change=must_change), by_task)
        seal = self._prepare(gates, opened, Role.PIN, (new_pin, None), setting)
        gates.recover(opened, gates.new_auth(Role.PIN, new_pin), session.known.pin_retries)
        session.write(session.known.settled(Role.PIN, seal))

    def _check_new(self, reference: Reference, new: bytes) -> PinPolicy:
        """Returns the rules of card and host.

        :raises InputError: for a PIN that breaks them
        """
        if reference is not Reference.PIN:
            return self._session.record.pin_policy
        rules = self._session.store.host_policy().rules(self._session.record.pin_policy)
        rules.check(new.decode("latin-1"))
        return rules

    def _new_pin(self, gates: Gates, opened: Opened, rules: PinPolicy, new: bytes, same: bool = False) -> PinRecord:
        """Returns what is to be known of a new PIN.

        :raises InputError: if it was in use before, and the rules or the duty to change forbid that
        """
        record = self._session.known
        key, known, now = gates.history_key(opened.contents().key), record.pin, time.time()
        last = max(rules.history, 1 if known.due(rules.expiry_days, now) else 0)
        if last and (same or known.was(new, key, last)):
            raise InputError("pin", f"is among the last {last} that the card has had", "choose another")
        former = remembered(known.former, new, key, rules.history)
        return PinRecord(int(now), rules=rules, former=former, length=record.edge.kept_length(new))

    def _resealed(self, gates: Gates, opened: Opened, secret: bytes) -> Opened:
        """Gives a secret that stays the seal of this store version, while it is at hand."""
        role = opened.role
        if role in self._session.known.pending or not gates.is_guarded(opened.seal):
            return opened
        return replace(opened, seal=gates.make_seal(role, gates.auth(role, secret), opened.contents().key))

    def _prepare(
        self,
        gates: Gates,
        opened: Opened,
        role: Role,
        secrets: t.Tuple[bytes, t.Optional[bytes]],
        setting: SecretSetting,
    ) -> Blob:
        """Writes the seal for a new secret beside the old one, before the TPM is told.

        :param secrets: the new one, and the old one if it is known
        """
        new, old = secrets
        auth = gates.new_auth(role, new)
        seal = gates.make_seal(role, auth, opened.contents().key)
        others = () if old is None else [gates.auth(role, old, each) for each in derivations_of(old)]
        nonce = separating_nonce(auth, others)
        record = self._session.known.settled(opened.role, opened.seal)
        pending = PendingSeal(seal, nonce, telltale(nonce, auth), setting.pin, setting.by_task)
        self._session.write(record.with_pending(role, pending))
        return seal
