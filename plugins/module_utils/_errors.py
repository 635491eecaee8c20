# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that the cores raise and the modules show.

Every message names the field, what is wrong with its value, and the remedy.
A message never holds a secret value.
"""

from __future__ import annotations

import sys
import typing as t


class HardboundError(Exception):
    """Root of all errors that are meant for a person to read."""

    @property
    def facts(self) -> dict[str, t.Any]:
        """What a module returns beside the message."""
        return {}


class Interrupted(HardboundError):
    """An error after something was done that is told only once, and must not be lost.

    :param told: what a module returns of it
    """

    def __init__(self, error: HardboundError, told: t.Mapping[str, t.Any]) -> None:
        super().__init__(str(error))
        self._told = dict(told)

    @property
    def facts(self) -> dict[str, t.Any]:
        return self._told


class InputError(HardboundError):
    """A parameter was refused before anything was changed.

    :param field: the parameter as the user wrote it, e.g. ``pin_policy.maxlen``
    :param fault: what is wrong, as a clause that follows the field name
    :param remedy: what to do instead, as an imperative clause
    """

    def __init__(self, field: str, fault: str, remedy: str) -> None:
        super().__init__(f"{field} {fault}: {remedy}.")
        self.field = field
        self.fault = fault
        self.remedy = remedy


class StateError(HardboundError):
    """What was found (a store, a TPM, a file, a directory) does not allow the job.

    :param found: a clause that says what was found and where
    :param remedy: what to do about it, as an imperative clause
    """

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"{found}: {remedy}.")
        self.found = found
        self.remedy = remedy


def missing_package(name: str, cause: Exception, remedy: str) -> StateError:
    """Returns the error that a Python package is missing, and says so where it may be another Python that has it.

    A distribution's packages are for its own Python. Ansible takes the Python of a virtual environment on the computer
    that it runs on itself, unless it is told otherwise.

    :param remedy: how the package is installed, as an imperative clause
    """
    if sys.prefix != "/usr":
        remedy = (
            "if the system's Python has it, have Ansible use that (ansible_python_interpreter: /usr/bin/python3);"
            f" else {remedy}"
        )
    who = sys.executable or "this Python"
    return StateError(f"the Python package {name} can't be imported by {who} ({cause})", remedy)
