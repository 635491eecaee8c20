# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GIDS card application: who may do what, and which command does it."""

from __future__ import annotations

import typing as t

from ..._card.secret import PUK_LENGTH, Reference
from ..._encoding.apdu import ApduError, CommandAPDU, StatusWord
from ..._encoding.tlv import encode, parse_distinct, parse_one
from .. import application as base
from ..application import BY_ADMINISTRATOR, SELECT_BY_NAME, expect, secret_named
from ..card import Card
from . import admin_key, control
from .admin_key import AdminAuthentication
from .file_system import FileSystem
from .key_file import KeyFiles
from .reference import (
    ACCESSES,
    AID,
    SHORTEST_AID,
    ApplicationObject,
    File,
    Instruction,
    SecretReference,
)
from .security_environment import SecurityEnvironment, check_admin_key

# T=1; the historical bytes hold GIDS' AID, as those of Microsoft's own virtual card do. Windows caches by the ATR.
ATR = bytes.fromhex("3B8D0180FBA000000397425446590201C9")

_FILE_SIZE = 2  # bytes of a file identifier
_WITHOUT_OLD = 0x01  # P1 of CHANGE REFERENCE DATA: ISO/IEC 7816-4, clause 11.6.7
_COMPUTE = 0x41  # P1 of MANAGE SECURITY ENVIRONMENT: ISO/IEC 7816-4, clause 11.6.11
_VERIFY = (0x81, 0xC1)
_RESTORE = 0xF3
_SIGN = (0x9E, 0x9A)  # of PERFORM SECURITY OPERATION: ISO/IEC 7816-8, clause 11
_DECRYPT = (0x80, 0x86)
_TAG_LIST = 0x5C
_TRIES_LEFT = 0x97
_TRIES = 0x93
_MOST_TRIES = 0xFF

_SECRETS: t.Mapping[int, Reference] = {SecretReference.PIN: Reference.PIN, SecretReference.PUK: Reference.PUK}
_STATUS_OF: t.Mapping[int, Reference] = {
    ApplicationObject.PIN_STATUS: Reference.PIN,
    ApplicationObject.PUK_STATUS: Reference.PUK,
}


