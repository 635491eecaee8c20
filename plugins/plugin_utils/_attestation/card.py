# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card: its AK, its NV indices, its parent and its keys."""

from __future__ import annotations

import struct
import typing as t
from dataclasses import dataclass, field

from ...module_utils._encoding.evidence import CardEvidence, Document
from ...module_utils._encoding.public import ObjectAttribute, Public
from ...module_utils._encoding.wire import WireError
from .ak import check_ak, check_ak_known
from .attributes import STORAGE, attribute_fault, read_public
from .finding import Code, Report
from .indices import check_model
from .key import Above, KeyCheck, VerifiedKey
from .known import Known
from .request import CardRequest, Request
from .statement import Signer

RH_OWNER = struct.pack(">I", 0x40000001)
"""The owner hierarchy, in which the storage root key is: TPM 2.0 part 2, clause 7.4."""


@dataclass(frozen=True)
class VerifiedCard:
    """A card that was looked at; what was wrong with it is in the findings."""

    name: str
    ak: Public
    keys: t.Mapping[str, VerifiedKey] = field(default_factory=dict)

    def document(self) -> Document:
        return {"ak": self.ak.name.hex(), "keys": {slot: key.document() for slot, key in sorted(self.keys.items())}}


def check_card(
    card: CardEvidence, wanted: CardRequest, root: Public, request: Request, known: Known, report: Report
) -> t.Optional[VerifiedCard]:
    """Returns the card, or None if its AK can't be read. What is wrong goes into the report.

    :param root: the host's storage root key
    :param request: what was asked of the host as a whole
    """
    ak = read_public(card.ak, "the AK", report)
    if ak is None:
        return None
    check_ak(ak, report)
    check_ak_known(ak, request.host, card.name, card.name in request.replace_ak, known, report)
    above = Above(root.name, root.qualified_name(RH_OWNER))
    try:
        signer = Signer(ak, ak.public_key(), ak.qualified_name(above.qualified_name), wanted.nonce)
    except WireError as error:
        report.refuse(Code.STRUCTURE_MALFORMED, f"the AK is malformed: {error}")
        return None
    model = check_model(card, wanted, signer, report)
    parent = _check_parent(card, above, report)
    keys = _check_keys(card, KeyCheck(wanted, model, parent, above, signer, report))
    return VerifiedCard(card.name, ak, {key.slot: key for key in keys})


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
