# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Browsers of two owners on one host: each finds its owner's card, asks for the PIN of that one, and logs in at nginx.

The PINs are two, so that who was asked for another's would spend a try of theirs.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support import devtools, marionette
from ansible_collections.hardbound.identity.tests.support.album import Album, album
from ansible_collections.hardbound.identity.tests.support.appointment import Appointments
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.signin_page import typed

__all__ = ["album"]

OWNERS = {"daemon": "Card of Alice", "games": "Card of Bob"}
"""Users that every Debian has, and their cards."""
PINS = {"daemon": "123456", "games": "654321"}
KEYS = (KeySpecification(0x9A, KeyAlgorithm.ECC_P256),)
ADDRESS = "https://localhost:44330/"
CHROMIUM = pathlib.Path(__file__).parents[3] / "roles/tpm_host/files/chromium.sh"
"""What the role has Chromium's start script run."""
PAGE = pathlib.Path(__file__).parents[3] / "docs" / "pkcs11.md"
LOG_IN = """
Services.obs.addObserver(({Dialog: {ui}}) => {
    ui.password1Textbox.value = "%s";
    ui.button0.click();
}, "common-dialog-loaded");
"""
"""Types the PIN whenever Firefox asks its user for it."""
LOG_IN_LATER = """
const timers = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
Services.obs.addObserver(({Dialog: {ui}}) => (async () => {
    await IOUtils.writeUTF8("%(place)s", ui.infoBody.textContent + "\\n", {mode: "appendOrCreate"});
    while (!await IOUtils.exists("%(place)s.seen"))
        await new Promise(done => timers.setTimeout(done, 50));
    ui.password1Textbox.value = "%(pin)s";
    ui.button0.click();
})(), "common-dialog-loaded");
"""
"""Writes down what Firefox says when it asks, and keeps an appointment before the PIN is typed.

The timers of windows stand still meanwhile.
"""
CARDS = """
const modules = await Cc["@mozilla.org/security/pkcs11moduledb;1"].getService(Ci.nsIPKCS11ModuleDB).listModules();
const cards = modules.flatMap(each => each.slots).filter(each => each.tokenName.startsWith("Card of"));
"""
ASK = f"(async () => {{ {CARDS} cards.forEach(each => each.getToken().login()); }})();"
"""Has Firefox ask for the PIN of each card, and does not wait."""
# A dialog that opens ends a script, which then returns nothing: so this one is run twice.
CERTIFICATES = f"""
return (async () => {{
    {CARDS}
    while (!cards.every(each => each.getToken().isLoggedIn))
        await new Promise(done => setTimeout(done, 50));
    const found = await Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).getCerts();
    const ours = found.map(each => each.commonName).filter(each => each.startsWith("Card of"));
    return [cards.map(each => each.tokenName), ours];
}})();
"""


@pytest.fixture
def two_owners(host: Host) -> Host:
    host.machine.folder.chmod(0o711)
    for owner, name in OWNERS.items():
        host.make(name, owner=owner, keys=KEYS, pin=PINS[owner])
        home = host.machine.folder / owner
        home.mkdir()
        shutil.chown(home, owner)
    host.register()
    host.start()
    return host


def assert_no_try_was_spent(host: Host) -> None:
    assert [host.machine.tries(record)[0] for record in host.machine.store.records()] == [3, 3]


