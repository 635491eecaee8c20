# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endorsement key (EK): its certificates in NV, the key itself, and what only it can open."""

from __future__ import annotations

import contextlib
import struct
import typing as t
from dataclasses import dataclass, replace

from .._encoding import command as wire
from .._encoding.ek_certificate import cut_certificate, cut_certificates, suits
from .._encoding.ek_template import CHAIN_HANDLES, TEMPLATES, EkTemplate
from .._encoding.policy import PolicySecret
from .._encoding.public import EccArea, ObjectAttribute, Public
from .._encoding.wire import WireError
from .connection import Tpm
from .errors import ENDORSEMENT, WRONG_VALUE, Reason, TpmError, naming_auth
from .pytss import load
from .session import Given, Protect, authorising, satisfying
from .storage_root import look

if t.TYPE_CHECKING:
    from .._encoding.credential import Credential  # It imports cryptography.

PERSISTENT_KEYS = range(0x81010000, 0x81010100)
"""Where EKs are kept: TCG TPM v2.0 Provisioning Guidance, clause 7.8."""

LARGEST_INDEX = 16384
"""Bytes of an NV index that is read for certificates; a TPM has seldom as many in all."""

_CHUNK = 512
"""Bytes that every TPM reads at once."""
_OWNERREAD, _AUTHREAD, _NO_DA = 1 << 17, 1 << 18, 1 << 25
"""TPMA_NV: TPM 2.0 part 2, clause 13.4."""
_UNREADABLE = WRONG_VALUE | {
    Reason.NV_UNINITIALIZED,
    Reason.NV_LOCKED,
    Reason.NV_AUTHORIZATION,
    Reason.AUTH_TYPE,
    Reason.AUTH_UNAVAILABLE,
    Reason.HIERARCHY,
    Reason.HANDLE,
}
"""What says something of one index, and nothing of the others."""
_ENDORSEMENT_NAME = struct.pack(">I", wire.RH_ENDORSEMENT)
"""A permanent handle is its own Name: TPM 2.0 part 1, clause 16."""
_POLICY_A = (PolicySecret(_ENDORSEMENT_NAME),)


@dataclass(frozen=True)
class Endorsement:
    """An EK that the TPM can show.

    :param certificates: DER, its own first, then what chain lies in NV; empty if it has none there
    """

    template: EkTemplate
    certificates: t.Tuple[bytes, ...]


def prove_authorisation(tpm: Tpm) -> None:
    """Finds out whether the endorsement hierarchy's authorisation is right, before it is needed. A wrong one is no
    failure of the TPM's own.

    :raises InputError: if it is not
    """
    given = Given.entity(_ENDORSEMENT_NAME, load().ESYS_TR.ENDORSEMENT)
    tpm.storage_root()  # As in :func:`activate`.
    with naming_auth(ENDORSEMENT, tpm.knows_endorsement_auth), satisfying(tpm, _POLICY_A, given, salted=False):
        pass


def find_endorsement(tpm: Tpm) -> Endorsement:
    """Returns the EK to use: one with a certificate in NV whose usage is an EK's, elliptic curves first, for they are
    faster. An index that can't be read is passed over.
    """
    there = set(tpm.handles(wire.NV))
    found = []
    for template in sorted(TEMPLATES, key=lambda each: not isinstance(each.public.area, EccArea)):
        certificate = cut_certificate(_read_index(tpm, template.handle)) if template.handle in there else b""
        if certificate:
            found.append((template, certificate))
            if suits(certificate, template):
                return Endorsement(template, (certificate, *_chain(tpm, there)))
    if not found:
        return Endorsement(TEMPLATES[0], ())
    template, certificate = found[0]
    return Endorsement(template, (certificate, *_chain(tpm, there)))


def _chain(tpm: Tpm, there: t.AbstractSet[int]) -> t.Tuple[bytes, ...]:
    """What runs over several indices, and what begins with one of them, for each may be padded."""
    parts = [_read_index(tpm, handle) for handle in CHAIN_HANDLES if handle in there]
    found = [each for data in (b"".join(parts), *parts) for each in cut_certificates(data)]
    return tuple(dict.fromkeys(found))


def _read_index(tpm: Tpm, handle: int) -> bytes:
    """Returns what is in an index; nothing if it was never written, or is not for us to read."""
    try:
        attributes, extent = wire.nv_extent_of(tpm.run(wire.nv_read_public(handle), "reading a public area"))
    except TpmError as error:
        return _nothing(error)
    data, size = b"", min(extent, LARGEST_INDEX)
    for by in _readers(handle, attributes):
        try:
            data = data or _read(tpm, handle, by, size)
        except TpmError as error:
            data = _nothing(error)
    return data


def _nothing(error: TpmError) -> bytes:
    if error.reason not in _UNREADABLE:
        raise error
    return b""


def _readers(handle: int, attributes: int) -> t.Iterator[int]:
    """Whose authorisations may read an index. Its own is tried empty, where that costs no failure of the TPM's own."""
    if attributes & _AUTHREAD and attributes & _NO_DA:
        yield handle
    if attributes & _OWNERREAD:
        yield wire.RH_OWNER


