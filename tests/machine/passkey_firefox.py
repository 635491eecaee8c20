# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Firefox for alice: passkey_firefox.py ADDRESS, beside marionette.py and browser_user.py, which says the rest.

Its questions about security keys are of two kinds: the PIN is asked for in a dialog, what else there is to say stands
in a notification, with buttons.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile

import browser_user
import marionette

OPTIONS = ("--marionette", "--remote-allow-system-access", "--no-remote", "about:blank")
PROFILES = "/dev/shm"
"""Firefox waits for the disk whenever it notes something in its profile."""
QUIET = {
    "browser.newtabpage.enabled": False,
    "browser.startup.page": 0,
    "fission.autostart": False,
    "javascript.options.main_process_disable_jit": True,
    "layout.frame_rate": 4,
}
"""What lets Firefox begin sooner on an emulated processor, which pays dearly for code that is made as it runs."""
PROMPT = {"security.dialog_enable_delay": 0, "security.notification_enable_delay": 0}
"""Its buttons work from the moment that they are there: alice looks before she presses."""
CONSENT = "webauthn-prompt-register-direct-notification"
"""Whether the site may know what kind of security key it is."""
_SAID = "return document.getElementById('said').textContent"
_PRESS = "document.getElementById(arguments[0]).click()"
_TOLD = """
const shown = document.querySelector("#notification-popup popupnotification:not([hidden])");
return shown && PopupNotifications.isPanelOpen ? shown.id : "";
"""
_FIRST_BUTTON = 'document.querySelector("#notification-popup popupnotification:not([hidden])").button.click();'
_PAGE = "about:webauthn"
_CAN_CHANGE = """
const tab = document.getElementById("pin-tab-button");
return tab.checkVisibility() && tab.click() === undefined;
"""
_CHANGE = "document.getElementById('change-pin-button').click()"
_RESULT = "return document.getElementById('ctap-listen-result').textContent"


class Firefox(browser_user.Browser):
    def __init__(self, address: str) -> None:
        super().__init__()
        profile = tempfile.mkdtemp(dir=PROFILES)
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in {**QUIET, **PROMPT}.items())
        pathlib.Path(profile, "user.js").write_text("\n".join(lines))
        self._process = subprocess.Popen(["firefox-esr", "--profile", profile, *OPTIONS], stdout=sys.stderr)
        self._remote = marionette.Firefox(browser_user.PATIENCE)
        self._address = address
        self._visit(address)

    def _visit(self, address: str) -> None:
        self._remote.ask("Marionette:SetContext", value="content")
        self._remote.ask("WebDriver:Navigate", url=address)

    def press(self, button: str) -> None:
        self._remote.look("content", _PRESS, button)

    def said(self) -> str:
        self._consent()
        return self._remote.look("content", _SAID) or ""

    def _consent(self) -> None:
        if self._told() == CONSENT:
            self.take_picture()
            self._remote.look("chrome", _FIRST_BUTTON)

    def _told(self) -> str:
        return self._remote.look("chrome", _TOLD) or ""

    def asks(self) -> bool:
        return self._remote.dialog() is not None

    def give(self, pin: str) -> None:
        # Marionette types into no dialog that asks for a password, and without a window manager nobody has the focus.
        browser_user.xdotool("search", "--onlyvisible", "--class", "firefox", "windowfocus", "--sync", "type", pin)
        browser_user.xdotool("key", "Return")
        browser_user.await_(lambda: not self.asks())

    def refuses(self) -> bool:
        return self._told().endswith("Blocked-notification")

    def give_up(self) -> None:
        if self.asks():
            self._remote.ask("WebDriver:DismissAlert")
        else:
            self._remote.look("chrome", _FIRST_BUTTON)

    def change_pin(self, old: str, new: str) -> str:
        self._visit(_PAGE)
        browser_user.await_(lambda: self._remote.look("content", _CAN_CHANGE))
        for field, text in (("new-pin", new), ("new-pin-repeat", new), ("current-pin", old)):
            self._remote.type(field, text)
        self._remote.look("content", _CHANGE)
        browser_user.await_(lambda: self._remote.look("content", _RESULT))
        return self._remote.look("content", _RESULT)

    def back(self) -> None:
        self._visit(self._address)

    def close(self) -> None:
        self._remote.ask("Marionette:Quit")
        self._process.wait()


if __name__ == "__main__":
    browser_user.serve(Firefox(sys.argv[1]))
