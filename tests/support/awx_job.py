# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job as AWX runs it: ansible-runner, a private data folder, secrets as extra variables."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import subprocess
import sys
import typing as t

import yaml

PROJECT = pathlib.Path(__file__).parents[2] / "extensions/awx/project"


class Job:
    """One run of a playbook by ansible-runner, in a folder of its own.

    :param inside: puts a command into the namespaces where it shall run
    """

    def __init__(
        self,
        folder: pathlib.Path,
        playbook: str,
        inventory: t.Mapping[str, t.Any],
        variables: t.Mapping[str, t.Any],
        inside: t.Callable[..., t.List[str]] = lambda *command: [*command],
    ) -> None:
        self.folder = folder
        self.artifacts = self.folder / "artifacts" / "job"
        for name in ("inventory", "env"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "project").symlink_to(PROJECT)
        (self.folder / "inventory" / "hosts.yml").write_text(yaml.safe_dump({"all": inventory}))
        (self.folder / "env" / "extravars").write_text(yaml.safe_dump(variables))
        environment = {"ANSIBLE_HOME": str(self.folder / "home"), "ANSIBLE_LOG_PATH": str(self.folder / "log")}
        program = pathlib.Path(sys.executable).with_name("ansible-runner")
        command = inside(str(program), "run", str(self.folder), "-p", f"{playbook}.yml", "-i", "job", "-vvv")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment}
        )

    def wait(self) -> int:
        self.output = self.process.communicate()[0]
        for path in (self.folder / "env").iterdir():
            path.unlink()  # AWX, too, removes what it put in
        return self.process.returncode

    def events(self) -> t.List[t.Dict[str, t.Any]]:
        return [json.loads(path.read_text()) for path in (self.artifacts / "job_events").glob("*.json")]

    def assert_holds_none_of(self, *secrets: str) -> None:
        """Looks for secrets, plain and encoded, in all that the job has left and printed."""
        assert any(event["event"] == "runner_on_ok" for event in self.events())
        contents = [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]
        contents.append(self.output.encode())
        assert len(contents) > 20
        for secret in (each.encode() for each in secrets):
            for form in (secret, secret.hex().encode(), base64.b64encode(secret)):
                assert not any(form in content for content in contents)
