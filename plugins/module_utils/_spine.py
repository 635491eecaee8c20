# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The spine of every module that changes state: desired, current, plan, apply.

``desired`` is a frozen dataclass parsed from the task, ``current`` is what was read, which changed nothing.
A pure function ``plan(desired, current)`` returns a :class:`Plan`; ``apply`` does it.
Check mode stops after the plan, diff mode prints its two views, a second run plans nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, Mapping, NoReturn, Tuple, TypeVar

Step = TypeVar("Step")
View = Mapping[str, object]


@dataclass(frozen=True)
class Plan(Generic[Step]):
    """What has to be done, in order, and how it looks before and after.

    ``before`` and ``after`` are what a person reads in a diff: plain data without secrets.
    """

    steps: Tuple[Step, ...] = ()
    before: View = field(default_factory=dict)
    after: View = field(default_factory=dict)
    title: str = ""
    warnings: Tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.steps)


def unknown(step: NoReturn) -> NoReturn:
    """Stands where all kinds of step were asked for; type checkers prove that none is left.

    :raises TypeError: for a step that nobody knows how to take
    """
    raise TypeError(f"no way is known to take the step {step!r}")
