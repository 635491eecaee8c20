# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The anchors that the administrator trusts: names and keys, taken from a folder or a bundle."""

from __future__ import annotations

import base64
import binascii
import pathlib
import re
import typing as t
from dataclasses import dataclass

from ...module_utils._encoding.public import PublicKey
from ...module_utils._errors import InputError, StateError
from .certificate import Certificate, load_key, name_key, name_text
from .der import DerError

NameKey = t.Tuple[t.Tuple[str, str], ...]

_PEM = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----([^-]*)-----END (?:TRUSTED )?CERTIFICATE-----")
"""What has no end does not take the next one with it: base64 has no hyphen."""
_BEGIN = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----")
_SUFFIXES = (".pem", ".crt", ".cer", ".der")
LARGEST_FILE = 16 << 20


@dataclass(frozen=True)
class Anchor:
    """A name and a key: RFC 5280 section 6.1.1. Whatever else its certificate says does not count, not even its end."""

    name: bytes
    spki: bytes

    @property
    def title(self) -> str:
        return name_text(self.name)

    @property
    def public_key(self) -> PublicKey:
        """:raises DerError: if the key is malformed, or neither RSA nor ECC"""
        return load_key(self.spki)


class Trust:
    """Anchors, and certificates that may help to reach them.

    :param anchors: trusted
    :param helpers: not trusted; makers' intermediates that are not in a TPM's NV
    :param source: where the anchors come from, for messages
    :param warnings: what could not be read there, in sentences
    """

    def __init__(
        self,
        anchors: t.Iterable[Anchor],
        helpers: t.Iterable[Certificate] = (),
        source: str = "",
        warnings: t.Sequence[str] = (),
    ) -> None:
        self.source = source or "the anchors"
        self.warnings = tuple(warnings)
        self._anchors: t.Dict[NameKey, t.List[Anchor]] = {}
        self._helpers: t.Dict[NameKey, t.List[Certificate]] = {}
        for anchor in anchors:
            known = self._anchors.setdefault(name_key(anchor.name), [])
            if anchor not in known:
                known.append(anchor)
        for helper in helpers:
            self._helpers.setdefault(name_key(helper.subject), []).append(helper)

    def anchors_named(self, name: NameKey) -> t.Sequence[Anchor]:
        return self._anchors.get(name, ())

    def helpers_named(self, name: NameKey) -> t.Sequence[Certificate]:
        return self._helpers.get(name, ())

    @classmethod
    def of(cls, certificates: t.Iterable[Certificate], source: str = "", warnings: t.Sequence[str] = ()) -> Trust:
        """Returns a trust in each of these certificates, intermediates too."""
        return cls((Anchor(each.subject, each.spki) for each in certificates), source=source, warnings=warnings)

    @classmethod
    def load(cls, path: str) -> Trust:
        """Returns the trust in every certificate of a bundle, or of a folder's .pem, .crt, .cer and .der files.

        What can't be read is passed over, with a warning: to trust less is safe.

        :raises InputError: if there is no such path, or no certificate in it
        :raises StateError: if not one of its certificates can be read
        """
        found = [load_certificates(file) for file in _files(path)]
        certificates = [each for loaded in found for each in loaded.certificates]
        faults = [fault for loaded in found for fault in loaded.faults]
        if not certificates and faults:
            raise StateError(faults[0], "put certificates there, PEM or DER, that can be read")
        if not certificates:
            raise InputError("trust_anchors", f"is {path}, which holds no certificate", _REMEDY)
        return cls.of(certificates, path, [f"{fault}, and is passed over." for fault in faults])


_REMEDY = "name a folder or a bundle with the certificates of the TPM makers that you trust"


def _files(path: str) -> t.List[pathlib.Path]:
    place = pathlib.Path(path)
    if place.is_dir():
        return sorted(file for file in place.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file())
    if not place.is_file():
        raise InputError("trust_anchors", f"is {path}, which is no file or folder", _REMEDY)
    return [place]


class Loaded(t.NamedTuple):
    """What a file holds.

    :param faults: what of it can't be read, each in a clause that names the file
    """

    certificates: t.List[Certificate]
    faults: t.List[str]


def load_certificates(file: pathlib.Path) -> Loaded:
    """Returns the certificates of a PEM or DER file, as many as can be read."""
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST_FILE)
    except OSError as error:
        return Loaded([], [f"{file} can't be read ({error.strerror})"])
    if not _is_pem(data):
        return _each(f"{file}", [data])
    blocks = _PEM.findall(data)
    found = _each(f"a certificate in {file}", [_decode(block) for block in blocks])
    endless = len(_BEGIN.findall(data)) - len(blocks)
    return Loaded(found.certificates, [*found.faults, *[f"a certificate in {file} has no end"] * endless])


def _each(what: str, blocks: t.Iterable[bytes]) -> Loaded:
    found = Loaded([], [])
    for block in blocks:
        try:
            certificate = Certificate.of_file(block)
            name_key(certificate.subject)
            found.certificates.append(certificate)
        except DerError as error:
            found.faults.append(f"{what} {error}")
    return found


def parse_certificates(data: bytes) -> t.List[Certificate]:
    """Returns the certificates of a PEM text, or the one of DER bytes.

    :raises DerError: if one is none
    """
    blocks = [_decode(block) for block in _PEM.findall(data)] if _is_pem(data) else [data]
    return [Certificate.of_file(block) for block in blocks]


def _is_pem(data: bytes) -> bool:
    return b"-----BEGIN" in data


def _decode(block: bytes) -> bytes:
    """Returns nothing, which is no certificate, for what is no base64."""
    try:
        return base64.b64decode(b"".join(block.split()), validate=True)
    except binascii.Error:
        return b""
