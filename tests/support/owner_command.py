# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command hardbound-card, as the role tpm_host lays it down."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from ansible_collections.hardbound.identity.tests.support.code_imports import COLLECTION

_FILES = COLLECTION / "roles/tpm_host/files"


def lay_command(folder: Path) -> None:
    """Lays the program, and all that it imports, into a folder."""
    sources, program = COLLECTION / "plugins/module_utils", _FILES / "hardbound_card.py"
    command = [sys.executable, "-I", str(_FILES / "program_files.py"), str(program), str(sources)]
    for path in json.loads(subprocess.run(command, capture_output=True, check=True).stdout):
        target = folder / "hardbound_identity" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sources / path, target)
    shutil.copy(program, folder)
