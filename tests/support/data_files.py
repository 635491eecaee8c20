# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that tests compare with.

The ``*.pol`` were written by Samba's own codec (``samba.dcerpc.preg``): the computer's half of a policy, the
users' half, and one that holds nothing of Windows Hello for Business.
"""

from __future__ import annotations

import pathlib

FOLDER = pathlib.Path(__file__).with_name("data")
POLICIES = sorted(FOLDER.glob("*.pol"))
HELLO_FACTS = FOLDER / "hello_facts.json"
