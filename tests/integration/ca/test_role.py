# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role, run by ansible-playbook as a user would: twice, in check mode, and with all that Ansible can say."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity import plugins

PASSPHRASE = "correct-horse-battery-staple"

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  roles:
    - role: hardbound.identity.enrollment_ca
      enrollment_ca_path: {folder}/ca
      enrollment_ca_name: Corp Issuing CA
      enrollment_ca_passphrase: "{{{{ lookup('ansible.builtin.env', 'CA_PASSPHRASE') }}}}"
      enrollment_ca_crl_urls: [http://pki.corp.example/issuing.crl]
      enrollment_ca_publish_path: {folder}/web
"""


@pytest.fixture
def play(tmp_path: Path) -> Path:
    path = tmp_path / "play.yml"
    path.write_text(PLAY.format(folder=tmp_path))
    return path


def run(play: Path, *options: str, **environment: str) -> str:
    program = Path(sys.executable).with_name("ansible-playbook")
    if not program.exists():
        pytest.skip("needs ansible-playbook beside this Python")
    tree = Path(next(iter(plugins.__path__))).parents[3]
    variables = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(tree),
        "ANSIBLE_HOME": str(play.parent / "home"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "CA_PASSPHRASE": PASSPHRASE,
        **environment,
    }
    variables.pop("PYTHONPATH", None)
    command = [str(program), str(play), *options]
    done = subprocess.run(command, env=variables, capture_output=True, cwd=play.parent, check=False)
    return (done.stdout + done.stderr).decode()


def test_check_do_again_and_again_in_check_mode(play: Path) -> None:
    would = run(play, "--check", "--diff")
    assert "changed=1 " in would, would
    assert '+    "name": "Corp Issuing CA",' in would
    assert not (play.parent / "ca").exists()
    made = run(play, "--diff")
    assert "failed=0" in made, made
    assert (play.parent / "web" / "issuing.crl").read_bytes() == (play.parent / "ca/public/issuing.crl").read_bytes()
    assert not list((play.parent / "web").glob("*.key"))
    (play.parent / "web" / "issuing.crl").write_bytes(b"of yesterday")
    assert "changed=1 " in run(play)
    assert (play.parent / "web" / "issuing.crl").read_bytes() == (play.parent / "ca/public/issuing.crl").read_bytes()
    for options in ((), ("--check",)):
        assert "changed=0 " in run(play, *options)


def test_the_passphrase_is_in_no_output_and_no_file(play: Path) -> None:
    output = run(play, "-vvvv", "--diff") + run(play, "-vvvv", ANSIBLE_LOG_PATH=str(play.parent / "log"))
    assert "failed=0" in output
    files = b"".join(path.read_bytes() for path in play.parent.rglob("*") if path.is_file())
    raw = PASSPHRASE.encode()
    for form in (raw, raw.hex().encode(), base64.b64encode(raw)):
        assert form not in output.encode()
        assert form not in files


def test_a_wrong_passphrase_is_one_clear_line(play: Path) -> None:
    run(play)
    output = run(play, CA_PASSPHRASE="incorrect-donkey-battery")
    assert "failed=1" in output
    assert "issuing.key does not open with this passphrase: check the passphrase, or restore the file." in output
    assert "donkey" not in output
