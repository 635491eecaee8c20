# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to another CA: a folder in which requests and answers lie, and perhaps a command that asks it at once."""

from __future__ import annotations

import base64
import binascii
import ssl
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ...module_utils._cryptography import x509
from ...module_utils._errors import InputError
from .._ledger.record import CertificatePlace, IssuedCertificate
from .._ledger.refusal import Refusal, RefusalCode
from . import files

PATIENCE = 120.0
"""Seconds that a command may take."""
NOT_YET = 75
"""With what a command ends whose CA has the request and has not decided: EX_TEMPFAIL of sysexits.h."""
LARGEST_ANSWER = 1 << 16
LONGEST_COMPLAINT = 300
_BEGIN, _END = "-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----"  # RFC 7468 section 7


@dataclass(frozen=True)
class ExternalCa:
    """Another CA.

    :param name: what messages call it; another name has every certificate issued anew
    :param certificates: one of them has to have signed an answer
    :param folder: on the controller
    :param command: gets a request in PEM on standard input, and prints the certificate; none: somebody puts it there
    :param revoke_command: gets a certificate in PEM on standard input, and revokes it; none: somebody has to be told
    :param profiles: whose certificates it issues; none: of all
    """

    name: str
    certificates: t.Tuple[x509.Certificate, ...]
    folder: Path
    command: t.Tuple[str, ...] = ()
    revoke_command: t.Tuple[str, ...] = ()
    profiles: t.FrozenSet[str] = frozenset()

    @classmethod
    def parse(cls, values: t.Mapping[str, t.Any], shelf: t.Container[str]) -> ExternalCa:
        """Reads ``external_ca`` of a task.

        :param shelf: names of the profiles that there are
        :raises InputError: for the first part that is not right
        """
        folder = Path(values["requests"])
        if not folder.is_dir():
            raise InputError("external_ca.requests", f"is {folder}, which is no folder", "make it on the controller")
        for name in values["profiles"]:
            if name not in shelf:
                raise InputError("external_ca.profiles", f"holds {name!r}, which is no profile", "correct it")
        if not values["name"]:
            raise InputError("external_ca.name", "is empty", "say what the other CA is called")
        certificates = _read_certificates(Path(values["certificates"]))
        ask, revoke = tuple(values["command"]), tuple(values["revoke_command"])
        return cls(values["name"], certificates, folder, ask, revoke, frozenset(values["profiles"]))

    def issues(self, profile: str) -> bool:
        return not self.profiles or profile in self.profiles

    def request_path(self, place: CertificatePlace) -> Path:
        return self._path(place, "csr")

    def answer_path(self, place: CertificatePlace) -> Path:
        return self._path(place, "pem")

    def _path(self, place: CertificatePlace, ending: str) -> Path:
        """``HOST.CARD.SLOT``; a dot in a card's name is escaped, so that no two places share a file."""
        card = quote(place.card, safe=" ").replace(".", "%2E")
        return self.folder / f"{quote(place.host, safe='')}.{card}.{place.slot}.{ending}"

    def kept_request(self, place: CertificatePlace) -> bytes:
        """Returns the request that was made before, in DER; empty if there is none that can be read."""
        try:
            text = self.request_path(place).read_text("ascii")
            return base64.b64decode(text.replace(_BEGIN, "").replace(_END, ""))
        except (OSError, ValueError, binascii.Error):
            return b""

    def keep_request(self, place: CertificatePlace, request: bytes) -> None:
        """:raises StateError: if the folder can't be written"""
        files.write(self.request_path(place), _pem(request), files.PUBLIC)

    def forget_request(self, place: CertificatePlace) -> None:
        with files.explained(self.folder):
            self.request_path(place).unlink(missing_ok=True)

    def found_answer(self, place: CertificatePlace) -> bytes:
        """Returns what lies there as an answer; empty if nothing does.

        :raises StateError: if it can't be read
        """
        path = self.answer_path(place)
        with files.explained(path):
            if not path.exists():
                return b""
            with path.open("rb") as file:
                return file.read(LARGEST_ANSWER)

    def forget_answer(self, place: CertificatePlace) -> None:
        with files.explained(self.folder):
            self.answer_path(place).unlink(missing_ok=True)

    def closed_answer(self, place: CertificatePlace) -> bytes:
        """Returns what a run that died had closed; empty if there is nothing."""
        try:
            return self._path(place, "closed").read_bytes()
        except OSError:
            return b""

    def keep_closed(self, place: CertificatePlace, closed: bytes) -> None:
        """Keeps an answer of the command, closed to all but our CA, until the ledger has it."""
        files.write(self._path(place, "closed"), closed)

    def forget_closed(self, place: CertificatePlace) -> None:
        with files.explained(self.folder):
            self._path(place, "closed").unlink(missing_ok=True)

    def ask(self, request: bytes) -> t.Optional[bytes]:
        """Runs the command, and returns what it prints; None where the CA has yet to decide.

        :param request: DER
        :raises Refusal: ``EXTERNAL_CA_FAILED``, with what the command says
        """
        printed = _run(self.command, _pem(request))
        return None if printed is None else printed[:LARGEST_ANSWER]

    def revoke(self, certificate: bytes, number: str, reason: str) -> bool:
        """Runs the command that revokes; tells whether that CA has done so, or has yet to decide.

        :param certificate: DER
        :param number: what ``{serial}`` stands for in the command's arguments, in hex
        :param reason: what ``{reason}`` stands for, as RFC 5280 section 5.3.1 spells it
        :raises Refusal: ``EXTERNAL_CA_FAILED``, with what the command says
        """
        words = [word.replace("{serial}", number).replace("{reason}", reason) for word in self.revoke_command]
        return _run(words, ssl.DER_cert_to_PEM_cert(certificate).encode("ascii")) is not None


