# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a TPM states of its keys and NV indices, signed by an attestation key. None of it takes a PIN.

Source: TPM 2.0 part 3, clauses 18.3 (TPM2_CertifyCreation) and 31.16 (TPM2_NV_Certify).
"""

from __future__ import annotations

import contextlib
import typing as t

from .._encoding.blob import Blob, Creation
from .._encoding.evidence import IndexEvidence, Statement
from .._encoding.policy import Policy
from .._encoding.wire import unsized
from .connection import Tpm
from .pytss import load
from .session import NOTHING_GIVEN, satisfying

_LARGEST = 1024


def certify_creation(tpm: Tpm, ak: t.Any, blob: Blob, creation: Creation, nonce: bytes) -> Statement:
    """States how a key was made. The TPM gets its public area alone, so its parent stays closed.

    :raises TpmError: if the ticket is not this TPM's
    """
    pytss = load()
    public, _unused = pytss.TPM2B_PUBLIC.unmarshal(blob.public)
    hashed, _unused = pytss.TPM2B_DIGEST.unmarshal(creation.hash)
    ticket, _unused = pytss.TPMT_TK_CREATION.unmarshal(creation.ticket)
    with tpm.doing("certifying a key") as esapi:
        entity = esapi.load_external(in_public=public, in_private=None, hierarchy=pytss.ESYS_TR.NULL)
        try:
            made = esapi.certify_creation(
                sign_handle=ak,
                object_handle=entity,
                qualifying_data=pytss.TPM2B_DATA(nonce),
                creation_hash=hashed,
                in_scheme=pytss.TPMT_SIG_SCHEME(scheme=pytss.TPM2_ALG.NULL),
                creation_ticket=ticket,
            )
        finally:
            esapi.flush_context(entity)
    return _statement(*made)


def certify_index(
    tpm: Tpm, ak: t.Any, handle: int, size: int, nonce: bytes, policy: t.Optional[Policy]
) -> IndexEvidence:
    """States what an NV index is and holds.

    :param policy: what lets anybody have it certified; None for an index with an empty authValue
    """
    pytss = load()
    entity = tpm.entity(handle)
    with contextlib.ExitStack() as stack:
        by = pytss.ESYS_TR.PASSWORD
        if policy is not None:
            by = stack.enter_context(satisfying(tpm, policy, NOTHING_GIVEN))
        esapi = stack.enter_context(tpm.doing("certifying an NV index"))
        shown, _unused = esapi.nv_read_public(nv_index=entity)
        made = esapi.nv_certify(
            sign_handle=ak,
            nv_index=entity,
            qualifying_data=pytss.TPM2B_DATA(nonce),
            in_scheme=pytss.TPMT_SIG_SCHEME(scheme=pytss.TPM2_ALG.NULL),
            size=size,
            offset=0,
            auth_handle=entity,
            session1=pytss.ESYS_TR.PASSWORD,
            session2=by,
        )
    return IndexEvidence(unsized(shown.marshal(), "TPM2B_NV_PUBLIC", _LARGEST), _statement(*made))


def _statement(attest: t.Any, signature: t.Any) -> Statement:
    return Statement(unsized(attest.marshal(), "TPM2B_ATTEST", _LARGEST), signature.marshal())
