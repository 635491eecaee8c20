# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card that was enrolled, recognised when it is shown again: by the keys and Names that the ledger has pinned, and by
nothing that the inventory says.

Whether makers' certificates are still good is not asked: the TPM has answered for itself once, and is asked to again.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._card.secret import Tries
from ...module_utils._encoding.attest import Attest, NvInfo
from ...module_utils._encoding.evidence import CardEvidence, Evidence
from ...module_utils._encoding.public import Public
from ...module_utils._encoding.wire import WireError
from ...module_utils._errors import StateError
from .._ledger.pins import Known
from .card import VerifiedCard, check_card
from .ek import read_ek
from .finding import Report
from .known import Recall
from .request import CardRequest
from .storage_root import read_storage_root

_ENROL = "enrol the host, which says what has changed, and see to that first"


@dataclass(frozen=True)
class KnownCardShown:
    """A card that is the one it was.

    :param ek: of the TPM that it is in
    :param pin: tries, as the TPM states them now
    """

    ek: Public
    ak: Public
    pin: Tries
    puk: Tries


def recognise(document: t.Any, host: str, name: str, nonce: bytes, recall: Recall) -> KnownCardShown:
    """Returns the card, of which the TPM has stated over the nonce that it is there.

    :param document: what the host showed, which may be anything
    :raises StateError: if it is another card than the one that was enrolled, another TPM, or an old statement
    """
    try:
        evidence = Evidence.parse(document)
    except WireError as error:
        raise StateError(f"the evidence of {host} is malformed: {error}", _ENROL) from error
    report = Report(name)
    ek, root = read_ek(evidence, report), read_storage_root(evidence, report)
    shown = next((each for each in evidence.cards if each.name == name), None)
    if ek is None or root is None or shown is None:
        raise StateError(f"{host} does not show the card {name}", _ENROL)
    known = recall(host, ek.fingerprint, root.name.hex())
    _demand_tpm(known, host, ek.fingerprint)
    pin, puk = (_attested_tries(shown, role) for role in ("pin", "puk"))
    wanted = CardRequest(name, nonce, (), pin.limit, puk.limit, shown.puk, shown.admin)
    card = check_card(shown, wanted, root, report)
    _demand_card(known, host, card, report)
    return KnownCardShown(ek.public, t.cast(VerifiedCard, card).ak, pin, puk)


def _demand_tpm(known: Known, host: str, ek: str) -> None:
    if known.ek_host != host or ek not in known.eks or known.root_host != host:
        raise StateError(f"{host} shows another TPM than the one that it was enrolled with", _ENROL)


def _demand_card(known: Known, host: str, card: t.Optional[VerifiedCard], report: Report) -> None:
    if card is None or report.findings:
        said = report.findings[0].sentence[:-1] if report.findings else "Its attestation key can't be read"
        raise StateError(f"{host} does not prove the card: {said}", _ENROL)
    before = known.cards.get(card.name)
    if before is None or not before.is_same(card.claim):
        raise StateError(f"{host} shows another card {card.name} than the one that was enrolled", _ENROL)


def _attested_tries(shown: CardEvidence, role: str) -> Tries:
    """Reads a counter, TPMS_NV_PIN_COUNTER_PARAMETERS; who has signed it is looked at elsewhere."""
    try:
        attested = Attest.parse(shown.indices[role].content.attest).attested
    except (KeyError, WireError):
        return Tries(0, 0)
    content = attested.contents if isinstance(attested, NvInfo) else b""
    count, limit = (int.from_bytes(content[at : at + 4], "big") for at in (0, 4))
    return Tries(max(limit - count, 0), limit)
