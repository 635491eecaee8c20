# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/signin_programs.md has people type is typed: with a real card, by p11-kit."""

from __future__ import annotations

import re

from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.card_machine import PIN
from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import PROXY, Host

PAGE = (COLLECTION / "docs/signin_programs.md").read_text()


def typed(section: str) -> str:
    """Returns the commands of a section's first console, as a script."""
    part = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    console = re.search(r"```console\n(.*?)```", part, re.DOTALL)
    assert console is not None
    return "\n".join(line[2:] for line in console[1].splitlines()).replace("PROXY", PROXY)


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
        echo "alice@corp.example $(ssh-add -L)" > {folder}/signers
        git config --global gpg.ssh.allowedSignersFile {folder}/signers
        git verify-commit --raw HEAD
    """
    said = host.run("bash", "-c", script)
    assert 'Good "git" signature for alice@corp.example with ECDSA key' in said
