# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects: made, loaded, unsealed, flushed. TPM 2.0 part 3, clauses 12 and 24."""

from __future__ import annotations

import contextlib
import typing as t

from .._encoding import command as wire
from .._encoding.blob import Blob, Creation
from .._encoding.policy import Policy, policy_digest
from .connection import Tpm
from .pytss import load, utilities
from .session import Given, Protect, authorising, satisfying


def create(
    tpm: Tpm, parent: t.Any, template: t.Any, policy: Policy = (), auth: bytes = b"", data: bytes = b""
) -> t.Tuple[Blob, Creation]:
    """Makes an object under ``parent``; authValue and data travel encrypted."""
    sensitive = _sensitive(auth, data)
    if policy:
        template.publicArea.authPolicy = policy_digest(policy)
    with authorising(tpm, Protect.COMMAND) as session, tpm.doing("making an object") as esapi:
        private, public, creation, hashed, ticket = esapi.create(
            parent_handle=parent, in_sensitive=sensitive, in_public=template, session1=session
        )
    evidence = Creation(creation.marshal(), hashed.marshal(), ticket.marshal())
    return Blob(private.marshal(), public.marshal()), evidence


def import_key(tpm: Tpm, parent: t.Any, template: t.Any, policy: Policy, sensitive: bytes) -> Blob:
    """Imports an external key under ``parent``, for whose public key alone it is encrypted on its way.

    :param sensitive: a prime, or a private scalar
    :raises TpmError: if the TPM does not take it
    """
    pytss = load()
    template.publicArea.authPolicy = policy_digest(policy)
    kind = template.publicArea.type
    area = pytss.TPMT_SENSITIVE(sensitiveType=kind)
    if kind == pytss.TPM2_ALG.RSA:
        area.sensitive.rsa.buffer = sensitive
    else:
        area.sensitive.ecc.buffer = sensitive
    with authorising(tpm) as session, tpm.doing("importing a key") as esapi:
        above = esapi.read_public(parent)[0]
        key, duplicate, seed = utilities().wrap(above.publicArea, template, pytss.TPM2B_SENSITIVE(area))
        private = esapi.import_(
            parent_handle=parent,
            encryption_key=key,
            object_public=template,
            duplicate=duplicate,
            in_sym_seed=seed,
            symmetric_alg=pytss.TPMT_SYM_DEF_OBJECT(algorithm=pytss.TPM2_ALG.NULL),
            session1=session,
        )
    return Blob(private.marshal(), template.marshal())


class Passing(t.NamedTuple):
    """An object that is there for a while.

    :param public: a marshalled TPM2B_PUBLIC
    """

    entity: t.Any
    public: bytes
    creation: Creation


@contextlib.contextmanager
def passing(tpm: Tpm, template: t.Any, auth: bytes, data: bytes) -> t.Iterator[Passing]:
    """Makes an object of the NULL hierarchy for a block. Nobody can make it again after the TPM's next restart."""
    pytss = load()
    sensitive = _sensitive(auth, data)
    with authorising(tpm, Protect.COMMAND) as session, tpm.doing("making a passing object") as esapi:
        entity, public, creation, hashed, ticket = esapi.create_primary(
            in_sensitive=sensitive, in_public=template, primary_handle=pytss.ESYS_TR.NULL, session1=session
        )
    try:
        tpm.esapi().tr_set_auth(entity, auth)
        yield Passing(entity, public.marshal(), Creation(creation.marshal(), hashed.marshal(), ticket.marshal()))
    finally:
        with contextlib.suppress(pytss.TSS2_Exception):
            tpm.esapi().flush_context(entity)


def _sensitive(auth: bytes, data: bytes) -> t.Any:
    pytss = load()
    return pytss.TPM2B_SENSITIVE_CREATE(
        pytss.TPMS_SENSITIVE_CREATE(userAuth=auth, data=pytss.TPM2B_SENSITIVE_DATA(data))
    )


