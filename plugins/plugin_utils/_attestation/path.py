# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The path from an EK certificate to an anchor: RFC 5280 section 6.1, check 1 of docs/attestation.md."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from ...module_utils._encoding.public import PublicKey
from .certificate import BasicConstraints, Certificate, KeyUsage, name_key, name_text
from .der import DerError
from .finding import Code
from .oid import UNDERSTOOD
from .trust import Anchor, NameKey, Trust

LONGEST_PATH = 6
MOST_STEPS = 64
"""A host may send certificates that sign one another in circles: no more signatures than this are looked at."""

_TIME = "%Y-%m-%d at %H:%M:%S UTC"

Fault = t.Tuple[Code, str]


@dataclass(frozen=True)
class Path:
    """Certificates, each followed by its issuer's, and the anchor above the last."""

    certificates: t.Tuple[Certificate, ...]
    anchor: Anchor

    @property
    def issuers(self) -> t.List[t.Tuple[Certificate, PublicKey]]:
        """Each certificate with the key that has to have signed it.

        :raises DerError: if a key can't be used
        """
        keys = [certificate.public_key for certificate in self.certificates[1:]]
        return list(zip(self.certificates, (*keys, self.anchor.public_key)))

    @property
    def titles(self) -> t.List[str]:
        """Who issued the first certificate, who issued theirs, and so on up to the anchor."""
        return [*(certificate.title for certificate in self.certificates[1:]), self.anchor.title]


def find_path(
    leaf: Certificate, sent: t.Sequence[Certificate], trust: Trust, now: datetime
) -> t.Tuple[t.Optional[Path], t.List[Fault]]:
    """Returns the best path and what is wrong with it: nothing, if it is to be trusted.

    :param sent: what came with the certificate; helps to build, is not trusted
    """
    best: t.Optional[Path] = None
    best_faults = [_untrusted(leaf, trust)]
    for path in _Search(sent, trust).paths((leaf,)):
        faults = _faults(path, now)
        if best is None or len(faults) < len(best_faults):
            best, best_faults = path, faults
        if not faults:
            break
    return best, best_faults


def _untrusted(leaf: Certificate, trust: Trust) -> Fault:
    clause = f'EK certificate issued by "{name_text(leaf.issuer)}", no anchor for it in {trust.source}'
    return Code.EK_CHAIN_UNTRUSTED, clause


class _Search:
    """Paths in which each intermediate did sign what is below it."""

    def __init__(self, sent: t.Sequence[Certificate], trust: Trust) -> None:
        self._sent = sent
        self._trust = trust
        self._left = MOST_STEPS

    def paths(self, below: t.Tuple[Certificate, ...]) -> t.Iterator[Path]:
        """Those that end at once come first."""
        try:
            name = name_key(below[-1].issuer)
        except DerError:
            return
        for anchor in self._trust.anchors_named(name):
            yield Path(below, anchor)
        for issuer in self._issuers(below, name):
            yield from self.paths((*below, issuer))

    def _issuers(self, below: t.Tuple[Certificate, ...], name: NameKey) -> t.Iterator[Certificate]:
        if len(below) >= LONGEST_PATH:
            return
        for issuer in (*self._trust.helpers_named(name), *(each for each in self._sent if _is_named(each, name))):
            if self._left > 0 and all(issuer.spki != each.spki for each in below):
                self._left -= 1
                if _signed(below[-1], issuer):
                    yield issuer


def _is_named(certificate: Certificate, name: NameKey) -> bool:
    try:
        return name_key(certificate.subject) == name
    except DerError:
        return False


def _signed(certificate: Certificate, issuer: Certificate) -> bool:
    try:
        return certificate.signed.is_signed_by(issuer.public_key)
    except DerError:
        return False


def _faults(path: Path, now: datetime) -> t.List[Fault]:
    faults: t.List[Fault] = []
    if not _signed_by_anchor(path):
        top = path.certificates[-1]
        faults.append((Code.EK_CHAIN_SIGNATURE, f'"{top.title}" is not signed by the anchor "{path.anchor.title}"'))
    for certificate in path.certificates:
        faults += _date_faults(certificate, now) + _extension_faults(certificate)
    for below, issuer in enumerate(path.certificates[1:]):
        faults += _issuer_faults(issuer, below)
    return faults


def _signed_by_anchor(path: Path) -> bool:
    try:
        return path.certificates[-1].signed.is_signed_by(path.anchor.public_key)
    except DerError:
        return False


def _date_faults(certificate: Certificate, now: datetime) -> t.List[Fault]:
    if now > certificate.not_after:
        return [(Code.EK_CHAIN_EXPIRED, f'"{certificate.title}" ended on {certificate.not_after:{_TIME}}')]
    if now < certificate.not_before:
        return [(Code.EK_CHAIN_NOT_YET_VALID, f'"{certificate.title}" begins on {certificate.not_before:{_TIME}}')]
    return []


def _extension_faults(certificate: Certificate) -> t.List[Fault]:
    return [
        (Code.EK_CHAIN_EXTENSION, f'"{certificate.title}" has the critical extension {oid}, which is not understood')
        for oid, extension in certificate.extensions.items()
        if extension.critical and oid not in UNDERSTOOD
    ]


def _issuer_faults(issuer: Certificate, below: int) -> t.List[Fault]:
    """:param below: how many CA certificates stand between the issuer and the end of the path"""
    faults: t.List[Fault] = []
    try:
        constraints, usage = issuer.basic_constraints or BasicConstraints(), issuer.key_usage
    except DerError:
        constraints, usage = BasicConstraints(), None
    if not constraints.ca or issuer.version != 3:
        faults.append((Code.EK_CHAIN_NOT_CA, f'"{issuer.title}" is no CA certificate'))
    if constraints.path_length is not None and below > constraints.path_length:
        allowed = constraints.path_length
        faults.append((Code.EK_CHAIN_PATH_LENGTH, f'"{issuer.title}" allows {allowed} CAs below it, not {below}'))
    if usage is not None and not usage & KeyUsage.KEY_CERT_SIGN:
        faults.append((Code.EK_CHAIN_KEY_USAGE, f'"{issuer.title}" may not sign certificates'))
    return faults
