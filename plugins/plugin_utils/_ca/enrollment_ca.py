# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noun of the module ``enrollment_ca``: a CA in its folder, its ledger, and the lists it publishes."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from ...module_utils._cryptography import hashes, serialization, x509
from ...module_utils._encoding.key_algorithm import KeyAlgorithm
from ...module_utils._errors import InputError
from ...module_utils._spine import Plan, View
from .._ledger import clock, packages
from .._ledger.clock import Clock
from .._ledger.ledger import Ledger
from .._ledger.record import EXTERNAL, IssuedCertificate, RevocationReason
from . import authority, crl, files, keyfile
from .authority import Authority, Blueprint, CaFolder, Settings
from .crl import Crl
from .external_ca import revoke_elsewhere
from .metadata_statement import metadata_statement
from .signer import Signer, identifier

_URLS = ("crl_urls", "root_crl_urls", "issuer_urls")
_REASONS = {reason.name.lower(): reason for reason in RevocationReason if reason is not RevocationReason.SUPERSEDED}
_PLACES = ("host", "card", "slot", "serial")

ARGUMENTS: t.Dict[str, t.Dict[str, t.Any]] = {
    "path": {"type": "path", "required": True},
    "name": {"type": "str", "required": True},
    "organization": {"type": "str", "default": ""},
    "passphrase": {"type": "str", "required": True, "no_log": True},
    "root_passphrase": {"type": "str", "no_log": True},
    "algorithm": {
        "type": "str",
        "choices": sorted(each.value for each in KeyAlgorithm if each is not KeyAlgorithm.RSA_2048),
        "default": KeyAlgorithm.ECC_P256.value,
    },
    "days": {"type": "int", "default": Blueprint.days},
    "root_days": {"type": "int", "default": Blueprint.root_days},
    "permitted_domains": {"type": "list", "elements": "str", "default": []},
    **{name: {"type": "list", "elements": "str", "default": []} for name in _URLS},
    "crl_days": {"type": "int", "default": 7},
    "root_crl_days": {"type": "int", "default": 180},
    "ledger": {"type": "str", "no_log": True},
    "revoked": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            **{name: {"type": "str"} for name in _PLACES},
            "reason": {"type": "str", "choices": list(_REASONS), "default": "unspecified"},
        },
    },
}
"""The arguments of the module; its documentation says what they mean."""


class Step(enum.Enum):
    """What may have to be done, in this order."""

    CREATE = "make root, issuing CA and ledger"
    RENEW = "certify the issuing CA anew"
    SETTINGS = "change the addresses in new certificates"
    METADATA = "write what relying parties may know of passkeys"
    REVOKE = "revoke certificates"
    LISTS = "sign and write the revocation lists"
    ROOT_LIST = "sign and write the root's revocation list"


@dataclass(frozen=True)
class Revocation:
    """What shall be revoked: all that matches."""

    where: t.Mapping[str, str]
    reason: RevocationReason

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.where.items())


@dataclass(frozen=True)
class Desired:
    """A CA as the task wants it."""

    folder: CaFolder
    blueprint: Blueprint
    passphrase: str = field(repr=False)
    root_passphrase: str = field(repr=False)
    ledger: str = field(repr=False)
    crl_lifetime: timedelta
    root_crl_lifetime: timedelta
    revoked: t.Tuple[Revocation, ...]

    @classmethod
    def parse(cls, values: t.Mapping[str, t.Any]) -> Desired:
        """Reads the task's parameters.

        :raises InputError: for what can't be
        :raises StateError: the controller lacks a Python package
        """
        packages.require()
        folder = CaFolder(Path(values["path"]))
        blueprint = Blueprint(
            name=values["name"],
            organization=values["organization"],
            algorithm=KeyAlgorithm(values["algorithm"]),
            root_days=values["root_days"],
            days=values["days"],
            permitted_domains=tuple(sorted(values["permitted_domains"])),
            crl_urls=tuple(values["crl_urls"]),
            root_crl_urls=tuple(values["root_crl_urls"]),
            issuer_urls=tuple(values["issuer_urls"]),
        )
        blueprint.check()
        keyfile.check_passphrase(values["passphrase"])
        if values["root_passphrase"] is not None:
            keyfile.check_passphrase(values["root_passphrase"], "root_passphrase")
        return cls(
            folder=folder,
            blueprint=blueprint,
            passphrase=values["passphrase"],
            root_passphrase=values["root_passphrase"] or values["passphrase"],
            ledger=values["ledger"] or folder.ledger_url,
            crl_lifetime=_days(values, "crl_days"),
            root_crl_lifetime=_days(values, "root_crl_days"),
            revoked=tuple(_revocation(entry) for entry in values["revoked"]),
        )


