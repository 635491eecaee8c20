# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A root and the CA below it that issues, in a folder: what they are made of, made, and opened."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ...module_utils._cryptography import serialization, x509
from ...module_utils._encoding.key_algorithm import KeyAlgorithm
from ...module_utils._errors import InputError, StateError
from .._ledger import clock, packages
from . import evidence_key, files, keyfile, ssh
from .key_usage import key_usage
from .keyfile import SigningKey
from .metadata_statement import metadata_statement
from .opened_keys import OpenedKeys
from .safe import Safe
from .signer import Signer, identifier, public_der

FORMAT = 1
"""Version of ``ca.json``."""

SERIAL_SIZE = 20
"""Bytes: RFC 5280 section 4.1.2.2 allows 20; the top bit stays clear."""

BACKDATE = timedelta(minutes=10)

_OPENED = OpenedKeys()
_OPENED_FOR_HOSTS = ("issuing", "ssh")
"""No host needs the root's key: it stays with the process that opened it."""

_ADDRESS = re.compile(r"(http://(?![/?#])|ldap://)[!-~]+")
"""An absolute URI in ASCII, without blanks (RFC 5280, 4.2.1.6). One of LDAP may leave the host to its client."""
_DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


@dataclass(frozen=True)
class Blueprint:
    """What a CA is to be.

    :param name: common name of the issuing CA; the root adds `` Root``
    :param permitted_domains: DNS domains and realms that names may lie in; none: any
    :param crl_urls: where the issuing CA's CRL is published
    :param root_crl_urls: where the root's CRL is published
    :param issuer_urls: where the issuing CA's certificate is published
    """

    name: str
    organization: str = ""
    algorithm: KeyAlgorithm = KeyAlgorithm.ECC_P256
    root_days: int = 7300
    days: int = 1825
    permitted_domains: t.Tuple[str, ...] = ()
    crl_urls: t.Tuple[str, ...] = ()
    root_crl_urls: t.Tuple[str, ...] = ()
    issuer_urls: t.Tuple[str, ...] = ()

    def check(self) -> None:
        """Raises :class:`InputError` for what no CA can be made of."""
        if not 1 <= len(self.name) <= 59:
            raise InputError("name", f"has {len(self.name)} characters", "give 1 to 59")
        if not 1 <= self.days <= self.root_days:
            raise InputError("days", f"is {self.days}, and root_days is {self.root_days}", "give 1 to root_days")
        for parameter in ("crl_urls", "root_crl_urls", "issuer_urls"):
            for url in getattr(self, parameter):
                if not _ADDRESS.fullmatch(url):
                    remedy = "give http or ldap, for a client fetches it before TLS, a host, and %20 for a blank"
                    raise InputError(parameter, f"holds {url!r}", remedy)
        for domain in self.permitted_domains:
            if not _DOMAIN.fullmatch(domain):
                raise InputError("permitted_domains", f"holds {domain!r}", "write domains as corp.example")


@dataclass(frozen=True)
class Settings:
    """What the CA writes into certificates and may change during its life; kept in ``ca.json``."""

    crl_urls: t.Tuple[str, ...] = ()
    root_crl_urls: t.Tuple[str, ...] = ()
    issuer_urls: t.Tuple[str, ...] = ()

    @classmethod
    def of(cls, blueprint: Blueprint) -> Settings:
        return cls(blueprint.crl_urls, blueprint.root_crl_urls, blueprint.issuer_urls)

    @classmethod
    def read(cls, path: Path) -> Settings:
        try:
            values = json.loads(files.read(path))
            version = values.pop("version")
            settings = cls(**{name: tuple(urls) for name, urls in values.items()})
        except (ValueError, TypeError, KeyError, AttributeError):
            raise StateError(f"{path} is damaged", "restore the CA's folder from a backup") from None
        if version != FORMAT:
            raise StateError(f"{path} has version {version}, and this release knows {FORMAT}", "use a newer release")
        return settings

    def encode(self) -> bytes:
        values = {"version": FORMAT, **{name: list(getattr(self, name)) for name in self.__dataclass_fields__}}
        return (json.dumps(values, indent=2, sort_keys=True) + "\n").encode("utf-8")


