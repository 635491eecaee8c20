# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sits in front of the computer, as systemd-logind knows it: sd-login(3)."""

from __future__ import annotations

import ctypes

_LIBRARY = "libsystemd.so.0"


def is_at_seat(uid: int) -> bool:
    """Whether a user has a session in the foreground of a seat; nobody has where there is no logind."""
    try:
        count: int = ctypes.CDLL(_LIBRARY).sd_uid_get_seats(ctypes.c_uint32(uid), ctypes.c_int(1), None)
    except (OSError, AttributeError):
        return False
    return count > 0