@dataclass(frozen=True)
class CurrentCa:
    """A CA as it is. Without ``view`` there is none."""

    at: datetime
    view: t.Mapping[str, t.Any] = field(default_factory=dict)
    renewal_due: bool = False
    metadata_due: bool = False
    root_key_here: bool = True
    lists_due: bool = True
    root_list_due: bool = True
    to_revoke: t.Tuple[IssuedCertificate, ...] = ()
    unknown: t.Tuple[str, ...] = ()
    """Entries of what shall be revoked that fit no certificate, revoked or not."""


class EnrollmentCa:
    """A CA, read, planned and brought about."""

    def __init__(self, desired: Desired, now: Clock = clock.now) -> None:
        self._desired = desired
        self._now = now

    def read(self) -> CurrentCa:
        """Returns what is there. Raises :class:`StateError` for a wrong passphrase or a ledger in trouble."""
        if not self._desired.folder.exists:
            return CurrentCa(at=self._now())
        opened, ledger = self._open()
        at = self._now()
        return CurrentCa(
            at=at,
            view=_view(opened),
            renewal_due=clock.is_due(*clock.validity(opened.certificate), at),
            metadata_due=_content(opened.folder.metadata_statement) != metadata_statement(opened.root_certificate),
            root_key_here=opened.folder.private_key("root").exists(),
            lists_due=self._lists_due(opened, ledger),
            root_list_due=_list_due(ledger, identifier(opened.root_certificate), opened.folder.crl("root")),
            to_revoke=tuple(self._to_revoke(opened, ledger)),
            unknown=tuple(str(entry) for entry in self._desired.revoked if not ledger.holds(entry.where)),
        )

    def plan(self, current: CurrentCa) -> Plan[Step]:
        """Compares. Raises :class:`InputError` where name or kind of key would have to change."""
        wanted = _wanted_view(self._desired.blueprint)
        title = f"CA {self._desired.folder.path}"
        if not current.view:
            return Plan((Step.CREATE, Step.LISTS, Step.ROOT_LIST), {}, wanted, title)
        self._refuse_another_ca(current.view)
        before = {**current.view, **_pending(current)}
        steps = (
            (Step.RENEW, self._renews(current)),
            (Step.SETTINGS, any(current.view[name] != wanted[name] for name in _URLS)),
            (Step.METADATA, current.metadata_due),
            (Step.REVOKE, bool(current.to_revoke)),
            (Step.LISTS, current.lists_due or bool(current.to_revoke)),
            (Step.ROOT_LIST, current.root_list_due and current.root_key_here),
        )
        return Plan(
            tuple(step for step, needed in steps if needed), before, _after(wanted, current), title, _warnings(current)
        )

    def apply(self, plan: Plan[Step], current: CurrentCa) -> View:
        """Takes the steps. Each may be taken again, so a run that was cut off is taken up where it stopped."""
        for step in plan.steps:
            self._take(step)
        return self._result(current.to_revoke)

    def report(self, plan: Plan[Step], current: CurrentCa) -> View:
        """Returns what there is, without changing it; of a CA that is yet to be made, the path alone."""
        return self._result(current.to_revoke) if current.view else {"path": str(self._desired.folder.path)}

    # Steps.

    def _take(self, step: Step) -> None:
        wanted, folder = self._desired, self._desired.folder
        if step is Step.CREATE:
            authority.create(
                folder, wanted.blueprint, wanted.passphrase, wanted.root_passphrase, self._now(), self._make_ledger
            )
            return
        opened, ledger = self._open()
        if step is Step.RENEW:
            authority.renew(opened, wanted.blueprint, self._now())
        elif step is Step.SETTINGS:
            files.write(folder.settings, Settings.of(wanted.blueprint).encode())
        elif step is Step.METADATA:
            files.write(folder.metadata_statement, metadata_statement(opened.root_certificate), files.PUBLIC)
        elif step is Step.REVOKE:
            for entry in wanted.revoked:
                ledger.revoke(entry.where, entry.reason, opened.identifier)
        elif step is Step.LISTS:
            self._publish(ledger, opened.issuing(), folder.crl("issuing"), wanted.crl_lifetime)
            files.write(folder.revoked_ssh_keys, crl.revoked_ssh_keys(ledger, opened.identifier), files.PUBLIC)
        elif step is Step.ROOT_LIST:
            self._publish(ledger, opened.root(), folder.crl("root"), wanted.root_crl_lifetime)

    def _make_ledger(self, draft: CaFolder) -> None:
        own = self._desired.ledger == self._desired.folder.ledger_url
        Ledger(draft.ledger_url if own else self._desired.ledger, self._now, create=True).close()

    def _publish(self, ledger: Ledger, signer: Signer, path: Path, lifetime: timedelta) -> None:
        newest = crl.newest(ledger, signer.identifier)
        if newest is None or crl.is_due(newest, ledger, signer.identifier):
            newest = crl.sign(ledger, signer, lifetime)
        files.write(path, newest.body, files.PUBLIC)

    # Comparing.

    def _open(self) -> t.Tuple[Authority, Ledger]:
        wanted = self._desired
        opened = Authority(wanted.folder, wanted.passphrase, wanted.root_passphrase)
        opened.issuing()
        return opened, Ledger(wanted.ledger, self._now)

    def _renews(self, current: CurrentCa) -> bool:
        domains = current.view["permitted_domains"] != list(self._desired.blueprint.permitted_domains)
        return domains or (current.renewal_due and current.root_key_here)

    def _refuse_another_ca(self, view: t.Mapping[str, t.Any]) -> None:
        wanted = _wanted_view(self._desired.blueprint)
        for name in ("name", "organization", "algorithm"):
            if view[name] != wanted[name]:
                raise InputError(
                    name,
                    f"is {wanted[name]!r}, and the CA in {self._desired.folder.path} has {view[name]!r}",
                    "keep that, or give the new CA another path",
                )

    def _lists_due(self, opened: Authority, ledger: Ledger) -> bool:
        keys = crl.revoked_ssh_keys(ledger, opened.identifier)
        stale = _content(opened.folder.revoked_ssh_keys) != keys
        return stale or _list_due(ledger, opened.identifier, opened.folder.crl("issuing"))

    def _to_revoke(self, opened: Authority, ledger: Ledger) -> t.List[IssuedCertificate]:
        found: t.Dict[str, IssuedCertificate] = {}
        for entry in self._desired.revoked:
            for certificate in ledger.revocable(entry.where, opened.identifier):
                found.setdefault(certificate.serial, replace(certificate, reason=entry.reason.value))
        return list(found.values())

    def _result(self, revoked: t.Iterable[IssuedCertificate]) -> t.Dict[str, t.Any]:
        opened, ledger = self._open()
        issuing = crl.newest(ledger, opened.identifier)
        root = crl.newest(ledger, identifier(opened.root_certificate))
        return {
            "path": str(opened.folder.path),
            "public": str(opened.folder.public),
            "public_files": opened.folder.published(),
            "certificate": _certificate_view(opened.certificate),
            "root_certificate": _certificate_view(opened.root_certificate),
            "ssh_public_key": files.read(opened.folder.ssh_public_key).decode().strip(),
            "crl": _crl_view(issuing, opened.folder.crl("issuing")),
            "root_crl": _crl_view(root, opened.folder.crl("root")),
            "revoked": [_revoked_view(each) for each in revoked],
        }


