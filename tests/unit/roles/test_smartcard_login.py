# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role smartcard_login runs on a host: its programs, over real files and real revocation lists."""

from __future__ import annotations

import datetime
import importlib.util
import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

ROLE = Path(__file__).parents[3] / "roles/smartcard_login"
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)


def program(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROLE / f"files/{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Files that are laid, and taken away.


def lay(job: Any, *options: str) -> dict[str, Any]:
    command = [sys.executable, str(ROLE / "files/lay_files.py"), *options]
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def there(tmp_path: Path) -> Path:
    path = tmp_path / "there"
    path.write_bytes(b"as it was\r\n")
    path.chmod(0o640)
    return path


def test_what_a_run_has_laid_is_put_back_byte_for_byte(tmp_path: Path, there: Path) -> None:
    new = tmp_path / "sssd.service.d/hardbound.conf"
    job = [{"path": str(there), "text": "otherwise\n", "mode": "0600"}, {"path": str(new), "text": "new\n"}]
    told = lay(job)
    assert told["changed"] == [str(there), str(new)]
    assert (there.read_text(), there.stat().st_mode & 0o777) == ("otherwise\n", 0o600)
    assert (new.read_text(), new.stat().st_mode & 0o777) == ("new\n", 0o644)
    assert lay(job)["changed"] == []
    lay(told["before"])
    assert (there.read_bytes(), there.stat().st_mode & 0o777) == (b"as it was\r\n", 0o640)
    assert not new.parent.exists(), "the folder came with the file"


def test_another_mode_alone_is_a_difference(there: Path) -> None:
    text = there.read_bytes().decode()
    assert lay([{"path": str(there), "text": text, "mode": "0644"}], "--check")["changed"] == [str(there)]


def test_bytes_that_are_no_text_are_laid_and_put_back(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"\xff\x00\r\n")
    told = lay([{"path": str(path), "text": "SSHKRL\n\0\x80", "encoding": "latin-1"}])
    assert path.read_bytes() == b"SSHKRL\n\x00\x80"
    lay(told["before"])
    assert path.read_bytes() == b"\xff\x00\r\n"


@pytest.mark.parametrize("job", [{"wanted": False}, {"text": "text\n"}])
def test_bytes_go_whoever_asks_for_text_and_come_back(tmp_path: Path, job: dict[str, Any]) -> None:
    path = tmp_path / "list"
    path.write_bytes(bytes(range(256)))
    told = lay([{"path": str(path), **job}])
    assert not path.exists() or path.read_text() == "text\n"
    lay(told["before"])
    assert path.read_bytes() == bytes(range(256))


def test_check_mode_changes_nothing(tmp_path: Path, there: Path) -> None:
    job = [{"path": str(there), "wanted": False}, {"path": str(tmp_path / "new"), "text": "new"}]
    assert len(lay(job, "--check")["changed"]) == 2
    assert there.exists() and not (tmp_path / "new").exists()


def test_folders_of_others_stay(tmp_path: Path, there: Path) -> None:
    lay([{"path": str(there), "wanted": False}])
    assert tmp_path.exists()


def test_every_file_that_is_laid_is_among_those_that_go() -> None:
    variables = yaml.safe_load((ROLE / "vars/main.yml").read_text())
    laid = [each["path"] for each in variables["__smartcard_login_files"]]
    laid.append(variables["__smartcard_login_profile_file"]["path"])
    assert set(laid) <= set(variables["__smartcard_login_paths"])
    assert set(variables["__smartcard_login_paths"]) - set(laid) == {"{{ __smartcard_login_pki }}/crls.pem"}


# What somebody else has told SSSD.


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "sssd.conf").write_text(
        "[sssd]\nservices = nss, pam\ndomains = corp.example\n"
        "[domain/corp.example]\nid_provider = ad\nldap_user_search_filter = (a=%(b)s)\n"
        "[pam]\npam_cert_auth = true\np11_child_timeout = 60\n"
    )
    (tmp_path / "conf.d/hardbound.conf").write_text("[pam]\np11_uri = ours\n")
    (tmp_path / "conf.d/.hidden.conf").write_text("[pam]\np11_uri = hidden\n")
    return tmp_path


WANTED = {"pam": {"pam_cert_auth": "True", "p11_child_timeout": "2", "p11_uri": "pkcs11:x"}}


def elsewhere(etc: Path) -> Any:
    return program("survey").Elsewhere(str(etc), str(etc / "conf.d/hardbound.conf"))


def test_what_is_said_otherwise_is_named_with_its_file(etc: Path) -> None:
    (clash,) = elsewhere(etc).conflicts(WANTED)
    assert clash.startswith(f"{etc}/sssd.conf says p11_child_timeout = 60 in [pam], and cards need 2: ")


def test_a_later_snippet_counts(etc: Path) -> None:
    (etc / "conf.d/90.conf").write_text("[pam]\np11_child_timeout = 2\n")
    assert elsewhere(etc).conflicts(WANTED) == []


