# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameters about attestation: how much a card shall be able to prove, over which nonce, and to which CA."""

from __future__ import annotations

import base64
import binascii
import os
import typing as t
from dataclasses import dataclass

from .._card.attestation import Attestation
from .._errors import InputError
from .secret_arguments import Arguments

NONCE_SIZE = 32

CA: Arguments = {
    "ca": {"type": "str", "required": True},
    "ca_passphrase": {"type": "str", "required": True, "no_log": True},
    "ledger": {"type": "str", "no_log": True},
    "trust_anchors": {"type": "path", "required": True},
    "revocation": {"type": "str", "choices": ["off", "where_reachable", "required"], "default": "where_reachable"},
    "online": {"type": "bool", "default": True},
    "cache": {"type": "path"},
    "ek": {"type": "str"},
    "replace_ek": {"type": "str"},
    "replace_card": {"type": "str"},
}
"""Who judges a card, and issues the certificate of its attestation key. For the controller alone."""

ARGUMENTS: Arguments = {
    "attestation": {"type": "str", "choices": [each.value for each in Attestation], "default": Attestation.NONE.value},
    "attestation_nonce": {"type": "str", "no_log": False},
    "attestation_ca": {"type": "dict", "options": CA, "no_log": False},
}


def parse_nonce(text: t.Any, field: str) -> bytes:
    """Returns a verifier's nonce.

    :raises InputError: if it is not base64 of NONCE_SIZE bytes
    """
    return parse_octets(text, NONCE_SIZE, field, "let the controller make it")


def parse_octets(text: t.Any, size: int, field: str, remedy: str) -> bytes:
    """:raises InputError: if it is not base64 of so many bytes. The message does not hold it"""
    try:
        octets = base64.b64decode(str(text), validate=True)
    except (ValueError, binascii.Error):
        octets = b""
    if len(octets) != size:
        raise InputError(field, f"is no base64 of {size} bytes", remedy)
    return octets


@dataclass(frozen=True)
class WantedAttestation:
    """:param kind: what the card shall be able to prove
    :param nonce: a verifier's, or None if nobody waits for evidence
    """

    kind: Attestation = Attestation.NONE
    nonce: t.Optional[bytes] = None

    @classmethod
    def parse(cls, task: t.Mapping[str, t.Any]) -> WantedAttestation:
        """Reads a task's parameters, as the host gets them.

        :raises InputError: for the first that is not right
        """
        kind, nonce = Attestation(task["attestation"]), task["attestation_nonce"]
        if task["attestation_ca"] is not None:
            raise InputError(
                "attestation_ca", "came to the host, which it is not for", "run the module from a playbook"
            )
        if kind is Attestation.NONE and nonce is not None:
            raise InputError("attestation_nonce", "is given, but attestation is none", "ask for aik_only")
        if kind is Attestation.AIK_AND_CERT and nonce is None:
            remedy = "give attestation_ca, in a playbook, whose controller reaches that CA"
            raise InputError("attestation", "is aik_and_cert, and no CA has asked", remedy)
        return cls(kind, None if nonce is None else parse_nonce(nonce, "attestation_nonce"))

    @property
    def for_ca(self) -> bool:
        return self.kind is Attestation.AIK_AND_CERT

    def nonce_for(self, has_new_key: bool) -> t.Optional[bytes]:
        """Returns what evidence is made over; None if no evidence is wanted.

        :param has_new_key: whether this run has made the attestation key, whose evidence goes with it
        """
        if self.kind is Attestation.NONE or self.nonce is not None:
            return self.nonce
        return os.urandom(NONCE_SIZE) if has_new_key else None
