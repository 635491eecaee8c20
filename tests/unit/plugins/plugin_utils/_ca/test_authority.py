# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import multiprocessing
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, files, keyfile
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.authority import Authority, Blueprint, CaFolder
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import clock
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

PASSPHRASE = "correct horse battery staple"


def openssl(*arguments: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize(
    ("algorithm", "hash_name"),
    [
        (KeyAlgorithm.ECC_P256, "256"),
        (KeyAlgorithm.ECC_P384, "384"),
        (KeyAlgorithm.ECC_P521, "512"),
        (KeyAlgorithm.RSA_3072, "256"),
    ],
)
def test_openssl_verifies_root_and_issuing_ca(tmp_path: Path, algorithm: KeyAlgorithm, hash_name: str) -> None:
    folder = CaFolder(tmp_path / "ca")
    authority.create(folder, Blueprint("Corp", algorithm=algorithm), PASSPHRASE, "", clock.now())
    root = tmp_path / "root.pem"
    root.write_text(openssl("x509", "-inform", "DER", "-in", str(folder.certificate("root"))))
    assert openssl("verify", "-x509_strict", "-CAfile", str(root), str(folder.chain)).endswith(": OK\n")
    text = openssl("x509", "-inform", "DER", "-in", str(folder.certificate("issuing")), "-noout", "-text")
    assert "CA:TRUE, pathlen:0" in text
    assert re.search(r"Key Usage: critical\s+Certificate Sign, CRL Sign\n", text)
    assert hash_name in re.findall(r"Signature Algorithm: (.*)", text)[0]


def test_name_constraints_are_critical_and_read_back(corp: t.Any) -> None:
    text = openssl("x509", "-inform", "DER", "-in", str(corp.folder.certificate("issuing")), "-noout", "-text")
    assert re.search(r"Name Constraints: critical\s+Permitted:\s+DNS:corp\.example", text)
    assert corp.authority.permitted_domains == ("corp.example",)


def test_openssl_opens_the_keys_with_the_passphrase_and_finds_scrypt(corp: t.Any) -> None:
    for name in ("root", "issuing", "ssh"):
        path = str(corp.folder.private_key(name))
        assert "scrypt" in openssl("asn1parse", "-in", path)
        assert "BEGIN PRIVATE KEY" in openssl("pkey", "-in", path, "-passin", "stdin", stdin=PASSPHRASE.encode())


def test_a_stolen_folder_without_the_passphrase_gives_no_key(corp: t.Any) -> None:
    corp.issuer.issue(corp.order())
    stolen = [path for path in corp.folder.path.rglob("*") if path.is_file()]
    assert len(stolen) >= 9
    scalars = [
        key.private_numbers().private_value.to_bytes(32, "big")
        for key in (corp.authority.root().key, corp.authority.issuing().key, corp.authority.ssh_key())
    ]
    for path in stolen:
        content = path.read_bytes()
        assert not any(scalar in content or scalar.hex().encode() in content for scalar in scalars)
        assert PASSPHRASE.encode() not in content
        for password in (None, b"", b"guess"):
            for load in (serialization.load_pem_private_key, serialization.load_der_private_key):
                with pytest.raises((ValueError, TypeError)):
                    load(content, password)


def test_private_files_are_closed_to_others(corp: t.Any) -> None:
    for name in ("root", "issuing", "ssh"):
        assert corp.folder.private_key(name).stat().st_mode & 0o077 == 0
    assert corp.folder.private_key("root").parent.stat().st_mode & 0o077 == 0
    assert corp.folder.ledger.stat().st_mode & 0o077 == 0


def test_a_wrong_passphrase_is_one_clear_line(corp: t.Any) -> None:
    wrong = Authority(corp.folder, "incorrect donkey battery")
    with pytest.raises(StateError, match=r"issuing\.key does not open with this passphrase") as refused:
        wrong.issuing()
    assert "donkey" not in str(refused.value)


def test_an_empty_passphrase_is_not_taken_for_a_key_that_lies_open(corp: t.Any) -> None:
    with pytest.raises(StateError, match=r"issuing\.key does not open without a passphrase"):
        Authority(corp.folder, "").issuing()


def test_the_root_may_have_a_passphrase_of_its_own_and_lie_elsewhere(tmp_path: Path) -> None:
    folder = CaFolder(tmp_path / "ca")
    authority.create(folder, Blueprint("Corp"), PASSPHRASE, "another long passphrase", clock.now())
    with pytest.raises(StateError, match=r"root\.key does not open"):
        Authority(folder, PASSPHRASE).root()
    assert Authority(folder, PASSPHRASE, "another long passphrase").root()
    folder.private_key("root").unlink()
    opened = Authority(folder, PASSPHRASE)
    assert opened.issuing()
    with pytest.raises(StateError, match=r"root\.key is not there: bring it back"):
        opened.root()


def test_a_key_of_another_ca_is_noticed(corp: t.Any) -> None:
    path = corp.folder.private_key("issuing")
    path.write_bytes(keyfile.lock(ec.generate_private_key(ec.SECP256R1()), PASSPHRASE))
    corp.reopen()
    with pytest.raises(StateError, match="does not belong to the issuing certificate"):
        corp.authority.issuing()


def test_a_key_that_lies_open_is_not_used(corp: t.Any) -> None:
    clear = corp.authority.issuing().key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    corp.folder.private_key("issuing").write_bytes(clear)
    corp.reopen()
    with pytest.raises(StateError, match="is not encrypted"):
        corp.authority.issuing()


def test_a_clock_that_is_off_is_said(corp: t.Any) -> None:
    corp.watch.turn(days=-365)
    with pytest.raises(StateError, match=r"the clock says 2025-03-01T12:00:00Z, and the issuing CA becomes valid at"):
        corp.authority.check_clock(corp.watch())
    corp.watch.turn(days=365 * 30)
    with pytest.raises(StateError, match="issuing CA expired at"):
        corp.authority.check_clock(corp.watch())


def test_renewing_keeps_the_key_and_takes_the_new_domains(corp: t.Any) -> None:
    before = corp.authority.identifier
    corp.watch.turn(days=1500)
    authority.renew(corp.authority, Blueprint("Corp Issuing CA", permitted_domains=("other.example",)), corp.watch())
    corp.reopen()
    assert corp.authority.identifier == before
    assert corp.authority.permitted_domains == ("other.example",)
    corp.watch.turn(days=1500)
    corp.authority.check_clock(corp.watch())


def test_a_cut_while_making_a_ca_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = files.write

    def cut(path: Path, content: bytes, mode: int = files.PRIVATE) -> None:
        if path.name == "ca.json":
            raise OSError(28, "No space left on device", str(path))
        whole(path, content, mode)

    monkeypatch.setattr(files, "write", cut)
    with pytest.raises(StateError, match="has no room on its disk: make room"):
        authority.create(CaFolder(tmp_path / "ca"), Blueprint("Corp"), PASSPHRASE, "", clock.now())
    assert list(tmp_path.iterdir()) == []


def _create(path: Path, start: t.Any) -> None:
    start.wait()
    authority.create(CaFolder(path), Blueprint("Corp"), PASSPHRASE, "", clock.now())


def test_processes_that_make_one_ca_at_once_end_with_one(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start = context.Event()
    workers = [context.Process(target=_create, args=(tmp_path / "ca", start)) for _each in range(4)]
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    opened = Authority(CaFolder(tmp_path / "ca"), PASSPHRASE)
    assert opened.issuing()
    assert opened.root()
    assert [path.name for path in tmp_path.iterdir()] == ["ca"]


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / "notes").write_text("mine")
    with pytest.raises(StateError, match="holds other files"):
        authority.create(CaFolder(tmp_path / "ca"), Blueprint("Corp"), PASSPHRASE, "", clock.now())
    assert (tmp_path / "ca" / "notes").read_text() == "mine"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 60}, "name"),
        ({"name": "x", "days": 9000}, "days"),
        ({"name": "x", "crl_urls": ("https://pki/x.crl",)}, "crl_urls"),
        ({"name": "x", "crl_urls": ("http://pki example/x.crl",)}, "crl_urls"),
        ({"name": "x", "root_crl_urls": ("http://pki/x y.crl",)}, "root_crl_urls"),
        ({"name": "x", "root_crl_urls": ("http://pki/x.crl\n",)}, "root_crl_urls"),
        ({"name": "x", "issuer_urls": ("http:///x.cer",)}, "issuer_urls"),
        ({"name": "x", "issuer_urls": ("http://pki/ü.cer",)}, "issuer_urls"),
        ({"name": "x", "permitted_domains": ("Corp.example",)}, "permitted_domains"),
        ({"name": "x", "permitted_domains": ("corp example",)}, "permitted_domains"),
        ({"name": "x", "permitted_domains": (".corp.example",)}, "permitted_domains"),
        ({"name": "x", "permitted_domains": ("",)}, "permitted_domains"),
    ],
)
def test_a_blueprint_that_can_be_no_ca_is_refused(values: dict[str, t.Any], field: str) -> None:
    with pytest.raises(InputError) as refused:
        Blueprint(**values).check()
    assert refused.value.field == field


