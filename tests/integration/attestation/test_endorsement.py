# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in the NV memory of TPMs of many makers, written into a TPM of our own."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.credential import make_credential
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.ek_template import TEMPLATES, EkTemplate
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import EccArea, Public
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._tpm import object as tpm_object
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.capability import identify
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.connection import Tpm
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.endorsement import (
    Endorsement,
    activate,
    endorsement_key,
    find_endorsement,
)
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.errors import Reason, TpmError
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.tcti import Tcti
from ansible_collections.hardbound.identity.plugins.module_utils._tpm.template import Template
from ansible_collections.hardbound.identity.tests.support import forge
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm
from tpm2_pytss import ESYS_TR, TPM2_ALG, TPMA_NV
from tpm2_pytss.types import (
    TPM2B_AUTH,
    TPM2B_NV_PUBLIC,
    TPM2B_PUBLIC,
    TPM2B_SENSITIVE_CREATE,
    TPMS_NV_PUBLIC,
    TPMS_SENSITIVE_CREATE,
    TPMT_PUBLIC,
)

pytestmark = pytest.mark.tpm

RSA, ECC = TEMPLATES[0], TEMPLATES[1]
SECRET = bytes(range(32))
MAKER = forge.Authority("Maker CA")


class Memory:
    """A TPM, and a hand that writes its NV memory as a maker does."""

    def __init__(self, tcti: str, folder: pathlib.Path) -> None:
        self.place = (Tcti.parse(tcti), str(folder))
        self.tpm = Tpm(*self.place)

    def define(
        self, handle: int, size: int, attributes: str = "AUTHREAD|AUTHWRITE|OWNERREAD|NO_DA", auth: bytes = b""
    ) -> t.Any:
        public = TPMS_NV_PUBLIC(
            nvIndex=handle, nameAlg=TPM2_ALG.SHA256, attributes=TPMA_NV.parse(attributes.lower()), dataSize=size
        )
        return self.tpm.esapi().nv_define_space(TPM2B_AUTH(auth), TPM2B_NV_PUBLIC(public))

    def write(self, handle: int, data: bytes) -> None:
        entity = self.define(handle, len(data))
        for at in range(0, len(data), 512):
            self.tpm.esapi().nv_write(entity, data[at : at + 512], offset=at, auth_handle=entity)

    def certificate(self, template: EkTemplate, *usage: str) -> bytes:
        """Of the EK that this TPM makes by the template."""
        with endorsement_key(self.tpm, Endorsement(template, ())) as (_entity, area):
            key = Public.parse(area).public_key()
        return forge.der(forge.EkCertificate(key_usage=forge.usage(*usage)).issue(MAKER, key))

    def opens(self, found: Endorsement) -> bool:
        """Whether the EK is the one of its certificate, and opens what was made for it."""
        template = Template.attestation()
        blob, _unused = tpm_object.create(self.tpm, self.tpm.storage_root(), template)
        with endorsement_key(self.tpm, found) as (ek, area):
            shown = Public.parse(area)
            assert shown == found.template.with_key(shown.public_key())
            assert shown.spki() in found.certificates[0]
            with tpm_object.loaded(self.tpm, self.tpm.storage_root(), blob) as ak:
                name = bytes(self.tpm.esapi().tr_get_name(ak))
                credential = make_credential(shown, name, SECRET)
                return activate(self.tpm, found.template, ek, ak, credential) == SECRET


@pytest.fixture
def memory(software_tpm: SoftwareTpm, short_path: pathlib.Path) -> t.Iterator[Memory]:
    memory = Memory(software_tpm.tcti, short_path)
    with contextlib.closing(memory.tpm), memory.tpm.taken():
        yield memory


def test_an_index_that_was_never_written_does_not_hide_the_others(memory: Memory) -> None:
    """As a hypervisor leaves 0x01C0000A beside a good RSA certificate."""
    good = memory.certificate(RSA, "key_encipherment")
    memory.define(ECC.handle, 900)
    memory.define(0x01C00100, 900)
    memory.write(RSA.handle, good)
    found = find_endorsement(memory.tpm)
    assert found == Endorsement(RSA, (good,))
    assert memory.opens(found)


def test_an_index_that_nobody_may_read_does_not_hide_the_others(memory: Memory) -> None:
    good = memory.certificate(RSA, "key_encipherment")
    entity = memory.define(ECC.handle, 8, "AUTHREAD|AUTHWRITE|READ_STCLEAR|NO_DA")
    memory.tpm.esapi().nv_write(entity, bytes(8), auth_handle=entity)
    memory.tpm.esapi().nv_read_lock(nv_index=entity, auth_handle=entity)
    memory.write(RSA.handle, good)
    assert find_endorsement(memory.tpm) == Endorsement(RSA, (good,))


