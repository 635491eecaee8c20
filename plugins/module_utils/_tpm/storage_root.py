# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage root key, which all programs of a host share. TCG TPM v2.0 Provisioning Guidance, clause 7.5.1."""

from __future__ import annotations

import typing as t

from .pytss import load
from .template import Template

STORAGE_ROOT_KEY = 0x81000001
"""Its persistent handle."""


def derive(esapi: t.Any) -> t.Tuple[t.Any, bytes]:
    """Makes the key of the owner's seed, and returns it with its TPM2B_PUBLIC. Whoever asked flushes it."""
    pytss = load()
    made = esapi.create_primary(
        in_sensitive=pytss.TPM2B_SENSITIVE_CREATE(),
        in_public=Template.storage_root(),
        primary_handle=pytss.ESYS_TR.OWNER,
    )
    return made[0], bytes(made[1].marshal())


def make(esapi: t.Any) -> t.Any:
    """Makes the key and keeps it at the persistent handle."""
    primary, _public = derive(esapi)
    try:
        return esapi.evict_control(auth=load().ESYS_TR.OWNER, object_handle=primary, persistent_handle=STORAGE_ROOT_KEY)
    finally:
        esapi.flush_context(primary)
