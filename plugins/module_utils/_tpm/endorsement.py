# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endorsement key (EK): its certificates in NV, the key itself, and what only it can open."""

from __future__ import annotations

import contextlib
import struct
import typing as t
from dataclasses import dataclass

from .._encoding import command as wire
from .._encoding.credential import Credential
from .._encoding.ek_template import CHAIN_HANDLES, TEMPLATES, EkTemplate, cut_certificate, cut_certificates
from .._encoding.policy import PolicySecret
from .._encoding.public import EccArea, ObjectAttribute, Public
from .._encoding.wire import WireError, unsized
from .connection import Tpm
from .pytss import load
from .session import Given, Protect, authorising, satisfying

PERSISTENT_KEYS = range(0x81010000, 0x81010100)
"""Where EKs are kept: TCG TPM v2.0 Provisioning Guidance, clause 7.8."""

LARGEST_PUBLIC = 1024
LARGEST_INDEX = 16384
"""Bytes of an NV index that is read for certificates; a TPM has seldom as many in all."""

_CHUNK = 512
"""Bytes that every TPM reads at once."""
_AUTHREAD = 1 << 18
_ENDORSEMENT_NAME = struct.pack(">I", 0x4000000B)
"""A permanent handle is its own Name: TPM 2.0 part 1, clause 16."""
_POLICY_A = (PolicySecret(_ENDORSEMENT_NAME),)


@dataclass(frozen=True)
class Endorsement:
    """An EK that the TPM can show.

    :param certificates: DER, its own first, then what chain lies in NV; empty if it has none there
    """

    template: EkTemplate
    certificates: t.Tuple[bytes, ...]


def find_endorsement(tpm: Tpm) -> Endorsement:
    """Returns the EK to use: one with a certificate in NV, elliptic curves first, for they are faster."""
    there = set(tpm.handles(wire.NV))
    for template in sorted(TEMPLATES, key=lambda each: not isinstance(each.public.area, EccArea)):
        if template.handle in there:
            certificate = cut_certificate(_read_index(tpm, template.handle))
            if certificate:
                return Endorsement(template, (certificate, *_chain(tpm, there)))
    return Endorsement(TEMPLATES[0], ())


def _chain(tpm: Tpm, there: t.AbstractSet[int]) -> t.Tuple[bytes, ...]:
    return cut_certificates(b"".join(_read_index(tpm, handle) for handle in CHAIN_HANDLES if handle in there))


def _read_index(tpm: Tpm, handle: int) -> bytes:
    pytss = load()
    entity = tpm.entity(handle)
    with tpm.doing("reading an EK certificate") as esapi:
        public, _unused = esapi.nv_read_public(nv_index=entity)
        area = public.nvPublic
        size = min(int(area.dataSize), LARGEST_INDEX)
        by = entity if int(area.attributes) & _AUTHREAD else pytss.ESYS_TR.OWNER
        data = b""
        while len(data) < size:
            count = min(_CHUNK, size - len(data))
            data += bytes(esapi.nv_read(nv_index=entity, size=count, offset=len(data), auth_handle=by))
        return data


@contextlib.contextmanager
def endorsement_key(tpm: Tpm, endorsement: Endorsement) -> t.Iterator[t.Tuple[t.Any, bytes]]:
    """Gives the EK for a block: its ESAPI entity and its TPMT_PUBLIC.

    :raises TpmError: if the TPM does not make it, or the endorsement hierarchy has an authorisation
    """
    kept = _kept(tpm, endorsement)
    if kept is not None:
        yield kept
        return
    pytss = load()
    public, _unused = pytss.TPMT_PUBLIC.unmarshal(endorsement.template.public.marshal())
    with tpm.doing("making the endorsement key") as esapi:
        made = esapi.create_primary(
            in_sensitive=pytss.TPM2B_SENSITIVE_CREATE(),
            in_public=pytss.TPM2B_PUBLIC(publicArea=public),
            primary_handle=pytss.ESYS_TR.ENDORSEMENT,
        )
    try:
        yield made[0], unsized(made[1].marshal(), "TPM2B_PUBLIC", LARGEST_PUBLIC)
    finally:
        with contextlib.suppress(pytss.TSS2_Exception):
            tpm.esapi().flush_context(made[0])


def _kept(tpm: Tpm, endorsement: Endorsement) -> t.Optional[t.Tuple[t.Any, bytes]]:
    """Returns the EK if the TPM keeps it, for to derive an RSA key anew takes some TPMs a minute."""
    for handle in tpm.handles(wire.PERSISTENT):
        if handle in PERSISTENT_KEYS:
            entity = tpm.entity(handle)
            with tpm.doing("reading a public area") as esapi:
                area = unsized(esapi.read_public(object_handle=entity)[0].marshal(), "TPM2B_PUBLIC", LARGEST_PUBLIC)
            if _is_it(area, endorsement):
                return entity, area
    return None


def _is_it(area: bytes, endorsement: Endorsement) -> bool:
    try:
        public = Public.parse(area)
        fits = endorsement.template.with_key(public.public_key()) == public
        return fits and bool(endorsement.certificates) and public.spki() in endorsement.certificates[0]
    except WireError:
        return False


def activate(tpm: Tpm, template: EkTemplate, ek: t.Any, ak: t.Any, credential: Credential) -> bytes:
    """Returns the secret of a credential that was made for this EK and this AK. It travels encrypted.

    :raises TpmError: if the credential is for another EK or AK
    """
    pytss = load()
    with contextlib.ExitStack() as stack:
        by = pytss.ESYS_TR.PASSWORD
        if not template.public.attributes & ObjectAttribute.USER_WITH_AUTH:
            given = Given.entity(_ENDORSEMENT_NAME, pytss.ESYS_TR.ENDORSEMENT)
            by = stack.enter_context(satisfying(tpm, _POLICY_A, given))
        encrypting = stack.enter_context(authorising(tpm, Protect.RESPONSE))
        esapi = stack.enter_context(tpm.doing("activating a credential"))
        return bytes(
            esapi.activate_credential(
                activate_handle=ak,
                key_handle=ek,
                credential_blob=pytss.TPM2B_ID_OBJECT(credential.blob),
                secret=pytss.TPM2B_ENCRYPTED_SECRET(credential.secret),
                session1=pytss.ESYS_TR.PASSWORD,
                session2=by,
                session3=encrypting,
            )
        )
