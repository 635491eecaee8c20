# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card: its AK, its NV indices, its parent and its keys."""

from __future__ import annotations

import struct
import typing as t
from dataclasses import asdict, dataclass, field

from ...module_utils._card.model import Model, Role
from ...module_utils._encoding import command
from ...module_utils._encoding.evidence import CardEvidence, Document
from ...module_utils._encoding.public import ObjectAttribute, Public
from .._ledger.pins import CardClaim, CardPins
from . import structure
from .ak import check_ak
from .attributes import STORAGE, attribute_fault
from .finding import Code, Report
from .genesis import check_genesis
from .indices import check_model
from .key import Above, KeyCheck, VerifiedKey
from .request import CardRequest
from .statement import StatementSigner
from .structure import read_public

RH_OWNER = struct.pack(">I", command.RH_OWNER)
"""The owner hierarchy, in which the storage root key is: TPM 2.0 part 2, clause 7.4."""


@dataclass(frozen=True)
class VerifiedCard:
    """A card that was looked at; what was wrong with it is in the findings.

    :param pins: the Names that make the card this card
    :param resets: how often the TPM was reset, as the AK counts: from a start that is secret, so differences alone tell
    :param genesis_resets: the same when genesis was there; None if the card does not prove how genesis was made
    """

    name: str
    ak: Public
    pins: CardPins
    keys: t.Mapping[str, VerifiedKey] = field(default_factory=dict)
    resets: t.Optional[int] = None
    genesis_resets: t.Optional[int] = None

    @property
    def genesis_proven(self) -> bool:
        """Whether genesis was in the NULL hierarchy, so that it ends with a reset of the TPM."""
        return self.genesis_resets is not None

    @property
    def sealed(self) -> bool:
        """Whether it has ended, and with it all sessions and tickets from when the card was made."""
        return self.genesis_proven and self.resets not in (None, self.genesis_resets)

    @property
    def claim(self) -> CardClaim:
        return CardClaim(self.pins, self.resets, self.genesis_proven, self.genesis_resets)

    def document(self) -> Document:
        keys = {slot: key.document() for slot, key in sorted(self.keys.items())}
        counts = {"resets": self.resets, "genesis_resets": self.genesis_resets}
        return {**asdict(self.pins), "keys": keys, **counts, "sealed": self.sealed}


def check_card(card: CardEvidence, wanted: CardRequest, root: Public, report: Report) -> t.Optional[VerifiedCard]:
    """Returns the card, or None if its AK can't be read. What is wrong goes into the report.

    :param root: the host's storage root key
    """
    ak = read_public(card.ak, "the AK", report)
    if ak is None:
        return None
    check_ak(ak, report)
    above = Above(root.name, root.qualified_name(RH_OWNER))
    key = structure.read(ak.public_key, "the AK", report)
    if key is None:
        return None
    signer = StatementSigner(ak, key, ak.qualified_name(above.qualified_name), wanted.nonce)
    genesis_resets = check_genesis(card, signer, report)
    model = check_model(card, wanted, signer, report)
    parent = _check_parent(card, above, report)
    keys = _check_keys(card, KeyCheck(wanted, model, parent, above, signer, report))
    pins, by_slot = _pins(ak, model, parent), _by_slot(keys, report)
    verified = VerifiedCard(card.name, ak, pins, by_slot, _resets(signer, report), genesis_resets)
    _check_sealed(verified, wanted, report)
    return verified


def _pins(ak: Public, model: t.Optional[Model], parent: t.Optional[Above]) -> CardPins:
    """Returns the Names that have to stay."""
    above = None if parent is None else parent.name.hex()
    if model is None:
        return CardPins(ak.name.hex(), parent=above)
    names = {role: index.name.hex() for role, index in model.indices.items()}
    counters = {"pin": names[Role.PIN], "puk": names.get(Role.PUK, "")}
    policies = {"policy": names[Role.POLICY], "admin": names.get(Role.ADMIN, "")}
    return CardPins(ak.name.hex(), model.genesis.hex(), above, **counters, **policies)


def _by_slot(keys: t.Iterable[VerifiedKey], report: Report) -> t.Dict[str, VerifiedKey]:
    found: t.Dict[str, VerifiedKey] = {}
    for key in keys:
        twin = next((slot for slot, other in found.items() if other.spki == key.spki), "")
        report.demand(not twin, Code.KEY_SHOWN_TWICE, f"the key {key.slot} is the key {twin}, shown twice")
        found[key.slot] = key
    return found


def _resets(signer: StatementSigner, report: Report) -> t.Optional[int]:
    """What was true of a card before a reset of the TPM need not be true after it, so all has to be of one time."""
    counts = {clock.reset_count for clock in signer.clocks}
    clause = "the TPM was reset between two attestations of the card"
    report.demand(len(counts) <= 1, Code.TPM_RESTARTED, clause)
    return counts.pop() if len(counts) == 1 else None


def _check_sealed(card: VerifiedCard, wanted: CardRequest, report: Report) -> None:
    if not wanted.sealed or card.sealed:
        return
    if card.genesis_proven:
        report.refuse(Code.NOT_SEALED, "the TPM was not restarted since the card was made")
    else:
        report.refuse(Code.GENESIS_UNPROVEN, "the card does not prove that its genesis object ended")


def _check_parent(card: CardEvidence, root: Above, report: Report) -> t.Optional[Above]:
    parent = read_public(card.parent, "the parent of the keys", report)
    if parent is None:
        return None
    fault = attribute_fault(parent.attributes, STORAGE, ObjectAttribute.NO_DA)
    report.demand(not fault, Code.PARENT_ATTRIBUTES, f"the parent of the keys is {fault}")
    return Above(parent.name, parent.qualified_name(root.qualified_name))


def _check_keys(card: CardEvidence, check: KeyCheck) -> t.Iterator[VerifiedKey]:
    report = check.report
    shown, wanted = {key.slot: key for key in card.keys}, {key.slot: key for key in check.request.keys}
    report.demand(len(shown) == len(card.keys), Code.EVIDENCE_SURPLUS, "a slot is shown twice")
    for slot in sorted(wanted.keys() - shown.keys()):
        report.refuse(Code.EVIDENCE_INCOMPLETE, f"the key {slot} is not shown")
    for slot in sorted(shown.keys() - wanted.keys()):
        report.refuse(Code.EVIDENCE_SURPLUS, f"the key {slot} is shown without being asked for")
    for slot in sorted(shown.keys() & wanted.keys()):
        key = check.check(shown[slot], wanted[slot])
        if key is not None:
            yield key
