# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to another CA, as the controller words them: the card adds its public key and a signature."""

from __future__ import annotations

import base64
import binascii
import contextlib
import typing as t
from dataclasses import dataclass, field

from .._card.errors import PinDue, WrongSecret
from .._card.key import slot_name, slot_number
from .._card.record import Record
from .._card.secret import Reference
from .._card.store import Store
from .._encoding import der, tlv
from .._errors import InputError
from .._tpm.connection import Tpm
from .existing_card import opened
from .secret_arguments import Arguments

if t.TYPE_CHECKING:
    from .._card.card import Card

ARGUMENTS: Arguments = {
    "slot": {"type": "str", "required": True},
    "subject": {"type": "str", "required": True},
    "attributes": {"type": "str", "required": True},
    "needed": {"type": "bool", "default": True},
}
LARGEST = 8192
_NAME, _ATTRIBUTES = der.Tag.SEQUENCE, der.CONTEXT_CONSTRUCTED  # RFC 2986 section 4.1


@dataclass(frozen=True)
class ExternalRequest:
    """What a request says beside the key.

    :param subject: Name, in DER
    :param attributes: ``[0]``, in DER
    :param needed: whether no such request was ever signed, so that it is worth the PIN
    """

    slot: int
    subject: bytes
    attributes: bytes
    needed: bool

    @classmethod
    def parse(cls, values: t.Mapping[str, t.Any], field: str) -> ExternalRequest:
        """:raises InputError: for the first part that is not right"""
        slot = slot_number(values["slot"], f"{field}.slot")
        subject = _der(values["subject"], _NAME, f"{field}.subject")
        return cls(slot, subject, _der(values["attributes"], _ATTRIBUTES, f"{field}.attributes"), values["needed"])


@dataclass(frozen=True)
class Sign:
    """The step that signs requests.

    :param new: by keys that this task makes
    :param old: by keys that were there before
    """

    new: t.Tuple[ExternalRequest, ...] = ()
    old: t.Tuple[ExternalRequest, ...] = ()


@dataclass(frozen=True)
class RequestSigner:
    """A card that has to sign requests.

    :param pin: that of the task, or the random one that it has just made; empty if it knows none
    """

    store: Store
    tpm: Tpm
    record: Record
    pin: str = field(repr=False)

    def sign(self, step: Sign) -> t.Dict[str, str]:
        """Returns signatures in base64, by the slot's name.

        The PIN of a card that was made now is right. That of one that exists may have been changed by its holder:
        it is tried only while no try is spent, so that it never blocks a card.
        """
        if not self.pin:
            return {}
        signed = self._sign(step.new, True) if step.new else {}
        with contextlib.suppress(WrongSecret, PinDue):
            signed.update(self._sign(step.old, False) if step.old and self._is_untried() else {})
        return signed

    def _sign(self, requests: t.Sequence[ExternalRequest], provisioning: bool) -> t.Dict[str, str]:
        from .._card.request import sign_asked  # It imports cryptography.

        signed = {}
        with self._card() as card:
            card.verify(self.pin.encode(), provisioning=provisioning)
            for each in requests:
                signature = sign_asked(card, each.slot, each.subject, each.attributes)
                signed[slot_name(each.slot)] = base64.b64encode(signature).decode("ascii")
        return signed

    def _is_untried(self) -> bool:
        with self._card() as card:
            tries = card.tries(Reference.PIN)
            return bool(tries.left == tries.limit)

    def _card(self) -> t.ContextManager[Card]:
        return opened(self.store, self.tpm, self.record.number)


def _der(text: str, tag: int, field: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
        tlv.parse_one(data, tag)
    except (ValueError, binascii.Error):
        data = b""
    if not 0 < len(data) <= LARGEST:
        raise InputError(field, "is no base64 of the DER that belongs there", "let the controller make it")
    return data
