# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PIV card application: who may do what, and which command does it. SP 800-73-4 part 2."""

from __future__ import annotations

import typing as t

from ..._card.edge import Edge
from ..._card.key import PinUse
from ..._card.secret import Reference
from ..._encoding.apdu import ApduError, CommandAPDU, StatusWord
from .. import application as base
from ..application import BY_ADMINISTRATOR, SELECT_BY_NAME, expect, secret_named
from ..card import Card
from . import admin_key, authenticate, metadata, new_key, objects
from .admin_key import AdminAuthentication
from .reference import AID, SHORTEST_AID, Instruction, KeyReference

# T=1; the historical bytes tell PIV's AID (ISO/IEC 7816-4, clause 12.1.1). Of our own: Windows caches by it.
ATR = bytes.fromhex("3B8B0180F9A0000003080000100048")

_VERSION = bytes((5, 7, 0))  # Yubico's first with RSA-3072 and RSA-4096, and without any key of another maker
_SECRET_SIZE = 8  # bytes of a PIN or PUK on the wire: SP 800-73-4 part 2, clause 2.4.3
_PADDING = b"\xff"
_LOGOUT = 0xFF  # P1 of VERIFY: SP 800-73-4 part 2, clause 3.2.1
_GET_DATA = (0x3F, 0xFF)

_SECRETS: t.Mapping[int, Reference] = {KeyReference.PIN: Reference.PIN, KeyReference.PUK: Reference.PUK}


