# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Browsers of two owners on one host: each finds its owner's card, asks for the PIN of that one, and logs in at nginx.

The PINs are two, so that who was asked for another's would spend a try of theirs.
"""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import sys
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support import devtools, marionette
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import PROXY, Host

OWNERS = {"daemon": "Card of Alice", "games": "Card of Bob"}
"""Users that every Debian has, and their cards."""
PINS = {"daemon": "123456", "games": "654321"}
KEYS = (KeySpecification(0x9A, KeyAlgorithm.ECC_P256),)
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


def as_owner(owner: str, host: Host) -> t.List[str]:
    home = host.machine.folder / owner
    return ["runuser", "-u", owner, "--", "env", f"HOME={home}", f"XDG_RUNTIME_DIR={home}"]


@pytest.mark.parametrize("owner", OWNERS)
def test_firefox(two_owners: Host, owner: str) -> None:
    host = two_owners
    needs("firefox-esr", "Xvfb", "runuser", "nginx")
    folder, home = host.machine.folder, host.machine.folder / owner
    host.machine.run("mkdir", "-p", "/etc/firefox/policies")
    host.machine.run("mount", "-t", "tmpfs", "tmpfs", "/etc/firefox/policies")
    host.machine.run("tee", "/etc/firefox/policies/policies.json", stdin=policy())
    (home / "user.js").write_text('user_pref("security.default_personal_cert", "Select Automatically");\n')
    asked = [
        ("chrome", LOG_IN % PINS[owner]),
        ("chrome", ASK),
        ("chrome", CERTIFICATES),
        ("chrome", CERTIFICATES),
        ("content", "https://localhost:44330/"),
    ]
    options = ["--marionette", "--remote-allow-system-access", "--no-remote", "--profile", str(home)]
    firefox = " ".join([*as_owner(owner, host), "firefox-esr", *options])
    remote = f"""
    {firefox} > {folder}/firefox.log 2>&1 & all="$all $!"
    {sys.executable} {marionette.__file__}
    """
    *_none, seen, page = [
        json.loads(line)
        for line in host.run("sh", "-c", on_display(host, remote), stdin=json.dumps(asked), timeout=300).splitlines()
    ]
    assert seen == [[OWNERS[owner]], [OWNERS[owner]]]
    assert f"logged on as OU=authentication,CN={OWNERS[owner]}" in page
    assert_no_try_was_spent(host)


def on_display(host: Host, script: str) -> str:
    """Has a script run on a display of its own, beside the web server, and ends all in the background when it ends."""
    folder = host.machine.folder
    return f"""
    Xvfb -displayfd 3 3> {folder}/display > {folder}/xvfb.log 2>&1 & all=$!
    until [ -s {folder}/display ]; do kill -0 $all || exit 1; sleep 0.05; done
    export DISPLAY=:$(cat {folder}/display)
    {host.web_server()} > {folder}/server.log 2>&1 & all="$all $!"
    {script}
    end=$?; kill $all; exit $end
    """


def policy() -> str:
    """Firefox's policy as the page on PKCS#11 tells it."""
    found = re.search(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("owner", OWNERS)
def test_chromium(two_owners: Host, owner: str) -> None:
    """Its own dialogs ask for the PIN of one card, and offer the certificates of one."""
    host = two_owners
    needs("chromium", "xdotool", "Xvfb", "modutil", "runuser", "nginx")
    host.machine.run("mount", "-t", "tmpfs", "tmpfs", "/etc/chromium.d")
    host.machine.run("tee", "/etc/chromium.d/hardbound", stdin=CHROMIUM.read_text())
    home = host.machine.folder / owner
    options = [f"--user-data-dir={home}/profile", "--ignore-certificate-errors"]
    chromium = " ".join([*as_owner(owner, host), "chromium", *options])
    asked = {"address": "https://localhost:44330/", "pin": PINS[owner]}
    script = on_display(host, f"{sys.executable} {devtools.__file__} {chromium} 2> {host.machine.folder}/chromium.log")
    seen = json.loads(host.run("sh", "-c", script, stdin=json.dumps(asked), timeout=300))
    assert seen["asked"] == 1
    assert f"logged on as OU=authentication,CN={OWNERS[owner]}" in seen["page"]
    assert seen["certificates"] == [OWNERS[owner]]
    assert_no_try_was_spent(host)


def tell_chromium(host: Host, owner: str) -> None:
    """Does as an owner what the page on PKCS#11 tells each to do where there is no start script."""
    found = re.search(r"^\| Chromium \| .*?`(.*?)`", PAGE.read_text(), re.MULTILINE)
    assert found is not None
    host.run(*as_owner(owner, host), "sh", "-c", found[1].replace("PROXY", PROXY))


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
