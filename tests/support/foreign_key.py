# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A key of somebody else where the storage root key belongs."""

from __future__ import annotations

import pathlib
import subprocess
import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._tpm import storage_root
from ansible_collections.hardbound.identity.tests.support.card_bench import Bench


def tool(bench: Bench, *command: str) -> None:
    bench.tpm.release()
    name, *options = command
    done = subprocess.run([name, "-T", bench.tcti, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def occupy(bench: Bench, folder: pathlib.Path, kind: t.Sequence[str]) -> None:
    tool(bench, "tpm2_createprimary", "-C", "o", *kind, "-c", str(folder / "key.ctx"))
    tool(bench, "tpm2_evictcontrol", "-C", "o", "-c", str(folder / "key.ctx"), hex(storage_root.HANDLE))
    tool(bench, "tpm2_flushcontext", "-t")
