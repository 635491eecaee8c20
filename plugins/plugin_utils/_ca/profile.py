# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a certificate is for, as data: usages, names, lifetime. The shipped ones and your own are read alike."""

from __future__ import annotations

import enum
import functools
import json
import typing as t
from dataclasses import asdict, dataclass, replace

from ...module_utils._errors import InputError
from .._ledger import record
from .identity import Identity, NameKind
from .oid import DOTTED, Assurance, Purpose

MAX_DAYS = 3650
MAX_BACKDATE_MINUTES = 1440

E = t.TypeVar("E", bound=enum.Enum)


class CertificateKind(str, enum.Enum):
    """The two formats that the CA writes."""

    X509 = "x509"
    SSH_USER = record.SSH_USER


class Usage(str, enum.Enum):
    """Key usage bits of an end entity, RFC 5280 section 4.2.1.3. The bits of a CA are not on offer."""

    DIGITAL_SIGNATURE = "digital_signature"
    CONTENT_COMMITMENT = "content_commitment"
    KEY_ENCIPHERMENT = "key_encipherment"
    KEY_AGREEMENT = "key_agreement"


@dataclass(frozen=True)
class Profile:
    """A kind of certificate.

    :param key_usage: bits that are set; encipherment applies to RSA, agreement to elliptic curves alone
    :param purposes: extended key usages as object identifiers
    :param required: names without which the profile refuses to issue
    :param optional: names that are written where the identity has them
    :param days: lifetime
    :param backdate_minutes: how far notBefore lies in the past, for hosts whose clock is late
    :param policies: further certificate policies as object identifiers
    :param assurance: the least that must have been verified about the key; what was verified is written as a policy
    :param crl_required: refuse to issue where the CA names no CRL distribution point
    :param uncertified_ek: issue though the host's EK has no certificate, where the inventory names that EK; the
        certificate says so by a policy
    :param sealed: refuse to issue until the host's TPM was restarted since the card was made
    """

    name: str
    kind: CertificateKind = CertificateKind.X509
    key_usage: t.Tuple[Usage, ...] = (Usage.DIGITAL_SIGNATURE,)
    purposes: t.Tuple[str, ...] = ()
    required: t.Tuple[NameKind, ...] = ()
    optional: t.Tuple[NameKind, ...] = ()
    days: int = 365
    backdate_minutes: int = 10
    policies: t.Tuple[str, ...] = ()
    assurance: Assurance = Assurance.FIXED
    crl_required: bool = False
    sealed: bool = False
    uncertified_ek: bool = False

    @property
    def names(self) -> t.Tuple[NameKind, ...]:
        return (*self.required, *self.optional)

    @property
    def is_for_ak(self) -> bool:
        """Whether its certificates are for attestation keys, and name a TPM in the place of a subject."""
        return Purpose.AK_CERTIFICATE.value in self.purposes

    @property
    def attests(self) -> bool:
        """Whether its certificates say how a key was made, and name nobody."""
        return self.name == record.KEY_ATTESTATION

    def check(self, identity: Identity, field: str = "identity") -> None:
        """Raises :class:`InputError` where the identity lacks a name that the profile needs."""
        for kind in self.required:
            if not identity.has(kind):
                raise InputError(
                    f"{field}.{kind.value}",
                    f"is missing, and profile {self.name} needs it",
                    "set it for this card in the inventory",
                )

    def canonical(self) -> str:
        """One text for one content; the digest of it tells whether a profile changed."""
        return _canonical(self)


@functools.lru_cache(maxsize=64)
def _canonical(profile: Profile) -> str:
    values = asdict(profile)
    for name in ("sealed", "uncertified_ek"):
        if not values[name]:
            del values[name]  # What it never said it does not say now: no certificate is issued anew for that.
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


_PURPOSES = {purpose.name.lower(): purpose.value for purpose in Purpose}
_ASSURANCES = {assurance.name.lower(): assurance for assurance in Assurance}


def parse_profile(name: str, values: t.Mapping[str, t.Any], shelf: t.Mapping[str, Profile]) -> Profile:
    """Reads a profile of one's own; ``based_on`` names one from the shelf to start from.

    :raises InputError: names the parameter, as ``profiles.<name>.<parameter>``
    """
    field = f"profiles.{name}"
    if not isinstance(values, t.Mapping):
        raise InputError(field, f"is a {type(values).__name__}", "give a mapping of settings")
    _refuse_unknown(values, field)
    base = values.get("based_on")
    if base is not None and not (isinstance(base, str) and base in shelf):
        raise InputError(f"{field}.based_on", f"is {base!r}, which is no profile", f"choose {_listed(shelf)}")
    start = shelf[base] if base is not None else Profile(name=name)
    given = {key: _PARSERS[key](value, f"{field}.{key}") for key, value in values.items() if key != "based_on"}
    profile = replace(start, name=name, **given)
    _check_whole(profile, field)
    return profile


