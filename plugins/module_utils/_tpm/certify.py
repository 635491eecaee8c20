# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a TPM states of its keys and NV indices, signed by an attestation key.

Source: TPM 2.0 part 3, clauses 18.2 (TPM2_Certify), 18.3 (TPM2_CertifyCreation) and 31.16 (TPM2_NV_Certify).
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
from .session import NOTHING_GIVEN, Given, satisfying


def certify_creation(tpm: Tpm, ak: t.Any, blob: Blob, creation: Creation, nonce: bytes) -> Statement:
    """States how a key was made. The TPM gets its public area alone, so its parent stays closed, and no PIN is needed.

    :raises TpmError: if the ticket is not this TPM's
    """
    pytss = load()
    public, _unused = pytss.TPM2B_PUBLIC.unmarshal(blob.public)
    with tpm.doing("loading a public area") as esapi:
        entity = esapi.load_external(in_public=public, in_private=None, hierarchy=pytss.ESYS_TR.NULL)
    try:
        return certify_loaded(tpm, ak, entity, creation, nonce)
    finally:
        with contextlib.suppress(pytss.TSS2_Exception):
            tpm.esapi().flush_context(entity)


def certify_loaded(tpm: Tpm, ak: t.Any, entity: t.Any, creation: Creation, nonce: bytes) -> Statement:
    """States how an object was made that is loaded."""
    pytss = load()
    hashed, _unused = pytss.TPM2B_DIGEST.unmarshal(creation.hash)
    ticket, _unused = pytss.TPMT_TK_CREATION.unmarshal(creation.ticket)
    with tpm.doing("certifying a creation") as esapi:
        made = esapi.certify_creation(
            sign_handle=ak,
            object_handle=entity,
            qualifying_data=pytss.TPM2B_DATA(nonce),
            creation_hash=hashed,
            in_scheme=pytss.TPMT_SIG_SCHEME(scheme=pytss.TPM2_ALG.NULL),
            creation_ticket=ticket,
        )
    return _statement(*made)


def certify_key(tpm: Tpm, ak: t.Any, key: t.Any, qualifying: bytes, policy: Policy, given: Given) -> Statement:
    """States what a loaded key is: the statement that WebAuthn and ACME know.

    :param qualifying: up to 64 bytes that the statement holds
    :param policy: of the key, for TPM2_Certify
    """
    pytss = load()
    with satisfying(tpm, policy, given, salted=False) as session, tpm.doing("certifying a key") as esapi:
        made = esapi.certify(
            object_handle=key,
            sign_handle=ak,
            qualifying_data=pytss.TPM2B_DATA(qualifying),
            in_scheme=pytss.TPMT_SIG_SCHEME(scheme=pytss.TPM2_ALG.NULL),
            session1=session,
            session2=pytss.ESYS_TR.PASSWORD,
        )
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
            by = stack.enter_context(satisfying(tpm, policy, NOTHING_GIVEN, salted=False))
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
    return IndexEvidence(unsized(shown.marshal(), "TPM2B_NV_PUBLIC"), _statement(*made))


def _statement(attest: t.Any, signature: t.Any) -> Statement:
    return Statement(unsized(attest.marshal(), "TPM2B_ATTEST"), signature.marshal())
