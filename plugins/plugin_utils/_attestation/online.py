# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What TPM makers serve online: EK certificates that are not in the TPM, and revocation lists. Kept in a cache.

Nothing from here is trusted for where it came from: a certificate has to be for the EK and lead to an
anchor, a list has to be signed. So a cache may be filled by hand where the controller has no way out.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import typing as t
from datetime import datetime

from ...module_utils._encoding.evidence import Document
from ...module_utils._encoding.fields import encoded
from ...module_utils._encoding.key_algorithm import EXPONENT
from ...module_utils._encoding.public import EccArea, Public, RsaArea
from ...module_utils._encoding.wire import WireError
from ...module_utils._files import write_atomically
from .certificate import Certificate
from .der import DerError
from .revocation import RevocationList

Fetch = t.Callable[[str], t.Optional[bytes]]
"""Returns what is at a URL, or None if it can't be had in reasonable time."""

_INTEL = "https://ekop.intel.com/ekcertservice/"
_AMD = "https://ftpm.amd.com/pki/aia/"
_EXPONENT = EXPONENT.to_bytes(3, "big")
_AMD_RSA, _AMD_ECC = b"\x00\x00\x22\x22\x00" + _EXPONENT, b"\x00\x00\x44\x44"
_AMD_DIGITS = 32
"""How the makers derive an address from an EK: tpm2-tools, tpm2_getekcertificate(1)."""


def certificate_urls(ek: Public) -> t.List[str]:
    """Returns where Intel and AMD would serve the certificate of an EK. Others put it into the TPM."""
    area = ek.area
    if isinstance(area, RsaArea):
        intel, amd = area.modulus + _EXPONENT, _AMD_RSA + area.modulus
    elif isinstance(area, EccArea):
        intel, amd = area.x + area.y, _AMD_ECC + area.x + area.y
    else:
        return []
    name = base64.urlsafe_b64encode(hashlib.sha256(intel).digest()).decode().replace("=", "%3D")
    return [_INTEL + name, _AMD + hashlib.sha256(amd).hexdigest()[:_AMD_DIGITS]]


class Online:
    """Looks into the cache first, then online.

    :param cache: a folder, or empty for none
    :param fetch: None where the controller may not go online
    """

    def __init__(self, cache: str = "", fetch: t.Optional[Fetch] = None) -> None:
        self._cache = cache
        self._fetch = fetch
        self.troubles: t.List[str] = []
        """Where an EK's certificate was looked for in vain, in sentences."""

    def revocation_list(self, url: str, now: datetime) -> t.Optional[bytes]:
        """Returns a list that is not overdue if one can be had, else the one that was kept."""
        kept = self._read(url)
        if kept is not None and _is_current(kept, now):
            return kept
        return self._get(url) or kept

    def certificate(self, ek: Public) -> t.Optional[bytes]:
        """Returns the DER certificate of an EK, from the maker who knows it."""
        urls = certificate_urls(ek)
        for source in (self._read, self._get):
            for url in urls:
                found = _certificate_in(source(url))
                if found is not None:
                    return found
        return None

    def complete(self, document: t.Any) -> t.Any:
        """Returns a host's evidence with the EK certificate added if the host found none in its TPM."""
        if not isinstance(document, dict) or document.get("certificates") != []:
            return document
        try:
            ek = Public.parse(base64.b64decode(document["ek"], validate=True))
        except (KeyError, TypeError, ValueError, WireError):
            return document
        certificate = self.certificate(ek)
        if certificate is None and self._fetch is not None:
            self.troubles += [f"{url} did not answer, or not with what was asked for." for url in certificate_urls(ek)]
        added: Document = {"certificates": [encoded(certificate)]} if certificate is not None else {}
        return {**document, **added}

    def _get(self, url: str) -> t.Optional[bytes]:
        data = self._fetch(url) if self._fetch is not None else None
        if data and self._cache:
            os.makedirs(self._cache, mode=0o755, exist_ok=True)
            write_atomically(self.cached(url), data, 0o644)
        return data or None

    def _read(self, url: str) -> t.Optional[bytes]:
        if not self._cache:
            return None
        try:
            with open(self.cached(url), "rb") as file:
                return file.read()
        except OSError:
            return None

    def cached(self, url: str) -> str:
        """Returns the file that keeps what is at a URL."""
        return os.path.join(self._cache, hashlib.sha256(url.encode()).hexdigest())


def _is_current(data: bytes, now: datetime) -> bool:
    try:
        end = RevocationList.parse(data).next_update
    except DerError:
        return False
    return end is not None and now <= end


def _certificate_in(data: t.Optional[bytes]) -> t.Optional[bytes]:
    """Returns the certificate in a maker's answer: DER, or Intel's JSON with base64 for URLs."""
    if data is None:
        return None
    if data[:1] == b"{":
        try:
            text = json.loads(data)["certificate"]
            data = base64.urlsafe_b64decode(text.replace("%3D", "=") + "==")
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
    try:
        return Certificate.of_file(data).raw
    except DerError:
        return None
