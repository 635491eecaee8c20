# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""alice at a browser in a virtual machine, on the display that DISPLAY names, whichever browser that is.

Each line of standard input is what she does, and for each a line is printed, both JSON::

    {"press": identifier, "pins": [...]}   presses a button of the site's page, and gives a PIN each time she is asked
    {"change": [old, new]}                 changes the PIN where the browser has that
    -> {"pictures": [...], "said": ...}    the display, PNG in base64, each time she was asked or told something, and
                                           the last word

If the browser asks once more than she has PINs, or says that the card takes none, she gives up.
"""

from __future__ import annotations

import abc
import base64
import json
import pathlib
import subprocess
import sys
import time
import typing as t

PATIENCE = 1500.0  # seconds, on an emulated processor
_INTERVAL = 1.0  # seconds


class Browser(abc.ABC):
    """A browser at a site."""

    def __init__(self) -> None:
        self.pictures: t.List[str] = []

    @abc.abstractmethod
    def press(self, button: str) -> None:
        """Presses a button of the site's page."""

    @abc.abstractmethod
    def said(self) -> str:
        """What the page says, or nothing while the browser is at work, or asks."""

    @abc.abstractmethod
    def asks(self) -> bool:
        """Whether it asks for the PIN."""

    @abc.abstractmethod
    def give(self, pin: str) -> None:
        """Answers, and returns when the question is gone."""

    @abc.abstractmethod
    def refuses(self) -> bool:
        """Whether it says that the card takes no PIN."""

    @abc.abstractmethod
    def give_up(self) -> None:
        """Answers no question any more."""

    @abc.abstractmethod
    def change_pin(self, old: str, new: str) -> str:
        """Goes to the browser's own page for that, and returns what it says."""

    @abc.abstractmethod
    def back(self) -> None:
        """Goes back to the site."""

    @abc.abstractmethod
    def close(self) -> None: ...

    def take_picture(self) -> None:
        path = pathlib.Path("display.png")
        subprocess.run(["scrot", "--overwrite", path], check=True)
        self.pictures.append(base64.b64encode(path.read_bytes()).decode())


def serve(browser: Browser) -> None:
    """Does what standard input says."""
    for line in sys.stdin:
        step = json.loads(line)
        try:
            said = _change(browser, *step["change"]) if "change" in step else _press(browser, **step)
        except TimeoutError:
            browser.take_picture()
            said = "nothing came about"
        print(json.dumps({"pictures": browser.pictures, "said": said}), flush=True)
        browser.pictures.clear()
    browser.close()


def _press(browser: Browser, press: str, pins: t.Sequence[str]) -> str:
    browser.press(press)
    for pin in pins:
        await_(lambda: browser.asks() or browser.said())
        browser.take_picture()
        if browser.said():
            return browser.said()
        browser.give(pin)
    await_(lambda: browser.said() or browser.asks() or browser.refuses())
    browser.take_picture()
    if not browser.said():
        browser.give_up()
        await_(browser.said)
    return browser.said()


def _change(browser: Browser, old: str, new: str) -> str:
    said = browser.change_pin(old, new)
    browser.take_picture()
    browser.back()
    return said


def await_(condition: t.Callable[[], object], interval: float = _INTERVAL) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(interval)


def xdotool(*arguments: str) -> None:
    subprocess.run(["xdotool", *arguments], check=True)