@dataclass(frozen=True)
class CaFolder:
    """Where the files of a CA lie.

    Nothing in here changes while certificates are issued, so it may be mounted read-only.
    """

    path: Path

    @property
    def settings(self) -> Path:
        return self.path / "ca.json"

    @property
    def ledger(self) -> Path:
        return self.path / "ledger.sqlite"

    @property
    def public(self) -> Path:
        """What hosts and relying parties may fetch."""
        return self.path / "public"

    def published(self) -> t.Dict[str, str]:
        """Returns the names of the files in :attr:`public`, each with its SHA-256 in hexadecimal.

        One that is being written has a name that begins with a dot.

        :raises StateError: if they can't be read
        """
        with files.explained(self.public):
            found = sorted(path for path in self.public.iterdir() if path.is_file() and path.name[0] != ".")
        return {path.name: hashlib.sha256(files.read(path)).hexdigest() for path in found}

    @property
    def ledger_url(self) -> str:
        return f"sqlite:///{self.ledger}"

    def private_key(self, name: str) -> Path:
        """``root``, ``issuing`` or ``ssh``."""
        return self.path / "private" / f"{name}.key"

    def certificate(self, name: str) -> Path:
        return self.public / f"{name}.cer"

    def crl(self, name: str) -> Path:
        return self.public / f"{name}.crl"

    @property
    def chain(self) -> Path:
        return self.public / "ca.pem"

    @property
    def revoked_ssh_keys(self) -> Path:
        """For ``RevokedKeys`` of sshd."""
        return self.public / "ssh.revoked"

    @property
    def ssh_public_key(self) -> Path:
        return self.public / "ssh.pub"

    @property
    def metadata_statement(self) -> Path:
        """For relying parties of passkeys."""
        return self.public / "fido_metadata.json"

    @property
    def exists(self) -> bool:
        return self.settings.exists()


class Authority:
    """An opened CA. Private keys are unlocked when they are first needed."""

    def __init__(self, folder: CaFolder, passphrase: str, root_passphrase: str = "") -> None:
        packages.require()
        if not folder.exists:
            raise StateError(f"{folder.path} holds no CA", "make one with hardbound.identity.enrollment_ca")
        self.folder = folder
        self.settings = Settings.read(folder.settings)
        self.root_certificate = _load_certificate(folder.certificate("root"))
        self.certificate = _load_certificate(folder.certificate("issuing"))
        self._passphrases = {"root": root_passphrase or passphrase, "issuing": passphrase, "ssh": passphrase}
        self._keys: t.Dict[str, SigningKey] = {}
        self.identifier = identifier(self.certificate)
        """Names the issuing CA's key in the ledger: the SHA-256 of its public key, in hex."""
        self.permitted_domains = permitted_domains(self.certificate)

    def __repr__(self) -> str:
        return f"Authority({str(self.folder.path)!r})"

    @property
    def chain(self) -> t.Tuple[x509.Certificate, x509.Certificate]:
        """The issuing CA's certificate, then the root's."""
        return self.certificate, self.root_certificate

    def issuing(self) -> Signer:
        """Returns the CA that signs certificates. Raises :class:`StateError` for a wrong passphrase."""
        return Signer(self.certificate, self._unlock("issuing", self.certificate))

    def root(self) -> Signer:
        """Returns the root; its key may lie elsewhere most of the time."""
        return Signer(self.root_certificate, self._unlock("root", self.root_certificate))

    def ssh_key(self) -> SigningKey:
        return self._unlock("ssh", None)

    def evidence_signer(self) -> Signer:
        """Returns the key that signs evidence, with its certificate."""
        issuing = self.issuing()
        key = evidence_key.derive(issuing.key)
        return Signer(evidence_key.certify(issuing, key), key)

    def safe(self) -> Safe:
        """Returns what certificates are kept in until a TPM has answered for them."""
        return Safe(self.issuing().key)

    def check_clock(self, at: datetime) -> None:
        """Raises :class:`StateError` where the CA is not valid yet, or not any more."""
        for name, certificate in (("issuing CA", self.certificate), ("root", self.root_certificate)):
            start, end = clock.validity(certificate)
            if at < start:
                raise StateError(
                    f"the clock says {clock.text(at)}, and the {name} becomes valid at {clock.text(start)}",
                    "set the controller's clock",
                )
            if at > end:
                raise StateError(
                    f"the clock says {clock.text(at)}, and the {name} expired at {clock.text(end)}",
                    "renew it with hardbound.identity.enrollment_ca, or set the controller's clock",
                )

    def check_passphrase(self) -> None:
        """Raises :class:`StateError` where :meth:`issuing` would, and opens the key only if nobody has in this run."""
        if _OPENED.find(self._known_by("issuing", self.certificate), self._passphrases["issuing"]) is None:
            self.issuing()

    def _closed(self, name: str) -> bytes:
        """Returns a private key's file."""
        path = self.folder.private_key(name)
        if not path.exists():
            raise StateError(f"{path} is not there", "bring it back for this run")
        return files.read(path)

    def _known_by(self, name: str, certificate: t.Optional[x509.Certificate]) -> bytes:
        """Returns what an opened key is found by: its file, and what it was compared with."""
        return self._closed(name) + (public_der(certificate.public_key()) if certificate else b"")

    def _unlock(self, name: str, certificate: t.Optional[x509.Certificate]) -> SigningKey:
        if name not in self._keys:
            known_by, passphrase = self._known_by(name, certificate), self._passphrases[name]
            opened = _OPENED.find(known_by, passphrase)
            self._keys[name] = keyfile.load(opened) if opened else self._open(name, certificate)
            if not opened and name in _OPENED_FOR_HOSTS:
                _OPENED.keep(known_by, passphrase, keyfile.bare(self._keys[name]))
        return self._keys[name]

    def _open(self, name: str, certificate: t.Optional[x509.Certificate]) -> SigningKey:
        path = self.folder.private_key(name)
        key = keyfile.unlock(self._closed(name), self._passphrases[name], str(path))
        if certificate and public_der(key.public_key()) != public_der(certificate.public_key()):
            raise StateError(f"{path} does not belong to the {name} certificate", "restore the CA's folder")
        return key


