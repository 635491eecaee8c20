# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card as the kernel's HID device: Debian's programs of FIDO2 use it, and its owner alone."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.machine.passkey_host import OUTFIT, Desk, with_card
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab, Outfit

pytestmark = pytest.mark.extended

READER = "Card of alice 00 00"
OTHER_PIN, WRONG_PIN = "08154711", "99999999"
SIGN_IN = {"ansible.builtin.include_role": {"name": "hardbound.identity.smartcard_login", "tasks_from": "passkeys"}}
PAGE = pathlib.Path(__file__).parents[2] / "docs/passkeys.md"
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}

CREDENTIAL = f"""
hash() {{ head -c 32 /dev/urandom | base64; }}
printf '%s\\n' "$(hash)" corp.example alice "$(echo alice | base64)" >wanted
python3 typist.py {OTHER_PIN} fido2-cred -M -r -i wanted -o made "$DEVICE"
fido2-cred -V -i made -o credential
printf '%s\\n' "$(hash)" corp.example "$(head -n 1 credential)" >asked
tail -n +2 credential >public
python3 typist.py {OTHER_PIN} fido2-assert -G -v -i asked -o given "$DEVICE"
fido2-assert -V -v -i given public
echo verified
"""
SSH = f"""
rm -f key key.pub
python3 typist.py {OTHER_PIN},, ssh-keygen -q -t ecdsa-sk -O resident -O verify-required -N '' -f key
echo "verify-required $(cat key.pub)" >>.ssh/authorized_keys
log_in() {{
    python3 ~/typist.py "$1" ssh -o StrictHostKeyChecking=accept-new -o IdentitiesOnly=yes -o IdentityAgent=none \\
        -o PreferredAuthentications=publickey -i "$2" alice@localhost echo signed in as '$USER'
}}
log_in {OTHER_PIN} key
mkdir -p resident; cd resident
python3 ../typist.py {OTHER_PIN},, ssh-keygen -K -N ''
cmp <(cut -d ' ' -f 1,2 ../key.pub) <(cut -d ' ' -f 1,2 id_ecdsa_sk_rk*.pub)
log_in {OTHER_PIN} id_ecdsa_sk_rk
log_in {WRONG_PIN} id_ecdsa_sk_rk || echo not by another PIN
"""
LUKS = f"""
set -eu
export PATH=$PATH:/sbin
truncate --size 32M /root/disk
printf password >/root/password
cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /root/disk /root/password
loop=$(losetup --show --find /root/disk)
PASSWORD=password python3 ~alice/typist.py {{pin}} systemd-cryptenroll --fido2-device={{device}} \\
    --fido2-with-client-pin=yes "$loop"
attach() {{{{
    PIN=$1 /lib/systemd/systemd-cryptsetup attach secret "$loop" - fido2-device={{device}},headless=1
}}}}
attach {WRONG_PIN} || echo not by another PIN
[ ! -e /dev/mapper/secret ]
attach {{pin}}
[ -b /dev/mapper/secret ] && echo unlocked
/lib/systemd/systemd-cryptsetup detach secret
losetup --detach "$loop"
"""


@pytest.fixture
def outfit() -> Outfit:
    return OUTFIT


def test_debians_programs_use_a_card_as_a_security_key(lab: Lab) -> None:
    desk = with_card(lab)
    only_the_owner(desk)
    tools(desk)
    assert "verified" in desk.script(CREDENTIAL)
    managed(desk)
    signed_in = desk.script(SSH)
    assert signed_in.count("signed in as alice") == 2 and "not by another PIN" in signed_in, signed_in
    sudo(lab, desk)
    volume(desk)
    blocked(desk)


def only_the_owner(desk: Desk) -> None:
    """Nobody else can open the device, or make one that looks like a card's."""
    machine = desk.machine
    assert machine.root(f"stat --format '%U %a' {desk.device}").stdout.split() == ["alice", "660"]
    for path in (desk.device, "/dev/uhid"):
        tried = machine.run(f"exec 3<>{path}", user="bob", check=False)
        assert tried.returncode and "Permission denied" in tried.stderr, tried.stderr
    assert machine.run("fido2-token -L", user="bob").stdout == ""
    tried = machine.run(f"fido2-token -I {desk.device}", user="bob", check=False)
    assert tried.returncode and "aaguid" not in tried.stdout


