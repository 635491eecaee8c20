# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""tpm2_pytss, imported late and once, with what its releases 1.2 to 3.0 need to look alike.

Every call of ESAPI in this room passes its arguments by keyword: releases differ in their order.
A field of a structure is freed with the structure that it was taken from, so callers keep the parent.
"""

from __future__ import annotations

import functools
import importlib
import os
import types
import typing as t

from .._errors import missing_package


@functools.cache
def load() -> types.ModuleType:
    """Returns the package.

    :raises StateError: if it is missing or can't be loaded
    """
    os.environ.setdefault("TSS2_LOG", "all+none")  # A wrong PIN is no news for standard error.
    try:
        pytss = importlib.import_module("tpm2_pytss")
    except (ImportError, RuntimeError) as error:
        remedy = (
            "prepare the host with the role hardbound.identity.tpm_host, or install the package python3-tpm2-pytss,"
            " or tpm2-pytss 1.2 or newer with pip"
        )
        raise missing_package("tpm2_pytss", error, remedy) from error
    _accept_any_handle(importlib.import_module("tpm2_pytss.ESAPI"))
    return pytss


def utilities() -> types.ModuleType:
    """Returns what the package does itself, without a TPM."""
    load()
    return importlib.import_module("tpm2_pytss.utils")


def _accept_any_handle(esapi: types.ModuleType) -> None:
    """Release 1.2 takes only the fixed handles in policy_secret, and so neither NV indices nor objects."""
    check = getattr(esapi, "_check_friendly_int", None)
    if check is None:
        return

    def relaxed(value: int, name: str, kind: type) -> None:
        if name != "auth_handle":
            check(value, name, kind)

    t.cast(t.Any, esapi)._check_friendly_int = relaxed
