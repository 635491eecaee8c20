# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the info modules of TPM and cards show at ``-v``."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.hardbound.identity.plugins.action import tpm_info, virtual_smartcard_info
from hypothesis import given
from hypothesis import strategies as st

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def lines(action: Any, result: dict[str, Any]) -> list[str]:
    return [line for table in action.ActionModule.tables(None, result) for line in table.lines()]


def test_a_tpm() -> None:
    lockout = {"counter": 2, "in_lockout": False}
    tpm = {"manufacturer": "IFX", "algorithms": ["rsa_2048", "ecc_p256"], "lockout": lockout}
    assert lines(tpm_info, {"tpm": tpm}) == [
        "The TPM",
        "what                 value",
        "manufacturer         IFX",
        "algorithms           rsa_2048, ecc_p256",
        "lockout: counter     2",
        "lockout: in lockout  no",
    ]


def test_cards() -> None:
    key = {"slot": "authentication", "algorithm": "ecc_p256", "pin": "once", "imported": False, "certificate": "PEM"}
    card = {
        "instance_id": "ROOT\\SMARTCARDREADER\\0000",
        "name": "Corp",
        "owner": "alice",
        "reader": "Corp 00 00",
        "state": "ready",
        "pin_tries_left": 5,
        "puk_tries_left": None,
        "slots": [key],
        "objections": ["The PIN has expired."],
    }
    assert lines(virtual_smartcard_info, {"cards": [card]}) == [
        "Cards",
        "instance id                name  owner  reader      state  PIN tries  PUK tries",
        "ROOT\\SMARTCARDREADER\\0000  Corp  alice  Corp 00 00  ready  5",
        "Keys",
        "card  slot            algorithm  PIN   imported  certificate",
        "Corp  authentication  ecc_p256   once  no        yes",
        "What is not as rules and policy want it",
        "card  objection",
        "Corp  The PIN has expired.",
    ]


@pytest.mark.parametrize(("action", "name"), [(tpm_info, "tpm"), (virtual_smartcard_info, "cards")])
@given(answer=PLAIN)
def test_whatever_a_host_answers_is_printable(action: Any, name: str, answer: Any) -> None:
    for found in (answer, [{"name": answer, "keys": answer, "objections": answer}], {"lockout": answer}):
        assert all(line.isprintable() for line in lines(action, {name: found}))