def tools(desk: Desk) -> None:
    """fido2-token: what it says of itself, and a new PIN, which is that of PC/SC too."""
    info = desk.script("fido2-token -I $DEVICE")
    assert "FIDO_2_1" in info and "0ae1938562d745e0a1a518cd773228d3" in info and "alwaysUv" in info
    before = desk.tries(READER)
    refused = desk.refused(f"{WRONG_PIN},{OTHER_PIN},{OTHER_PIN}", f"fido2-token -C {desk.device}")
    assert "FIDO_ERR_PIN_INVALID" in refused
    assert desk.tries(READER) == (before[0] - 1, before[1] - 1) and before[0] == before[1]
    desk.typed(f"{steps.PIN},{OTHER_PIN},{OTHER_PIN}", f"fido2-token -C {desk.device}")
    steps.await_card(desk.machine, READER)
    steps.sign(desk.machine, READER, pin=OTHER_PIN)
    assert desk.tries(READER) == before


def managed(desk: Desk) -> None:
    """fido2-token: passkeys are listed and removed."""
    listed = desk.typed(OTHER_PIN, f"fido2-token -L -r {desk.device}")
    assert "corp.example" in listed, listed
    credential = desk.typed(OTHER_PIN, f"fido2-token -L -k corp.example {desk.device}").splitlines()[-1].split()[1]
    desk.typed(OTHER_PIN, f"fido2-token -D -i {credential} {desk.device}")
    assert "FIDO_ERR_NO_CREDENTIALS" in desk.refused(OTHER_PIN, f"fido2-token -L -r {desk.device}")


def as_the_page_says(device: str) -> str:
    """Returns how the page on passkeys has a user make the line of a passkey for pam_u2f."""
    found = re.search(r"```sh\n(.*?fido2-cred.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1].replace("/dev/hidraw0", device)


def sudo(lab: Lab, desk: Desk) -> None:
    """pam_u2f, as the role smartcard_login lays it, lets alice use sudo; then all is as it was before."""
    machine = desk.machine
    machine.run("cat >passkey.sh", user="alice", given=as_the_page_says(desk.device))
    line = desk.typed(OTHER_PIN, "bash -eu passkey.sh").splitlines()[-1]
    machine.root("printf 'Defaults lecture=never,passwd_tries=1\\nalice ALL=(ALL) ALL\\n' >/etc/sudoers.d/alice")
    before = machine.root("sha256sum /etc/pam.d/common-*").stdout
    users = [{"name": "alice", "passkeys": [line]}]
    lab.controller.tasks(
        SIGN_IN, smartcard_login_passkeys=True, smartcard_login_passkey_users=users, __smartcard_login_quiet=QUIET
    )
    assert "uid=0" not in desk.refused(f"{WRONG_PIN},{WRONG_PIN}", "sudo --reset-timestamp id")
    assert "uid=0" in desk.typed(OTHER_PIN, "sudo --reset-timestamp id")
    lab.controller.tasks(SIGN_IN, smartcard_login_state="absent", __smartcard_login_quiet=QUIET)
    assert machine.root("sha256sum /etc/pam.d/common-*").stdout == before


def volume(desk: Desk) -> None:
    """A LUKS volume that is unlocked by the card and its PIN, and by no other PIN."""
    desk.machine.root(f"cat >/root/luks.sh <<'TEXT'\n{LUKS.format(pin=OTHER_PIN, device=desk.device)}\nTEXT")
    said = desk.machine.root("bash /root/luks.sh").stdout
    assert "not by another PIN" in said and "unlocked" in said, said


def blocked(desk: Desk) -> None:
    """Wrong PINs on both faces block one PIN, and both say so; the PUK unblocks both."""
    piv = f"yubico-piv-tool --reader '{READER}'"
    change = f"fido2-token -C {desk.device}"
    lines = f"{WRONG_PIN},{OTHER_PIN},{OTHER_PIN}"
    while desk.tries(READER)[0] > 3:
        desk.machine.run(f"{piv} --action verify-pin --pin {WRONG_PIN}", user="alice", check=False)
    assert desk.tries(READER) == (3, 3)
    said = [desk.refused(lines, change) for _each in range(3)]
    assert "FIDO_ERR_PIN_BLOCKED" in said[2], said
    assert desk.tries(READER) == (0, 0)
    right = desk.refused(f"{OTHER_PIN},{steps.PIN},{steps.PIN}", change)
    assert "FIDO_ERR_PIN_BLOCKED" in right, right
    refused = desk.machine.run(f"{piv} --action verify-pin --pin {OTHER_PIN}", user="alice", check=False)
    assert refused.returncode and "block" in (refused.stdout + refused.stderr).lower(), refused.stderr
    unblock = f"{piv} --action unblock-pin --pin {steps.PUK} --new-pin {steps.PIN}"
    desk.machine.run(unblock, user="alice")
    desk.typed(f"{steps.PIN},{OTHER_PIN},{OTHER_PIN}", change)
