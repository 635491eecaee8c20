# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs tasks in a container of this computer, by entering its namespaces. Needs root.

A task takes one process of 20 ms. ``podman exec`` takes 20 times that, which adds up over some thousand tasks.
"""

from __future__ import annotations

import os
import pathlib
import shlex
import subprocess

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: container
short_description: Run tasks in a container of this computer
description:
  - Enters the namespaces of the container's first process with C(nsenter).
author:
  - The hardbound.identity authors
options:
  pid_file:
    description: File that holds the number of the container's first process, as C(podman run --pidfile) writes it.
    type: path
    required: true
    vars:
      - name: ansible_container_pid_file
extends_documentation_fragment:
  - connection_pipelining
"""

# Nothing of the controller's environment reaches the container.
ENVIRONMENT = {
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}


class Connection(ConnectionBase):
    transport = "container"
    has_pipelining = True

    def _connect(self) -> Connection:
        path = pathlib.Path(self.get_option("pid_file"))
        try:
            self._pid = int(path.read_text())
            os.kill(self._pid, 0)
        except (OSError, ValueError) as error:
            raise AnsibleConnectionFailure(f"the container does not run ({path}: {error})") from error
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        done = subprocess.run(  # noqa: S603 - as root of the controller, what the playbook says
            ["/usr/bin/nsenter", "--target", str(self._pid), "--all", "--wdns=/root", "--", "/bin/sh", "-c", cmd],
            input=in_data or b"",
            capture_output=True,
            env=ENVIRONMENT,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        super().put_file(in_path, out_path)
        self._copy(f"cat >{shlex.quote(out_path)}", pathlib.Path(in_path).read_bytes())

    def fetch_file(self, in_path: str, out_path: str) -> None:
        super().fetch_file(in_path, out_path)
        pathlib.Path(out_path).write_bytes(self._copy(f"cat {shlex.quote(in_path)}", b""))

    def _copy(self, command: str, data: bytes) -> bytes:
        status, out, err = self.exec_command(command, data)
        if status:
            raise AnsibleError(f"{command}: {err.decode(errors='replace').strip()}")
        return out

    def close(self) -> None:
        self._connected = False
