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

_PEM = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----(.*?)-----END (?:TRUSTED )?CERTIFICATE-----", re.DOTALL)
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
    """

    def __init__(self, anchors: t.Iterable[Anchor], helpers: t.Iterable[Certificate] = (), source: str = "") -> None:
        self.source = source or "the anchors"
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
    def of(cls, certificates: t.Iterable[Certificate], source: str = "") -> Trust:
        """Returns a trust in each of these certificates, intermediates too."""
        return cls((Anchor(each.subject, each.spki) for each in certificates), source=source)

    @classmethod
    def load(cls, path: str) -> Trust:
        """Returns the trust in every certificate of a bundle, or of a folder's .pem, .crt, .cer and .der files.

        :raises InputError: if there is no such path, or no certificate in it
        :raises StateError: if a file can't be read, or holds what is no certificate
        """
        certificates = [certificate for file in _files(path) for certificate in load_certificates(file)]
        if not certificates:
            raise InputError("trust_anchors", f"is {path}, which holds no certificate", _REMEDY)
        return cls.of(certificates, path)


_REMEDY = "name a folder or a bundle with the certificates of the TPM makers that you trust"


def _files(path: str) -> t.List[pathlib.Path]:
    place = pathlib.Path(path)
    if place.is_dir():
        return sorted(file for file in place.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file())
    if not place.is_file():
        raise InputError("trust_anchors", f"is {path}, which is no file or folder", _REMEDY)
    return [place]


def load_certificates(file: pathlib.Path) -> t.List[Certificate]:
    """Returns the certificates of a PEM or DER file.

    :raises StateError: if it can't be read, or holds what is no certificate
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST_FILE)
        return parse_certificates(data)
    except OSError as error:
        raise StateError(f"{file} can't be read ({error.strerror})", "check its permissions") from None
    except DerError as error:
        raise StateError(f"{file}: {error}", "remove what is no certificate") from None


def parse_certificates(data: bytes) -> t.List[Certificate]:
    """Returns the certificates of a PEM text, or the one of DER bytes.

    :raises DerError: if one is none
    """
    if b"-----BEGIN" not in data:
        return [Certificate.parse(data)]
    return [Certificate.parse(_decode(block)) for block in _PEM.findall(data)]


def _decode(block: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(block.split()), validate=True)
    except binascii.Error:
        raise DerError("a PEM block holds no base64") from None
