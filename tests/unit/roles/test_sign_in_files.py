# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the controller that the role smartcard_login lays on hosts: no host says which these are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROLE = Path(__file__).parents[3] / "roles/smartcard_login"
READ = {
    "files_of_cas": "__smartcard_login_ca_read",
    "keys": "__smartcard_login_ssh_read",
    "list": "__smartcard_login_ssh_list",
}


@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_a_host_names_no_file_of_the_controller(tmp_path: Path, read: str) -> None:
    """What the role reads there goes to the host, and the host has said more of itself than it was asked."""
    program = Path(sys.executable).with_name("ansible-playbook")
    if not program.exists():
        pytest.skip("needs ansible-playbook beside this Python")
    secret, reads = tmp_path / "id_ed25519", tmp_path / "read"
    secret.write_text("the controller's own")
    names = {"smartcard_login_ca": [str(secret)], "smartcard_login_ssh_ca": [str(secret)]}
    said = {**names, "smartcard_login_ssh_revoked": str(secret), "cacheable": True}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars_files": [str(ROLE / "vars/main.yml"), str(ROLE / "vars/ssh.yml")],
        "tasks": [
            {"ansible.builtin.set_fact": said},
            {"ansible.builtin.copy": {"content": f"{{{{ {read} }}}}", "dest": str(reads), "mode": "0600"}},
        ],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    environment = {**os.environ, "ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_LOCALHOST_WARNING": "false"}
    command = [str(program), str(tmp_path / "play.yml")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode and not reads.exists()
    assert "this is what the host says of itself" in " ".join((done.stdout + done.stderr).split())
