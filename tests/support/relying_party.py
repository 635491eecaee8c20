# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site where alice registers passkeys and signs in by them, and which believes none that our CA does not vouch for.

Two verifiers check each attestation up to the CA's root: PyPI's webauthn, and python-fido2's by the CA's statement.
"""

from __future__ import annotations

import datetime
import hashlib
import http.server
import json
import pathlib
import ssl
import threading
import typing as t

import webauthn
from fido2 import mds3
from fido2.webauthn import AttestationObject
from webauthn.helpers import structs

PAGE = pathlib.Path(__file__).with_name("data") / "relying_party.html"
ATTESTED, ANY = "localhost", "any.localhost"
"""Identifiers of relying parties. Browsers see their sites under these names, which somebody has to forward."""
_PATIENCE = 600_000  # milliseconds, which browsers are told that their user has
_Json = t.Dict[str, t.Any]


class RelyingParty:
    """Use it as a context manager: meanwhile it serves on :attr:`port` of this computer's loopback."""

    def __init__(self, statement: _Json, root: bytes, name: str = ATTESTED) -> None:
        """Takes the CA's metadata statement, parsed, and its root, DER.

        :param name: its identifier; by that of ANY it takes passkeys that vouch for themselves, and no others
        """
        self.name, self.origin = name, f"http://{name}"
        self._statement = mds3.MetadataStatement.from_dict(statement)
        self._root = ssl.DER_cert_to_PEM_cert(root).encode()
        self._challenge = b""
        self.passkeys: t.Dict[bytes, bytes] = {}
        """Public keys, as COSE has them, by credential id."""
        self.signed_in = 0
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(200, "text/html; charset=utf-8", PAGE.read_bytes())

            def do_POST(self) -> None:
                given = self.rfile.read(int(self.headers["Content-Length"])).decode()
                try:
                    said = _STEPS[self.path](site, given)
                except Exception as refusal:
                    self._answer(403, "text/plain; charset=utf-8", f"refused: {refusal}".encode())
                else:
                    self._answer(200, "application/json", said.encode())

            def _answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words: object) -> None:
                """Says nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    def __enter__(self) -> RelyingParty:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_details: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def offer(self, _given: str) -> str:
        """Returns what a passkey shall be like."""
        options = webauthn.generate_registration_options(
            rp_id=self.name,
            rp_name="Corp",
            user_id="alice",
            user_name="alice",
            timeout=_PATIENCE,
            attestation=structs.AttestationConveyancePreference.DIRECT,
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                authenticator_attachment=structs.AuthenticatorAttachment.CROSS_PLATFORM,
                resident_key=structs.ResidentKeyRequirement.REQUIRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
        )
        self._challenge = options.challenge
        return t.cast(str, webauthn.options_to_json(options))

    def register(self, given: str) -> str:
        """Takes a new passkey.

        Both verifiers have to believe that it is one of a card whose key our CA has certified, or that it is itself.
        """
        credential = structs.RegistrationCredential.parse_raw(given)
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=self._challenge,
            expected_rp_id=self.name,
            expected_origin=self.origin,
            require_user_verification=True,
            pem_root_certs_bytes_by_fmt={structs.AttestationFormat.TPM: [self._root]},
        )
        if made.fmt != ("tpm" if self.name == ATTESTED else "packed"):
            raise ValueError(f"the format is {made.fmt.value}")
        attested = AttestationObject(bytes(credential.response.attestation_object))
        hashed = hashlib.sha256(bytes(credential.response.client_data_json)).digest()
        if self.name == ATTESTED:
            self._verifier().verify_attestation(attested, hashed)
        self.passkeys[made.credential_id] = made.credential_public_key
        return json.dumps(f"registered, format {made.fmt.value}")

    def _verifier(self) -> mds3.MdsAttestationVerifier:
        """Knows our statement, and nothing else."""
        today = datetime.date.today()
        report = mds3.StatusReport(mds3.AuthenticatorStatus.NOT_FIDO_CERTIFIED)
        entry = mds3.MetadataBlobPayloadEntry(
            [report], today, aaguid=self._statement.aaguid, metadata_statement=self._statement
        )
        return mds3.MdsAttestationVerifier(mds3.MetadataBlobPayload("", 1, today, [entry]))

    def ask(self, _given: str) -> str:
        """Returns which passkeys may sign in."""
        usb = [structs.AuthenticatorTransport.USB]
        known = [structs.PublicKeyCredentialDescriptor(id=each, transports=usb) for each in self.passkeys]
        options = webauthn.generate_authentication_options(
            rp_id=self.name,
            timeout=_PATIENCE,
            allow_credentials=known,
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
        self._challenge = options.challenge
        return t.cast(str, webauthn.options_to_json(options))

    def sign_in(self, given: str) -> str:
        credential = structs.AuthenticationCredential.parse_raw(given)
        webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=self._challenge,
            expected_rp_id=self.name,
            expected_origin=self.origin,
            credential_public_key=self.passkeys[bytes(credential.raw_id)],
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        self.signed_in += 1
        return json.dumps("signed in as alice")


_STEPS: t.Dict[str, t.Callable[[RelyingParty, str], str]] = {
    "/offer": RelyingParty.offer,
    "/register": RelyingParty.register,
    "/ask": RelyingParty.ask,
    "/sign-in": RelyingParty.sign_in,
}