def create(
    folder: CaFolder,
    blueprint: Blueprint,
    passphrase: str,
    root_passphrase: str,
    at: datetime,
    complete: t.Callable[[CaFolder], None] = lambda draft: None,
) -> None:
    """Makes a CA in one step: either the whole folder is there afterwards, or nothing.

    :param complete: adds what else belongs into the folder, before it is put in place
    :raises StateError: the disk is full, or the path is not writable
    """
    with files.explained(folder.path):
        folder.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.path.parent, prefix=f".{folder.path.name}.") as name:
            draft = CaFolder(Path(name) / "ca")
            _write(draft, blueprint, passphrase, root_passphrase or passphrase, at)
            complete(draft)
            _move(draft.path, folder)


def renew(authority: Authority, blueprint: Blueprint, at: datetime) -> None:
    """Certifies the issuing CA's key anew, with the dates and domains that the blueprint asks for."""
    key = authority.issuing().key
    certificate = issuing_certificate(authority.root(), blueprint, key, at)
    _write_certificates(authority.folder, authority.root_certificate, certificate)


def root_certificate(blueprint: Blueprint, key: SigningKey, at: datetime) -> x509.Certificate:
    name = _name(f"{blueprint.name} Root", blueprint.organization)
    builder = _ca_builder(name, name, key, path_length=1)
    builder = builder.not_valid_before(at - BACKDATE).not_valid_after(at + timedelta(days=blueprint.root_days))
    return builder.sign(key, keyfile.signature_hash(key))


def issuing_certificate(root: Signer, blueprint: Blueprint, key: SigningKey, at: datetime) -> x509.Certificate:
    """Certifies the key of a CA that may sign end entities alone, in the permitted domains alone."""
    name = _name(blueprint.name, blueprint.organization)
    builder = _ca_builder(name, root.certificate.subject, key, path_length=0)
    end = min(at + timedelta(days=blueprint.days), clock.validity(root.certificate)[1])
    builder = builder.not_valid_before(at - BACKDATE).not_valid_after(end)
    builder = builder.add_extension(root.authority_key, critical=False)
    if blueprint.root_crl_urls:
        builder = builder.add_extension(crl_distribution_points(blueprint.root_crl_urls), critical=False)
    if blueprint.permitted_domains:
        builder = builder.add_extension(_name_constraints(blueprint.permitted_domains), critical=True)
    return builder.sign(root.key, keyfile.signature_hash(root.key))


