# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The NV indices of a card, compared with its model: checks 12 and 13 of docs/attestation.md."""

from __future__ import annotations

import typing as t

from ...module_utils._card.model import Index, Model, Role, counter_data
from ...module_utils._encoding.attest import NvInfo
from ...module_utils._encoding.evidence import CardEvidence, IndexEvidence
from ...module_utils._encoding.name import NV_WRITTEN
from ...module_utils._encoding.nv_public import NvPublic
from . import structure
from .finding import Code, Report
from .genesis import check_genesis_name
from .request import CardRequest
from .statement import StatementSigner

_CODES = {
    Role.PIN: (Code.PIN_INDEX, Code.PIN_RETRIES),
    Role.PUK: (Code.PUK_INDEX, Code.PUK_RETRIES),
    Role.POLICY: (Code.POLICY_INDEX, Code.POLICY_INDEX),
}
"""What is refused if an index is defined otherwise, and if it holds something else."""


def check_model(card: CardEvidence, request: CardRequest, signer: StatementSigner, report: Report) -> t.Optional[Model]:
    """Returns the model that the card claims, after its indices were compared with it."""
    if not check_genesis_name(card.genesis, report):
        return None
    _demand_same(card.puk, request.puk, "a PUK", Code.PUK_INDEX, report)
    _demand_same(card.admin, request.admin, "an admin key", Code.ADMIN_KEY, report)
    model = Model(card.first_handle, card.genesis, puk=card.puk, admin=card.admin)
    for role, content in _contents(model, request).items():
        shown = card.indices.get(role.name.lower())
        if shown is None:
            report.refuse(Code.EVIDENCE_INCOMPLETE, f"the {role.name} index is not shown")
        else:
            _check_index(role, shown, model.indices[role], content, signer, report)
    return model


def _contents(model: Model, request: CardRequest) -> t.Dict[Role, bytes]:
    """What the indices hold that decide over the PIN."""
    contents = {Role.PIN: counter_data(request.pin_retries), Role.POLICY: model.policy_data}
    return {**contents, Role.PUK: counter_data(request.puk_retries)} if model.has_puk else contents


def _demand_same(found: bool, wanted: bool, subject: str, code: Code, report: Report) -> None:
    clause = f"the card has {subject} without being asked for" if found else f"the card lacks {subject}"
    report.demand(found == wanted, code, clause)


def _check_index(
    role: Role, shown: IndexEvidence, index: Index, content: bytes, signer: StatementSigner, report: Report
) -> None:
    subject = f"the {role.name} index"
    definition_code, content_code = _CODES[role]
    public = structure.read(lambda: NvPublic.parse(shown.public), subject, report)
    if public is None:
        return
    fault = _definition_fault(public, index)
    report.demand(not fault, definition_code, f"{subject} {fault}")
    attested = signer.attested(shown.content, NvInfo, subject, report)
    if attested is None:
        return
    report.demand(attested.name == public.name, Code.INDEX_NAME_MISMATCH, f"{subject} is not what the TPM attests")
    fault = _content_fault(role, attested, content)
    report.demand(not fault, content_code, f"{subject} {fault}")


def _definition_fault(public: NvPublic, index: Index) -> str:
    if public.handle != index.handle:
        return f"is at {public.handle:#010x}, not at {index.handle:#010x}"
    wanted = index.attributes | NV_WRITTEN
    if public.attributes != wanted:
        return f"has the attributes {public.attributes:#010x}, not {wanted:#010x}"
    if public.size != index.size:
        return f"holds {public.size} bytes, not {index.size}"
    if public.name != index.name:
        return "has another policy than the model, so other ways past the PIN may exist"
    return ""


def _content_fault(role: Role, attested: NvInfo, content: bytes) -> str:
    if attested.offset != 0 or len(attested.contents) != len(content):
        return f"is attested in part, {len(attested.contents)} bytes from {attested.offset}"
    if role is Role.POLICY:
        return "" if attested.contents == content else "allows something else than the model"
    # The count of failures changes with each wrong PIN; the limit does not.
    limit, wanted = (int.from_bytes(each[4:8], "big") for each in (attested.contents, content))
    return "" if limit == wanted else f"gives {limit} tries, not {wanted}"