def _days(values: t.Mapping[str, t.Any], name: str) -> timedelta:
    if not 1 <= values[name] <= 3650:
        raise InputError(name, f"is {values[name]}", "give 1 to 3650")
    return timedelta(days=values[name])


def _revocation(entry: t.Mapping[str, t.Any]) -> Revocation:
    where = {name: entry[name] for name in _PLACES if entry.get(name)}
    if not where:
        raise InputError("revoked", "has an entry that names nothing", f"give one of {', '.join(_PLACES)}")
    if "serial" in where:
        where["serial"] = where["serial"].replace(":", "").lower()
    return Revocation(where, _REASONS[entry["reason"]])


def _view(opened: Authority) -> t.Dict[str, t.Any]:
    certificate = opened.certificate
    algorithm = KeyAlgorithm.of(certificate.public_key())
    return {
        "name": _attribute(certificate.subject, x509.NameOID.COMMON_NAME),
        "organization": _attribute(certificate.subject, x509.NameOID.ORGANIZATION_NAME),
        "algorithm": algorithm.value if algorithm else "",
        "permitted_domains": list(opened.permitted_domains),
        **{name: list(urls) for name, urls in asdict(opened.settings).items()},
    }


def _wanted_view(blueprint: Blueprint) -> t.Dict[str, t.Any]:
    return {
        "name": blueprint.name,
        "organization": blueprint.organization,
        "algorithm": blueprint.algorithm.value,
        "permitted_domains": list(blueprint.permitted_domains),
        **{name: list(getattr(blueprint, name)) for name in _URLS},
    }