@contextlib.contextmanager
def loaded(tpm: Tpm, parent: t.Any, blob: Blob, auth: bytes = b"") -> t.Iterator[t.Any]:
    """Loads an object for a block.

    :raises TpmError: INTEGRITY if the blob is damaged or another parent's
    """
    pytss = load()
    private, _unused = pytss.TPM2B_PRIVATE.unmarshal(blob.private)
    public, _unused = pytss.TPM2B_PUBLIC.unmarshal(blob.public)
    with authorising(tpm) as session, tpm.doing("loading an object") as esapi:
        entity = esapi.load(parent_handle=parent, in_private=private, in_public=public, session1=session)
    try:
        if auth:
            tpm.esapi().tr_set_auth(entity, auth)
        yield entity
    finally:
        with contextlib.suppress(pytss.TSS2_Exception):
            tpm.esapi().flush_context(entity)


@contextlib.contextmanager
def placed(tpm: Tpm, command: bytes) -> t.Iterator[int]:
    """Gives the handle of what a bare command loads, for a block.

    ESAPI that is opened within the block takes it away.
    """
    handle = wire.first_handle(tpm.run(command, "loading an object"))
    try:
        yield handle
    finally:
        tpm.drop(handle)


def name(tpm: Tpm, entity: t.Any) -> bytes:
    """Returns the Name of a loaded object."""
    with tpm.doing("reading a Name") as esapi:
        return bytes(esapi.tr_get_name(entity))


def unseal(tpm: Tpm, entity: t.Any, policy: Policy, given: Given) -> bytes:
    """Returns sealed data; it travels encrypted.

    :raises TpmError: AUTH_FAIL for a wrong authValue, LOCKOUT in the TPM's lockout
    """
    with satisfying(tpm, policy, given, Protect.RESPONSE) as session, tpm.doing("unsealing") as esapi:
        return bytes(esapi.unseal(item_handle=entity, session1=session))


def decrypt_rsa(tpm: Tpm, entity: t.Any, block: bytes, policy: Policy, given: Given) -> bytes:
    """The bare RSA private operation; what comes out travels encrypted."""
    pytss = load()
    scheme = pytss.TPMT_RSA_DECRYPT(scheme=pytss.TPM2_ALG.NULL)
    with satisfying(tpm, policy, given, Protect.RESPONSE) as session, tpm.doing("decrypting") as esapi:
        return bytes(
            esapi.rsa_decrypt(
                key_handle=entity,
                cipher_text=pytss.TPM2B_PUBLIC_KEY_RSA(block),
                in_scheme=scheme,
                label=b"",
                session1=session,
            )
        )


def ecdh(tpm: Tpm, entity: t.Any, x: bytes, y: bytes, policy: Policy, given: Given) -> bytes:
    """Returns the X coordinate of the ECDH shared point; it travels encrypted."""
    pytss = load()
    point = pytss.TPM2B_ECC_POINT(pytss.TPMS_ECC_POINT(x=x, y=y))
    with satisfying(tpm, policy, given, Protect.RESPONSE) as session, tpm.doing("computing an ECDH secret") as esapi:
        shared = esapi.ecdh_zgen(key_handle=entity, in_point=point, session1=session)
        inner = shared.point
        return bytes(inner.x)


def hmac(tpm: Tpm, entity: t.Any, data: bytes, policy: Policy, given: Given) -> bytes:
    """Returns the HMAC-SHA-256 of up to 1024 bytes; it travels encrypted. TPM 2.0 part 3, clause 15.5."""
    pytss = load()
    with satisfying(tpm, policy, given, Protect.RESPONSE) as session, tpm.doing("computing an HMAC") as esapi:
        return bytes(
            esapi.hmac(
                handle=entity, buffer=pytss.TPM2B_MAX_BUFFER(data), hash_alg=pytss.TPM2_ALG.SHA256, session1=session
            )
        )