READ_BY = ["AUTHREAD", "AUTHREAD|NO_DA", "AUTHREAD|OWNERREAD", "AUTHREAD|OWNERREAD|NO_DA"]


@pytest.mark.parametrize("attributes", READ_BY)
def test_an_index_with_a_password_costs_no_failure(memory: Memory, attributes: str) -> None:
    """It is looked at before it is tried; what the owner may read is read all the same."""
    good = memory.certificate(ECC, "key_agreement")
    memory.write(RSA.handle, memory.certificate(RSA, "key_encipherment"))
    entity = memory.define(ECC.handle, len(good), f"{attributes}|OWNERWRITE", b"of the maker")
    for at in range(0, len(good), 512):
        memory.tpm.esapi().nv_write(entity, good[at : at + 512], offset=at, auth_handle=ESYS_TR.OWNER)
    memory.tpm.release()  # Who has defined an index knows its password as long as the connection lasts.
    with memory.tpm.taken():
        before = identify(memory.tpm).lockout.counter
        assert find_endorsement(memory.tpm).template == (ECC if "OWNERREAD" in attributes else RSA)
        assert identify(memory.tpm).lockout.counter == before


@pytest.mark.parametrize("template", TEMPLATES[2:4])
def test_an_ek_that_is_kept_with_a_password_costs_no_failure(memory: Memory, template: EkTemplate) -> None:
    """One of the high range, whose own authValue opens credentials: it is derived anew, and has none then."""
    usage = "key_agreement" if isinstance(template.public.area, EccArea) else "key_encipherment"
    memory.write(template.handle, memory.certificate(template, usage))
    public, _unused = TPMT_PUBLIC.unmarshal(template.public.marshal())
    made = memory.tpm.esapi().create_primary(
        in_sensitive=TPM2B_SENSITIVE_CREATE(TPMS_SENSITIVE_CREATE(userAuth=b"of somebody")),
        in_public=TPM2B_PUBLIC(publicArea=public),
        primary_handle=ESYS_TR.ENDORSEMENT,
    )[0]
    memory.tpm.esapi().evict_control(ESYS_TR.OWNER, made, 0x81010005)
    memory.tpm.esapi().flush_context(made)
    before = identify(memory.tpm).lockout.counter
    assert memory.opens(find_endorsement(memory.tpm))
    assert identify(memory.tpm).lockout.counter == before


def test_a_certificate_in_an_octet_string_is_found(memory: Memory) -> None:
    good = memory.certificate(ECC, "key_agreement")
    memory.write(ECC.handle, b"\x04\x82" + len(good).to_bytes(2, "big") + good + b"\xff" * 64)
    found = find_endorsement(memory.tpm)
    assert found == Endorsement(ECC, (good,))
    assert memory.opens(found)


def test_an_elliptic_certificate_for_encipherment_gives_way_to_a_good_one(memory: Memory) -> None:
    """As of some of Intel's TPMs."""
    odd, good = memory.certificate(ECC, "key_encipherment"), memory.certificate(RSA, "key_encipherment")
    memory.write(ECC.handle, odd)
    assert find_endorsement(memory.tpm) == Endorsement(ECC, (odd,))
    memory.write(RSA.handle, good)
    assert find_endorsement(memory.tpm) == Endorsement(RSA, (good,))


def test_a_chain_is_read_past_padding_and_over_the_ends_of_indices(memory: Memory) -> None:
    leaf, first, second, third = (memory.certificate(ECC, "key_agreement") for _each in range(4))
    memory.write(ECC.handle, leaf)
    memory.write(0x01C00100, first + second[:100])
    memory.write(0x01C00101, second[100:] + b"\xff" * 30)
    memory.define(0x01C00102, 900)
    memory.write(0x01C00103, third + bytes(30))
    assert find_endorsement(memory.tpm) == Endorsement(ECC, (leaf, first, second, third))


@pytest.mark.parametrize("template", [RSA, ECC], ids=["RSA", "ECC"])
@pytest.mark.parametrize("has_own", [True, False], ids=["with a template", "without"])
def test_an_ek_is_made_by_the_nonce_that_its_maker_used(memory: Memory, template: EkTemplate, has_own: bool) -> None:
    usage = "key_encipherment" if template is RSA else "key_agreement"
    nonce = bytes(range(1, 21))
    plain = memory.certificate(template, usage)
    memory.write(template.nonce_handle, nonce)
    if has_own:
        memory.write(template.template_handle, template.public.marshal())
    good = memory.certificate(template, usage)
    with endorsement_key(memory.tpm, Endorsement(template.with_nonce(nonce), ())) as (_entity, area):
        assert Public.parse(area).spki() in good and Public.parse(area).spki() not in plain
    memory.write(template.handle, good)
    found = find_endorsement(memory.tpm)
    assert found == Endorsement(template, (good,))
    assert memory.opens(found)


