# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the CA refuses to do for a host, with a code that stays the same from release to release."""

from __future__ import annotations

import enum
import typing as t

from ...module_utils._errors import HardboundError


class Code(str, enum.Enum):
    """Why the CA refused."""

    EK_SERVES_OTHER_HOST = "EK_SERVES_OTHER_HOST"
    EK_CHANGED = "EK_CHANGED"
    AK_CHANGED = "AK_CHANGED"
    AK_SERVES_OTHER_CARD = "AK_SERVES_OTHER_CARD"
    CHALLENGE_UNKNOWN = "CHALLENGE_UNKNOWN"
    CHALLENGE_SPENT = "CHALLENGE_SPENT"
    CHALLENGE_EXPIRED = "CHALLENGE_EXPIRED"
    CHALLENGE_OTHER_REQUESTER = "CHALLENGE_OTHER_REQUESTER"
    KEY_REVOKED = "KEY_REVOKED"
    KEY_SERVES_OTHER_CARD = "KEY_SERVES_OTHER_CARD"
    KEY_UNSUITABLE = "KEY_UNSUITABLE"
    ASSURANCE_TOO_LOW = "ASSURANCE_TOO_LOW"
    DOMAIN_NOT_PERMITTED = "DOMAIN_NOT_PERMITTED"
    OUTSIDE_CERTIFICATE_WRONG = "OUTSIDE_CERTIFICATE_WRONG"


class Refusal(HardboundError):
    """A host gets nothing, for a reason that has a name.

    :param code: stable, for playbooks
    :param sentence: what was found, and the remedy, without a full stop
    """

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__(f"{sentence}.")
        self.code = code

    @property
    def facts(self) -> t.Dict[str, str]:
        """What a module returns beside the message."""
        return {"code": self.code.value}
