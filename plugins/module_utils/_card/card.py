# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card in use: what its edge and the modules ask of it."""

from __future__ import annotations

import contextlib
import time
import typing as t
from dataclasses import replace

from .._cryptography import utils
from .._encoding.blob import NO_CREATION, Blob, Creation
from .._encoding.public import Public
from .._encoding.wire import unsized
from .._errors import InputError
from .._pin import PinPolicy
from .._tpm import object as tpm_object
from .._tpm.capability import supports
from .._tpm.errors import STALE_CONTEXT, STALE_TICKET, TpmError
from .._tpm.object import Template
from .._tpm.session import Given, Ticket, obtain_ticket
from .._tpm.workbench import SavedKey, Workbench
from .admin_gate import AdminGate, Administrator
from .admin_key import AdminKey, Challenge
from .derivation import box, separating_nonce, telltale, unbox
from .edge import Edge
from .errors import UNCOUNTED, CardGone, NoSuchKey, NotOffered, NotVerified, PinDue, WrongSecret
from .gate import TICKET_SECONDS, Gates, Opened
from .key import Algorithm, Key, PinUse, Slot, slot_name
from .model import Role
from .outside_key import OutsideKey
from .pin_record import Due, PinRecord, remembered
from .record import Administration, KeyRecord, Pending, Record, State
from .secret import Reference, Tries
from .specification import KeySpecification, check_tries
from .store import Store
from .telltale import candidates

Answer = t.TypeVar("Answer")

_ALGORITHMS = {
    Algorithm.RSA_2048: "rsa2048:null",
    Algorithm.RSA_3072: "rsa3072:null",
    Algorithm.RSA_4096: "rsa4096:null",
    Algorithm.ECC_P256: "ecc256:null",
    Algorithm.ECC_P384: "ecc384:null",
}
_SIGNATURE_START = b"\x00\x01" + b"\xff" * 8
"""A block padded for a PKCS#1 v1.5 signature: RFC 8017, clause 9.2."""
_SIGNING_SLOTS = frozenset((Slot.AUTHENTICATION, Slot.SIGNATURE, Slot.CARD_AUTHENTICATION))
_LARGEST_PUBLIC = 1024


class Setting(t.NamedTuple):
    """How a secret is set: what is to be known of a new PIN, and whether a task does it."""

    pin: t.Optional[PinRecord]
    by_task: bool


