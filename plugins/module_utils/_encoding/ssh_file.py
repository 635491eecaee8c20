# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of an OpenSSH certificate below ``~/.ssh``: where enrolment lays it, and where ssh is told to look."""

from __future__ import annotations

import hashlib
import re


def certificate_file(card: str, slot: str) -> str:
    """Returns the file's name; no two cards share one.

    :param card: the card's name, of which nothing stays that a shell or ssh_config(5) takes for something else
    """
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", card)
    name = plain if plain == card else f"{plain}-{hashlib.sha256(card.encode()).hexdigest()[:8]}"
    return f"{name}-{slot}-cert.pub"