@contextlib.contextmanager
def background(host: Host, command: str) -> t.Iterator[None]:
    """Has a server run beside."""
    with (host.machine.folder / "server.log").open("ab") as log:
        process = subprocess.Popen(host.machine._inside(*command.split()), stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def as_owner(owner: str, host: Host) -> t.List[str]:
    home = host.machine.folder / owner
    return ["runuser", "-u", owner, "--", "env", f"HOME={home}", f"XDG_RUNTIME_DIR={home}"]


def firefox(host: Host, owner: str) -> str:
    """Tells Firefox of p11-kit, and returns the script that has it carry out what standard input holds."""
    needs("firefox-esr", "Xvfb", "runuser", "nginx")
    folder, home = host.machine.folder, host.machine.folder / owner
    host.machine.run("mkdir", "-p", "/etc/firefox/policies")
    host.machine.run("mount", "-t", "tmpfs", "tmpfs", "/etc/firefox/policies")
    host.machine.run("tee", "/etc/firefox/policies/policies.json", stdin=policy())
    (home / "user.js").write_text('user_pref("security.default_personal_cert", "Select Automatically");\n')
    options = ["--marionette", "--remote-allow-system-access", "--no-remote", "--profile", str(home)]
    command = " ".join([*as_owner(owner, host), "firefox-esr", *options])
    return f"""
    {command} > {folder}/firefox.log 2>&1 & all="$all $!"
    {sys.executable} {marionette.__file__}
    """


def read_certificates(log_in: str) -> t.List[t.Tuple[str, str]]:
    """Returns what has Firefox log in to each card, and tell of cards and certificates, twice."""
    return [("chrome", log_in), ("chrome", ASK), ("chrome", CERTIFICATES), ("chrome", CERTIFICATES)]


def asked_firefox(host: Host, script: str, asked: t.Sequence[t.Tuple[str, str]]) -> t.List[t.Any]:
    """Returns what Firefox answers to each."""
    said = host.run("sh", "-c", script, stdin=json.dumps(asked), timeout=300)
    return [json.loads(line) for line in said.splitlines()]


@pytest.mark.parametrize("owner", OWNERS)
def test_firefox(two_owners: Host, owner: str) -> None:
    host = two_owners
    script = on_display(host, firefox(host, owner))
    asked = [*read_certificates(LOG_IN % PINS[owner]), ("content", ADDRESS)]
    *_none, seen, page = asked_firefox(host, script, asked)
    assert seen == [[OWNERS[owner]], [OWNERS[owner]]]
    assert f"logged on as OU=authentication,CN={OWNERS[owner]}" in page
    assert_no_try_was_spent(host)


def on_display(host: Host, script: str) -> str:
    """Has a script run on a display of its own, beside the web server, and ends all in the background when it ends."""
    return on_screen(host, "screen", f"{host.web_server()} > {host.machine.folder}/server.log 2>&1 & all=$!\n{script}")


def on_screen(host: Host, name: str, script: str) -> str:
    """Has a script run on a display of its own, which keeps what it shows in a folder of that name."""
    folder = host.machine.folder / name
    folder.mkdir()
    return f"""
    Xvfb -displayfd 3 -fbdir {folder} 3> {folder}/display > {folder}/log 2>&1 & screen=$!
    until [ -s {folder}/display ]; do kill -0 $screen || exit 1; sleep 0.05; done
    export DISPLAY=:$(cat {folder}/display)
    all=
    {script}
    end=$?; kill $all $screen; exit $end
    """


def policy() -> str:
    """Firefox's policy as the page on PKCS#11 tells it."""
    found = re.search(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def chromium(host: Host, owner: str) -> str:
    """Tells Chromium of p11-kit, and returns the script that has it do what standard input holds."""
    needs("chromium", "xdotool", "Xvfb", "modutil", "runuser", "nginx")
    host.machine.run("mount", "-t", "tmpfs", "tmpfs", "/etc/chromium.d")
    host.machine.run("tee", "/etc/chromium.d/hardbound", stdin=CHROMIUM.read_text())
    options = [f"--user-data-dir={host.machine.folder / owner}/profile", "--ignore-certificate-errors"]
    command = " ".join([*as_owner(owner, host), "chromium", *options])
    return f"{sys.executable} {devtools.__file__} {command} 2> {host.machine.folder}/chromium.log"


def asked_chromium(host: Host, script: str, owner: str, **more: str) -> t.Any:
    """Returns what Chromium's user saw at the web server."""
    asked = {"address": ADDRESS, "pin": PINS[owner], **more}
    return json.loads(host.run("sh", "-c", script, stdin=json.dumps(asked), timeout=300))


def assert_own_card_logged_on(seen: t.Any, owner: str) -> None:
    """Chromium asked once, and knows of one certificate."""
    assert seen["asked"] == 1
    assert f"logged on as OU=authentication,CN={OWNERS[owner]}" in seen["page"]
    assert seen["certificates"] == [OWNERS[owner]]


@pytest.mark.parametrize("owner", OWNERS)
def test_chromium(two_owners: Host, owner: str) -> None:
    """Its own dialogs ask for the PIN of one card, and offer the certificates of one."""
    script = on_display(two_owners, chromium(two_owners, owner))
    assert_own_card_logged_on(asked_chromium(two_owners, script, owner), owner)
    assert_no_try_was_spent(two_owners)


def test_both_browsers_at_once(two_owners: Host, album: Album) -> None:
    """Firefox of one owner and Chromium of the other ask at the same moment, each for the PIN of its user's card."""
    host, folder = two_owners, two_owners.machine.folder
    homes = {owner: folder / owner for owner in OWNERS}
    left, right = OWNERS
    place = homes[left] / "asked"
    log_in = LOG_IN_LATER % {"place": place, "pin": PINS[left]}
    meet = [("meet", str(homes[left] / moment)) for moment in ("open", "in")]
    steps = [meet[0], *read_certificates(log_in), ("content", ADDRESS), meet[1]]
    screens = {"firefox": folder / "firefox", "chromium": folder / "chromium"}
    of_firefox = on_screen(host, "firefox", firefox(host, left))
    of_chromium = on_screen(host, "chromium", chromium(host, right))

    def look(moment: str, before: str = "") -> None:
        for name, screen in screens.items():
            album.take(screen, f"{name}-{moment}", before and f"{name}-{before}")

    with background(host, host.web_server()), ThreadPoolExecutor(2) as both:
        first = both.submit(asked_firefox, host, of_firefox, steps)
        second = both.submit(asked_chromium, host, of_chromium, right, meet=str(homes[right]))
        meeting = Appointments(*homes.values())
        meeting.meet("open", lambda: look("open"))
        meeting.meet("asked", lambda: look("asked", "open"))
        meeting.meet("in", lambda: look("in", "asked"))
        *_none, seen, page, _met = first.result()
        assert_own_card_logged_on(second.result(), right)
    said = place.read_text().splitlines()
    assert len(said) == 1 and OWNERS[left] in said[0], said
    assert seen == [[OWNERS[left]], [OWNERS[left]]]
    assert f"logged on as OU=authentication,CN={OWNERS[left]}" in page
    assert_no_try_was_spent(host)


def tell_chromium(host: Host, owner: str) -> None:
    """Does as an owner what the page on programs tells each to do where there is no start script."""
    host.run(*as_owner(owner, host), "sh", "-c", f"set -e\n{typed('Chromium')}")


def test_the_database_that_chromium_reads(two_owners: Host) -> None:
    needs("modutil", "certutil", "runuser")
    for owner, name in OWNERS.items():
        database = f"sql:{two_owners.machine.folder}/{owner}/.pki/nssdb"
        alone, pin = as_owner(owner, two_owners), two_owners.machine.folder / owner / "pin"
        tell_chromium(two_owners, owner)
        pin.write_text(f"{name}:{PINS[owner]}\n")
        pin.chmod(0o644)
        listed = two_owners.run(*alone, "certutil", "-L", "-d", database, "-h", "all", "-f", str(pin))
        assert re.findall(r"^(Card of \w+):", listed, re.MULTILINE) == [name]
