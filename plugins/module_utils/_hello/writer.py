# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every writer is: a pure renderer and reader of one kind of document, and a place that keeps one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Optional, Protocol, Sequence

from .setting import Model, Setting, SettingState

DEFAULT_TITLE = "Windows Hello for Business"
"""What a document that has a title is called where nobody says."""


@dataclass(frozen=True)
class Objection:
    """Why a target can't express a state, as a clause that follows the setting's name, and what to do.

    ``refuse`` stops the task; otherwise the setting is left out, reported and warned of.
    """

    reason: str
    remedy: str = "leave it out, or choose another target"
    refuse: bool = True


class Writer(Protocol):
    """Turns states into one kind of document, and back. Pure: no file, no network.

    A document is bytes, empty where there is none yet.
    """

    def objection(self, setting: Setting, state: SettingState) -> Optional[Objection]:
        """Returns why this target can't hold the state, None if it can."""

    def read(self, document: bytes) -> Model:
        """Returns the states that the document tells.

        :raises StateError: for a document that is damaged, with the offset where one is known
        """

    def render(self, changes: Model, document: bytes) -> bytes:
        """Returns the document with the changed settings put in, and everything else as it was.

        ``not_configured`` takes a setting out. Nothing left to say may return no bytes: no document.
        """

    def keeps_removal(self, setting: Setting) -> bool:
        """Whether the document records a removal, so that ``read`` returns ``not_configured`` for it."""


class DocumentPlace(Protocol):
    """Keeps a document: a file, or a GPO in a domain. Thin I/O."""

    @property
    def title(self) -> str:
        """The header of a diff, e.g. ``GPO "Hello for Business" (version 12)``."""

    @property
    def chores(self) -> Sequence[str]:
        """What ``store`` has to do besides the document, each in a few words. Known after ``load``."""

    @property
    def warnings(self) -> Sequence[str]:
        """What a person should know about the place. Known after ``load``."""

    def load(self) -> bytes:
        """Returns the document, no bytes if there is none. Changes nothing."""

    def store(self, document: bytes) -> Mapping[str, object]:
        """Keeps the document, all of it or nothing, and returns what the module reports."""

    def report(self) -> Mapping[str, object]:
        """Returns what the module reports where nothing is stored."""