@pytest.mark.parametrize("junk", [b"\xff" * 40, bytes(300), b"\x00"], ids=["padding", "zeros", "a byte"])
def test_what_is_no_template_leaves_that_of_the_tcg(memory: Memory, junk: bytes) -> None:
    good = memory.certificate(ECC, "key_agreement")
    memory.write(ECC.handle, good)
    memory.write(ECC.template_handle, junk)
    memory.write(ECC.nonce_handle, b"of another key")
    assert memory.opens(find_endorsement(memory.tpm))


# Authorisations and hierarchies.


def proved_by(memory: Memory, **auths: bytes) -> bool:
    """Whether a connection that knows these can make the EK and open a credential."""
    memory.tpm.release()
    memory.tpm = Tpm(*memory.place, **auths)  # type: ignore[arg-type]
    with memory.tpm.taken():
        return memory.opens(find_endorsement(memory.tpm))


@pytest.mark.parametrize("template", [RSA, TEMPLATES[3]], ids=["low range", "high range"])
def test_the_authorisation_of_the_endorsement_hierarchy_is_needed_and_named(
    memory: Memory, template: EkTemplate
) -> None:
    usage = "key_encipherment" if template is RSA else "key_agreement"
    memory.write(template.handle, memory.certificate(template, usage))
    memory.tpm.storage_root()
    memory.tpm.esapi().hierarchy_change_auth(ESYS_TR.ENDORSEMENT, b"of the endorsement")
    memory.tpm.esapi().hierarchy_change_auth(ESYS_TR.OWNER, b"of the owner")
    with pytest.raises(InputError, match=r"^tpm_endorsement_auth is missing, and there is one of the TPM's endors"):
        proved_by(memory, owner_auth=b"of the owner")
    with pytest.raises(InputError, match=r"^tpm_endorsement_auth is not that of the TPM's endorsement hierarchy: give"):
        proved_by(memory, endorsement_auth=b"of the owner")
    assert proved_by(memory, endorsement_auth=b"of the endorsement")


def test_the_authorisation_is_needed_for_an_ek_that_the_tpm_keeps(memory: Memory) -> None:
    """To open a credential by policy A takes it once more."""
    memory.write(RSA.handle, memory.certificate(RSA, "key_encipherment"))
    found = find_endorsement(memory.tpm)
    with endorsement_key(memory.tpm, found) as (ek, _area):
        memory.tpm.esapi().evict_control(ESYS_TR.OWNER, ek, 0x81010001)
    memory.tpm.storage_root()
    memory.tpm.esapi().hierarchy_change_auth(ESYS_TR.ENDORSEMENT, b"of the endorsement")
    with pytest.raises(InputError, match=r"^tpm_endorsement_auth is missing"):
        proved_by(memory)
    assert proved_by(memory, endorsement_auth=b"of the endorsement")


@pytest.mark.parametrize("hierarchy", ["OWNER", "ENDORSEMENT"])
def test_a_hierarchy_that_is_disabled_is_named(memory: Memory, hierarchy: str) -> None:
    memory.tpm.esapi().hierarchy_control(auth_handle=ESYS_TR.PLATFORM, enable=getattr(ESYS_TR, hierarchy), state=False)
    words = f"the TPM's {hierarchy.lower()} hierarchy is disabled: enable the TPM in the firmware settings"
    with pytest.raises(TpmError, match=rf"^{words} \(code 0x[12]85, making the ") as caught:
        if hierarchy == "OWNER":
            memory.tpm.storage_root()
        else:
            with endorsement_key(memory.tpm, Endorsement(ECC, ())):
                pass
    assert caught.value.reason is Reason.HIERARCHY


def test_what_a_disabled_hierarchy_keeps_is_as_if_it_were_not_there(memory: Memory) -> None:
    """Handles of it are unknown to the TPM then, and the message says that this can be why."""
    memory.write(RSA.handle, b"a certificate")
    memory.tpm.esapi().hierarchy_control(auth_handle=ESYS_TR.PLATFORM, enable=ESYS_TR.OWNER, state=False)
    words = "the TPM has no such key or index, or its hierarchy is disabled: enable it in the firmware settings"
    with pytest.raises(TpmError, match=rf"^{words} \(code 0x[12]8b") as caught:
        memory.tpm.entity(RSA.handle)
    assert caught.value.reason is Reason.HANDLE


def test_what_a_disabled_hierarchy_keeps_does_not_hide_the_others(memory: Memory) -> None:
    memory.write(ECC.handle, memory.certificate(ECC, "key_agreement"))
    assert find_endorsement(memory.tpm).template == ECC
    memory.tpm.esapi().hierarchy_control(auth_handle=ESYS_TR.PLATFORM, enable=ESYS_TR.OWNER, state=False)
    assert find_endorsement(memory.tpm) == Endorsement(RSA, ())
