# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser on a display of a virtual machine, with alice at it, who says what she sees."""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess
import typing as t

from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine

_TESTS = pathlib.Path(__file__).parents[1]
_PROGRAMS = (
    *(_TESTS / "machine" / name for name in ("browser_user.py", "passkey_chromium.py", "passkey_firefox.py")),
    *(_TESTS / "support" / name for name in ("devtools.py", "marionette.py")),
)
_ON_DISPLAY = """
frames=$(mktemp -d /dev/shm/XXXX)
Xvfb -displayfd 3 -screen 0 1024x768x24 -fbdir "$frames" 3>display >xvfb.log 2>&1 & screen=$!
trap 'kill $screen' EXIT
until [ -s display ]; do kill -0 $screen; sleep 0.5; done
export DISPLAY=:$(cat display)
python3 "$@" "$frames/Xvfb_screen0" 2>browser.log || tail browser.log
"""
LAY = "import json, pathlib, sys; [pathlib.Path(name).write_text(text) for name, text in json.load(sys.stdin).items()]"
"""Files all at once: each login takes long on an emulated processor."""


class Seen(t.NamedTuple):
    """What came of a step."""

    shown: t.List[str]
    """What could be read on the display each time that the browser asked or told something."""
    said: str
    """The last word of the site's page, or of the browser's page for the PIN."""


class Display:
    """Use it as a context manager.

    :param address: of a site, where the browser begins
    :param folder: that keeps pictures of the display
    """

    def __init__(self, machine: Machine, browser: str, address: str, folder: pathlib.Path) -> None:
        needs("tesseract")
        self._machine, self._browser, self._address, self._folder = machine, browser, address, folder

    def __enter__(self) -> Display:
        files = {"on_display.sh": _ON_DISPLAY, **{each.name: each.read_text() for each in _PROGRAMS}}
        self._machine.run(f"python3 -c '{LAY}'", user="alice", given=json.dumps(files))
        program = f"passkey_{self._browser}.py {self._address}"
        self._begun = self._machine.begin(f"rm -f display; bash -e on_display.sh {program}", user="alice")
        return self

    def __exit__(self, *_details: object) -> None:
        self._begun.communicate()

    def press(self, button: str, *pins: str) -> Seen:
        """Presses a button of the site's page, gives a PIN each time that the browser asks for one, then gives up."""
        return self._do(press=button, pins=pins)

    def change_pin(self, old: str, new: str) -> Seen:
        """Changes the PIN as the browser lets its user do that."""
        return self._do(change=[old, new])

    def _do(self, **step: t.Any) -> Seen:
        assert self._begun.stdin is not None and self._begun.stdout is not None
        self._begun.stdin.write(json.dumps(step) + "\n")
        self._begun.stdin.flush()
        line = self._begun.stdout.readline()
        assert line.startswith("{"), line + self._begun.stdout.read()
        done = json.loads(line)
        return Seen([self._read(base64.b64decode(each)) for each in done["pictures"]], done["said"])

    def _read(self, picture: bytes) -> str:
        number = len(list(self._folder.glob(f"{self._browser}-*.png"))) + 1
        path = self._folder / f"{self._browser}-{number:02}.png"
        path.write_bytes(picture)
        done = subprocess.run(["tesseract", str(path), "-"], capture_output=True, text=True, check=True)
        return " ".join(done.stdout.split())
