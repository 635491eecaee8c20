# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of what programs showed: in the folder that HARDBOUND_SCREENSHOTS names, and else in the test's own."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.support.screenshot import FEW, Screenshot
from ansible_collections.hardbound.identity.tests.support.waiting import until


class Album:
    """The pictures of one test."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._taken: t.Dict[str, Screenshot] = {}

    def take(self, screen: pathlib.Path, name: str, unlike: str = "") -> None:
        """Keeps what is on a screen, once there is something.

        :param screen: folder of the frame buffer
        :param unlike: an earlier picture, from which the screen has to differ: what was drawn since
        """
        buffer = screen / "Xvfb_screen0"
        earlier = self._taken.get(unlike)

        def drawn() -> bool:
            self._taken[name] = Screenshot(buffer.read_bytes())
            (self._folder / f"{name}.png").write_bytes(self._taken[name].png())
            return self._taken[name].colours() > FEW and (not earlier or self._taken[name].unlike(earlier))

        until(drawn, f"nothing new is on the screen of {name}")


@pytest.fixture
def album(tmp_path: pathlib.Path) -> Album:
    named = os.environ.get("HARDBOUND_SCREENSHOTS")
    folder = pathlib.Path(named) if named else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return Album(folder)
