# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches the revocation lists of the CAs that sign in users' cards, and warns before one ends.

A list counts if one of the CAs has signed it. A newer one replaces an older one of the same CA, never the other way
round. Where an address does not answer, the list that is there stays, and so do those from other addresses, whatever it
answers, or however slowly. The exit code is 1 where there is something for a person to see to: an address without an
answer, a list that is missing, has ended or is about to end.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import re
import signal
import sys
import typing as t
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_PATIENCE = 20.0
"""Seconds for which an address may be silent."""
_ALL_TOGETHER = 480
"""Seconds for all addresses, each of which has its part: the unit has ten minutes."""
_LARGEST = 64 << 20
_PEM = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----\n?", re.DOTALL)
_BEGIN = b"-----BEGIN"

Lists = t.Dict[x509.Name, x509.CertificateRevocationList]


def _utc(moment: t.Optional[datetime.datetime]) -> t.Optional[datetime.datetime]:
    """cryptography before 42 has no times with a zone."""
    return moment.replace(tzinfo=datetime.timezone.utc) if moment else None


def end_of(crl: x509.CertificateRevocationList) -> t.Optional[datetime.datetime]:
    return crl.next_update_utc if hasattr(crl, "next_update_utc") else _utc(crl.next_update)


def begin_of(crl: x509.CertificateRevocationList) -> datetime.datetime:
    found = crl.last_update_utc if hasattr(crl, "last_update_utc") else _utc(crl.last_update)
    return t.cast(datetime.datetime, found)


def age_of(crl: x509.CertificateRevocationList) -> t.Tuple[datetime.datetime, int]:
    """What is greater the newer a list is: two of the same second differ by their number (RFC 5280 section 5.2.3)."""
    try:
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        number = 0
    return begin_of(crl), number


def read_cas(path: str) -> t.List[x509.Certificate]:
    with open(path, "rb") as file:
        data = file.read()
    parts = re.findall(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", data, re.DOTALL)
    return [x509.load_pem_x509_certificate(each) for each in parts]


def parse(data: bytes) -> t.List[x509.CertificateRevocationList]:
    """:raises ValueError: for what is no revocation list"""
    if _BEGIN in data:
        return [x509.load_pem_x509_crl(each) for each in _PEM.findall(data)]
    return [x509.load_der_x509_crl(data)]


@contextlib.contextmanager
def limited(seconds: float) -> t.Iterator[None]:
    """:raises TimeoutError: once it took so long"""

    def end(_number: int, _frame: t.Any) -> t.NoReturn:
        raise TimeoutError(f"it took longer than {seconds:.0f} s")

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=_PATIENCE) as answer:  # noqa: S310 - the inventory names it
        return t.cast(bytes, answer.read(_LARGEST))


def signed(crl: x509.CertificateRevocationList, cas: t.Iterable[x509.Certificate]) -> bool:
    return any(crl.issuer == ca.subject and crl.is_signature_valid(ca.public_key()) for ca in cas)


class Keeper:
    """The lists that count, one of each CA."""

    def __init__(self, cas: t.Sequence[x509.Certificate]) -> None:
        self._cas = cas
        self._lists: Lists = {}
        self.complaints: t.List[str] = []

    def take(self, data: bytes, where: str) -> None:
        """Whatever it is, what was taken before stays, and the rest is still looked at."""
        try:
            crls = parse(data)
        except Exception:  # cryptography's errors have nothing in common.
            crls = []
        if not crls:
            self.complaints.append(f"{where} is no revocation list")
        for crl in crls:
            try:
                self._weigh(crl, where)
            except Exception as error:
                self.complaints.append(f"{where} holds a revocation list that can't be read ({error})")

    def _weigh(self, crl: x509.CertificateRevocationList, where: str) -> None:
        if not signed(crl, self._cas):
            self.complaints.append(f"{where}: none of the CAs has signed it ({crl.issuer.rfc4514_string()})")
        elif crl.issuer not in self._lists or age_of(self._lists[crl.issuer]) < age_of(crl):
            self._lists[crl.issuer] = crl

    def judge(self, now: datetime.datetime, warning: datetime.timedelta) -> None:
        """Complains of lists that are missing, have ended, or end soon."""
        for ca in self._cas:
            name, crl = ca.subject.rfc4514_string(), self._lists.get(ca.subject)
            end = end_of(crl) if crl is not None else None  # one without entries is false
            if crl is None:
                self.complaints.append(f"there is no revocation list of {name}")
            elif end and end <= now:
                self.complaints.append(f"the revocation list of {name} ended at {end:%Y-%m-%d %H:%M} UTC")
            elif end and end - now < warning:
                self.complaints.append(f"the revocation list of {name} ends at {end:%Y-%m-%d %H:%M} UTC")

    def pem(self) -> bytes:
        return b"".join(each.public_bytes(Encoding.PEM) for each in self._lists.values())


def shown(complaint: str) -> str:
    """One line without control characters: whoever answers an address has chosen some of the words."""
    return "".join(each if each.isprintable() else "?" for each in complaint)


def write(path: str, data: bytes) -> None:
    with open(path + ".new", "wb") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def run(options: argparse.Namespace) -> t.List[str]:
    """Returns what a person should see to."""
    keeper = Keeper(read_cas(options.ca))
    before = b""
    if os.path.exists(options.out):
        with open(options.out, "rb") as file:
            before = file.read()
        keeper.take(before, options.out)
    for address in options.url:
        try:
            with limited(_ALL_TOGETHER / len(options.url)):
                data = fetch(address)
        except Exception as error:  # Who answers there may have it be any.
            keeper.complaints.append(f"{address} does not answer: {error}")
        else:
            keeper.take(data, address)
    keeper.judge(datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(hours=options.warn_hours))
    if keeper.pem() != before:
        write(options.out, keeper.pem())
    return keeper.complaints


def main(arguments: t.Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Fetches revocation lists.")
    parser.add_argument("--ca", required=True, help="certificates of the CAs, PEM")
    parser.add_argument("--out", required=True, help="file of the lists, PEM")
    parser.add_argument("--warn-hours", type=int, default=48, help="how long before its end a list is complained of")
    parser.add_argument("url", nargs="+", help="http, https or file")
    complaints = run(parser.parse_args(arguments))
    for each in complaints:
        sys.stderr.write(f"<4>{shown(each)}\n")  # sd-daemon(3): a warning
    return int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
