# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the disk knows of a card. Nothing in it is secret: without the TPM and the PIN it opens nothing."""

from __future__ import annotations

import enum
import functools
import typing as t
from dataclasses import dataclass, field, replace

from .._encoding.blob import Blob, Creation
from .._encoding.evidence import GenesisEvidence
from .._encoding.key_algorithm import KeyAlgorithm
from .._pin import PinPolicy
from .admin_key import AdminChallenge
from .attestation import Attestation
from .derivation import NEWEST, Derivation
from .edge import Edge
from .face import Face
from .key import PinUse
from .model import Model, Role
from .passkey import PasskeyAttestation, PasskeyPresence, PasskeyStore
from .pin_record import PinRecord
from .recovery import Recovery
from .room import check_room, taken
from .telltale import Telltale

_NO_BLOB = Blob(b"", b"")


class State(str, enum.Enum):
    """Where a card is in its life. All but READY is taken up and finished by the next run."""

    CREATING = "creating"
    READY = "ready"
    DESTROYING = "destroying"


LARGEST_NUMBER = 9999


def free_number(taken: t.Iterable[int]) -> int:
    """Returns the number that the next card gets: the lowest that no card has."""
    used = set(taken)
    return next(number for number in range(LARGEST_NUMBER + 1) if number not in used)


@dataclass(frozen=True)
class KeyRecord:
    """What a card's file says of a key."""

    algorithm: KeyAlgorithm
    pin: PinUse
    blob: Blob
    public: bytes
    """DER SubjectPublicKeyInfo."""
    creation: Creation
    certifiable: bool = False
    """Whether its policy has the branch for TPM2_Certify."""
    attestation: bytes = b""
    """DER of the certificate that says how this key was made. It goes with the key."""

    @property
    def imported(self) -> bool:
        """Whether the key was imported: the TPM then says nothing of how it was made."""
        return not self.creation.ticket


@dataclass(frozen=True)
class PendingSeal:
    """A new seal that is written before the TPM changes the PIN.

    ``nonce`` and ``bit`` tell, once the TPM has accepted a PIN, whether it is the old or the new one,
    without asking the seal: a wrong guess there would count towards the TPM's own lockout.
    """

    seal: Blob
    nonce: bytes
    bit: int
    pin: t.Optional[PinRecord] = None
    """What is known of a new PIN, once it is set."""
    by_task: bool = False
    """Whether a task sets the secret, so that nonce and bit stay when it is set; see :mod:`.telltale`."""
    derivation: Derivation = NEWEST


@dataclass(frozen=True)
class Renewal:
    """What else is needed until the TPM was told the answer to a challenge that is written already.

    :param seal: holds the admin key that answers it
    :param previous: the authValue that the TPM has until then, masked with the new answer
    """

    seal: Blob
    previous: bytes


@dataclass(frozen=True)
class Administration:
    """What the disk knows of an admin key."""

    challenge: AdminChallenge
    renewal: t.Optional[Renewal] = None


def instance_id(number: int) -> str:
    """Returns a card's number in the form that Windows gives its virtual smart card readers."""
    return f"ROOT\\SMARTCARDREADER\\{number:04d}"


