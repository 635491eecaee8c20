# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet: several hosts, each a software TPM and a store of its own, a CA, and the real ansible-playbook."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import typing as t
from datetime import timedelta

import pytest
import yaml
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import authority, crl
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger import clock
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.ledger import Ledger
from ansible_collections.hardbound.identity.tests.support.software_tpm import SoftwareTpm, TpmMaker

PYTHON = "/usr/bin/python3"
PASSPHRASE = "correct-horse-battery-staple"
PIN, PUK = "pin-4711", "puk-0815"
EVERY = ("-e", "smartcard_renewal_all=true")
"""For renew after a change of the inventory, of which the ledger knows nothing."""
GUESS = "def tell(answer):\n    answer['cards'][0]['answer'] = 'AAAA'\n"  # for a challenge that no TPM opened
SID = "S-1-5-21-1004336348-1177238915-682003330-"


class Run(t.NamedTuple):
    """What came of a run of ansible-playbook."""

    code: int
    output: str
    results: t.Dict[str, t.Dict[str, t.Any]]
    visits: t.Dict[str, t.List[str]]

    def statuses(self) -> t.Dict[str, str]:
        return {host: result["status"] for host, result in self.results.items()}


class Fleet:
    """Hosts on this machine, behind ansible's local connection."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.maker = TpmMaker(folder / "maker")
        self.tpms: t.Dict[str, SoftwareTpm] = {}
        self.inventory: t.Dict[str, t.Dict[str, t.Any]] = {}
        self.ca = folder / "ca"
        blueprint = authority.Blueprint("Corp Issuing CA", crl_urls=("http://pki.corp.example/issuing.crl",))
        authority.create(authority.CaFolder(self.ca), blueprint, PASSPHRASE, "", clock.now())
        Ledger(self.ledger_url, create=True).close()
        self.variables: t.Dict[str, t.Any] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": PYTHON,
            "ansible_pipelining": True,
            "smartcard_enrollment_ca": str(self.ca),
            "smartcard_enrollment_ca_passphrase": PASSPHRASE,
            "smartcard_enrollment_trust_anchors": str(self.maker.anchors),
            "smartcard_enrollment_profile": "ad_smartcard_logon",
            "smartcard_enrollment_online": False,
        }

    @property
    def ledger_url(self) -> str:
        return authority.CaFolder(self.ca).ledger_url

    def ledger(self) -> Ledger:
        return Ledger(self.ledger_url)

    def add(self, host: str, maker: t.Optional[TpmMaker] = None, **card: t.Any) -> None:
        """Adds a host with one card for a user of its own."""
        number = len(self.inventory)
        tpm = (maker or self.maker).make(self.folder / host / "tpm")
        store = self.folder / host / "store"
        store.mkdir()
        self.tpms[host] = tpm
        self.inventory[host] = {
            "smartcard_enrollment_tpm": tpm.tcti,
            "smartcard_enrollment_store": str(store),
            "smartcard_enrollment_cards": [
                {
                    "name": "corp",
                    "pin": PIN,
                    "puk": PUK,
                    "upn": f"user{number}@corp.example",
                    "sid": f"{SID}{1000 + number}",
                    "keys": [{"slot": "authentication", "algorithm": "ecc_p256"}],
                    **card,
                }
            ],
        }

    def add_liar(self, host: str, lie: str, visit: str) -> None:
        """Adds a host that lies as :meth:`lying` says."""
        self.add(host)
        self.inventory[host]["ansible_python_interpreter"] = self.lying(lie, visit)

    def sign_lists(self) -> None:
        """Publishes revocation lists, as the role enrollment_ca does daily."""
        opened = authority.Authority(authority.CaFolder(self.ca), PASSPHRASE)
        for name, signer in (("issuing", opened.issuing()), ("root", opened.root())):
            opened.folder.crl(name).write_bytes(crl.sign(self.ledger(), signer, timedelta(days=7)).body)

    def stop(self) -> None:
        for tpm in self.tpms.values():
            tpm.stop()

    def record(self, host: str) -> t.Dict[str, t.Any]:
        """Returns what lies on a host's disk about its first card."""
        return t.cast(
            "dict[str, t.Any]", json.loads((self.folder / host / "store" / "cards" / "0000.json").read_text())
        )

    def lying(self, lie: str, visit: str) -> str:
        """Returns a Python that tells a lie about what one of the visits found, or about the facts of the host.

        :param lie: a program with a function ``tell(answer)``
        """
        folder = self.folder / "lies"
        folder.mkdir(exist_ok=True)
        number = len(list(folder.iterdir()))
        program = folder / f"lie{number}.py"
        word = {"evidence": '"evidence"', "activate": '"answer"', "facts": '"ansible_facts"', "cards": '"cards"'}[visit]
        program.write_text(lie)
        interpreter = folder / f"python{number}"
        liar = pathlib.Path(__file__).with_name("liar.py")
        interpreter.write_text(f"#!/bin/sh\nLIE={program} ABOUT='{word}' exec {PYTHON} {liar} \"$@\"\n")
        interpreter.chmod(0o755)
        return str(interpreter)

    def command(self, playbook: str, *options: str) -> t.List[str]:
        program = pathlib.Path(sys.executable).with_name("ansible-playbook")
        if not program.exists():
            pytest.skip("needs ansible-playbook beside this Python")
        return [str(program), playbook, "--inventory", str(self.folder / "inventory.yml"), *options]

    def write(self, **variables: t.Any) -> None:
        inventory = {"all": {"hosts": self.inventory, "vars": {**self.variables, **variables}}}
        (self.folder / "inventory.yml").write_text(yaml.safe_dump(inventory))
        for name in ("results", "visits"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir()

    def begin(self, *options: str) -> subprocess.Popen[str]:
        """Starts a run over the inventory that was written, and does not wait."""
        command = self.command("hardbound.identity.enroll", *options)
        return subprocess.Popen(
            command, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def play(self, *options: str, playbook: str = "hardbound.identity.enroll", **variables: t.Any) -> Run:
        self.write(**variables)
        done = subprocess.run(
            self.command(playbook, *options),
            env=self.environment(),
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
        )
        output = done.stdout + done.stderr
        (self.folder / "output").write_text(output)
        return Run(done.returncode, output, self._read_results(), self._read_visits())

    def tasks(self, *tasks: t.Dict[str, t.Any]) -> t.List[t.Dict[str, t.Any]]:
        """Runs tasks on localhost and returns their results, failures included."""
        steps: t.List[t.Dict[str, t.Any]] = [
            {**task, "register": f"result_{number}", "ignore_errors": True} for number, task in enumerate(tasks)
        ]
        names = ", ".join(f"result_{number}" for number in range(len(tasks)))
        kept = self.folder / "kept_results.json"
        steps.append({"ansible.builtin.copy": {"content": f"{{{{ [{names}] | to_json }}}}", "dest": str(kept)}})
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": steps}
        playbook = self.folder / "tasks.yml"
        playbook.write_text(json.dumps([play]))
        run = self.play(playbook=str(playbook))
        assert run.code == 0, run.output
        return t.cast("list[dict[str, t.Any]]", json.loads(kept.read_text()))

    def environment(self) -> t.Dict[str, str]:
        """Returns ours, without what would make the hosts' Pythons read their programs byte by byte: a host behind ssh
        knows nothing of it.
        """
        ours = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        return {
            **ours,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_LOG_PATH": str(self.folder / "ansible.log"),
            "ANSIBLE_CALLBACK_PLUGINS": str(pathlib.Path(__file__).with_name("callback")),
            "ANSIBLE_CALLBACKS_ENABLED": "witness",
            "WITNESS_FOLDER": str(self.folder),
        }

    def _read_results(self) -> t.Dict[str, t.Dict[str, t.Any]]:
        return {path.stem: json.loads(path.read_text()) for path in (self.folder / "results").glob("*.json")}

    def _read_visits(self) -> t.Dict[str, t.List[str]]:
        return {path.name: path.read_text().split() for path in (self.folder / "visits").iterdir()}


def family(pid: int) -> t.List[int]:
    """Returns a process and all that it started, itself last."""
    parents: t.Dict[int, int] = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # It has ended meanwhile.
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
    children = [child for child, parent in parents.items() if parent == pid]
    return [each for child in children for each in family(child)] + [pid]


@contextlib.contextmanager
def new_fleet() -> t.Iterator[Fleet]:
    """A fleet without hosts, in a folder whose path fits into the address of a Unix socket."""
    for program in ("swtpm", "swtpm_setup", "swtpm_localca"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}, as in Debian's swtpm-tools")
    with tempfile.TemporaryDirectory(prefix="hb-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        fleet = Fleet(folder)
        try:
            yield fleet
        finally:
            fleet.stop()


@pytest.fixture
def fleet() -> t.Iterator[Fleet]:
    with new_fleet() as fleet:
        yield fleet