class Card:
    """One card of a store. Not for several threads.

    A verified PIN is a ticket of the TPM; it is dropped at once when another process changes the card's
    secrets or destroys the card.

    :raises CardGone: by every method, once the card is destroyed
    """

    def __init__(self, store: Store, bench: Workbench, number: int) -> None:
        self._store = store
        self._bench = bench
        self._tpm = bench.tpm
        self._opened: t.Optional[Opened] = None
        self._due: t.Optional[Due] = None
        self._open_ticket: t.Optional[Ticket] = None
        self._administrator: t.Optional[Administrator] = None
        self._saved: t.Dict[int, SavedKey] = {}
        self.number = number
        self._stamp = store.stamp(number)
        self._record = self._read()

    def _read(self) -> Record:
        record = self._store.read(self.number)
        if record.state is not State.READY:
            raise CardGone(f"The card {record.name!r} is being made or destroyed.")
        return record

    @property
    def record(self) -> Record:
        """The card's record as the disk has it now."""
        stamp = self._store.stamp(self.number)
        if stamp != self._stamp:
            self._notice(stamp)
        return self._record

    def _notice(self, stamp: t.Any) -> None:
        try:
            record = self._read()
        except CardGone:
            self.close()
            raise
        if record.administration != self._record.administration:
            self.end_administration()
        if _session_part(record) != _session_part(self._record):
            self.close()
        self._stamp = stamp
        self._record = record

    def _write(self, record: Record) -> None:
        """Writes what this process changed; its own session goes on."""
        self._store.write(record)
        self._record = record
        self._stamp = self._store.stamp(self.number)

    @contextlib.contextmanager
    def _turn(self) -> t.Iterator[None]:
        """Takes the TPM, and gives it back if another program waits."""
        self._tpm.acquire()
        try:
            yield
        finally:
            if self._tpm.wanted:
                self._tpm.release()

    @contextlib.contextmanager
    def _changing(self) -> t.Iterator[Gates]:
        with self._store.changing(self.number), self._turn():
            gates = Gates(self._tpm, self.record)
            self._bench.clear()
            yield gates

    # What everybody may know.

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def edge(self) -> Edge:
        """The application that the card shows to programs; it stays for the card's life."""
        return self._record.edge

    @property
    def serial(self) -> bytes:
        """16 random bytes, unique to the card."""
        return self._record.serial

    @property
    def presented(self) -> bool:
        """Whether programs shall meet the card in a reader."""
        return self._record.presented

    def keys(self) -> t.Mapping[int, Key]:
        return {slot: _key(slot, key) for slot, key in self.record.keys.items()}

    def has(self, reference: Reference) -> bool:
        role = {Reference.PIN: Role.PIN, Reference.PUK: Role.PUK, Reference.ADMIN: Role.ADMIN}[reference]
        return role in self.record.model.indices

    def tries(self, reference: Reference) -> Tries:
        """Reads the TPM's counter; costs no try.

        :raises NotOffered: if the card has no such secret
        """
        with self._turn():
            gates = Gates(self._tpm, self.record)
            return gates.tries(gates.role(reference))

    @property
    def generated(self) -> bool:
        """Whether the card has a file system; without one only its management can do something with it."""
        return self.record.generated

    def generate(self) -> None:
        """Gives the card its file system."""
        with self._store.changing(self.number):
            self._write(replace(self.record, generated=True))

    @property
    def pin_length(self) -> int:
        """Bytes of the PIN, where the card's edge has to know it; else 0."""
        return self.record.pin.length

    def object(self, tag: int) -> t.Optional[bytes]:
        """Returns what a data object holds, or None."""
        return self.record.objects.get(tag)

    def store_object(self, tag: int, value: t.Optional[bytes]) -> None:
        """Writes a data object, or removes it."""
        with self._store.changing(self.number):
            self._write(self.record.with_object(tag, value))

    def protected(self, tag: int) -> t.Optional[bytes]:
        """Returns what a data object holds that takes the PIN or the admin key, or None.

        :raises NotVerified: before the PIN was verified or the administrator authenticated
        """
        auth = self._require_either().parent_auth
        box = self.record.objects.get(tag)
        return None if box is None else unbox(auth, self._box_label(tag), box)

    def store_protected(self, tag: int, value: t.Optional[bytes]) -> None:
        """Writes or removes such an object. On disk it is encrypted: root does not read it without the PIN either.

        :raises NotVerified: as :meth:`protected`
        """
        auth = self._require_either().parent_auth
        self.store_object(tag, None if value is None else box(auth, self._box_label(tag), value))

    def _box_label(self, tag: int) -> bytes:
        return self.serial + tag.to_bytes(4, "big")

    def certificate(self, slot: int) -> t.Optional[bytes]:
        """Returns the slot's certificate, DER, or None."""
        return self.record.certificates.get(slot)

    @property
    def certificates(self) -> t.Mapping[int, bytes]:
        """Returns all certificates, DER, by slot."""
        return self.record.certificates

    def store_certificate(self, slot: int, certificate: t.Optional[bytes]) -> None:
        """Writes a slot's certificate, DER, or removes it."""
        with self._store.changing(self.number):
            self._write(self.record.with_certificate(slot, certificate))

    # PIN and PUK.

    def verify(self, pin: bytes, provisioning: bool = False) -> None:
        """Opens the card until :meth:`logout`, for TICKET_SECONDS at most.

        A PIN that has expired or must be changed opens it too, but does nothing: programs verify a PIN before they
        change it.

        :param provisioning: whether the card is still in the hands of its issuer, who uses the first PIN
        :raises WrongSecret, Blocked, TpmLockout: and the card is closed then
        """
        self.logout()
        expiry_days = self._store.host_policy().expiry_days(self.record.pin_policy)
        with self._turn():
            self._bench.clear()
            self._opened = Gates(self._tpm, self.record).open(Reference.PIN, pin)
        self._settle(self._opened)
        self._due = None if provisioning else self._record.pin.due(expiry_days, time.time())

    def check(self, reference: Reference, secret: bytes) -> None:
        """Finds out whether a secret is right, and leaves the card closed. A wrong one costs a try.

        :raises WrongSecret, Blocked, NotOffered, TpmLockout:
        """
        self.logout()
        with self._changing() as gates:
            opened = gates.open(reference, secret)
            if opened.role in self._record.pending:
                self._write(self._record.settled(opened.role, opened.seal))

    def set_by_task(self, reference: Reference) -> bool:
        """Whether a task has set the secret last, so that :meth:`candidates` can tell something."""
        role = Gates(self._tpm, self.record).role(reference)
        return role in self._record.telltales and role not in self._record.pending

    def candidates(self, reference: Reference, secrets: t.Sequence[bytes]) -> t.List[bytes]:
        """Returns those that may be right, as far as the disk tells; see :mod:`.telltale`. Costs no try."""
        gates = Gates(self._tpm, self.record)
        role = gates.role(reference)
        kept = self._record.telltales[role] if self.set_by_task(reference) else None
        return [secrets[position] for position in candidates(kept, [gates.auth(role, each) for each in secrets])]

    def _settle(self, opened: Opened) -> None:
        """Ends a PIN change that was interrupted."""
        if opened.role in self._record.pending:
            with self._store.changing(self.number):
                self._write(self._read().settled(opened.role, opened.seal))

    def logout(self) -> None:
        """Closes the card; its keys leave the TPM."""
        self._opened = None
        self._saved = {}
        if self._tpm.is_held:
            self._bench.clear()

    @property
    def verified(self) -> bool:
        """Whether the card is open. Looks at the disk, not at the TPM."""
        self.record  # noqa: B018  A change that another process made closes the card.
        return self._opened is not None

    def change(
        self, reference: Reference, old: bytes, new: bytes, by_task: bool = False, must_change: bool = False
    ) -> None:
        """Changes PIN or PUK. If it is cut off, the one or the other is valid, and the next use tidies up.

        :param by_task: whether a task does it, which may run again and has to know the new one then
        :param must_change: whether the new PIN can do nothing but be changed
        :raises WrongSecret, Blocked, NotOffered, TpmLockout, InputError:
        """
        rules = self._check_new(reference, new)
        with self._changing() as gates:
            opened = gates.open(reference, old)
            auth = gates.auth(opened.role, new)
            pin = self._new_pin(gates, opened, rules, new, new == old) if reference is Reference.PIN else None
            setting = Setting(pin and replace(pin, must_change=must_change), by_task)
            seal = self._prepare(gates, opened, opened.role, auth, gates.auth(opened.role, old), setting)
            gates.change_own(opened, auth)
            self._write(self._record.settled(opened.role, seal))
        self.logout()

    def unblock(self, puk: bytes, new_pin: bytes, by_task: bool = False, must_change: bool = False) -> None:
        """Gives the card a new PIN with all its tries. If it is cut off, doing it again completes it.

        :param by_task: as in :meth:`change`
        :param must_change: as in :meth:`change`
        :raises WrongSecret, Blocked, NotOffered, TpmLockout, InputError:
        """
        if not self._store.host_policy().puk_may_reset_pin:
            raise NotOffered("The host's Hello policy does not let the PUK set a PIN: make a new card.")
        self._check_new(Reference.PIN, new_pin)
        with self._changing() as gates:
            self._replace_pin(gates, gates.open(Reference.PUK, puk), new_pin, by_task, must_change)
        self.logout()

    def _replace_pin(
        self, gates: Gates, opened: Opened, new_pin: bytes, by_task: bool = False, must_change: bool = False
    ) -> None:
        auth = gates.auth(Role.PIN, new_pin)
        pin = self._new_pin(gates, opened, self._check_new(Reference.PIN, new_pin), new_pin)
        setting = Setting(replace(pin, must_change=must_change), by_task)
        seal = self._prepare(gates, opened, Role.PIN, auth, None, setting)
        gates.recover(opened, auth, self._record.pin_retries)
        self._write(self._record.settled(Role.PIN, seal))

    def _check_new(self, reference: Reference, new: bytes) -> PinPolicy:
        """Returns the rules of card and host."""
        if reference is not Reference.PIN:
            return self.record.pin_policy
        rules = self._store.host_policy().rules(self.record.pin_policy)
        rules.check(new.decode("latin-1"))
        return rules

    def _new_pin(self, gates: Gates, opened: Opened, rules: PinPolicy, new: bytes, same: bool = False) -> PinRecord:
        """Returns what is to be known of a new PIN.

        :raises InputError: if it was in use before, and the rules or the duty to change forbid that
        """
        key, known, now = gates.history_key(opened.key), self._record.pin, time.time()
        last = max(rules.history, 1 if known.due(rules.expiry_days, now) else 0)
        if last and (same or known.was(new, key, last)):
            raise InputError("pin", f"is among the last {last} that the card has had", "choose another")
        former = remembered(known.former, new, key, rules.history)
        return PinRecord(int(now), rules=rules, former=former, length=self._record.edge.kept_length(new))

    def _prepare(
        self, gates: Gates, opened: Opened, role: Role, auth: bytes, old: t.Optional[bytes], setting: Setting
    ) -> t.Any:
        """Writes the seal for a new secret beside the old one, before the TPM is told."""
        seal = gates.make_seal(role, auth, opened.key)
        nonce = separating_nonce(auth, old)
        record = self._record.settled(opened.role, opened.seal)
        pending = Pending(seal, nonce, telltale(nonce, auth), setting.pin, setting.by_task)
        self._write(record.with_pending(role, pending))
        return seal

    # The admin key.

    @property
    def challenge(self) -> Challenge:
        """What the card asks of whoever says to have the admin key. It stays until somebody has answered it.

        :raises NotOffered: if the card has no admin key that anybody knows
        """
        administration = self.record.administration
        if administration is None:
            raise NotOffered("The card has no admin key.")
        return administration.challenge

    @property
    def administered(self) -> bool:
        """Whether the challenge was answered. Looks at the disk, not at the TPM."""
        self.record  # noqa: B018  A change that another process made ends it.
        return self._administrator is not None

    def authenticate(self, answer: bytes, prove: t.Callable[[AdminKey], bytes] = lambda _key: b"") -> bytes:
        """Lets an administrator in until :meth:`end_administration`. The card has another challenge afterwards.

        :param answer: to the challenge; its cipher's block size
        :param prove: makes the card's own proof that it knows the admin key; if it fails, nobody is let in
        :returns: the proof
        :raises WrongSecret, NotOffered:
        """
        self.end_administration()
        with self._changing() as gates:
            administrator = AdminGate(gates).open(answer)
            self._renew(gates, administrator, administrator.key)
        try:
            return prove(administrator.key)
        except Exception:
            self.end_administration()
            raise

    def administer(self, key: AdminKey) -> None:
        """Does :meth:`authenticate` for whoever has the admin key itself.

        :raises WrongSecret: also if the key is one of another cipher
        :raises NotOffered:
        """
        challenge = self.challenge
        if key.cipher is not challenge.cipher:
            raise WrongSecret(Reference.ADMIN, UNCOUNTED)
        self.authenticate(key.encrypt(challenge.decrypted))

    def end_administration(self) -> None:
        self._administrator = None

    def change_admin_key(self, key: AdminKey) -> None:
        """Gives the card another admin key. If it is cut off, the old or the new one is valid.

        :raises NotVerified: before the challenge was answered
        """
        with self._changing() as gates:
            self._renew(gates, self._require_administrator(), key)

    def _renew(self, gates: Gates, administrator: Administrator, key: AdminKey) -> None:
        gate = AdminGate(gates)
        challenge, renewal, auth = gate.prepare(administrator, key)
        self._administrator = None
        self._write(replace(self._record, administration=Administration(challenge, renewal)))
        gate.renew(administrator, auth)
        self._write(self._record.renewed(challenge, renewal.seal))
        self._administrator = Administrator(replace(administrator.opened, seal=renewal.seal), key, auth)

    def reset_pin(self, new_pin: bytes, by_task: bool = False, must_change: bool = False) -> None:
        """Lets the administrator give a new PIN with all its tries. If it is cut off, doing it again completes it.

        :param by_task: as in :meth:`change`
        :param must_change: as in :meth:`change`
        :raises NotVerified: before the challenge was answered
        :raises NotOffered: if the card has a PUK, which alone may do that then
        :raises InputError:
        """
        self._check_new(Reference.PIN, new_pin)
        with self._changing() as gates:
            administrator = self._require_administrator()
            if gates.model.recovery is not Role.ADMIN:
                raise NotOffered("The card has a PUK: unblock it with that.")
            with self._noticing_stale_tickets():
                self._replace_pin(gates, administrator.opened, new_pin, by_task, must_change)
        self.logout()

    def set_tries(self, pin: int, puk: int) -> None:
        """Lets the administrator and the verified PIN together set the tries of PIN and PUK, none of them spent.

        :param puk: of no effect for a card without PUK
        :raises NotVerified: before both were given
        :raises InputError:
        """
        check_tries("pin_retries", pin)
        check_tries("puk_retries", puk)
        with self._changing() as gates:
            admin, opened = self._require_administrator().opened.ticket, self._require_opened().ticket
            for role, limit in ((Role.PIN, pin), (Role.PUK, puk)):
                if role in gates.model.indices:
                    with self._noticing_stale_tickets():
                        gates.set_tries(role, limit, admin, opened)
            self._write(replace(self._record, pin_retries=pin, puk_retries=puk))

    @contextlib.contextmanager
    def _noticing_stale_tickets(self) -> t.Iterator[None]:
        try:
            yield
        except TpmError as error:
            if error.reason not in STALE_TICKET:
                raise
            self.close()
            raise NotVerified("The authentication is over: authenticate again.") from error

    def _require_administrator(self) -> Administrator:
        if self._administrator is None:
            raise NotVerified("Nobody has authenticated with the admin key: do that first.")
        return self._administrator

    # Keys.

    def make_key(self, wanted: KeySpecification) -> Key:
        """Makes a key in a slot, in place of what was there.

        :raises NotVerified: before the PIN was verified or the administrator authenticated
        :raises NotOffered: if the TPM does not know the algorithm
        """
        with self._changing() as gates:
            self._require_support(wanted.algorithm)
            template = Template.key(_ALGORITHMS[wanted.algorithm])
            with self._parent(wanted.pin) as parent:
                policy = gates.model.key_policy(wanted.pin)
                blob, creation = tpm_object.create(self._tpm, parent, template, policy)
            return self._keep(wanted, blob, creation)

    def import_key(self, wanted: KeySpecification, key: OutsideKey) -> Key:
        """Puts a key that was made elsewhere into a slot. The TPM vouches for nothing but its use.

        :raises NotVerified, NotOffered: as :meth:`make_key`
        """
        with self._changing() as gates:
            self._require_support(wanted.algorithm)
            template = Template.outside_key(_ALGORITHMS[wanted.algorithm], *key.public)
            with self._parent(wanted.pin) as parent:
                policy = gates.model.key_policy(wanted.pin)
                blob = tpm_object.bring_in(self._tpm, parent, template, policy, key.sensitive)
            return self._keep(wanted, blob, NO_CREATION)

    def _require_support(self, algorithm: Algorithm) -> None:
        if not supports(self._tpm, algorithm.value):
            raise NotOffered(f"The TPM has no keys of {algorithm.value}.")

    def _keep(self, wanted: KeySpecification, blob: Blob, creation: Creation) -> Key:
        public = Public.parse(unsized(blob.public, "TPM2B_PUBLIC", _LARGEST_PUBLIC)).spki()
        record = KeyRecord(wanted.algorithm, wanted.pin, blob, public, creation)
        self._write(self._record.with_key(wanted.slot, record))
        self._saved.pop(wanted.slot, None)
        return _key(wanted.slot, record)

    def remove_key(self, slot: int) -> None:
        """Forgets a key. A copy of the card's file still holds it, and still asks for the PIN.

        :raises NoSuchKey:
        """
        with self._store.changing(self.number):
            self._key(slot)
            self._write(self._record.without_key(slot))
        self._saved.pop(slot, None)

    @contextlib.contextmanager
    def _parent(self, pin: PinUse) -> t.Iterator[t.Any]:
        """A key that never asks for the PIN can't be under a parent that does."""
        root = self._tpm.storage_root
        if pin is PinUse.NEVER:
            yield root
            return
        auth = self._require_either().parent_auth
        with tpm_object.loaded(self._tpm, root, self._record.parent, auth) as parent:
            yield parent

    def sign(self, slot: int, digest: bytes) -> bytes:
        """Returns a DER ECDSA-Sig-Value over a digest of any length.

        :raises NoSuchKey, NotVerified:
        """
        key = self._key(slot)
        if key.algorithm.is_rsa:
            raise NoSuchKey(f"The key in slot {slot_name(slot)} is no EC key.")
        fitted = _fit(digest, key.algorithm.size)
        r, s = self._use(slot, key, lambda saved, ticket: self._bench.sign(saved, ticket, fitted))
        return utils.encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))

    def rsa_private(self, slot: int, block: bytes) -> bytes:
        """Returns the bare RSA private operation on a block of the modulus' size.

        What leaves the TPM is encrypted on its way, unless the block is evidently a signature's.

        :raises NoSuchKey, NotVerified:
        """
        key = self._key(slot)
        if not key.algorithm.is_rsa:
            raise NoSuchKey(f"The key in slot {slot_name(slot)} is no RSA key.")
        if _is_for_signature(slot, block):
            return self._use(slot, key, lambda saved, ticket: self._bench.rsa_private(saved, ticket, block))
        return self._use_encrypted(
            slot, key, lambda entity, policy, given: tpm_object.decrypt_rsa(self._tpm, entity, block, policy, given)
        )

    def agree(self, slot: int, point: bytes) -> bytes:
        """Returns the X coordinate of the ECDH shared point.

        :param point: the other side's, uncompressed: 04 X Y
        :raises NoSuchKey, NotVerified:
        """
        key = self._key(slot)
        size = key.algorithm.size
        if key.algorithm.is_rsa or len(point) != 1 + 2 * size or point[0] != 4:
            raise NoSuchKey(f"The key in slot {slot_name(slot)} does not agree with such a point.")
        x, y = point[1 : 1 + size], point[1 + size :]
        secret = self._use_encrypted(
            slot, key, lambda entity, policy, given: tpm_object.agree(self._tpm, entity, x, y, policy, given)
        )
        return secret.rjust(size, b"\0")

    def _key(self, slot: int) -> KeyRecord:
        try:
            return self.record.keys[slot]
        except KeyError:
            raise NoSuchKey(f"The slot {slot_name(slot)} holds no key.") from None

    def _require_opened(self) -> Opened:
        if self._opened is None:
            raise NotVerified("The PIN has not been verified: verify it first.")
        if self._due is not None:
            raise PinDue(self._due.value)
        return self._opened

    def _require_either(self) -> Opened:
        self.record  # noqa: B018  As in :attr:`verified`.
        return self._administrator.opened if self._administrator else self._require_opened()

    def require_pin(self) -> None:
        """:raises NotVerified, PinDue: unless a PIN that is good for more than its change is verified"""
        self.record  # noqa: B018  As in :attr:`verified`.
        self._require_opened()

    def must_change_pin(self) -> None:
        """From now on the PIN can do nothing but be changed."""
        with self._store.changing(self.number):
            record = self.record
            self._write(replace(record, pin=replace(record.pin, must_change=True)))
        self.logout()

    def _ticket(self, pin: PinUse) -> Ticket:
        """The PIN's ticket, or for a key that never asks, one that the POLICY index gives to everybody."""
        if pin is not PinUse.NEVER:
            return self._require_opened().ticket
        if self._open_ticket is None:
            gates = Gates(self._tpm, self._record)
            entity = gates.entity(Role.POLICY, b"")
            self._open_ticket = obtain_ticket(self._tpm, gates.model.name(Role.POLICY), entity, TICKET_SECONDS)
        return self._open_ticket

    def _use_encrypted(self, slot: int, key: KeyRecord, action: t.Callable[[t.Any, t.Any, Given], bytes]) -> bytes:
        def act(saved: SavedKey, ticket: Ticket) -> bytes:
            policy = self._record.model.key_policy(key.pin)
            with self._bench.entity(saved) as entity:
                return action(entity, policy, Given.ticket(ticket))

        return self._use(slot, key, act)

    def _use(self, slot: int, key: KeyRecord, action: t.Callable[[SavedKey, Ticket], Answer]) -> Answer:
        with self._turn():
            ticket = self._ticket(key.pin)
            try:
                return self._act(slot, key, ticket, action)
            except TpmError as error:
                self._saved.pop(slot, None)
                if error.reason not in STALE_TICKET:
                    raise
                self._open_ticket = None
                self.logout()
                raise NotVerified("The PIN's verification is over: verify it again.") from error

    def _act(self, slot: int, key: KeyRecord, ticket: Ticket, action: t.Callable[[SavedKey, Ticket], Answer]) -> Answer:
        saved = self._saved.get(slot)
        if saved is not None:
            try:
                return action(saved, ticket)
            except TpmError as error:
                if error.reason not in STALE_CONTEXT:
                    raise
        return action(self._load(slot, key), ticket)

    def _load(self, slot: int, key: KeyRecord) -> SavedKey:
        self._bench.clear()
        with self._parent(key.pin) as parent, tpm_object.loaded(self._tpm, parent, key.blob) as entity:
            self._saved[slot] = self._bench.save(entity)
        return self._saved[slot]

    def close(self) -> None:
        """Ends what a verified PIN and an administrator may do."""
        self.logout()
        self.end_administration()


def _session_part(record: Record) -> t.Tuple[object, ...]:
    """Returns what ends a session when another process changes it."""
    return record.serial, record.seals, record.pending, record.pin


def _key(slot: int, record: KeyRecord) -> Key:
    return Key(slot, record.algorithm, record.pin, record.public, record.imported)


def _fit(digest: bytes, size: int) -> bytes:
    """Cuts a digest as ECDSA does (FIPS 186-5, clause 6.4.1), or pads it, which changes no signature."""
    return digest[:size].rjust(size, b"\0")


def _is_for_signature(slot: int, block: bytes) -> bool:
    """PKCS#1 v1.5 padding is beyond doubt; a PSS trailer (RFC 8017, clause 9.1.1) is in slots made for signing."""
    return block.startswith(_SIGNATURE_START) or (slot in _SIGNING_SLOTS and block.endswith(b"\xbc"))
