# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the card service from the folder that this file lies in."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from hardbound_identity._edge.service import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