def test_domains_and_services_of_others_are_found(etc: Path) -> None:
    found = elsewhere(etc)
    assert found.domains() == ["corp.example"] and found.value("sssd", "services") == "nss, pam"


def test_a_file_that_can_t_be_read_is_named(etc: Path) -> None:
    (etc / "sssd.conf").write_text("no section\n")
    with pytest.raises(SystemExit, match=r"sssd\.conf can't be read"):
        elsewhere(etc)


@pytest.mark.parametrize(
    ("there", "text", "left"),
    [
        (None, "", False),
        (b"", "", True),
        (b"", "line\n", False),
        (b"\xff\nline\n", "line\n", True),
        (None, "line\n", False),
    ],
)
def test_a_part_that_was_on_is_known_by_what_it_left(
    tmp_path: Path, there: Optional[bytes], text: str, left: bool
) -> None:
    if there is not None:
        (tmp_path / "file").write_bytes(there)
    trace = {"path": str(tmp_path / "file"), **({"text": text} if text else {})}
    assert program("survey").is_left(trace) is left
    assert program("survey").is_left({"path": str(tmp_path)}), "a folder is something, too"


# What the host's Hello policy asks.


def test_a_policy_tells_what_it_asks_of_the_sign_in(tmp_path: Path) -> None:
    asked, policy = program("survey").asked_of_sign_in, tmp_path / "policy.json"
    assert asked(str(policy)) == asked("") == {}
    policy.write_text('{"version": 1, "sign_in": {"second_factors": ["fingerprint"]}}')
    assert asked(str(policy)) == {"second_factors": ["fingerprint"]}
    policy.write_text('{"version": 1}')
    assert asked(str(policy)) == {}, "an earlier release wrote it"


@pytest.mark.parametrize("text", ["no json", "[]", '{"sign_in": 1}'])
def test_a_damaged_policy_ends_the_run(tmp_path: Path, text: str) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(text)
    with pytest.raises(SystemExit, match=r"policy\.json is damaged: write it again"):
        program("survey").asked_of_sign_in(str(policy))


# Somebody who is tried.


@pytest.mark.parametrize(
    ("shown", "asked", "status", "fault"),
    [
        ("", ["PIN for alice: "], 0, False),
        ("alone", ["PIN for alice: ", "Password: "], 7, False),
        ("", ["PIN for alice: ", "Password: "], 7, True),
        ("", ["PIN for alice: ", "alone"], 7, True),
    ],
)
def test_a_pin_that_lacks_a_second_factor_is_no_fault(shown: str, asked: list[str], status: int, fault: bool) -> None:
    said = [{"text": each, "asked": True} for each in asked] + [{"text": f"{shown}\n", "asked": False}]
    tried = {"status": status, "words": "no", "said": said}
    assert bool(list(program("try_sign_in")._pin_faults(tried, "alone"))) is fault


# Revocation lists.


