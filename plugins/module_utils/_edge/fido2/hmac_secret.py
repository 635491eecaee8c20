# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension hmac-secret, clause 12.5: secrets that the TPM makes of a client's salts. Browsers call it PRF."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..._card.passkey import Passkey
from .parameters import CtapParameters
from .reference import CtapStatus
from .refused import refuse_unless
from .state import CtapState

_AGREEMENT, _SALTS, _MAC, _PROTOCOL = 1, 2, 3, 4
_SALT = 32
_FIRST_PROTOCOL = 1


@dataclass(frozen=True)
class SecretRequest:
    """One or two salts, encrypted."""

    agreement: CtapParameters
    salts: bytes
    mac: bytes
    protocol: t.Optional[int]

    @classmethod
    def read(cls, given: CtapParameters) -> SecretRequest:
        salts, mac = given.needed_octets(_SALTS), given.needed_octets(_MAC)
        return cls(given.needed_map(_AGREEMENT), salts, mac, given.number(_PROTOCOL))

    def answer(self, state: CtapState, passkey: Passkey) -> bytes:
        """Returns a secret for each salt, encrypted."""
        protocol = state.protocols.of(_FIRST_PROTOCOL if self.protocol is None else self.protocol)
        shared = protocol.shared_secret(self.agreement)
        refuse_unless(protocol.is_authentic(shared, self.salts, self.mac), CtapStatus.PIN_AUTH_INVALID)
        salts = protocol.decrypt(shared, self.salts)
        refuse_unless(len(salts) in (_SALT, 2 * _SALT), CtapStatus.INVALID_LENGTH)
        each = (salts[start : start + _SALT] for start in range(0, len(salts), _SALT))
        return protocol.encrypt(shared, b"".join(state.card.passkeys.secret(passkey, salt) for salt in each))
