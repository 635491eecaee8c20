# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies: digests that follow the steps' order, and branches that fit into TPM2_PolicyOR."""

from __future__ import annotations

import hashlib
import struct

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import command as wire
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.policy import (
    Command,
    PolicyAuthorizeNv,
    PolicyAuthValue,
    PolicyCommandCode,
    PolicyNameHash,
    PolicyOr,
    PolicySecret,
    any_of,
    policy_digest,
)

NAME = b"\x00\x0b" + bytes(32)
STEPS = (
    PolicySecret(NAME),
    PolicyCommandCode(Command.NV_READ),
    PolicyAuthValue(),
    PolicyNameHash((NAME,)),
)


def test_no_steps_is_the_digest_of_a_fresh_session():
    assert policy_digest(()) == bytes(32)


def test_a_command_code_by_hand():
    """TPM 2.0 part 3, clause 23.11: H(old || TPM_CC_PolicyCommandCode || code)."""
    expected = hashlib.sha256(bytes(32) + struct.pack(">II", 0x16C, 0x14E)).digest()
    assert policy_digest((PolicyCommandCode(Command.NV_READ),)) == expected


def test_order_matters():
    assert len({policy_digest(steps) for steps in (STEPS, STEPS[::-1], STEPS[1:], STEPS[:-1])}) == 4


def test_whatever_came_before_an_or_is_forgotten():
    branches = any_of([STEPS[:1], STEPS[1:2]])
    assert policy_digest(STEPS + branches) == policy_digest(branches)
    assert policy_digest((*STEPS, PolicyAuthorizeNv(NAME))) == policy_digest((PolicyAuthorizeNv(NAME),))


def test_one_branch_needs_no_or():
    assert any_of([STEPS]) == STEPS


@pytest.mark.parametrize("count", [0, 9])
def test_what_a_tpm_does_not_take(count):
    with pytest.raises(ValueError, match="1 to 8 branches"):
        any_of([STEPS] * count)


def test_bare_commands_carry_no_authorisation():
    open_steps = (PolicyCommandCode(Command.NV_READ), PolicyOr((bytes(32), bytes(32))))
    assert len(list(wire.policy_steps(0x03000000, open_steps))) == 2
    with pytest.raises(ValueError, match="PolicySecret needs an authorisation"):
        list(wire.policy_steps(0x03000000, STEPS))


@pytest.mark.parametrize(
    "response", [b"", b"\x80\x01\x00\x00\x00\x0a\x00\x00\x00", b"\x80\x01\x00\x00\x00\x0b" + bytes(4)]
)
def test_a_response_that_is_none(response):
    with pytest.raises(ValueError, match="not framed as a response"):
        wire.response_code(response)


def test_a_cut_off_buffer():
    with pytest.raises(ValueError, match="cut short"):
        wire.take_sized(b"\x00\x05abc")
