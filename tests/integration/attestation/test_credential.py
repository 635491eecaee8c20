# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real TPM opens what MakeCredential in software made, and only the right one, and only for the right key."""

from __future__ import annotations

import os

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.credential import Credential, make_credential
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.ek_template import TEMPLATES, EkTemplate
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import Public
from tpm2_pytss import ESAPI, ESYS_TR, TPM2_ALG, TPM2_SE, TSS2_Exception
from tpm2_pytss.types import (
    TPM2B_ENCRYPTED_SECRET,
    TPM2B_ID_OBJECT,
    TPM2B_PUBLIC,
    TPM2B_SENSITIVE_CREATE,
    TPMA_OBJECT,
    TPMT_PUBLIC,
    TPMT_SYM_DEF,
)

pytestmark = pytest.mark.tpm

BY_TITLE = {template.title: template for template in TEMPLATES}
SUPPORTED = ["L-1", "L-2", "H-1", "H-2", "H-3"]


def create_ek(esapi, template: EkTemplate):
    public, _unused = TPMT_PUBLIC.unmarshal(template.public.marshal())
    made = esapi.create_primary(
        in_sensitive=TPM2B_SENSITIVE_CREATE(),
        in_public=TPM2B_PUBLIC(publicArea=public),
        primary_handle=ESYS_TR.ENDORSEMENT,
    )
    return made[0], Public.parse(made[1].publicArea.marshal())


def create_ak(esapi):
    attributes = (
        TPMA_OBJECT.FIXEDTPM
        | TPMA_OBJECT.FIXEDPARENT
        | TPMA_OBJECT.SENSITIVEDATAORIGIN
        | TPMA_OBJECT.USERWITHAUTH
        | TPMA_OBJECT.RESTRICTED
        | TPMA_OBJECT.SIGN_ENCRYPT
    )
    made = esapi.create_primary(
        in_sensitive=TPM2B_SENSITIVE_CREATE(),
        in_public=TPM2B_PUBLIC.parse("ecc256:ecdsa-sha256:null", objectAttributes=attributes),
        primary_handle=ESYS_TR.OWNER,
    )
    return made[0], Public.parse(made[1].publicArea.marshal())


def activate(esapi, template: EkTemplate, ek, ak, credential: Credential) -> bytes:
    null = TPMT_SYM_DEF(algorithm=TPM2_ALG.NULL)
    session = esapi.start_auth_session(
        tpm_key=ESYS_TR.NONE,
        bind=ESYS_TR.NONE,
        session_type=TPM2_SE.POLICY,
        symmetric=null,
        auth_hash=TPM2_ALG(template.public.name_algorithm),
    )
    try:
        esapi.policy_secret(
            auth_handle=ESYS_TR.ENDORSEMENT,
            policy_session=session,
            nonce_tpm=b"",
            cp_hash_a=b"",
            policy_ref=b"",
            expiration=0,
        )
        low = template.title.startswith("L")
        opened = esapi.activate_credential(
            activate_handle=ak,
            key_handle=ek,
            credential_blob=TPM2B_ID_OBJECT(credential.blob),
            secret=TPM2B_ENCRYPTED_SECRET(credential.secret),
            session1=ESYS_TR.PASSWORD,
            session2=session if low else ESYS_TR.PASSWORD,
        )
        return bytes(opened)
    finally:
        esapi.flush_context(session)


@pytest.fixture
def keys(request, swtpm):
    with ESAPI(swtpm.tcti) as esapi:
        template = BY_TITLE[request.param]
        (ek, ek_public), (ak, ak_public) = create_ek(esapi, template), create_ak(esapi)
        yield esapi, template, ek, ek_public, ak, ak_public
        for handle in (ek, ak):
            esapi.flush_context(handle)


@pytest.mark.parametrize("keys", SUPPORTED, indirect=True)
def test_the_tpm_recovers_the_secret(keys):
    esapi, template, ek, ek_public, ak, ak_public = keys
    secret = os.urandom(32)
    assert activate(esapi, template, ek, ak, make_credential(ek_public, ak_public.name, secret)) == secret


@pytest.mark.parametrize("keys", SUPPORTED, indirect=True)
def test_the_tpm_refuses_it_for_another_key(keys):
    esapi, template, ek, ek_public, ak, ak_public = keys
    other = ak_public.name[:-1] + bytes([ak_public.name[-1] ^ 1])
    with pytest.raises(TSS2_Exception, match="integrity check fail"):
        activate(esapi, template, ek, ak, make_credential(ek_public, other, os.urandom(32)))


@pytest.mark.parametrize("keys", ["L-2"], indirect=True)
def test_another_tpm_does_not_open_it(keys, other_swtpm):
    _unused, template, _unused, ek_public, _unused, ak_public = keys
    credential = make_credential(ek_public, ak_public.name, os.urandom(32))
    with ESAPI(other_swtpm.tcti) as esapi:
        (ek, _unused), (ak, _unused) = create_ek(esapi, template), create_ak(esapi)
        with pytest.raises(TSS2_Exception):
            activate(esapi, template, ek, ak, credential)
        for handle in (ek, ak):
            esapi.flush_context(handle)
