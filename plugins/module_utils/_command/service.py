# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The card service, as the command asks it."""

from __future__ import annotations

import socket
import typing as t

from .._encoding.fields import encoded
from .._encoding.owner_call import (
    LONGEST_ANSWER,
    SOCKET,
    Message,
    MessageError,
    OwnerCall,
    bytes_of,
    read_line,
    write_line,
)
from .exit_code import CommandError, ExitCode

PATIENCE = 30.0
"""Seconds for an answer: the service does one thing at a time, and a slow TPM takes seconds for an RSA key."""
_CHUNK = 1 << 16


class CardService:
    """:param path: of the socket where owners ask
    :param patience: seconds for an answer
    """

    def __init__(self, path: str = SOCKET, patience: float = PATIENCE) -> None:
        self._path = path
        self._patience = patience

    def cards(self) -> t.List[Message]:
        """Returns what there is to know of the caller's cards."""
        return t.cast("list[Message]", self._ask({"call": OwnerCall.CARDS.value}, ExitCode.SERVICE))

    def due(self) -> t.List[Message]:
        """Returns the caller's cards whose PIN has to be changed: ``card``, ``name`` and why, ``pin_due``."""
        return t.cast("list[Message]", self._ask({"call": OwnerCall.DUE.value}, ExitCode.SERVICE))

    def change_pin(self, card: int, pin: str, new_pin: str) -> None:
        self._ask({"call": OwnerCall.CHANGE_PIN.value, "card": card, "pin": pin, "new_pin": new_pin}, ExitCode.TPM)

    def unblock(self, card: int, puk: str, new_pin: str) -> None:
        self._ask({"call": OwnerCall.UNBLOCK.value, "card": card, "puk": puk, "new_pin": new_pin}, ExitCode.TPM)

    def sign(self, card: int, slot: str, digest: bytes, pin: t.Optional[str]) -> bytes:
        question = {"call": OwnerCall.SIGN.value, "card": card, "slot": slot, "digest": encoded(digest), "pin": pin}
        return bytes_of(self._ask(question, ExitCode.TPM))

    def passkeys(self, card: int, pin: str) -> t.List[Message]:
        """Returns a card's discoverable passkeys: ``passkey``, ``rp``, ``user`` and ``made_at``."""
        question = {"call": OwnerCall.PASSKEYS.value, "card": card, "pin": pin}
        return t.cast("list[Message]", self._ask(question, ExitCode.TPM))

    def remove_passkey(self, card: int, pin: str, passkey: str) -> None:
        self._ask({"call": OwnerCall.REMOVE_PASSKEY.value, "card": card, "pin": pin, "passkey": passkey}, ExitCode.TPM)

    def _ask(self, question: Message, silent: ExitCode) -> t.Any:
        """:param silent: the layer at fault where the service takes the question and does not answer
        :raises CommandError: if there is no answer, or a fault in its place
        """
        try:
            answer = read_line(self._exchange(write_line(question), silent))
        except MessageError:
            raise CommandError(ExitCode.SERVICE, "The card service broke off: its log says why.") from None
        if "fault" in answer:
            raise CommandError.of(str(answer["fault"]), str(answer.get("message", "")))
        return answer.get("answer")

    def _exchange(self, line: bytes, silent: ExitCode) -> bytes:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(self._patience)
            try:
                connection.connect(self._path)
                connection.sendall(line)
                return _received(connection)
            except socket.timeout:
                where = "TPM" if silent is ExitCode.TPM else "card service"
                raise CommandError(silent, f"The {where} does not answer within {self._patience:g} s.") from None
            except OSError as error:
                message = f"The card service can't be reached at {self._path} ({error.strerror}): is it running?"
                raise CommandError(ExitCode.SERVICE, message) from None


def _received(connection: socket.socket) -> bytes:
    data = b""
    while len(data) < LONGEST_ANSWER:
        more = connection.recv(_CHUNK)
        if not more:
            break
        data += more
    return data