def random_serial() -> int:
    """Returns a positive serial of 20 random bytes; no counter, so no two nodes need to agree on one."""
    return int.from_bytes(os.urandom(SERIAL_SIZE), "big") >> 1 | 1 << (SERIAL_SIZE * 8 - 2)


def permitted_domains(certificate: x509.Certificate) -> t.Tuple[str, ...]:
    """Returns the DNS domains of a CA certificate's name constraints, sorted; none means any."""
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return ()
    names = constraints.permitted_subtrees or []
    return tuple(sorted(name.value for name in names if isinstance(name, x509.DNSName)))


def crl_distribution_points(urls: t.Iterable[str]) -> x509.CRLDistributionPoints:
    """Returns one distribution point with all URLs: they lead to the same list, RFC 5280 section 4.2.1.13."""
    names = [x509.UniformResourceIdentifier(url) for url in urls]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])


def issuer_access(urls: t.Iterable[str]) -> x509.AuthorityInformationAccess:
    method = x509.oid.AuthorityInformationAccessOID.CA_ISSUERS
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for url in urls]
    )


def _name(common_name: str, organization: str) -> x509.Name:
    attributes = [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organization)] if organization else []
    return x509.Name([*attributes, x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _ca_builder(subject: x509.Name, issuer: x509.Name, key: SigningKey, path_length: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(random_serial())
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_CA_USAGE, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


_CA_USAGE = key_usage("key_cert_sign", "crl_sign")


def _name_constraints(domains: t.Iterable[str]) -> x509.NameConstraints:
    """DNS names and addresses at or below the domains, RFC 5280 section 4.2.1.10. UPNs are checked when issuing."""
    permitted: t.List[x509.GeneralName] = []
    for domain in domains:
        permitted += [x509.DNSName(domain), x509.RFC822Name(domain), x509.RFC822Name(f".{domain}")]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def _write(folder: CaFolder, blueprint: Blueprint, passphrase: str, root_passphrase: str, at: datetime) -> None:
    folder.path.mkdir(mode=0o700)
    folder.public.mkdir(mode=0o755)
    folder.private_key("root").parent.mkdir(mode=0o700)
    root_key, key, ssh_key = (keyfile.generate(blueprint.algorithm) for _each in range(3))
    root = Signer(root_certificate(blueprint, root_key, at), root_key)
    files.write(folder.private_key("root"), keyfile.lock(root_key, root_passphrase))
    files.write(folder.private_key("issuing"), keyfile.lock(key, passphrase))
    files.write(folder.private_key("ssh"), keyfile.lock(ssh_key, passphrase))
    files.write(folder.ssh_public_key, ssh.public_line(ssh_key.public_key(), blueprint.name), files.PUBLIC)
    _write_certificates(folder, root.certificate, issuing_certificate(root, blueprint, key, at))
    files.write(folder.settings, Settings.of(blueprint).encode())


def _write_certificates(folder: CaFolder, root: x509.Certificate, issuing: x509.Certificate) -> None:
    pem = [certificate.public_bytes(serialization.Encoding.PEM) for certificate in (issuing, root)]
    files.write(folder.certificate("root"), root.public_bytes(serialization.Encoding.DER), files.PUBLIC)
    files.write(folder.certificate("issuing"), issuing.public_bytes(serialization.Encoding.DER), files.PUBLIC)
    files.write(folder.chain, b"".join(pem), files.PUBLIC)
    files.write(folder.metadata_statement, metadata_statement(root), files.PUBLIC)


def _move(draft: Path, folder: CaFolder) -> None:
    try:
        draft.rename(folder.path)
    except OSError:
        if not folder.exists:  # otherwise another process was faster: its CA stands
            raise


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(files.read(path))
    except ValueError:
        raise StateError(f"{path} is damaged", "restore the CA's folder from a backup") from None
