# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""alice at Chromium in a virtual machine, on the display that DISPLAY names: she presses the buttons of a site's page.

passkey_browser.py ADDRESS PIN SCREEN BUTTON...

Beside devtools.py. After each button, by its identifier, she types the PIN once Chromium asks for it. Prints a JSON
list of what the page then says, and leaves pictures of the display: BUTTON-asked.png and BUTTON-said.png. SCREEN is
the file in which Xvfb keeps the display.
"""

from __future__ import annotations

import json
import pathlib
import re
import struct
import subprocess
import sys
import time
import typing as t

import devtools

QUIET = (
    *("--disable-software-rasterizer", "--force-prefers-reduced-motion", "--disable-extensions"),
    *("--disable-background-networking", "--disable-component-update"),
)
"""Leaves the processor to what answers: a device that says nothing for 3 seconds is gone for Chromium."""
PATIENCE = 1500.0  # seconds, on an emulated processor
_INTERVAL = 0.5  # seconds
_SAID = "document.getElementById('said').textContent"
_HIGH = 12  # lines
_BUTTON = re.compile(rb"(?:\xd0\x57\x0b.){60}", re.DOTALL)
"""A piece of a line of the button that hands the PIN over: 60 pixels, each blue, green, red, and what means nothing.

Nothing else that Chromium shows has so much of that colour on so many lines.
"""


def asked(screen: pathlib.Path) -> bool:
    """Whether the display shows the button that hands the PIN over: Chromium paints its dialogs into its own window.

    The file is what xwd(1) writes: a header of 32-bit words, a table of colours, and the lines, 4 octets a pixel.
    """
    data = screen.read_bytes()
    header = struct.unpack(">20I", data[:80])
    size, line, colours = header[0], header[12], header[19]
    begin = size + 12 * colours
    rows = (data[start : start + line] for start in range(begin, len(data), line))
    return sum(_BUTTON.search(row) is not None for row in rows) >= _HIGH


def main(address: str, pin: str, screen: pathlib.Path, buttons: t.Sequence[str]) -> t.List[str]:
    chromium = devtools.Chromium(["chromium", "--user-data-dir=profile", *QUIET, "about:blank"], PATIENCE)
    chromium.ask("Page.navigate", url=address)
    await_(lambda: chromium.run(_SAID) is not None)
    seen = []
    for button in buttons:
        chromium.ask("Runtime.evaluate", expression=f"document.getElementById('{button}').click()", userGesture=True)
        await_(lambda: asked(screen) or chromium.run(_SAID))
        picture(f"{button}-asked.png")
        devtools.xdotool("type", f"{pin}\n")
        await_(lambda: chromium.run(_SAID))
        picture(f"{button}-said.png")
        seen.append(chromium.run(_SAID))
    chromium.close()
    return seen


def await_(condition: t.Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            picture("late.png")
            raise SystemExit("it did not come about: late.png")
        time.sleep(_INTERVAL)


def picture(name: str) -> None:
    subprocess.run(["scrot", "--overwrite", name], check=True)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), sys.argv[4:])))