class Application(base.Application):
    """One card as a PIV program sees it: SP 800-73-4 part 2, clause 2.2."""

    atr = ATR

    def __init__(self, card: Card, failed: t.Optional[t.Callable[[Exception], None]] = None) -> None:
        super().__init__(card, failed)
        self._administration = AdminAuthentication(card)
        self._just_verified = False

    def reset(self) -> None:
        super().reset()
        self._administration.reset()

    def _select(self, command: CommandAPDU) -> bytes:
        """Clause 3.1.1. A name that the card does not know leaves everything as it is, as the clause says."""
        expect(command, SELECT_BY_NAME, 0x00)
        if len(command.data) < SHORTEST_AID or not AID.startswith(command.data):
            raise ApduError(StatusWord.NOT_FOUND)
        return objects.PROPERTIES

    def _get_data(self, command: CommandAPDU) -> bytes:
        expect(command, *_GET_DATA)
        return objects.read(self._card, command.data)

    def _verify(self, command: CommandAPDU) -> bytes:
        """Clause 3.2.1: verify, ask for the state, or log out."""
        secret_named(command.p2, _SECRETS, Reference.PIN)
        if command.p1 == _LOGOUT and not command.data:
            self._log_out()
        elif command.p1:
            raise ApduError(StatusWord.INCORRECT_P1_P2)
        elif command.data:
            self._try(Reference.PIN, lambda: self._card.verify(_one_secret(command.data)))
            self._just_verified = True
        elif not self._card.verified:
            self._report_tries()
        return b""

    def _change_reference_data(self, command: CommandAPDU) -> bytes:
        """Clause 3.2.2."""
        expect(command, 0x00, command.p2)
        reference = secret_named(command.p2, _SECRETS, *_SECRETS.values())
        old, new = _two_secrets(command.data)
        self._require(reference)
        self._try(reference, lambda: self._card.change(reference, old, new))
        return b""

    def _reset_retry_counter(self, command: CommandAPDU) -> bytes:
        """Clause 3.2.3: the PUK sets a new PIN; beyond the clause, on a card without PUK, the administrator does."""
        if command.p1 == BY_ADMINISTRATOR:
            return self._reset_pin(command)
        expect(command, 0x00, command.p2)
        secret_named(command.p2, _SECRETS, Reference.PIN)
        puk, pin = _two_secrets(command.data)
        self._require(Reference.PUK)
        self._card.unblock(puk, pin)
        return b""

    def _reset_pin(self, command: CommandAPDU) -> bytes:
        secret_named(command.p2, _SECRETS, Reference.PIN)
        self._require_administrator()
        self._card.reset_pin(_one_secret(command.data))
        return b""

    def _log_out(self) -> None:
        self._just_verified = False
        super()._log_out()

    def _general_authenticate(self, command: CommandAPDU) -> bytes:
        """Clause 3.2.4."""
        if command.p2 in Edge.PIV.slots:
            return self._use_key(command)
        if command.p2 != KeyReference.ADMIN_KEY:
            raise ApduError(StatusWord.REFERENCED_DATA_NOT_FOUND)
        if authenticate.wants_random(command.p1, command.data):
            return authenticate.random()
        return self._administration.transmit(command.p1, command.data)

    def _use_key(self, command: CommandAPDU) -> bytes:
        key = authenticate.private_key(self._card, command.p1, command.p2)
        just_verified, self._just_verified = self._just_verified, False
        if key.pin is PinUse.ALWAYS and not just_verified:
            raise ApduError(StatusWord.SECURITY_STATUS_NOT_SATISFIED)
        return authenticate.use(self._card, key, command.data)

    def _get_metadata(self, command: CommandAPDU) -> bytes:
        expect(command, 0x00, command.p2)
        return metadata.read(self._card, command.p2)

    def _attest(self, command: CommandAPDU) -> bytes:
        expect(command, command.p1, 0x00)
        return metadata.attest(self._card, command.p1)

    def _get_serial(self, command: CommandAPDU) -> bytes:
        """A YubiKey's is a number of 32 bits that programs print with a sign."""
        expect(command, 0x00, 0x00)
        return bytes((self._card.serial[0] & 0x7F,)) + self._card.serial[1:4]

    def _get_version(self, command: CommandAPDU) -> bytes:
        expect(command, 0x00, 0x00)
        return _VERSION

    def _put_data(self, command: CommandAPDU) -> bytes:
        self._require_administrator()
        expect(command, *_GET_DATA)
        objects.write(self._card, command.data)
        return b""

    def _generate(self, command: CommandAPDU) -> bytes:
        self._require_administrator()
        expect(command, 0x00, command.p2)
        return new_key.generate(self._card, command.p2, command.data)

    def _import_key(self, command: CommandAPDU) -> bytes:
        self._require_administrator()
        new_key.import_key(self._card, command.p1, command.p2, command.data)
        return b""

    def _move_key(self, command: CommandAPDU) -> bytes:
        self._require_administrator()
        new_key.move(self._card, command.p1, command.p2)
        return b""

    def _set_admin_key(self, command: CommandAPDU) -> bytes:
        self._require_administrator()
        admin_key.change(self._card, command.p1, command.p2, command.data)
        return b""

    def _set_retries(self, command: CommandAPDU) -> bytes:
        """Unlike a YubiKey the card keeps PIN and PUK as they are: nobody is left with one that everybody knows."""
        self._require_administrator()
        self._card.set_tries(command.p1, command.p2)
        return b""

    def _reset_card(self, command: CommandAPDU) -> bytes:
        """A card ends where it was made, on its host, unless whoever made it leaves that to programs."""
        expect(command, 0x00, 0x00)
        self._card.make_anew()
        self.reset()
        return b""


def _one_secret(data: bytes) -> bytes:
    if len(data) != _SECRET_SIZE:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return data.rstrip(_PADDING)


def _two_secrets(data: bytes) -> t.Tuple[bytes, bytes]:
    return _one_secret(data[:_SECRET_SIZE]), _one_secret(data[_SECRET_SIZE:])


Application.handlers = {
    Instruction.SELECT: Application._select,
    Instruction.GET_DATA: Application._get_data,
    Instruction.VERIFY: Application._verify,
    Instruction.CHANGE_REFERENCE_DATA: Application._change_reference_data,
    Instruction.RESET_RETRY_COUNTER: Application._reset_retry_counter,
    Instruction.GENERAL_AUTHENTICATE: Application._general_authenticate,
    Instruction.GET_METADATA: Application._get_metadata,
    Instruction.ATTEST: Application._attest,
    Instruction.GET_SERIAL: Application._get_serial,
    Instruction.GET_VERSION: Application._get_version,
    Instruction.PUT_DATA: Application._put_data,
    Instruction.GENERATE_ASYMMETRIC: Application._generate,
    Instruction.MOVE_KEY: Application._move_key,
    Instruction.IMPORT_KEY: Application._import_key,
    Instruction.SET_RETRIES: Application._set_retries,
    Instruction.SET_ADMIN_KEY: Application._set_admin_key,
    Instruction.RESET: Application._reset_card,
}