def _read(tpm: Tpm, handle: int, by: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        command = wire.nv_read(handle, by, tpm.password(by), min(_CHUNK, size - len(data)), len(data))
        data += wire.take_sized(wire.parameters(tpm.run(command, "reading an EK certificate")))[0]
    return data


def endorsement_public(tpm: Tpm, endorsement: Endorsement) -> bytes:
    """Returns the EK's TPMT_PUBLIC. Bare commands only.

    :raises TpmError, InputError: as :func:`endorsement_key`
    """
    with _placed(tpm, endorsement) as (_handle, area):
        return area


@contextlib.contextmanager
def endorsement_key(tpm: Tpm, endorsement: Endorsement) -> t.Iterator[t.Tuple[t.Any, bytes]]:
    """Gives the EK for a block: its ESAPI entity and its TPMT_PUBLIC.

    :raises TpmError: if the TPM does not make it
    :raises InputError: if the endorsement hierarchy has another authorisation than the one that is known
    """
    esapi = tpm.esapi()  # Opened later, it would take away what was loaded before.
    with _placed(tpm, endorsement) as (handle, area):
        entity = tpm.entity(handle)
        try:
            yield entity, area
        finally:
            esapi.tr_close(entity)


@contextlib.contextmanager
def _placed(tpm: Tpm, endorsement: Endorsement) -> t.Iterator[t.Tuple[int, bytes]]:
    """The EK's handle and its TPMT_PUBLIC."""
    kept = _kept(tpm, endorsement)
    if kept is not None:
        yield kept
        return
    handle, area = _make(tpm, endorsement)
    try:
        yield handle, area
    finally:
        _flush(tpm, handle)


def _make(tpm: Tpm, endorsement: Endorsement) -> t.Tuple[int, bytes]:
    """Makes the EK by what the TPM keeps for that, unless the certificate is for the one of the TCG's template."""
    own = _own_template(tpm, endorsement.template)
    made = None if own is None else _primary_of_own(tpm, own)
    if made is not None:
        if not endorsement.certificates or _is_certified(made[1], endorsement):
            return made
        _flush(tpm, made[0])
    return _primary(tpm, endorsement.template.public)


def _own_template(tpm: Tpm, template: EkTemplate) -> t.Optional[Public]:
    """What the TPM's maker used, if a template or a nonce is kept. The verifier judges it, not the host."""
    there = set(tpm.handles(wire.NV)) if template.is_low else set()
    nonce, own = (
        _read_index(tpm, each) if each in there else b"" for each in (template.nonce_handle, template.template_handle)
    )
    if not nonce and not own:
        return None
    with contextlib.suppress(WireError):  # What is no template leaves the TCG's.
        template = replace(template, public=Public.parse(own)) if own else template
    return (template.with_nonce(nonce) if nonce else template).public


def _primary_of_own(tpm: Tpm, public: Public) -> t.Optional[t.Tuple[int, bytes]]:
    """None if the TPM does not take the template."""
    try:
        return _primary(tpm, public)
    except TpmError:
        return None


def _primary(tpm: Tpm, template: Public) -> t.Tuple[int, bytes]:
    command = wire.create_primary(wire.RH_ENDORSEMENT, tpm.password(wire.RH_ENDORSEMENT), template.marshal())
    with naming_auth(ENDORSEMENT, tpm.knows_endorsement_auth):
        made = tpm.run(command, "making the endorsement key", ENDORSEMENT)
    return wire.first_handle(made), wire.take_sized(wire.parameters(made, 1))[0]


def _flush(tpm: Tpm, handle: int) -> None:
    with contextlib.suppress(TpmError):
        tpm.flush(handle)


def _kept(tpm: Tpm, endorsement: Endorsement) -> t.Optional[t.Tuple[int, bytes]]:
    """Returns the EK if the TPM keeps it, for to derive an RSA key anew takes some TPMs a minute.

    One whose own authValue opens a credential is derived all the same: the kept one may have been given an authValue,
    and to try it empty would count as a failure of the TPM's own.
    """
    if endorsement.template.public.attributes & ObjectAttribute.USER_WITH_AUTH:
        return None
    for handle in tpm.handles(wire.PERSISTENT):
        if handle in PERSISTENT_KEYS:
            found = look(tpm, handle)
            if found is not None and _is_it(found.public, endorsement):
                return handle, found.public
    return None


def _is_it(area: bytes, endorsement: Endorsement) -> bool:
    try:
        public = Public.parse(area)
        fits = endorsement.template.with_key(public.public_key()) == public
    except WireError:
        return False
    return fits and _is_certified(area, endorsement)


def _is_certified(area: bytes, endorsement: Endorsement) -> bool:
    try:
        return bool(endorsement.certificates) and Public.parse(area).spki() in endorsement.certificates[0]
    except WireError:
        return False


def activate(tpm: Tpm, template: EkTemplate, ek: t.Any, ak: t.Any, credential: Credential) -> bytes:
    """Returns the secret of a credential that was made for this EK and this AK. It travels encrypted.

    :raises TpmError: if the credential is for another EK or AK
    :raises InputError: as :func:`endorsement_key`
    """
    pytss = load()
    tpm.storage_root()  # Sessions are salted with it. What its hierarchy refuses is no fault of the other's.
    with contextlib.ExitStack() as stack:
        by = pytss.ESYS_TR.PASSWORD
        if not template.public.attributes & ObjectAttribute.USER_WITH_AUTH:
            given = Given.entity(_ENDORSEMENT_NAME, pytss.ESYS_TR.ENDORSEMENT)
            with naming_auth(ENDORSEMENT, tpm.knows_endorsement_auth):
                by = stack.enter_context(satisfying(tpm, _POLICY_A, given, salted=False))
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
