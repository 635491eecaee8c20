# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module tells of a TPM."""

from __future__ import annotations

import typing as t
from dataclasses import asdict

from .._encoding import command as wire
from .._encoding.ek_template import TEMPLATES
from .capability import algorithms, identify
from .connection import Tpm

_SM2_CERTIFICATE = 0x01C0001A
EK_CERTIFICATES = tuple(sorted((_SM2_CERTIFICATE, *(each.handle for each in TEMPLATES))))
"""NV indices: TCG EK Credential Profile 2.5, clause 2.2.1.4 (low range) and 2.2.1.5 (high range)."""


def report(tpm: Tpm) -> t.Dict[str, t.Any]:
    """Returns what the TPM is and can do.

    :raises TpmUnreachable: if there is none
    """
    with tpm.taken():
        identity = identify(tpm)
        return {
            **asdict(identity),
            "pin_fail_supported": identity.pin_fail_supported,
            "algorithms": [each.value for each in algorithms(tpm)],
            "ek_certificates": [f"{handle:08X}" for handle in _ek_certificates(tpm)],
        }


def _ek_certificates(tpm: Tpm) -> t.List[int]:
    """Returns the NV handles at which EK certificates are, of those that TCG has set aside for them."""
    present = set(tpm.handles(wire.NV))
    return [handle for handle in EK_CERTIFICATES if handle in present]


def concerns(found: t.Mapping[str, t.Any]) -> t.List[str]:
    """Returns warnings about what makes cards impossible, or weaker than they could be."""
    lockout = found["lockout"]
    sentences = []
    if not found["pin_fail_supported"]:
        sentences.append("This TPM has no PIN counters, so it can't carry virtual smart cards.")
    if lockout["in_lockout"]:
        sentences.append("The TPM is in lockout: cards can't be made or opened until it ends.")
    if not lockout["auth_set"]:
        sentences.append(
            "The TPM's lockout has no authorisation, so whoever is root can reset its dictionary attack protection. "
            "Set one with tpm_lockout."
        )
    return sentences
