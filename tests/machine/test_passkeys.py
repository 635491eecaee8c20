# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A card as the kernel's HID device: Debian's programs of FIDO2 use it, and its owner alone."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine

pytestmark = pytest.mark.extended

TYPIST = pathlib.Path(__file__).with_name("typist.py")
PACKAGES = "fido2-tools libfido2-1 pamu2fcfg cryptsetup-bin sudo"
OTHER_PIN = "08154711"
PREPARE = {"ansible.builtin.include_role": {"name": "hardbound.identity.tpm_host"}}
SIGN_IN = {"ansible.builtin.include_role": {"name": "hardbound.identity.smartcard_login", "tasks_from": "passkeys"}}
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}

FIND = "for try in $(seq 240); do fido2-token -L | grep -m1 hardbound && exit; sleep 0.5; done; exit 1"
CREDENTIAL = """
set -eu
hash() { head -c 32 /dev/urandom | base64; }
printf '%s\\n' "$(hash)" corp.example alice "$(echo alice | base64)" >wanted
python3 typist.py {pin} fido2-cred -M -r -i wanted -o made {device}
fido2-cred -V -i made -o credential
printf '%s\\n' "$(hash)" corp.example "$(head -n 1 credential)" >asked
tail -n +2 credential >public
python3 typist.py {pin} fido2-assert -G -v -i asked -o given {device}
fido2-assert -V -v -i given public
echo verified
"""
SSH = """
set -eu
rm -f key key.pub
python3 typist.py {pin},, ssh-keygen -q -t ecdsa-sk -O resident -O verify-required -N '' -f key
cat key.pub >>.ssh/authorized_keys
ssh-keygen -l -f key.pub
python3 typist.py {pin} ssh -o StrictHostKeyChecking=accept-new -o IdentitiesOnly=yes -o IdentityAgent=none \\
    -o PreferredAuthentications=publickey -i key alice@localhost echo signed in as '$USER'
mkdir -p resident; cd resident
python3 ../typist.py {pin},, ssh-keygen -K -N ''
ls
"""
LUKS = """
set -eu
truncate --size 32M /root/disk
printf password >/root/password
cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /root/disk /root/password
PASSWORD=password PIN={pin} systemd-cryptenroll --fido2-device={device} --fido2-with-client-pin=yes /root/disk
loop=$(losetup --show --find /root/disk)
PIN={pin} /lib/systemd/systemd-cryptsetup attach secret "$loop" - fido2-device={device},headless=1
ls /dev/mapper
/lib/systemd/systemd-cryptsetup detach secret
"""


def typed(machine: Machine, lines: str, command: str, user: str = "alice") -> str:
    """Returns what was on the screen of a command whose user types these lines."""
    done = machine.run(f"python3 typist.py '{lines}' {command}", user=user)
    return t.cast(str, done.stdout)


def shell(machine: Machine, script: str, user: str = "alice") -> str:
    done = machine.run("bash -s", user=user, given=script)
    return t.cast(str, done.stdout)


def test_debians_programs_use_a_card_as_a_security_key(lab: Lab) -> None:
    machine, controller = lab.machine, lab.controller
    controller.tasks(PREPARE, tpm_host_passkeys=True)
    machine.root(f"DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends --yes {PACKAGES}")
    machine.run("cat >typist.py", user="alice", given=TYPIST.read_text())
    controller.tasks({steps.MAKE: {**steps.card("alice"), "passkeys": True}})
    device = machine.run(FIND, user="alice").stdout.split(":")[0]
    only_the_owner(machine, device)
    tools(machine, device)
    assert "verified" in shell(machine, CREDENTIAL.format(pin=OTHER_PIN, device=device))
    managed(machine, device)
    signed_in = shell(machine, SSH.format(pin=OTHER_PIN))
    assert "signed in as alice" in signed_in and "id_ecdsa_sk_rk" in signed_in, signed_in
    sudo(lab)
    machine.root(f"cat >/root/luks.sh <<'TEXT'\n{LUKS.format(pin=OTHER_PIN, device=device)}\nTEXT")
    assert "secret" in machine.root("bash /root/luks.sh").stdout


def only_the_owner(machine: Machine, device: str) -> None:
    assert machine.root(f"stat --format '%U %a' {device}").stdout.split() == ["alice", "660"]
    refused = machine.run(f"fido2-token -I {device} && echo opened; true", user="bob")
    assert "opened" not in refused.stdout


def tools(machine: Machine, device: str) -> None:
    """fido2-token: what it says of itself, and a new PIN, which is that of PC/SC too."""
    info = machine.run(f"fido2-token -I {device}", user="alice").stdout
    assert "FIDO_2_1" in info and "0ae1938562d745e0a1a518cd773228d3" in info and "alwaysUv" in info
    change = f"python3 typist.py 99999999,{OTHER_PIN},{OTHER_PIN} fido2-token -C {device}"
    wrong = machine.run(f"{change} && echo changed; true", user="alice")
    assert "changed" not in wrong.stdout, wrong.stdout
    assert "retries: 4" in machine.run(f"fido2-token -I {device}", user="alice").stdout
    typed(machine, f"{steps.PIN},{OTHER_PIN},{OTHER_PIN}", f"fido2-token -C {device}")
    steps.await_card(machine, "Card of alice 00 00")
    steps.sign(machine, "Card of alice 00 00", pin=OTHER_PIN)


def managed(machine: Machine, device: str) -> None:
    """fido2-token: passkeys are listed and removed."""
    listed = typed(machine, OTHER_PIN, f"fido2-token -L -r {device}")
    assert "corp.example" in listed, listed
    credential = typed(machine, OTHER_PIN, f"fido2-token -L -k corp.example {device}").splitlines()[-1].split()[1]
    typed(machine, OTHER_PIN, f"fido2-token -D -i {credential} {device}")
    assert "corp.example" not in typed(machine, OTHER_PIN, f"fido2-token -L -r {device}")


def sudo(lab: Lab) -> None:
    """pam_u2f, as the role smartcard_login lays it, lets alice use sudo; then all is as it was before."""
    machine = lab.machine
    line = typed(machine, OTHER_PIN, "pamu2fcfg --nouser --pin-verification").splitlines()[-1].strip().lstrip(":")
    users = [{"name": "alice", "passkeys": [line]}]
    machine.root("printf 'Defaults lecture=never\\nalice ALL=(ALL) ALL\\n' >/etc/sudoers.d/alice")
    before = machine.root("sha256sum /etc/pam.d/common-*").stdout
    lab.controller.tasks(
        SIGN_IN, smartcard_login_passkeys=True, smartcard_login_passkey_users=users, __smartcard_login_quiet=QUIET
    )
    assert "uid=0" in typed(machine, OTHER_PIN, "sudo id")
    lab.controller.tasks(SIGN_IN, smartcard_login_state="absent", __smartcard_login_quiet=QUIET)
    assert machine.root("sha256sum /etc/pam.d/common-*").stdout == before