def _pending(current: CurrentCa) -> t.Dict[str, t.Any]:
    """What time or the task has made due, as a diff shows it."""
    found: t.Dict[str, t.Any] = {}
    if current.to_revoke:
        found["valid"] = [_line(each) for each in current.to_revoke]
    if current.renewal_due and current.root_key_here:
        found["certificate"] = "due for renewal"
    if current.metadata_due:
        found["metadata_statement"] = "due"
    if current.lists_due or current.to_revoke:
        found["crl"] = "due"
    if current.root_list_due and current.root_key_here:
        found["root_crl"] = "due"
    return found


def _after(wanted: t.Mapping[str, t.Any], current: CurrentCa) -> t.Dict[str, t.Any]:
    settled = {name: "current" for name in _pending(current) if name != "valid"}
    revoked = {"revoked": [f"{_line(each)} {each.reason}" for each in current.to_revoke]} if current.to_revoke else {}
    return {**wanted, **settled, **revoked}


def _warnings(current: CurrentCa) -> t.Tuple[str, ...]:
    due = [("the issuing CA's certificate", current.renewal_due), ("the root's revocation list", current.root_list_due)]
    late = [what for what, is_due in due if is_due and not current.root_key_here]
    return (
        *(f"{what} is due for renewal: bring the root's key back for a run" for what in late),
        *(f"revoked names {each}, and the ledger holds no such certificate: correct it" for each in current.unknown),
        *(revoke_elsewhere(each) for each in current.to_revoke if each.kind == EXTERNAL),
    )


def _list_due(ledger: Ledger, identifier: str, path: Path) -> bool:
    newest = crl.newest(ledger, identifier)
    return newest is None or crl.is_due(newest, ledger, identifier) or _content(path) != newest.body


def _content(path: Path) -> t.Optional[bytes]:
    return files.read(path) if path.exists() else None


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _line(certificate: IssuedCertificate) -> str:
    return f"{certificate.host} {certificate.card} {certificate.slot} {certificate.serial}"


def _revoked_view(certificate: IssuedCertificate) -> t.Dict[str, t.Any]:
    names = ("serial", "host", "card", "slot", "profile", "reason")
    return {name: getattr(certificate, name) for name in names}


def _certificate_view(certificate: x509.Certificate) -> t.Dict[str, str]:
    start, end = clock.validity(certificate)
    return {
        "pem": certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"),
        "subject": certificate.subject.rfc4514_string(),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
        "not_before": clock.text(start),
        "not_after": clock.text(end),
    }


def _crl_view(newest: t.Optional[Crl], path: Path) -> t.Dict[str, t.Any]:
    if newest is None:
        return {}
    return {"path": str(path), "number": newest.number, "next_update": clock.text(clock.moment(newest.next_update))}
