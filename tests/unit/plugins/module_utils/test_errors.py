# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import (
    HardboundError,
    InputError,
    StateError,
    missing_package,
)


def test_an_input_error_reads_as_field_fault_remedy() -> None:
    error = InputError("pin_policy.maxlen", "is 12, but a PIV card takes at most 8", "choose 8 or less")
    assert str(error) == "pin_policy.maxlen is 12, but a PIV card takes at most 8: choose 8 or less."
    assert (error.field, error.fault, error.remedy) == (
        "pin_policy.maxlen",
        "is 12, but a PIV card takes at most 8",
        "choose 8 or less",
    )


def test_a_state_error_reads_as_found_remedy() -> None:
    error = StateError("The TPM is in lockout", "wait ten minutes")
    assert str(error) == "The TPM is in lockout: wait ten minutes."
    assert (error.found, error.remedy) == ("The TPM is in lockout", "wait ten minutes")


def test_one_root_for_all_that_a_person_reads() -> None:
    assert issubclass(InputError, HardboundError)
    assert issubclass(StateError, HardboundError)


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("/usr", "by /a/python (no such module): install it."),
        ("/opt/venv", "use that (ansible_python_interpreter: /usr/bin/python3); else install it."),
    ],
)
def test_a_missing_package_may_be_anothers(monkeypatch: pytest.MonkeyPatch, prefix: str, words: str) -> None:
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.setattr(sys, "executable", "/a/python")
    message = str(missing_package("tpm2_pytss", ImportError("no such module"), "install it"))
    assert message.startswith("the Python package tpm2_pytss can't be imported by /a/python")
    assert message.endswith(words)