@dataclass(frozen=True)
class Record:
    """What a card's file says of the card."""

    number: int
    name: str
    serial: bytes
    tcti: str
    first_handle: int
    genesis: bytes
    salt: bytes
    pin_policy: PinPolicy
    pin_retries: int
    puk_retries: int
    state: State = State.CREATING
    edge: Edge = Edge.PIV
    owner: str = ""
    group: str = ""
    has_puk: bool = False
    presented: bool = True
    """Whether programs meet the card at all; decided by the host's Hello policy when the card is made."""
    faces: t.Tuple[Face, ...] = (Face.PCSC,)
    """The ways by which programs reach the card, if it is presented."""
    passkeys: bool = False
    """Whether the card is a FIDO2 authenticator too, on a host that shows cards so."""
    presence: PasskeyPresence = PasskeyPresence.PIN
    passkey_attestation: PasskeyAttestation = PasskeyAttestation.TPM
    """Who attests a new passkey, where no relying party is named below."""
    enterprise_attestation: t.Tuple[str, ...] = ()
    """Ids of the relying parties that alone shall see the attestation key, if there are any."""
    card_reset: bool = False
    """Whether a program may make the card anew that has blocked PIN and PUK."""
    generated: bool = False
    """Whether the file system was written that a GIDS card has."""
    seals: t.Mapping[Role, Blob] = field(default_factory=dict)
    pending: t.Mapping[Role, PendingSeal] = field(default_factory=dict)
    telltales: t.Mapping[Role, Telltale] = field(default_factory=dict)
    pin: PinRecord = field(default_factory=PinRecord)
    derivations: t.Mapping[Role, Derivation] = field(default_factory=dict)
    """How the authValues of PIN and PUK were made, where not in the newest way."""
    storage_root: bytes = b""
    """Name of the storage root key that everything of the card is under; empty for one from before store version 3."""
    parent: Blob = _NO_BLOB
    keys: t.Mapping[int, KeyRecord] = field(default_factory=dict)
    certificates: t.Mapping[int, bytes] = field(default_factory=dict)
    """DER, by slot."""
    objects: t.Mapping[int, bytes] = field(default_factory=dict)
    """What the edge keeps beside keys and certificates, by its own tags."""
    ak: t.Optional[Blob] = None
    """The attestation key. A card from before store version 3 gets one when it first has to prove something."""
    genesis_proof: t.Optional[GenesisEvidence] = None
    """What the AK stated of the genesis object while that was there. None for a card from before store version 3."""
    ak_certificate: bytes = b""
    """DER."""
    attestation_issuer: bytes = b""
    """DER, of the CA that signed what attests the keys."""
    administration: t.Optional[Administration] = None
    """None for a card whose admin key nobody knows."""
    passkey_store: t.Optional[PasskeyStore] = None
    """None until the card's first passkey is made."""
    recovery: t.Optional[Recovery] = None
    """The host's half of a PUK that two sides make. None for a card whose PUK somebody knows, or that has none."""

    @property
    def has_reader(self) -> bool:
        """Whether programs meet the card in a reader of pcscd."""
        return self.presented and Face.PCSC in self.faces

    @property
    def has_admin(self) -> bool:
        return self.administration is not None

    @property
    def attestation(self) -> Attestation:
        if self.ak is None:
            return Attestation.NONE
        return Attestation.AIK_AND_CERT if self.ak_certificate else Attestation.AIK_ONLY

    def derivation(self, role: Role) -> Derivation:
        """Returns how the present authValue of a PIN or PUK was made."""
        return self.derivations.get(role, NEWEST)

    @functools.cached_property
    def model(self) -> Model:
        return Model(self.first_handle, self.genesis, self.has_puk, self.has_admin)

    @property
    def instance_id(self) -> str:
        return instance_id(self.number)

    def with_key(self, slot: int, key: KeyRecord) -> Record:
        return replace(self, keys={**self.keys, slot: key})

    def without_key(self, slot: int) -> Record:
        return replace(self, keys={each: key for each, key in self.keys.items() if each != slot})

    def with_attestation(self, slot: int, certificate: bytes) -> Record:
        return self.with_key(slot, replace(self.keys[slot], attestation=certificate))

    def with_object(self, tag: int, value: t.Optional[bytes]) -> Record:
        """:raises CardFull:"""
        return self._if_there_is_room(replace(self, objects=_replaced(self.objects, tag, value)))

    def with_certificate(self, slot: int, certificate: t.Optional[bytes]) -> Record:
        """:raises CardFull:"""
        return self._if_there_is_room(replace(self, certificates=_replaced(self.certificates, slot, certificate)))

    def with_passkeys(self, change: t.Callable[[PasskeyStore], PasskeyStore]) -> Record:
        """:raises CardFull:"""
        if self.passkey_store is None:
            raise ValueError("the card has no place for passkeys yet")
        return self._if_there_is_room(replace(self, passkey_store=change(self.passkey_store)))

    @property
    def taken(self) -> int:
        """Bytes that are taken of the card's room."""
        return taken(self.objects, self.certificates, sizes=self.passkey_store.sizes if self.passkey_store else ())

    def _if_there_is_room(self, changed: Record) -> Record:
        check_room(self.taken, changed.taken)
        return changed

    def with_pending(self, role: Role, pending: PendingSeal) -> Record:
        return replace(self, pending={**self.pending, role: pending})

    def settled(self, role: Role, seal: Blob) -> Record:
        """The record once it is known which seal the secret opens."""
        changed = self.pending.get(role)
        pending = {each: value for each, value in self.pending.items() if each is not role}
        settled = replace(self, seals={**self.seals, role: seal}, pending=pending)
        return settled._with_new_secret(role, changed) if changed and changed.seal == seal else settled

    def _with_new_secret(self, role: Role, changed: PendingSeal) -> Record:
        telltales = {each: value for each, value in self.telltales.items() if each is not role}
        if changed.by_task:
            telltales[role] = Telltale(changed.nonce, changed.bit)
        derivations = {**self.derivations, role: changed.derivation}
        return replace(self, telltales=telltales, derivations=derivations, pin=changed.pin or self.pin)

    def renewed(self, challenge: AdminChallenge, seal: Blob) -> Record:
        """The record once the TPM knows the answer to a new challenge."""
        return replace(self, seals={**self.seals, Role.ADMIN: seal}, administration=Administration(challenge))


def presented(records: t.Iterable[Record]) -> t.Dict[int, str]:
    """Returns the names of the cards that have a reader, by number."""
    return {each.number: each.name for each in records if each.state is State.READY and each.has_reader}


def _replaced(entries: t.Mapping[int, bytes], key: int, value: t.Optional[bytes]) -> t.Mapping[int, bytes]:
    others = {each: data for each, data in entries.items() if each != key}
    return others if value is None else {**others, key: value}
