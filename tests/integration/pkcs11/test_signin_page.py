# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/signin_programs.md has people type is typed: with a real card, by p11-kit."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.signin_page import Owner, typed


def test_the_agent_and_git(host: Host) -> None:
    needs("ssh-agent", "git")
    host.make("Card of Alice", keys=[KeySpecification(0x9A, KeyAlgorithm.ECC_P256)])
    host.register()
    host.start()
    folder = host.machine.folder
    asker = folder / "askpass"
    asker.write_text(f"#!/bin/sh\necho {PIN}\n")
    asker.chmod(0o700)
    script = f"""
        set -e
        export HOME={folder} SSH_ASKPASS={asker} SSH_ASKPASS_REQUIRE=force DISPLAY=none
        git init --quiet {folder}/work
        cd {folder}/work
        git config --global user.name Alice
        git config --global user.email alice@corp.example
        trap 'ssh-agent -k' EXIT
        {typed("The agent, and git")}
        mkdir -p ~/.ssh
        {typed("The agent, and git", 1)}
    """
    said = host.run("bash", "-c", script)
    assert 'Good "git" signature for alice@corp.example with ECDSA key' in said


@pytest.fixture
def alice(host: Host, request: pytest.FixtureRequest) -> t.Iterator[Owner]:
    """:param request: the algorithm of her key"""
    needs("nginx", "ss", "curl", "p11tool", "gnutls-cli", "bash")
    host.make("Alice", keys=[KeySpecification(0x9A, request.param)])
    host.register()
    host.start("--owners", str(host.machine.folder / "owners"))
    alice = Owner(host)
    yield alice
    alice.leave()


@pytest.mark.parametrize("alice", [KeyAlgorithm.RSA_2048, KeyAlgorithm.ECC_P256], indirect=True)
@pytest.mark.parametrize("program", ["curl", "OpenSSL", "GnuTLS"])
def test_a_web_server_lets_her_in(host: Host, alice: Owner, program: str) -> None:
    if program != "GnuTLS" and "pkcs11" not in host.run("openssl", "engine", "pkcs11", ok=None):
        pytest.skip("needs OpenSSL's engine pkcs11, as in Debian's libengine-pkcs11-openssl")
    assert alice.visit(program) == "OU=authentication,CN=Alice"
