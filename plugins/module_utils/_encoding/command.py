# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TPM 2.0 commands and responses as bytes, for commands that carry no secret of a card and must be fast.

Everything that carries such a secret goes through ESAPI with an encrypted session instead.
Source: TPM 2.0 part 1, clause 18 (framing) and part 3 (each command).
"""

from __future__ import annotations

import enum
import os
import struct
import typing as t

from .algorithm import Algorithm
from .policy import Policy, PolicyCommandCode, PolicyOr
from .wire import sized

NO_SESSIONS = 0x8001
SESSIONS = 0x8002
RH_NULL = 0x40000007
RH_OWNER = 0x40000001
RH_ENDORSEMENT = 0x4000000B
RS_PW = 0x40000009
"""TPM_RS_PW, in place of a session: the authValue itself authorises. Part 1, clause 19.4."""
_CONTINUE_SESSION = b"\x01"
HEADER_SIZE = 10

TRANSIENT = 0x80000000
LOADED_SESSIONS = 0x02000000
SAVED_SESSIONS = 0x03000000
PERSISTENT = 0x81000000
NV = 0x01000000


class CommandCode(enum.IntEnum):
    """Command codes: TPM 2.0 part 2, clause 6.5.2."""

    CREATE_PRIMARY = 0x131
    CERTIFY = 0x148
    CERTIFY_CREATION = 0x14A
    NV_READ = 0x14E
    POLICY_SECRET = 0x151
    CREATE = 0x153
    LOAD = 0x157
    RSA_DECRYPT = 0x159
    SIGN = 0x15D
    CONTEXT_LOAD = 0x161
    CONTEXT_SAVE = 0x162
    FLUSH_CONTEXT = 0x165
    LOAD_EXTERNAL = 0x167
    NV_READ_PUBLIC = 0x169
    READ_PUBLIC = 0x173
    POLICY_COMMAND_CODE = 0x16C
    POLICY_OR = 0x171
    POLICY_TICKET = 0x172
    START_AUTH_SESSION = 0x176
    GET_CAPABILITY = 0x17A
    NV_CERTIFY = 0x184


class Capability(enum.IntEnum):
    """TPM_CAP: TPM 2.0 part 2, clause 6.12."""

    HANDLES = 1
    TPM_PROPERTIES = 6


def take_sized(data: bytes, offset: int = 0) -> t.Tuple[bytes, int]:
    """Returns the content of the TPM2B at the offset, and the offset after it.

    :raises ValueError: if the data ends before it does
    """
    start = offset + 2
    end = start + int.from_bytes(data[offset:start], "big")
    if len(data) < start or len(data) < end:
        raise ValueError(f"a TPM2B at offset {offset} is cut short")
    return data[start:end], end


def authorisation(session: int, nonce: bytes = b"", attributes: bytes = _CONTINUE_SESSION, proof: bytes = b"") -> bytes:
    """Returns a TPMS_AUTH_COMMAND; one that goes on and needs no HMAC if nothing else is said."""
    return struct.pack(">I", session) + sized(nonce) + attributes + sized(proof)


def command(code: int, handles: t.Sequence[int] = (), parameters: bytes = b"", area: bytes = b"") -> bytes:
    """Returns a command.

    :param area: its authorisations, if it takes any
    """
    body = struct.pack(f">{len(handles)}I", *handles)
    if area:
        body += struct.pack(">I", len(area)) + area
    body += parameters
    return struct.pack(">HII", SESSIONS if area else NO_SESSIONS, HEADER_SIZE + len(body), code) + body


def response_code(response: bytes) -> int:
    """Returns the TPM_RC of a response.

    :raises ValueError: if the response is no well-formed one
    """
    if len(response) < HEADER_SIZE or int.from_bytes(response[2:6], "big") != len(response):
        raise ValueError("the TPM's answer is not framed as a response")
    return int.from_bytes(response[6:10], "big")


def parameters(response: bytes, handles: int = 0) -> bytes:
    """Returns what follows the header and the handles: the parameters, and the sessions if there are any."""
    start = HEADER_SIZE + 4 * handles
    if int.from_bytes(response[:2], "big") == SESSIONS:
        size = int.from_bytes(response[start : start + 4], "big")
        return response[start + 4 : start + 4 + size]
    return response[start:]


def first_handle(response: bytes) -> int:
    return int.from_bytes(response[HEADER_SIZE : HEADER_SIZE + 4], "big")


def start_policy_session() -> bytes:
    """Unsalted and unbound: it has no key, so its uses need no HMAC. Part 3, clause 11.1."""
    body = sized(os.urandom(16)) + sized(b"") + b"\x01" + struct.pack(">HH", Algorithm.NULL, Algorithm.SHA256)
    return command(CommandCode.START_AUTH_SESSION, (RH_NULL, RH_NULL), body)


def policy_secret(nonce: bytes, seconds: int) -> bytes:
    """Returns the parameters of TPM2_PolicySecret that asks for a ticket: part 3, clause 23.4.

    :param nonce: the session's own, or else the TPM would take the time as counted from its start
    """
    return sized(nonce) + sized(b"") + sized(b"") + struct.pack(">i", -seconds)


def policy_ticket(session: int, timeout: bytes, name: bytes, ticket: bytes) -> bytes:
    """Part 3, clause 23.5; ``ticket`` is a marshalled TPMT_TK_AUTH."""
    body = sized(timeout) + sized(b"") + sized(b"") + sized(name) + ticket
    return command(CommandCode.POLICY_TICKET, (session,), body)


def policy_steps(session: int, policy: Policy) -> t.Iterator[bytes]:
    """Yields the commands of a policy that asks for no authorisation.

    :raises ValueError: for a step that needs one
    """
    for step in policy:
        if isinstance(step, PolicyCommandCode):
            yield command(CommandCode.POLICY_COMMAND_CODE, (session,), struct.pack(">I", step.command))
        elif isinstance(step, PolicyOr):
            digests = b"".join(sized(each) for each in step.digests)
            yield command(CommandCode.POLICY_OR, (session,), struct.pack(">I", len(step.digests)) + digests)
        else:
            raise ValueError(f"{type(step).__name__} needs an authorisation")


def sign_ecdsa(key: int, session: int, digest: bytes, hash_algorithm: int) -> bytes:
    """Part 3, clause 20.2; the null ticket says that the digest was made outside of the TPM."""
    scheme = struct.pack(">HH", Algorithm.ECDSA, hash_algorithm)
    null_ticket = struct.pack(">HIH", 0x8024, RH_NULL, 0)
    return command(CommandCode.SIGN, (key,), sized(digest) + scheme + null_ticket, authorisation(session))


def ecdsa_signature(response: bytes) -> t.Tuple[bytes, bytes]:
    """Returns r and s of a TPMT_SIGNATURE: part 2, clause 11.3.4."""
    body = parameters(response)
    r, offset = take_sized(body, 4)
    s, _unused = take_sized(body, offset)
    return r, s


def rsa_private(key: int, session: int, block: bytes) -> bytes:
    """The bare RSA private operation, TPM2_RSA_Decrypt with no padding: part 3, clause 14.3."""
    body = sized(block) + struct.pack(">H", Algorithm.NULL) + sized(b"")
    return command(CommandCode.RSA_DECRYPT, (key,), body, authorisation(session))


def context_save(handle: int) -> bytes:
    return command(CommandCode.CONTEXT_SAVE, (handle,))


def context_load(context: bytes) -> bytes:
    return command(CommandCode.CONTEXT_LOAD, (), context)


def flush_context(handle: int) -> bytes:
    return command(CommandCode.FLUSH_CONTEXT, (), struct.pack(">I", handle))


def nv_read(handle: int, by: int, area: bytes, size: int, offset: int = 0) -> bytes:
    """Part 3, clause 31.13.

    :param by: whose authorisation it is: the index' own, or that of the owner hierarchy
    """
    return command(CommandCode.NV_READ, (by, handle), struct.pack(">HH", size, offset), area)


def nv_read_public(handle: int) -> bytes:
    return command(CommandCode.NV_READ_PUBLIC, (handle,))


def read_public(handle: int) -> bytes:
    """Of an object: part 3, clause 12.4."""
    return command(CommandCode.READ_PUBLIC, (handle,))


def create_primary(hierarchy: int, area: bytes, public: bytes) -> bytes:
    """With nothing but a template: part 3, clause 24.1.

    :param public: TPMT_PUBLIC
    """
    return command(CommandCode.CREATE_PRIMARY, (hierarchy,), creation_of(sized(public)), area)


def creation_of(public: bytes) -> bytes:
    """Returns the parameters of what makes an object from nothing but a template: part 3, clause 12.1.

    :param public: marshalled TPM2B_PUBLIC
    """
    nothing_secret, no_pcrs = sized(sized(b"") + sized(b"")), struct.pack(">I", 0)
    return nothing_secret + public + sized(b"") + no_pcrs


def load(parent: int, private: bytes, public: bytes) -> bytes:
    """Under a parent whose authValue is empty: part 3, clause 12.2.

    :param private: marshalled TPM2B_PRIVATE
    :param public: marshalled TPM2B_PUBLIC
    """
    return command(CommandCode.LOAD, (parent,), private + public, authorisation(RS_PW))


def load_external(public: bytes) -> bytes:
    """A public area alone: part 3, clause 12.3.

    :param public: marshalled TPM2B_PUBLIC
    """
    return command(CommandCode.LOAD_EXTERNAL, (), sized(b"") + public + struct.pack(">I", RH_NULL))


_OWN_SCHEME = struct.pack(">H", Algorithm.NULL)


def certify(handle: int, key: int, area: bytes, qualifying: bytes) -> bytes:
    """Part 3, clause 18.2.

    :param key: that signs; its authValue is empty
    """
    body = sized(qualifying) + _OWN_SCHEME
    return command(CommandCode.CERTIFY, (handle, key), body, area + authorisation(RS_PW))


def certify_creation(key: int, handle: int, nonce: bytes, creation: bytes, ticket: bytes) -> bytes:
    """Part 3, clause 18.3.

    :param key: that signs; its authValue is empty
    :param creation: marshalled TPM2B_DIGEST
    :param ticket: marshalled TPMT_TK_CREATION
    """
    body = sized(nonce) + creation + _OWN_SCHEME + ticket
    return command(CommandCode.CERTIFY_CREATION, (key, handle), body, authorisation(RS_PW))


def nv_certify(key: int, handle: int, area: bytes, nonce: bytes, size: int) -> bytes:
    """The whole of an index, which authorises itself: part 3, clause 31.16.

    :param key: that signs; its authValue is empty
    """
    body = sized(nonce) + _OWN_SCHEME + struct.pack(">HH", size, 0)
    return command(CommandCode.NV_CERTIFY, (key, handle, handle), body, authorisation(RS_PW) + area)


def nv_name_of(response: bytes) -> bytes:
    """Returns the Name from an answer to TPM2_NV_ReadPublic."""
    body = parameters(response)
    _unused, offset = take_sized(body)
    return take_sized(body, offset)[0]


def nv_extent_of(response: bytes) -> t.Tuple[int, int]:
    """Returns attributes and size from such an answer: TPMS_NV_PUBLIC, part 2, clause 13.5."""
    public = take_sized(parameters(response))[0]
    return int.from_bytes(public[6:10], "big"), int.from_bytes(public[-2:], "big")


def get_capability(capability: Capability, first: int, count: int) -> bytes:
    return command(CommandCode.GET_CAPABILITY, (), struct.pack(">III", capability, first, count))


def capability_list(response: bytes, entry: str) -> t.Tuple[bool, t.List[t.Tuple[int, ...]]]:
    """Returns whether there is more, and the entries of a capability list.

    :param entry: the entry's layout as :mod:`struct` writes it, big-endian
    """
    body = parameters(response)
    more, _unused, count = struct.unpack_from(">BII", body)
    size = struct.calcsize(entry)
    return bool(more), [struct.unpack_from(entry, body, 9 + size * index) for index in range(count)]
