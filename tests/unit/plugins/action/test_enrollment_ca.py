# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import hashlib
import typing as t
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import connection_loader
from ansible.template import Templar
from ansible_collections.hardbound.identity.plugins.action.enrollment_ca import ActionModule
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, krl, profiles
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.issuer import Issuer, Order
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.oid import Assurance
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.signer import public_der
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import CertificatePlace
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

PASSPHRASE = "correct horse battery staple"


class Runner:
    """Runs the action as a task would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.arguments: dict[str, t.Any] = {
            "path": str(folder),
            "name": "Corp Issuing CA",
            "passphrase": PASSPHRASE,
            "crl_urls": ["http://pki.corp.example/issuing.crl"],
        }

    def __call__(self, check: bool = False, **changed: t.Any) -> dict[str, t.Any]:
        loader = DataLoader()
        arguments = {**self.arguments, **changed}
        task = Task()
        task.action, task.args, task.check_mode = "hardbound.identity.enrollment_ca", arguments, check
        action = ActionModule(
            task=task,
            connection=connection_loader.get("local", PlayContext()),
            play_context=PlayContext(),
            loader=loader,
            templar=Templar(loader=loader),
            shared_loader_obj=None,
        )
        return action.run(task_vars={})

    def enrol(self, host: str, profile: str = "tls_client") -> str:
        opened = authority.Authority(authority.CaFolder(self.folder), PASSPHRASE)
        ledger = Ledger(opened.folder.ledger_url)
        identity = Identity.parse({"common_name": host, "ssh_principals": ["alice"]})
        key = public_der(ec.generate_private_key(ec.SECP256R1()).public_key())
        order = Order(
            CertificatePlace(host, "card", "authentication"), profiles.SHIPPED[profile], identity, key, Assurance.FIXED
        )
        certificate = Issuer(opened, ledger).issue(order).certificate
        ledger.activate([certificate])
        ledger.close()
        return certificate.serial


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "ca")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and "ledger" not in path.name}


def test_made_in_four_steps_check_do_check_again(run: Runner) -> None:
    would = run(check=True)
    assert would["changed"]
    assert would["diff"]["before"] == {}
    assert would["diff"]["after"]["name"] == "Corp Issuing CA"
    assert not run.folder.parent.joinpath("ca").exists()
    made = run()
    assert made["changed"]
    assert made["crl"]["number"] == made["root_crl"]["number"] == 1
    before = contents(run.folder)
    for check in (True, False):
        again = run(check=check)
        assert not again["changed"]
        assert again["certificate"] == made["certificate"]
        assert again["diff"]["before"] == again["diff"]["after"]
    assert contents(run.folder) == before
    assert {path.name for path in run.folder.joinpath("public").iterdir()} == {
        "ca.pem", "fido_metadata.json", "issuing.cer", "issuing.crl", "root.cer", "root.crl", "ssh.pub", "ssh.revoked",
    }  # fmt: skip


def test_it_tells_what_is_to_be_published(run: Runner) -> None:
    run()
    public = run.folder / "public"
    expected = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in public.iterdir()}
    (public / ".new-list").touch()  # as one that is being written
    (public / "folder").mkdir()
    assert run()["public_files"] == expected


def test_revoking_is_planned_done_once_and_published(run: Runner) -> None:
    run()
    serial = run.enrol("ws-017")
    kept = run.enrol("ws-018")
    wish = [{"host": "ws-017", "reason": "key_compromise"}]
    would = run(check=True, revoked=wish)
    assert would["changed"]
    assert [each["serial"] for each in would["revoked"]] == [serial]
    assert "ws-017" in would["diff"]["before"]["valid"][0]
    done = run(revoked=wish)
    assert [(each["serial"], each["reason"]) for each in done["revoked"]] == [(serial, "keyCompromise")]
    listed = x509.load_der_x509_crl(Path(done["crl"]["path"]).read_bytes())
    assert listed.get_revoked_certificate_by_serial_number(int(serial, 16)) is not None
    assert listed.get_revoked_certificate_by_serial_number(int(kept, 16)) is None
    again = run(revoked=wish)
    assert not again["changed"]
    assert again["revoked"] == []


def test_an_entry_that_revokes_nothing_is_told(run: Runner) -> None:
    """A name that is written wrongly; what was revoked before is no such entry."""
    run()
    run.enrol("ws-017")
    run(revoked=[{"host": "ws-017"}])
    done = run(revoked=[{"host": "ws-017"}, {"host": "ws-17", "card": "card"}])
    assert len(done["warnings"]) == 1
    assert "revoked names host ws-17, card card, and the ledger holds no such certificate" in done["warnings"][0]


def test_a_revoked_ssh_certificate_is_published_for_sshd(run: Runner) -> None:
    run()
    run.enrol("ws-017", "ssh_user")
    assert run(revoked=[{"host": "ws-017"}])["changed"]
    assert run.folder.joinpath("public", "ssh.revoked").read_bytes().startswith(krl.MAGIC)
    assert not run()["changed"]


def test_a_serial_may_be_written_with_colons(run: Runner) -> None:
    run()
    serial = run.enrol("ws-017").upper()
    colons = ":".join(serial[start : start + 2] for start in range(0, len(serial), 2))
    assert len(run(revoked=[{"serial": colons}])["revoked"]) == 1


def test_a_lost_list_is_written_again_under_its_number(run: Runner) -> None:
    run()
    path = run.folder / "public" / "issuing.crl"
    content = path.read_bytes()
    path.unlink()
    assert run()["crl"]["number"] == 1
    assert path.read_bytes() == content


def test_new_addresses_and_domains_change_what_they_should(run: Runner) -> None:
    run()
    changed = run(permitted_domains=["corp.example"], issuer_urls=["http://pki.corp.example/issuing.cer"])
    assert changed["changed"]
    assert changed["diff"]["after"]["permitted_domains"] == ["corp.example"]
    opened = authority.Authority(authority.CaFolder(run.folder), PASSPHRASE)
    assert opened.permitted_domains == ("corp.example",)
    assert opened.settings.issuer_urls == ("http://pki.corp.example/issuing.cer",)
    assert not run(permitted_domains=["corp.example"], issuer_urls=["http://pki.corp.example/issuing.cer"])["changed"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"passphrase": "short"}, "passphrase has 5 characters"),
        ({"root_passphrase": "short"}, "root_passphrase has 5 characters"),
        ({"name": ""}, "name has 0 characters"),
        ({"crl_urls": ["https://x/y.crl"]}, "crl_urls holds"),
        ({"crl_days": 0}, "crl_days is 0"),
        ({"days": 8000}, "days is 8000"),
        ({"ledger": "nothing"}, "ledger is no database URL"),
        ({"revoked": [{"reason": "unspecified"}]}, "names nothing"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing_behind(run: Runner, changed: dict[str, t.Any], words: str) -> None:
    result = run(**changed)
    assert result["failed"]
    assert words in result["msg"]
    assert list(run.folder.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"passphrase": "incorrect donkey battery"}, "does not open with this passphrase"),
        ({"name": "Other CA"}, "has 'Corp Issuing CA': keep that, or give the new CA another path"),
        ({"algorithm": "rsa_3072"}, "has 'ecc_p256'"),
    ],
)
def test_what_an_existing_ca_does_not_allow_is_one_line(run: Runner, changed: dict[str, t.Any], words: str) -> None:
    run()
    before = contents(run.folder)
    result = run(**changed)
    assert result["failed"]
    assert words in result["msg"]
    assert contents(run.folder) == before


def test_a_lost_ledger_is_not_made_anew(run: Runner) -> None:
    run()
    for path in run.folder.glob("ledger.sqlite*"):
        path.unlink()
    result = run()
    assert result["failed"]
    assert "ledger" in result["msg"]


def test_the_ledger_may_lie_elsewhere(run: Runner, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"
    assert run(ledger=url)["changed"]
    assert not run(ledger=url)["changed"]
    assert not run.folder.joinpath("ledger.sqlite").exists()


def test_the_passphrase_is_in_no_result_and_no_file(run: Runner) -> None:
    raw = PASSPHRASE.encode()
    forms = [raw, raw.hex().encode(), base64.b64encode(raw)]
    results = [run(check=True), run(), run(), run(name="Other CA"), run(revoked=[{"host": "x"}])]
    seen = repr(results).encode() + b"".join(contents(run.folder.parent).values())
    assert not any(form in seen for form in forms)
