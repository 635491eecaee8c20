# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium for alice: passkey_chromium.py ADDRESS SCREEN, beside devtools.py and browser_user.py, which says the rest.

SCREEN is the file in which Xvfb keeps the display.
"""

from __future__ import annotations

import pathlib
import re
import struct
import sys

import browser_user
import devtools

QUIET = (
    *("--disable-software-rasterizer", "--force-prefers-reduced-motion", "--disable-extensions"),
    *("--disable-background-networking", "--disable-component-update"),
)
"""Leaves the processor to what answers: a device that says nothing for 3 seconds is gone for Chromium."""
_SAID = "document.getElementById('said').textContent"
_HIGH = 12  # lines
_QUESTION, _REFUSAL = (re.compile(rb"(?:%s.){60}" % each, re.DOTALL) for each in (b"\xd0\x57\x0b", b"\xbb\x50\x0d"))
"""Pieces of a line of a button: 60 pixels, each blue, green, red, and what means nothing.

The first is of the button that hands the PIN over, the second of one that has the focus, as it has where Chromium asks
for no PIN. Nothing else that Chromium shows has so much of these colours on so many lines.
"""
_CARET = 2000  # bits by which two looks at the display may differ where nothing has happened
_SETTINGS = "chrome://settings/securityKeys"
_FIND = """
(name => {
    const find = node => {
        for (const each of [...(node.shadowRoot?.children ?? []), ...node.children]) {
            if (each.id === name && each.checkVisibility()) return each;
            const found = find(each);
            if (found) return found;
        }
    };
    return find(document);
})
"""
"""An element of a page of Chromium's own, which keeps most of them out of the document."""
_OUTCOME = f"""
["success", "locked", "reinsert", "error"].map({_FIND}).map(each => each?.innerText.trim()).find(each => each)
    || {_FIND}("currentPIN")?.errorMessage
"""
"""What the dialog that changes a PIN says in the end: one of its pages, or beside the old PIN."""


def _element(name: str) -> str:
    return f"{_FIND}('{name}')"


def _changed(before: bytes, now: bytes) -> bool:
    differences = int.from_bytes(before, "big") ^ int.from_bytes(now, "big")
    return bin(differences).count("1") > _CARET


class Chromium(browser_user.Browser):
    def __init__(self, address: str, screen: pathlib.Path) -> None:
        super().__init__()
        command = ["chromium", "--user-data-dir=profile", *QUIET, "about:blank"]
        self._remote = devtools.Chromium(command, browser_user.PATIENCE)
        self._address, self._screen = address, screen
        self._visit(address, "said")

    def _visit(self, address: str, element: str) -> None:
        self._remote.ask("Page.navigate", url=address)
        browser_user.await_(lambda: self._remote.run(f"!!{_element(element)}"))

    def press(self, button: str) -> None:
        self._click(f"document.getElementById('{button}')")

    def _click(self, element: str) -> None:
        self._remote.ask("Runtime.evaluate", expression=f"{element}.click()", userGesture=True)

    def said(self) -> str:
        return self._remote.run(_SAID) or ""

    def asks(self) -> bool:
        """Whether the display shows the button that hands the PIN over: Chromium paints dialogs into its own window."""
        return self._shows(_QUESTION)

    def refuses(self) -> bool:
        return self._shows(_REFUSAL)

    def _shows(self, piece: re.Pattern[bytes]) -> bool:
        """The file is what xwd(1) writes: a header of 32-bit words, a table of colours, and lines, 4 octets a pixel."""
        data = self._screen.read_bytes()
        header = struct.unpack(">20I", data[:80])
        size, line, colours = header[0], header[12], header[19]
        begin = size + 12 * colours
        rows = (data[start : start + line] for start in range(begin, len(data), line))
        return sum(piece.search(row) is not None for row in rows) >= _HIGH

    def give(self, pin: str) -> None:
        browser_user.xdotool("type", pin)
        typed = self._settled()
        browser_user.xdotool("key", "Return")
        browser_user.await_(lambda: _changed(typed, self._screen.read_bytes()), 0.1)

    def _settled(self) -> bytes:
        """Returns what is on the display once nothing moves but a caret."""
        seen = [self._screen.read_bytes()]

        def rests() -> bool:
            seen.append(self._screen.read_bytes())
            return not _changed(*seen[-2:])

        browser_user.await_(rests)
        return seen[-1]

    def give_up(self) -> None:
        browser_user.xdotool("key", "Escape")

    def change_pin(self, old: str, new: str) -> str:
        self._visit(_SETTINGS, "setPINButton")
        self._click(_element("setPINButton"))
        browser_user.await_(lambda: self._remote.run(f"!!{_element('currentPIN')}"))
        for field, pin in (("currentPIN", old), ("newPIN", new), ("confirmPIN", new)):
            self._remote.run(f"{_element(field)}.focus()")
            browser_user.xdotool("type", pin)
        self._click(_element("pinSubmit"))
        browser_user.await_(lambda: self._remote.run(_OUTCOME))
        return self._remote.run(_OUTCOME)

    def back(self) -> None:
        self._visit(self._address, "said")

    def close(self) -> None:
        self._remote.close()


if __name__ == "__main__":
    browser_user.serve(Chromium(sys.argv[1], pathlib.Path(sys.argv[2])))