class Authority:
    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(self.name, self.name, self.key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(NOW - DAY).not_valid_after(NOW + 365 * DAY)
        self.pem = builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def crl(
        self,
        begin: datetime.datetime = NOW,
        end: datetime.datetime = NOW + 7 * DAY,
        encoding: Encoding = Encoding.DER,
        number: int = 0,
    ) -> bytes:
        builder = x509.CertificateRevocationListBuilder(self.name).last_update(begin).next_update(end)
        if number:
            builder = builder.add_extension(x509.CRLNumber(number), critical=False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(encoding)


class Site:
    """A host's files, and what its CAs publish."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root, self.issuing = Authority("Root"), Authority("Issuing")
        self.out = folder / "crls.pem"
        (folder / "ca.pem").write_bytes(self.root.pem + self.issuing.pem)
        self.publish("root", self.root.crl())
        self.publish("issuing", self.issuing.crl())

    def publish(self, name: str, crl: bytes) -> None:
        (self.folder / f"{name}.crl").write_bytes(crl)

    def fetch(self, *more: str) -> str:
        """Returns what the program complains of."""
        urls = [f"file://{self.folder}/{name}.crl" for name in ("root", "issuing")]
        options = ["--ca", str(self.folder / "ca.pem"), "--out", str(self.out), *more, *urls]
        command = [sys.executable, str(ROLE / "files/fetch_crls.py"), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == int(bool(done.stderr)) and done.stdout == ""
        return done.stderr

    def begins(self) -> list[datetime.datetime]:
        begin_of, parse = program("fetch_crls").begin_of, program("fetch_crls").parse
        return [begin_of(each) for each in parse(self.out.read_bytes())]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_one_list_of_each_ca(site: Site) -> None:
    assert site.fetch() == ""
    assert site.begins() == [NOW, NOW]
    assert site.out.stat().st_mode & 0o777 == 0o644, "SSSD reads it"


def test_a_newer_list_replaces_an_older_one_and_never_the_other_way_round(site: Site) -> None:
    site.fetch()
    site.publish("issuing", site.issuing.crl(NOW + DAY, encoding=Encoding.PEM))
    assert site.fetch() == "" and max(site.begins()) == NOW + DAY
    site.publish("issuing", site.issuing.crl(NOW - DAY))
    assert site.fetch() == "" and max(site.begins()) == NOW + DAY, "an attacker plays back an old one"


def test_of_two_lists_of_one_second_the_later_number_counts(site: Site) -> None:
    """The second holds what was revoked right after the first was signed."""
    second = site.root.crl(number=2)
    for each in (site.root.crl(number=1), second, site.root.crl(), site.root.crl(number=1)):
        site.publish("root", each)
        assert site.fetch() == ""
    kept = [each.public_bytes(Encoding.DER) for each in program("fetch_crls").parse(site.out.read_bytes())]
    assert second in kept and len(kept) == 2


def test_a_list_that_somebody_else_has_signed_counts_for_nothing(site: Site) -> None:
    site.fetch()
    before = site.out.read_bytes()
    site.publish("issuing", Authority("Issuing").crl(NOW + DAY))
    assert "none of the CAs has signed it (CN=Issuing)" in site.fetch()
    assert site.out.read_bytes() == before


def test_an_address_that_does_not_answer_leaves_what_is_there(site: Site) -> None:
    site.fetch()
    before = site.out.read_bytes()
    (site.folder / "root.crl").unlink()
    assert "root.crl does not answer" in site.fetch()
    site.publish("root", b"<html>sorry</html>")
    assert "root.crl is no revocation list" in site.fetch()
    assert site.out.read_bytes() == before


def lines(*answer: bytes) -> bytes:
    return b"\r\n".join((*answer, b"", b""))


def forged(site: Site, what: bytes, by: bytes) -> bytes:
    """A list in which some bytes are others, so that nobody has signed it."""
    crl = site.root.crl()
    assert what in crl and len(what) == len(by)
    return lines(b"HTTP/1.0 200 fine") + crl.replace(what, by)


HOSTILE: dict[str, Callable[[Site], bytes]] = {
    "no_http": lambda _site: b"garbage\r\n\r\n",
    "a_line_without_end": lambda _site: b"HTTP/1.0 200 " + b"x" * 100_000,
    "a_piece_that_never_comes": lambda _site: lines(b"HTTP/1.1 200 fine", b"Transfer-Encoding: chunked") + b"ff\r\nx",
    "no_address": lambda _site: lines(b"HTTP/1.0 302 there", b"Location: http://[/"),
    "another_version": lambda site: forged(site, b"\x02\x01\x01", b"\x02\x01\x07"),
    "another_signature": lambda site: forged(site, b"\xce\x3d\x04\x03\x02", b"\xce\x3d\x04\x03\x7f"),
    "another_name": lambda site: forged(site, b"\x0c\x04Root", b"\x0c\x04R\xff\xfft"),
    "words_for_a_terminal": lambda _site: lines(b"HTTP/1.0 404 \x1b[2J"),
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
def test_whatever_an_address_answers_the_other_lists_come(site: Site, answer: Callable[[Site], bytes]) -> None:
    """Somebody answers in the place of a plain HTTP server, and would keep a revocation from a host."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        evil = threading.Thread(target=serve_once, args=(server, answer(site)))
        evil.start()
        said = site.fetch(f"http://127.0.0.1:{server.getsockname()[1]}/root.crl")
        evil.join()
    assert len(site.begins()) == 2 and "Traceback" not in said
    [line] = said.splitlines()
    assert line.startswith("<4>http://127.0.0.1") and line.isprintable()


def serve_once(server: socket.socket, answer: bytes) -> None:
    connection, _address = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(answer)


def test_an_address_that_is_never_silent_and_never_done_is_left(site: Site) -> None:
    fetching = program("fetch_crls")
    with pytest.raises(TimeoutError), fetching.limited(0.2):
        while True:
            signal.sigtimedwait([], 0.01)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_name_in_a_list_writes_no_line_of_its_own_into_the_journal(site: Site) -> None:
    site.publish("issuing", Authority("x\nroot signs in\x1b[2J").crl())
    assert "none of the CAs has signed it (CN=x?root signs in?[2J)\n" in site.fetch()


def test_a_missing_list_is_told(site: Site) -> None:
    (site.folder / "root.crl").unlink()
    assert "there is no revocation list of CN=Root" in site.fetch()


@pytest.mark.parametrize(("end", "words"), [(NOW + DAY, "ends at"), (NOW - DAY, "ended at")])
def test_an_end_that_is_near_or_over_is_told(site: Site, end: datetime.datetime, words: str) -> None:
    site.publish("issuing", site.issuing.crl(NOW - 2 * DAY, end))
    assert f"the revocation list of CN=Issuing {words} {end:%Y-%m-%d %H:%M} UTC" in site.fetch()
    assert words == "ended at" or site.fetch("--warn-hours", "12") == ""
