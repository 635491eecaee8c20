# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that uses an authenticator, and a relying party: python-fido2's."""

from __future__ import annotations

import contextlib
import functools
import typing as t

import fido2.features
from fido2.client import Fido2Client, UserInteraction
from fido2.ctap2 import ClientPin, Config, CredentialManagement, Ctap2, LargeBlobs
from fido2.ctap2.extensions import (
    CredBlobExtension,
    CredProtectExtension,
    HmacSecretExtension,
    LargeBlobExtension,
    MinPinLengthExtension,
)
from fido2.hid import CtapHidDevice
from fido2.hid.base import HidDescriptor
from fido2.server import Fido2Server
from fido2.webauthn import PublicKeyCredentialRpEntity, PublicKeyCredentialUserEntity

RP, ORIGIN = "corp.example", "https://corp.example"
USER = PublicKeyCredentialUserEntity(id=b"alice's id", name="alice", display_name="Alice")
HASH = bytes(range(32))
_DESCRIPTOR = HidDescriptor("a pair of sockets", 0, 0, 64, 64, None, None)

with contextlib.suppress(ValueError):  # another file has chosen
    fido2.features.webauthn_json_mapping.enabled = False


class Typist(UserInteraction):  # type: ignore[misc]
    """Types a PIN when asked for one."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def request_pin(self, permissions: t.Any, rp_id: t.Optional[str]) -> str:
        return self._program.pin


class Program:
    """:param pin: what its user types"""

    def __init__(self, connection: t.Any, pin: str) -> None:
        self.pin = pin
        self.device = CtapHidDevice(_DESCRIPTOR, connection)
        self.ctap = Ctap2(self.device)
        self.client_pin = ClientPin(self.ctap)

    def client(self, origin: str = ORIGIN) -> t.Any:
        kinds = [
            functools.partial(HmacSecretExtension, allow_hmac_secret=True),
            *(LargeBlobExtension, CredBlobExtension, CredProtectExtension, MinPinLengthExtension),
        ]
        return Fido2Client(self.device, origin, user_interaction=Typist(self), extension_types=kinds)

    def token(self, *permissions: str, rp: t.Optional[str] = None) -> t.Any:
        wanted = ClientPin.PERMISSION(0)
        for each in permissions:
            wanted |= ClientPin.PERMISSION[each]
        return self.client_pin.get_pin_token(self.pin, wanted, rp)

    @property
    def protocol(self) -> t.Any:
        return self.client_pin.protocol

    def mac(self, token: bytes, message: bytes) -> t.Any:
        return self.protocol.authenticate(token, message)

    def management(self, rp: t.Optional[str] = None) -> t.Any:
        return CredentialManagement(self.ctap, self.protocol, self.token("CREDENTIAL_MGMT", rp=rp))

    def config(self) -> t.Any:
        return Config(self.ctap, self.protocol, self.token("AUTHENTICATOR_CFG"))

    def large_blobs(self) -> t.Any:
        return LargeBlobs(self.ctap, self.protocol, self.token("LARGE_BLOB_WRITE"))

    def make(self, token: t.Optional[bytes] = None, rp: str = RP, algorithm: int = -7, **more: t.Any) -> t.Any:
        """authenticatorMakeCredential, bare."""
        token = token or self.token("MAKE_CREDENTIAL", rp=rp)
        return self.ctap.make_credential(
            HASH,
            {"id": rp, "name": rp},
            more.pop("user", {"id": USER.id, "name": "alice", "displayName": "Alice"}),
            [{"type": "public-key", "alg": algorithm}],
            pin_uv_param=self.mac(token, HASH),
            pin_uv_protocol=self.protocol.VERSION,
            **more,
        )

    def get(
        self, token: t.Optional[bytes] = None, rp: str = RP, allowed: t.Sequence[bytes] = (), **more: t.Any
    ) -> t.Any:
        """authenticatorGetAssertion, bare."""
        token = token or self.token("GET_ASSERTION", rp=rp)
        listed = [{"id": each, "type": "public-key"} for each in allowed]
        return self.ctap.get_assertion(
            rp,
            HASH,
            listed or None,
            pin_uv_param=self.mac(token, HASH),
            pin_uv_protocol=self.protocol.VERSION,
            **more,
        )

    def look_for(self, identifier: bytes, rp: str = RP) -> t.Any:
        """Asks whether a credential is there, as programs do before they ask for the PIN."""
        listed = [{"id": identifier, "type": "public-key"}]
        return self.ctap.get_assertion(rp, HASH, listed, options={"up": False})


def relying_party(**options: t.Any) -> t.Any:
    return Fido2Server(PublicKeyCredentialRpEntity(id=RP, name="Corp"), **options)