class Application(base.Application):
    """One card as a GIDS program sees it."""

    atr = ATR

    def __init__(self, card: Card, failed: t.Optional[t.Callable[[Exception], None]] = None) -> None:
        super().__init__(card, failed)
        self._administration = AdminAuthentication(card)
        self._environment = SecurityEnvironment(card)
        self._key_files = KeyFiles(card)
        self._files = FileSystem(card, self._key_files)
        self._selected = int(File.APPLICATION)

    def reset(self) -> None:
        super().reset()
        self._administration.reset()
        self._environment.clear()
        self._selected = File.APPLICATION

    # Files.

    def _select(self, command: CommandAPDU) -> bytes:
        """By name, or by identifier. What is not there leaves everything as it is."""
        if command.p1 == SELECT_BY_NAME:
            if len(command.data) < SHORTEST_AID or not AID.startswith(command.data):
                raise ApduError(StatusWord.NOT_FOUND)
            file = int(File.APPLICATION)
        elif command.p1:
            raise ApduError(StatusWord.INCORRECT_P1_P2)
        else:
            file = self._present(_identifier(command.data))
        answer = control.describe(file, command.p2)
        self._selected = file
        return answer

    def _present(self, file: int) -> int:
        """:raises ApduError: 6A82 if the card has no such file"""
        is_there = (
            file == File.APPLICATION
            or self._key_files.exists(file)
            or (file in ACCESSES and self._card.generated)
            or (file == File.ADMIN_KEY and self._card.has(Reference.ADMIN))
        )
        if not is_there:
            raise ApduError(StatusWord.NOT_FOUND)
        return file

    def _create_file(self, command: CommandAPDU) -> bytes:
        """Creates a key's file. The others are there on every card, so that creating them is agreeing to them."""
        expect(command, 0x00, 0x00)
        self._require_user()
        file = control.identifier(command.data)
        if file not in ACCESSES and file != File.ADMIN_KEY:
            control.check_key_file(command.data)
            self._key_files.create(file)
        elif self._card.generated:
            raise ApduError(StatusWord.FILE_EXISTS)
        elif command.data != control.parameters(file):
            raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)
        self._selected = file
        return b""

    def _activate_file(self, command: CommandAPDU) -> bytes:
        """Activating the application ends its setting up, and nobody is verified any more."""
        expect(command, 0x00, 0x00)
        self._require_user()
        if self._selected == File.APPLICATION:
            self._log_everybody_out()
        return b""

    def _delete_file(self, command: CommandAPDU) -> bytes:
        expect(command, 0x00, 0x00)
        self._card.require_pin()
        file = self._present(_identifier(command.data) if command.data else self._selected)
        if not self._key_files.exists(file):
            raise ApduError(StatusWord.CONDITIONS_NOT_SATISFIED)
        self._key_files.delete(file)
        self._selected = File.APPLICATION
        return b""

    def _require_user(self) -> None:
        if not self._card.administered:
            self._card.require_pin()

    # Data.

    def _get_data(self, command: CommandAPDU) -> bytes:
        file = command.p1 << 8 | command.p2
        if file != File.APPLICATION:
            return self._files.get(file, command.data)
        template = parse_distinct(command.data)
        if set(template) == {ApplicationObject.KEY}:
            return self._key_files.public_key(template[ApplicationObject.KEY])
        return self._status_object(int.from_bytes(parse_one(command.data, _TAG_LIST), "big"))

    def _status_object(self, tag: int) -> bytes:
        """How many tries a secret has, and how many are left."""
        reference = secret_named(tag, _STATUS_OF, *_STATUS_OF.values())
        self._require(reference)
        tries = self._card.tries(reference)
        left, limit = (bytes((min(count, _MOST_TRIES),)) for count in (tries.left, tries.limit))
        return encode(tag, encode(_TRIES_LEFT, left), encode(_TRIES, limit))

    def _put_data(self, command: CommandAPDU) -> bytes:
        file = command.p1 << 8 | command.p2
        if file != File.APPLICATION:
            self._files.put(file, command.data)
            return b""
        template = parse_distinct(parse_one(command.data, ApplicationObject.KEY))
        if admin_key.is_admin_key(template):
            admin_key.put(self._card, template)
        else:
            self._card.require_pin()
            self._key_files.import_key(template)
        return b""

    # Secrets.

    def _verify(self, command: CommandAPDU) -> bytes:
        """Verifies the PIN, tells its state, or logs everybody out."""
        expect(command, 0x00, command.p2)
        if command.p2 == SecretReference.ALL:
            self._log_everybody_out()
            return b""
        secret_named(command.p2, _SECRETS, Reference.PIN)
        if command.data:
            self._try(Reference.PIN, lambda: self._card.verify(command.data))
        elif not self._card.verified:
            self._report_tries()
        return b""

    def _log_everybody_out(self) -> None:
        self._card.end_administration()
        self._log_out()

    def _change_reference_data(self, command: CommandAPDU) -> bytes:
        """The old and the new secret follow each other. The card knows where its PIN ends."""
        if command.p1 == _WITHOUT_OLD:
            return self._first_pin(command)
        expect(command, 0x00, command.p2)
        reference = secret_named(command.p2, _SECRETS, *_SECRETS.values())
        self._require(reference)
        end = self._card.pin_length if reference is Reference.PIN else PUK_LENGTH
        old, new = command.data[:end], command.data[end:]
        if not old or (reference is Reference.PUK and len(new) != PUK_LENGTH):
            raise ApduError(StatusWord.INCORRECT_DATA)
        self._try(reference, lambda: self._card.change(reference, old, new))
        return b""

    def _first_pin(self, command: CommandAPDU) -> bytes:
        """A program that sets a card up gives it its first PIN. This card has one already: it has to be that."""
        secret_named(command.p2, _SECRETS, Reference.PIN)
        if self._card.generated:
            raise ApduError(StatusWord.INCORRECT_P1_P2)
        self._try(Reference.PIN, lambda: self._card.verify(command.data))
        return b""

    def _reset_retry_counter(self, command: CommandAPDU) -> bytes:
        """The PUK sets a new PIN; on a card without PUK the administrator does, who has to come anew afterwards."""
        secret_named(command.p2, _SECRETS, Reference.PIN)
        if command.p1 == BY_ADMINISTRATOR:
            self._require_administrator()
            self._card.reset_pin(command.data)
            self._log_everybody_out()
            return b""
        expect(command, 0x00, command.p2)
        self._require(Reference.PUK)
        puk, pin = command.data[:PUK_LENGTH], command.data[PUK_LENGTH:]
        if len(puk) != PUK_LENGTH:
            raise ApduError(StatusWord.INCORRECT_DATA)
        self._card.unblock(puk, pin)
        return b""

    def _general_authenticate(self, command: CommandAPDU) -> bytes:
        expect(command, 0x00, 0x00)
        return self._administration.transmit(command.data)

    # Keys.

    def _generate(self, command: CommandAPDU) -> bytes:
        expect(command, 0x00, 0x00)
        self._card.require_pin()
        return self._key_files.generate(command.data)

    def _manage_security_environment(self, command: CommandAPDU) -> bytes:
        if command.p1 == _COMPUTE:
            self._environment.set(command.p2, command.data)
        elif command.p1 in _VERIFY:
            check_admin_key(command.p2, command.data)
        elif command.p1 == _RESTORE:
            self._environment.clear()
        else:
            raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)
        return b""

    def _perform_security_operation(self, command: CommandAPDU) -> bytes:
        if (command.p1, command.p2) == _SIGN:
            return self._environment.sign(command.data)
        expect(command, *_DECRYPT)
        return self._environment.decrypt(command.data)


def _identifier(data: bytes) -> int:
    """:raises ApduError: 6A80 if it is no file identifier"""
    if len(data) != _FILE_SIZE:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return int.from_bytes(data, "big")


Application.handlers = {
    Instruction.SELECT: Application._select,
    Instruction.CREATE_FILE: Application._create_file,
    Instruction.ACTIVATE_FILE: Application._activate_file,
    Instruction.DELETE_FILE: Application._delete_file,
    Instruction.GET_DATA: Application._get_data,
    Instruction.PUT_DATA: Application._put_data,
    Instruction.VERIFY: Application._verify,
    Instruction.CHANGE_REFERENCE_DATA: Application._change_reference_data,
    Instruction.RESET_RETRY_COUNTER: Application._reset_retry_counter,
    Instruction.GENERAL_AUTHENTICATE: Application._general_authenticate,
    Instruction.GENERATE_ASYMMETRIC: Application._generate,
    Instruction.MANAGE_SECURITY_ENVIRONMENT: Application._manage_security_environment,
    Instruction.PERFORM_SECURITY_OPERATION: Application._perform_security_operation,
}
