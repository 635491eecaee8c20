# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card that gets nothing, or a host, and why: one line with a code that stays the same from release to release."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ...module_utils._errors import HardboundError, InputError
from .._attestation.finding import Finding
from .._ledger.refusal import Explained, Refusal


class Trouble(Explained):
    """Codes beside those of the verifier and of the CA."""

    INVENTORY_INVALID = (
        "the inventory lacks something, such as a UPN or SID that the profile needs, or holds what can't be",
        "set what the message names",
    )
    CONTROLLER_NOT_READY = (
        "CA, ledger, anchors, passphrase or clock of the controller don't allow it",
        "do what the message says, then run again",
    )
    HOST_FAILED = (
        "the host could not make its cards or its evidence; its own words follow",
        "do what the message says, or prepare the host with the role tpm_host",
    )
    LATER_TASK_FAILED = (
        "a task after the enrolment failed; what was issued stands",
        "do what the message says, then run again",
    )
    HOST_UNREACHABLE = ("the host did not answer", "switch it on, and run again")


@dataclass(frozen=True)
class Refused:
    """One refusal.

    :param card: its name; empty if it is about the host
    """

    code: str
    sentence: str
    card: str = ""

    @classmethod
    def of_error(cls, error: HardboundError, card: str = "") -> Refused:
        if isinstance(error, Refusal):
            return cls(error.code.name, str(error), card)
        trouble = Trouble.INVENTORY_INVALID if isinstance(error, InputError) else Trouble.CONTROLLER_NOT_READY
        return cls(trouble.name, str(error), card)

    @classmethod
    def of_finding(cls, finding: Finding) -> Refused:
        return cls(finding.code.name, f"{finding.sentence[:-1]}: {finding.code.remedy}.", finding.card)

    @classmethod
    def of_host(cls, message: str) -> Refused:
        """The refusal of a host whose visit failed, in its own words."""
        return cls(Trouble.HOST_FAILED.name, message)

    @classmethod
    def of_silence(cls, message: str) -> Refused:
        """The refusal of a host that no longer answers."""
        return cls(Trouble.HOST_UNREACHABLE.name, message)

    @property
    def line(self) -> str:
        return f"{self.code}: {self.sentence}"

    def document(self) -> t.Dict[str, str]:
        return {"code": self.code, "sentence": self.sentence, "card": self.card}
