# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory wants of one host: cards, keys, and who they are for. Nothing in it comes from the host."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._card.edge import Edge, parse_algorithm
from ...module_utils._card.face import Face
from ...module_utils._card.key import slot_number
from ...module_utils._card.secret import expects, word
from ...module_utils._encoding.key_algorithm import KeyAlgorithm
from ...module_utils._errors import InputError
from .._attestation.request import CardRequest, EvidenceRequest, KeyRequest
from .._ca import profiles
from .._ca.external_ca import ExternalCa
from .._ca.identity import COMMON_NAME_LENGTH, Identity
from .._ca.profile import CertificateKind, Profile, find_profile
from .._ledger.record import KEY_ATTESTATION
from .._ledger.replacement import NOTHING, Replacement
from .recovery_key import load_recovery_key

_NAMES = ("upn", "sid", "principal", "email", "dns_names", "ssh_principals")
_NOT_FOR_THE_HOST = frozenset((*_NAMES, "common_name", "profile", "keys"))
"""What a host does not have to know of a card; keys it gets without their profiles."""

NOBODYS_KEY = (None, "random")
"""Values of ``admin_key`` for a card without an admin key that anybody knows."""


@dataclass(frozen=True)
class KeyToCertify:
    """A key with a certificate under a profile."""

    slot: str
    algorithm: KeyAlgorithm
    profile: Profile
    external: bool = False
    """Whether another CA issues its certificate."""
    ssh_profile: t.Optional[Profile] = None
    """For an OpenSSH certificate beside it."""

    @property
    def profiles(self) -> t.Tuple[Profile, ...]:
        return (self.profile, self.ssh_profile) if self.ssh_profile else (self.profile,)


@dataclass(frozen=True)
class CardToEnroll:
    """A card, its keys, and whom they stand for.

    :param task: what the host gets to make the card with; it may hold the first PIN
    """

    name: str
    identity: Identity
    keys: t.Tuple[KeyToCertify, ...]
    pin_retries: int
    puk_retries: int
    puk: bool
    admin: bool
    task: t.Mapping[str, t.Any]
    attested: bool = False
    """Whether its keys get certificates that attest them: the command for these is PIV's."""
    needs_keys: bool = True
    """Whether the card has to show all of its keys, for the sake of their owner's certificates."""
    uncertified_ek: bool = False
    """Whether all of its profiles, the AK's included, do without an EK certificate, and no other CA has to be told."""
    recoverable: bool = False
    """Whether its PUK is made of two halves, of which the controller keeps one."""

    def __repr__(self) -> str:
        return f"CardToEnroll({self.name!r})"

    def key(self, slot: str) -> KeyToCertify:
        return next(key for key in self.keys if key.slot == slot)

    def request(self, nonce: bytes, slots: t.Optional[t.AbstractSet[str]] = None) -> CardRequest:
        """Returns what the verifier demands.

        :param slots: names of the slots to look at; all if None
        """
        shown = [key for key in self.keys if slots is None or key.slot in slots]
        keys = [KeyRequest.of(slot_number(key.slot), key.algorithm, key.profile.assurance) for key in shown]
        return CardRequest(
            name=self.name,
            nonce=nonce,
            keys=tuple(keys),
            pin_retries=self.pin_retries,
            puk_retries=self.puk_retries if self.puk else 0,
            puk=self.puk,
            admin=self.admin,
            sealed=any(key.profile.sealed for key in shown),
            uncertified_ek=self.uncertified_ek,
        )


@dataclass(frozen=True)
class WantedHost:
    """One host.

    :param ek: fingerprint of the EK that the inventory names, or empty
    """

    host: str
    cards: t.Tuple[CardToEnroll, ...]
    ak_profile: Profile
    ek: str = ""
    replacement: Replacement = NOTHING
    external_ca: t.Optional[ExternalCa] = None
    recovery_key: t.Any = None
    """The public key that the controller's halves of PUKs are sealed for."""

    @classmethod
    def parse(cls, host: str, arguments: t.Mapping[str, t.Any]) -> WantedHost:
        """Reads a task's arguments.

        :raises InputError: for the first that is not right
        """
        shelf = profiles.shelf(arguments["profiles"])
        external_ca = cls.external_ca_of(arguments)
        recovery_key = load_recovery_key(arguments["recovery_key"])
        office = _Office(arguments["profile"], shelf, external_ca, recovery_key is not None)
        cards = tuple(_card(values, f"cards[{at}]", office) for at, values in enumerate(arguments["cards"]))
        names = [card.name for card in cards]
        if len(set(names)) != len(names):
            raise InputError("cards", "names a card twice", "name each card of a host once")
        ek = (arguments["ek"] or "").replace(":", "").lower()
        replacement = Replacement.parse(arguments["replace_ek"], arguments["replace_cards"])
        return cls(host, cards, shelf[profiles.AK], ek, replacement, external_ca, recovery_key)

    @staticmethod
    def external_ca_of(arguments: t.Mapping[str, t.Any]) -> t.Optional[ExternalCa]:
        """:raises InputError: for the first part of the other CA, or of the profiles, that is not right"""
        values = arguments["external_ca"]
        return ExternalCa.parse(values, profiles.shelf(arguments["profiles"])) if values else None

    def request(self, cards: t.Iterable[CardRequest]) -> EvidenceRequest:
        return EvidenceRequest(self.host, tuple(cards), self.ek, self.replacement).validate()

    def card(self, name: str) -> CardToEnroll:
        return next(card for card in self.cards if card.name == name)

    @property
    def attestation_profile(self) -> Profile:
        """Of the certificates that stand beside the AK's."""
        return profiles.for_attested_keys(self.ak_profile)

    @staticmethod
    def attestation_identity(slot: str) -> Identity:
        """What these name: a slot of some card, and nobody."""
        return Identity(f"PIV attestation {slot_number(slot):x}")

    @property
    def ak_identity(self) -> Identity:
        """Under whom the ledger keeps an AK certificate: the computer. The certificate itself names the TPM alone."""
        return Identity(self.host[:COMMON_NAME_LENGTH])


