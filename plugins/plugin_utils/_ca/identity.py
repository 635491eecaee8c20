# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a certificate speaks of. Everything in here comes from inventory, nothing from a host."""

from __future__ import annotations

import enum
import json
import re
import typing as t
from dataclasses import dataclass

from ...module_utils._cryptography import x509
from ...module_utils._encoding import der, other_name
from ...module_utils._encoding.tlv import encode
from ...module_utils._errors import InputError
from . import oid

COMMON_NAME_LENGTH = 64  # RFC 5280 appendix A.1, ub-common-name
NT_PRINCIPAL = 1  # RFC 4120 section 6.2

_ACCOUNT = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DNS_NAME = re.compile(rf"(?=.{{1,253}}\Z)(\*\.)?({_LABEL}\.)*{_LABEL}")
_SID = re.compile(r"S-1-[0-9]{1,14}(-[0-9]{1,10}){1,15}")  # MS-DTYP section 2.4.2.1


class NameKind(str, enum.Enum):
    """The names that a profile may ask for."""

    UPN = "upn"
    SID = "sid"
    PRINCIPAL = "principal"
    EMAIL = "email"
    DNS = "dns_names"
    SSH = "ssh_principals"


@dataclass(frozen=True)
class Identity:
    """The names of a certificate's holder.

    :param common_name: 1 to 64 characters, the subject's CN
    :param upn: user principal name in Active Directory, ``alice@corp.example``
    :param sid: security identifier of the account, ``S-1-5-21-...``
    :param principal: Kerberos principal, ``alice@CORP.EXAMPLE``
    :param ssh_principals: login names that an OpenSSH certificate admits
    """

    common_name: str
    upn: str = ""
    sid: str = ""
    principal: str = ""
    email: str = ""
    dns_names: t.Tuple[str, ...] = ()
    ssh_principals: t.Tuple[str, ...] = ()

    @classmethod
    def parse(cls, values: t.Mapping[str, t.Any], field: str = "identity") -> Identity:
        """Reads the names from a task's parameters.

        :raises InputError: names the parameter that is wrong
        """
        known = set(cls.__dataclass_fields__)
        for name in values:
            if name not in known:
                raise InputError(f"{field}.{name}", "is no name that a certificate can carry", f"use {_listed(known)}")
        lists = ("dns_names", "ssh_principals")
        read: t.Dict[str, t.Any] = {name: _text(values, name, field) for name in known if name not in lists}
        read.update({name: _texts(values, name, field) for name in lists})
        identity = cls(**read)
        identity._check(field)
        return identity

    def has(self, kind: NameKind) -> bool:
        return bool(getattr(self, kind.value))

    @property
    def domains(self) -> t.Tuple[str, ...]:
        """The DNS domains and realms that the names lie in, in lower case."""
        accounts = [name.rpartition("@")[2] for name in (self.upn, self.principal, self.email) if name]
        return tuple(sorted({name.lower().rstrip(".") for name in (*accounts, *self.dns_names)}))

    def canonical(self) -> str:
        """One text for one identity, to compare and to keep."""
        return json.dumps(vars(self), sort_keys=True, separators=(",", ":"))

    def _check(self, field: str) -> None:
        if not 1 <= len(self.common_name) <= COMMON_NAME_LENGTH:
            raise InputError(f"{field}.common_name", f"has {len(self.common_name)} characters", "give 1 to 64")
        if not self.common_name.isprintable():
            raise InputError(f"{field}.common_name", "holds characters that do not print", "remove them")
        for name in ("upn", "principal", "email"):
            value = getattr(self, name)
            if value and not _ACCOUNT.fullmatch(value):
                raise InputError(f"{field}.{name}", f"is {value!r}, which is no name@domain", "write name@domain")
        for name in ("principal", "email"):
            if not getattr(self, name).isascii():
                raise InputError(f"{field}.{name}", "holds characters outside ASCII", "use ASCII")
        if "\\" in self.principal:
            raise InputError(f"{field}.principal", "holds a backslash", "give a principal that needs no escapes")
        self._check_sid(field)
        self._check_lists(field)

    def _check_sid(self, field: str) -> None:
        if not self.sid:
            return
        parts = self.sid.split("-")
        if not _SID.fullmatch(self.sid) or any(int(part) >= 2**32 for part in parts[3:]):
            raise InputError(f"{field}.sid", f"is {self.sid!r}, which is no SID", "write it as S-1-5-21-...")

    def _check_lists(self, field: str) -> None:
        for name in self.dns_names:
            if not _DNS_NAME.fullmatch(name):
                raise InputError(f"{field}.dns_names", f"holds {name!r}, which is no DNS name", "write host.domain")
        for name in self.ssh_principals:
            if not name or not name.isprintable() or "," in name or " " in name:
                raise InputError(f"{field}.ssh_principals", f"holds {name!r}, which is no login name", "correct it")


