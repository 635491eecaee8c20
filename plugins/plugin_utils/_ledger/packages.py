# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQLAlchemy, on which the ledger stands, and what the CA needs of packages in all.

Every file of this room imports without them, so that Ansible's tools can look at the plugins anywhere.
What is missing is said when a task needs it.
"""

from __future__ import annotations

import typing as t

from ...module_utils import _cryptography
from ...module_utils._errors import StateError

OLDEST = (1, 4)
"""The release of SQLAlchemy in Debian 12."""

__all__ = ["exc", "pool", "require", "sa"]

try:
    import sqlalchemy as sa
    from sqlalchemy import exc, pool
except ImportError:
    globals().update(dict.fromkeys(("sa", "exc", "pool"), _cryptography.Absent()))


def require() -> None:
    """Does nothing where all packages can be used.

    :raises StateError: where one is missing or too old
    """
    _cryptography.require()
    version: t.Optional[str] = getattr(sa, "__version__", None)
    if version is None:
        raise StateError("the controller lacks the Python package sqlalchemy", "install sqlalchemy for its Python")
    if tuple(int(number) for number in version.split(".")[:2]) < OLDEST:
        raise StateError(f"the controller's sqlalchemy is {version}", f"install {'.'.join(map(str, OLDEST))} or newer")