@dataclass(frozen=True)
class _Office:
    """What a task says of all cards.

    :param profile: where neither card nor key names one
    """

    profile: t.Optional[str]
    shelf: t.Mapping[str, Profile]
    external_ca: t.Optional[ExternalCa]
    recovers: bool = False
    """Whether a card that has no PUK of its own gets one of two halves."""

    def issues_elsewhere(self, profile: str) -> bool:
        return self.external_ca is not None and self.external_ca.issues(profile)


def _card(given: t.Mapping[str, t.Any], field: str, office: _Office) -> CardToEnroll:
    recoverable = office.recovers and given["puk"] is None and given["has_puk"] is not False
    values = {**given, "has_puk": True} if recoverable else given
    edge, common = Edge(values["card_edge"]), values["profile"] or office.profile
    faces = values["faces"] or (Face.PCSC.value,)
    keys = tuple(_key(edge, faces, key, f"{field}.keys[{at}]", common, office) for at, key in enumerate(values["keys"]))
    if not keys:
        raise InputError(f"{field}.keys", "is empty", "name at least one slot, such as {slot: authentication}")
    names = {name: values[name] for name in _NAMES if values[name]}
    common_name = values["common_name"] or _common_name(values)
    identity = Identity.parse({"common_name": common_name, **names}, field)
    for key in keys:
        for each in key.profiles:
            each.check(identity, field)
    left_out = _NOT_FOR_THE_HOST | {name for name, value in values.items() if value is None}
    task = {name: value for name, value in values.items() if name not in left_out}
    task["keys"] = [
        {"slot": key.slot, "algorithm": key.algorithm.value, "self_signed": each["self_signed"]}
        for key, each in zip(keys, values["keys"])
    ]
    return CardToEnroll(
        name=values["name"],
        identity=identity,
        keys=keys,
        **held_by_tpm(values),
        task=task,
        attested=edge.shows_attestations,
        uncertified_ek=_does_without_ek_certificate(keys, office),
        recoverable=recoverable,
    )


def _does_without_ek_certificate(keys: t.Iterable[KeyToCertify], office: _Office) -> bool:
    own = all(not key.external and all(each.uncertified_ek for each in key.profiles) for key in keys)
    return own and office.shelf[profiles.AK].uncertified_ek


def held_by_tpm(card: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """Returns what the TPM has to show of a card's secrets, as fields of :class:`CardToEnroll`. A back door otherwise.

    :param card: as a task describes it
    :raises InputError: if the task contradicts itself
    """
    return {
        "pin_retries": card["pin_retries"],
        "puk_retries": card["puk_retries"],
        "puk": expects("puk", card["puk"] is not None, card["has_puk"]),
        "admin": expects("admin_key", word(card["admin_key"]) not in NOBODYS_KEY, card["has_admin_key"]),
    }


def _common_name(values: t.Mapping[str, t.Any]) -> str:
    """The first name that says who it is."""
    found = (values[name] for name in ("upn", "principal", "email", "owner", "name"))
    return str(next(filter(None, found)))[:COMMON_NAME_LENGTH]


def _key(
    edge: Edge,
    faces: t.Collection[str],
    values: t.Mapping[str, t.Any],
    field: str,
    profile: t.Optional[str],
    office: _Office,
) -> KeyToCertify:
    slot = slot_number(values["slot"], f"{field}.slot")
    edge.check_slot(slot, f"{field}.slot")
    algorithm = parse_algorithm(values["algorithm"], slot, f"{field}.algorithm")
    if Face.PCSC.value in faces:
        edge.check_algorithm(algorithm, f"{field}.algorithm")
    name = values["profile"] or profile
    if not name:
        raise InputError(f"{field}.profile", "is missing", f"choose one of {', '.join(sorted(office.shelf))}")
    found = find_profile(name, office.shelf)
    if found.kind is not CertificateKind.X509 or found.name in (profiles.AK, KEY_ATTESTATION):
        raise InputError(f"{field}.profile", f"is {name!r}, which is not for a card's slot", "choose an X.509 profile")
    ssh_profile = _ssh_profile(values["ssh_profile"], f"{field}.ssh_profile", office)
    return KeyToCertify(values["slot"], algorithm, found, office.issues_elsewhere(name), ssh_profile)


def _ssh_profile(name: t.Optional[str], field: str, office: _Office) -> t.Optional[Profile]:
    if not name:
        return None
    found = find_profile(name, office.shelf)
    if found.kind is not CertificateKind.SSH_USER:
        raise InputError(field, f"is {name!r}, which is not for OpenSSH", "choose ssh_user, or a profile based on it")
    return found