def alternative_names(identity: Identity, kinds: t.Iterable[NameKind]) -> t.List[x509.GeneralName]:
    """Returns the subject alternative names of the kinds that the identity has."""
    names: t.List[x509.GeneralName] = []
    for kind in kinds:
        if identity.has(kind) and kind in _ENCODERS:
            names.extend(_ENCODERS[kind](identity))
    return names


def sid_extension(sid: str) -> x509.UnrecognizedExtension:
    """Returns the SID extension: the SID's text, as an OCTET STRING, in an otherName, MS-WCCE section 2.2.2.7.7.4."""
    value = der.explicit(0, der.octets(sid.encode("ascii")))
    names = der.sequence(der.explicit(0, der.oid(oid.NTDS_OBJECTSID), value))
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid.NTDS_CA_SECURITY), names)


def krb5_principal_name(principal: str) -> bytes:
    """Returns KRB5PrincipalName, RFC 4556 section 3.2.2, with the types of RFC 4120 section 5.2.2."""
    name, _at, realm = principal.rpartition("@")
    components = (encode(der.Tag.GENERAL_STRING, part.encode("ascii")) for part in name.split("/"))
    principal_name = der.sequence(
        der.explicit(0, der.integer(NT_PRINCIPAL)),
        der.explicit(1, der.sequence(*components)),
    )
    return der.sequence(
        der.explicit(0, encode(der.Tag.GENERAL_STRING, realm.encode("ascii"))),
        der.explicit(1, principal_name),
    )


def _upn(identity: Identity) -> t.List[x509.GeneralName]:
    value = encode(der.Tag.UTF8_STRING, identity.upn.encode("utf-8"))
    return [x509.OtherName(x509.ObjectIdentifier(other_name.UPN), value)]


def _principal(identity: Identity) -> t.List[x509.GeneralName]:
    value = krb5_principal_name(identity.principal)
    return [x509.OtherName(x509.ObjectIdentifier(other_name.KRB5_PRINCIPAL_NAME), value)]


_ENCODERS: t.Mapping[NameKind, t.Callable[[Identity], t.List[x509.GeneralName]]] = {
    NameKind.UPN: _upn,
    NameKind.PRINCIPAL: _principal,
    NameKind.EMAIL: lambda identity: [x509.RFC822Name(identity.email)],
    NameKind.DNS: lambda identity: [x509.DNSName(name) for name in identity.dns_names],
}


def _text(values: t.Mapping[str, t.Any], name: str, field: str) -> str:
    value = values.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"{field}.{name}", f"is a {type(value).__name__}", "give text")
    return value


def _texts(values: t.Mapping[str, t.Any], name: str, field: str) -> t.Tuple[str, ...]:
    value = values.get(name) or ()
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{field}.{name}", f"is a {type(value).__name__}", "give a list of texts")
    return tuple(value)


def _listed(names: t.Iterable[str]) -> str:
    return ", ".join(sorted(names))
