# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a TPM can carry a card at all, asked before anything is changed."""

from __future__ import annotations

import typing as t

from .._errors import InputError, StateError
from .._tpm.capability import PIN_INDEX_REVISION, algorithms, identify, supports
from .._tpm.connection import Tpm
from .._tpm.errors import ENDORSEMENT, wrong_auth
from .host_policy import HostPolicy
from .specification import KeySpecification


def check_tpm(tpm: Tpm) -> None:
    """:raises StateError: if the TPM is in lockout, or too old for PIN counters"""
    identity = identify(tpm)
    if identity.lockout.in_lockout:
        wait = identity.lockout.lockout_recovery or identity.lockout.recovery
        remedy = f"wait up to {wait} seconds, or reset it with the lockout authorisation"
        raise StateError(f"the TPM at {tpm.tcti} is in lockout", remedy)
    if not identity.pin_fail_supported:
        found = f"the TPM at {tpm.tcti} follows revision {identity.revision / 100:.2f}, which has no PIN counters"
        raise StateError(found, f"update its firmware to revision {PIN_INDEX_REVISION / 100:.2f} or newer")


def check_provable(tpm: Tpm) -> None:
    """:raises InputError: if a card can't be proved for want of an authorisation"""
    if identify(tpm).endorsement_auth_set and not tpm.knows_endorsement_auth:
        raise wrong_auth(ENDORSEMENT, known=False)


def check_host_policy(policy: HostPolicy, tpm: Tpm) -> None:
    """:raises StateError: if the host's Hello policy does not allow a card in this TPM"""
    if not policy.may_create:
        raise StateError("the host's Hello policy does not allow cards", "enable use_hello in it")
    if policy.hardware_tpm_only and (identity := identify(tpm)).is_software:
        which = f"the TPM at {tpm.tcti} is a program ({identity.manufacturer} {identity.vendor})"
        remedy = "use a hardware TPM, or disable require_security_device in the policy"
        raise StateError(f"{which}, and the host's Hello policy wants hardware", remedy)


def check_algorithms(tpm: Tpm, keys: t.Iterable[KeySpecification], field: str = "keys") -> None:
    """:raises InputError: for a key type that this TPM does not make"""
    for key in keys:
        if not supports(tpm, key.algorithm):
            fault = f"asks for {key.algorithm.value}, which this TPM does not make"
            raise InputError(field, fault, f"choose one of {', '.join(each.value for each in algorithms(tpm))}")