@pytest.mark.parametrize("url", ["http://pki", "http://pki:8080/x%20y.crl", "ldap:///CN=x,DC=corp?cACertificate?base"])
def test_addresses_that_a_certificate_can_hold(url: str) -> None:
    Blueprint(name="x", crl_urls=(url,)).check()


def test_a_short_passphrase_is_refused_without_being_shown() -> None:
    with pytest.raises(InputError, match=r"passphrase has 8 characters, and a CA key needs 12 or more") as refused:
        keyfile.check_passphrase("pa55w0rd")
    assert "pa55w0rd" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1, "x": []}', b'{"version": 1, "crl_urls": 7}'])
def test_a_damaged_settings_file_is_said(corp: t.Any, content: bytes) -> None:
    corp.folder.settings.write_bytes(content)
    with pytest.raises(StateError, match=r"ca\.json is damaged"):
        corp.reopen()


def test_settings_of_a_newer_release_are_not_guessed_at(corp: t.Any) -> None:
    corp.folder.settings.write_bytes(b'{"version": 2}')
    with pytest.raises(StateError, match="has version 2, and this release knows 1"):
        corp.reopen()


def test_serials_have_twenty_bytes_and_stay_positive() -> None:
    serials = {authority.random_serial() for _each in range(200)}
    assert len(serials) == 200
    assert {len(f"{serial:x}") for serial in serials} == {40}
    assert all(serial >> 159 == 0 for serial in serials)