def revoke_elsewhere(certificate: IssuedCertificate) -> str:
    """Returns what somebody has to do about another CA's certificate that the ledger counts as revoked."""
    return f"Have the other CA revoke {called(certificate)}: no list of ours names it."


def called(certificate: IssuedCertificate) -> str:
    place = " ".join((certificate.host, certificate.card, certificate.slot))
    return f"the certificate {certificate.number} of {place}"


def _run(command: t.Sequence[str], given: bytes) -> t.Optional[bytes]:
    """Returns what the other CA's command prints; None where it ends with :data:`NOT_YET`."""
    program = command[0]
    try:
        done = subprocess.run(  # noqa: S603  The administrator's own command, without a shell.
            command, input=given, capture_output=True, timeout=PATIENCE, check=False
        )
    except OSError as error:
        raise _failed(f"{program} can't be run ({error.strerror})") from None
    except subprocess.TimeoutExpired:
        raise _failed(f"{program} did not end within {PATIENCE:.0f} seconds") from None
    if done.returncode == NOT_YET:
        return None
    if done.returncode:
        said = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise _failed(f"{program} ended with {done.returncode}: {said[-LONGEST_COMPLAINT:] or 'it says nothing'}")
    return done.stdout


def _failed(found: str) -> Refusal:
    return Refusal(RefusalCode.EXTERNAL_CA_FAILED, f"the other CA was not reached: {found}")


def _pem(request: bytes) -> bytes:
    text = base64.b64encode(request).decode("ascii")
    return "\n".join([_BEGIN, *(text[at : at + 64] for at in range(0, len(text), 64)), _END, ""]).encode("ascii")


def _read_certificates(path: Path) -> t.Tuple[x509.Certificate, ...]:
    data = files.read(path)
    marker = b"-----BEGIN CERTIFICATE-----"
    try:
        if marker not in data:
            return (x509.load_der_x509_certificate(data),)
        return tuple(x509.load_pem_x509_certificate(marker + part) for part in data.split(marker)[1:])
    except ValueError:
        fault = f"is {path}, which holds something that is no certificate"
        raise InputError("external_ca.certificates", fault, "give the CA's certificates in PEM") from None
