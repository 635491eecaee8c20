# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a TPM states of its keys and NV indices, signed by an attestation key.

Source: TPM 2.0 part 3, clauses 18.2 (TPM2_Certify), 18.3 (TPM2_CertifyCreation) and 31.16 (TPM2_NV_Certify).
"""

from __future__ import annotations

import contextlib
import typing as t

from .._encoding import command as wire
from .._encoding.blob import Blob, Creation
from .._encoding.evidence import IndexEvidence, Statement
from .._encoding.policy import Policy
from .connection import Tpm
from .object import placed
from .session import Ticket, open_to_all
from .workbench import SavedKey, Workbench


def certify_creation(tpm: Tpm, ak: int, blob: Blob, creation: Creation, nonce: bytes) -> Statement:
    """States how a key was made. The TPM gets its public area alone, so its parent stays closed, and no PIN is needed.

    :raises TpmError: if the ticket is not this TPM's
    """
    with placed(tpm, wire.load_external(blob.public)) as handle:
        return certify_loaded(tpm, ak, handle, creation, nonce)


def certify_loaded(tpm: Tpm, ak: int, handle: int, creation: Creation, nonce: bytes) -> Statement:
    """States how an object was made that is loaded."""
    command = wire.certify_creation(ak, handle, nonce, creation.hash, creation.ticket)
    return _statement(tpm.run(command, "certifying a creation"))


def certify_key(bench: Workbench, ak: int, key: SavedKey, ticket: Ticket, qualifying: bytes, rest: Policy) -> Statement:
    """States what a key is: the statement that WebAuthn and ACME know.

    :param ak: handle of the key that signs
    :param qualifying: up to 64 bytes that the statement holds
    :param rest: the steps after the ticket of the key's policy for TPM2_Certify
    """
    return _statement(bench.certify(key, ticket, ak, qualifying, rest))


def certify_index(tpm: Tpm, ak: int, handle: int, size: int, nonce: bytes, policy: t.Optional[Policy]) -> IndexEvidence:
    """States what an NV index is and holds.

    :param policy: what lets anybody have it certified; None for an index with an empty authValue
    """
    shown = wire.take_sized(wire.parameters(tpm.run(wire.nv_read_public(handle), "reading a public area")))[0]
    with open_to_all(tpm, policy) if policy is not None else contextlib.nullcontext(tpm.password()) as area:
        made = tpm.run(wire.nv_certify(ak, handle, area, nonce, size), "certifying an NV index")
    return IndexEvidence(shown, _statement(made))


def _statement(response: bytes) -> Statement:
    body = wire.parameters(response)
    attest, at = wire.take_sized(body)
    return Statement(attest, body[at:])
