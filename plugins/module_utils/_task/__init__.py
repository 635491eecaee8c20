# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task needs: its arguments, what it wants, the card that it names, and the drive over read, plan, apply."""

from __future__ import annotations

from .archive import compile_once

compile_once(__spec__.loader, __name__.rpartition(".")[0])