def find_profile(name: str, shelf: t.Mapping[str, Profile]) -> Profile:
    """Returns the profile of that name. Raises :class:`InputError` if there is none."""
    try:
        return shelf[name]
    except KeyError:
        raise InputError("profile", f"is {name!r}, which is no profile", f"choose {_listed(shelf)}") from None


def _check_whole(profile: Profile, field: str) -> None:
    if profile.kind is CertificateKind.SSH_USER and NameKind.SSH not in profile.required:
        raise InputError(f"{field}.required", "lacks ssh_principals", "add it: a certificate without admits everybody")
    if profile.kind is CertificateKind.X509 and not profile.key_usage:
        raise InputError(f"{field}.key_usage", "is empty", f"choose {_listed(usage.value for usage in Usage)}")
    if profile.is_for_ak and profile.assurance is not Assurance.RESTRICTED:
        raise InputError(f"{field}.assurance", f"is {profile.assurance.name.lower()}", "an AK needs restricted")
    twice = set(profile.required) & set(profile.optional)
    if twice:
        raise InputError(f"{field}.optional", f"repeats {_listed(twice)} of required", "name it once")


def _refuse_unknown(values: t.Mapping[str, t.Any], field: str) -> None:
    for key in values:
        if key != "based_on" and key not in _PARSERS:
            raise InputError(f"{field}.{key}", "is no setting of a profile", f"use based_on, {_listed(_PARSERS)}")


def _member(kind: t.Type[E]) -> t.Callable[[t.Any, str], E]:
    def parse(value: t.Any, field: str) -> E:
        try:
            return kind(value)
        except ValueError:
            choices = _listed(str(member.value) for member in kind)
            raise InputError(field, f"is {value!r}", f"choose {choices}") from None

    return parse


def _several(parse: t.Callable[[t.Any, str], E]) -> t.Callable[[t.Any, str], t.Tuple[E, ...]]:
    def parse_all(value: t.Any, field: str) -> t.Tuple[E, ...]:
        return tuple(parse(item, field) for item in _list(value, field))

    return parse_all


def _list(value: t.Any, field: str) -> t.List[t.Any]:
    if not isinstance(value, (list, tuple)):
        raise InputError(field, f"is a {type(value).__name__}", "give a list")
    if len(set(map(str, value))) != len(value):
        raise InputError(field, "holds a value twice", "name each once")
    return list(value)


def _oids(names: t.Mapping[str, str]) -> t.Callable[[t.Any, str], t.Tuple[str, ...]]:
    def parse(value: t.Any, field: str) -> t.Tuple[str, ...]:
        items = _list(value, field)
        found = tuple(names.get(item, item) for item in items if isinstance(item, str))
        if len(found) < len(items) or not all(DOTTED.fullmatch(item) for item in found):
            hint = f"{_listed(names)}, or " if names else ""
            raise InputError(field, f"is {value!r}", f"choose {hint}object identifiers such as 1.3.6.1.5.2.3.4")
        return found

    return parse


def _number(least: int, most: int) -> t.Callable[[t.Any, str], int]:
    def parse(value: t.Any, field: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InputError(field, f"is {value!r}", f"give a whole number from {least} to {most}")
        return value

    return parse


def _assurance(value: t.Any, field: str) -> Assurance:
    if not isinstance(value, str) or value not in _ASSURANCES:
        raise InputError(field, f"is {value!r}", f"choose {_listed(_ASSURANCES)}")
    return _ASSURANCES[value]


def _flag(value: t.Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise InputError(field, f"is {value!r}", "give true or false")
    return value


_PARSERS: t.Mapping[str, t.Callable[[t.Any, str], t.Any]] = {
    "kind": _member(CertificateKind),
    "key_usage": _several(_member(Usage)),
    "purposes": _oids(_PURPOSES),
    "required": _several(_member(NameKind)),
    "optional": _several(_member(NameKind)),
    "days": _number(1, MAX_DAYS),
    "backdate_minutes": _number(0, MAX_BACKDATE_MINUTES),
    "policies": _oids({}),
    "assurance": _assurance,
    "crl_required": _flag,
    "sealed": _flag,
    "uncertified_ek": _flag,
}


def _listed(names: t.Iterable[t.Any]) -> str:
    return ", ".join(sorted(str(getattr(name, "value", name)) for name in names))
