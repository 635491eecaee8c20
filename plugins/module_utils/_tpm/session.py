# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions: salted with the storage root key, encrypting what is secret, and policies carried out in them."""

from __future__ import annotations

import contextlib
import enum
import typing as t
from dataclasses import dataclass, field

from .._encoding import command as wire
from .._encoding.command import policy_ticket
from .._encoding.policy import (
    Policy,
    PolicyAuthorizeNv,
    PolicyAuthValue,
    PolicyCommandCode,
    PolicyNameHash,
    PolicyOr,
    PolicySecret,
    Step,
)
from .connection import Tpm
from .pytss import load

TIMEOUT_SIZE = 8


class Protect(enum.Flag):
    """Which parameter of a command a session encrypts: TPM 2.0 part 1, clause 19.6."""

    NOTHING = 0
    COMMAND = enum.auto()
    RESPONSE = enum.auto()


@dataclass(frozen=True)
class Ticket:
    """A proof that TPM2_PolicySecret succeeded, to be used instead of the secret until it expires.

    :param name: Name of the entity whose secret was given
    :param timeout: 8 bytes of the TPM's own time
    :param proof: a marshalled TPMT_TK_AUTH
    """

    name: bytes
    timeout: bytes
    proof: bytes = field(repr=False)


@dataclass(frozen=True)
class Given:
    """What a policy's steps are satisfied with: an ESAPI entity whose authValue is set, or a ticket, by Name."""

    entities: t.Mapping[bytes, t.Any]
    tickets: t.Mapping[bytes, Ticket]

    @classmethod
    def entity(cls, name: bytes, entity: t.Any) -> Given:
        return cls({name: entity}, {})

    @classmethod
    def ticket(cls, ticket: Ticket, entities: t.Optional[t.Mapping[bytes, t.Any]] = None) -> Given:
        return cls(entities or {}, {ticket.name: ticket})


NOTHING_GIVEN = Given({}, {})


def _start(tpm: Tpm, kind: t.Any, salted: bool = True) -> t.Any:
    pytss = load()
    symmetric = pytss.TPMT_SYM_DEF(
        algorithm=pytss.TPM2_ALG.AES,
        keyBits=pytss.TPMU_SYM_KEY_BITS(sym=128),
        mode=pytss.TPMU_SYM_MODE(sym=pytss.TPM2_ALG.CFB),
    )
    root = tpm.storage_root() if salted else pytss.ESYS_TR.NONE
    with tpm.doing("starting a session") as esapi:
        return esapi.start_auth_session(
            tpm_key=root,
            bind=pytss.ESYS_TR.NONE,
            session_type=kind,
            symmetric=symmetric,
            auth_hash=pytss.TPM2_ALG.SHA256,
        )


def _protect(tpm: Tpm, session: t.Any, protect: Protect) -> None:
    bits = load().TPMA_SESSION
    attributes = bits.CONTINUESESSION
    if Protect.COMMAND in protect:
        attributes |= bits.DECRYPT
    if Protect.RESPONSE in protect:
        attributes |= bits.ENCRYPT
    tpm.esapi().trsess_set_attributes(session, attributes)


@contextlib.contextmanager
def _policy_session(tpm: Tpm, protect: Protect, salted: bool) -> t.Iterator[t.Any]:
    session = _start(tpm, load().TPM2_SE.POLICY, salted)
    try:
        _protect(tpm, session, protect)
        yield session
    finally:
        with contextlib.suppress(load().TSS2_Exception):
            tpm.esapi().flush_context(session)


@contextlib.contextmanager
def authorising(tpm: Tpm, protect: Protect = Protect.NOTHING) -> t.Iterator[t.Any]:
    """A salted HMAC session: authValues never travel, and parameters travel encrypted where asked for.

    A TPM has one at a time, which goes from command to command: to start one is an operation of elliptic curves.
    """
    session = tpm.authorisation_session(lambda: _start(tpm, load().TPM2_SE.HMAC))
    try:
        _protect(tpm, session, protect)
        yield session
    except BaseException:
        tpm.end_authorisation()
        raise


@contextlib.contextmanager
def satisfying(
    tpm: Tpm, policy: Policy, given: Given, protect: Protect = Protect.NOTHING, salted: bool = True
) -> t.Iterator[t.Any]:
    """A policy session in which the steps of ``policy`` were carried out.

    :param salted: False where no authValue and no secret goes through it, and :func:`authorising` gives the command
        its HMAC
    :raises TpmError: if the TPM refuses a step
    """
    with _policy_session(tpm, protect, salted) as session:
        for step in policy:
            _carry_out(tpm, session, step, given)
        yield session


@contextlib.contextmanager
def open_to_all(tpm: Tpm, policy: Policy) -> t.Iterator[bytes]:
    """The authorisation by a policy that asks for nothing, in bare commands."""
    session = wire.first_handle(tpm.run(wire.start_policy_session(), "starting a session"))
    try:
        for step in wire.policy_steps(session, policy):
            tpm.run(step)
        yield wire.authorisation(session)
    finally:
        tpm.flush(session)


def _carry_out(tpm: Tpm, session: t.Any, step: Step, given: Given) -> None:
    if isinstance(step, PolicySecret):
        _give_secret(tpm, session, step, given)
        return
    pytss = load()
    with tpm.doing(f"{type(step).__name__}") as esapi:
        if isinstance(step, PolicyCommandCode):
            esapi.policy_command_code(policy_session=session, code=pytss.TPM2_CC(int(step.command)))
        elif isinstance(step, PolicyAuthValue):
            esapi.policy_auth_value(policy_session=session)
        elif isinstance(step, PolicyNameHash):
            esapi.policy_name_hash(policy_session=session, name_hash=step.hash)
        elif isinstance(step, PolicyAuthorizeNv):
            esapi.policy_authorize_nv(nv_index=given.entities[step.name], policy_session=session)
        elif isinstance(step, PolicyOr):
            digests = pytss.TPML_DIGEST([pytss.TPM2B_DIGEST(each) for each in step.digests])
            esapi.policy_or(policy_session=session, p_hash_list=digests)


def _give_secret(tpm: Tpm, session: t.Any, step: PolicySecret, given: Given) -> None:
    ticket = given.tickets.get(step.name)
    if ticket is not None and not step.reference:
        tpm.run(policy_ticket(tpm.handle(session), ticket.timeout, ticket.name, ticket.proof))
        return
    with authorising(tpm) as own, tpm.doing("PolicySecret") as esapi:
        esapi.policy_secret(
            auth_handle=given.entities[step.name],
            policy_session=session,
            nonce_tpm=b"",
            cp_hash_a=b"",
            policy_ref=step.reference,
            expiration=0,
            session1=own,
        )


def obtain_ticket(tpm: Tpm, name: bytes, entity: t.Any, seconds: int) -> Ticket:
    """Gives a secret once and returns the ticket for it.

    The session's own nonce is given, or else the TPM would take the time as counted from its start.

    :param entity: an ESAPI entity whose authValue is set
    :raises TpmError: if the secret is wrong, or its tries are used up
    """
    with _policy_session(tpm, Protect.NOTHING, salted=False) as session, authorising(tpm) as own:
        with tpm.doing("PolicySecret") as esapi:
            timeout, proof = esapi.policy_secret(
                auth_handle=entity,
                policy_session=session,
                nonce_tpm=bytes(esapi.trsess_get_nonce_tpm(session)),
                cp_hash_a=b"",
                policy_ref=b"",
                expiration=-seconds,
                session1=own,
            )
    return Ticket(name, timeout.marshal()[-TIMEOUT_SIZE:], proof.marshal())
