# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Others use the TPM while a card signs: all of them get on, and none waits for the others to end."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hardbound.identity.tests.machine import steps
from ansible_collections.hardbound.identity.tests.support.machine_lab import Lab
from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine

pytestmark = pytest.mark.extended

ROUNDS = 3
"""What each gets done while the others go on; who has done it goes on, too, so that nobody has the TPM alone."""
PATIENCE = 3600.0  # seconds
NEIGHBOURS = ("tools", "pkcs11", "volume", "card")

# What each of them needs, made one after the other: a LUKS volume that the TPM opens, and a token of tpm2-pkcs11.
PREPARE = """
set -eu
mkdir -p /var/tmp/neighbours/token && cd /var/tmp/neighbours
truncate --size 64M file
printf secret >secret
loop=$(losetup --find --show file)
ln -s "$loop" volume
cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file secret volume
PASSWORD=secret systemd-cryptenroll --tpm2-device=/dev/tpmrm0 --tpm2-pcrs=7 "$loop"

export TPM2_PKCS11_TCTI=device:/dev/tpmrm0
tpm2_ptool init --path token
tpm2_ptool addtoken --pid 1 --label peer --userpin user --sopin so --path token
tpm2_ptool addkey --label peer --userpin user --algorithm ecc256 --path token
"""

# Each works until the file "stop" is there, and writes a line for each round, or why one failed.
WORK = f"""
cd /var/tmp/neighbours
head --bytes 32 /dev/urandom >digest
tools() {{
    tpm2_createprimary --quiet --key-context primary && tpm2_create --quiet --parent-context primary \\
        --key-algorithm ecc256 --public key.pub --private key.priv && tpm2_load --quiet --parent-context primary \\
        --public key.pub --private key.priv --key-context key && tpm2_sign --quiet --key-context key \\
        --hash-algorithm sha256 --digest --signature tools.signature digest
}}
pkcs11() {{
    TPM2_PKCS11_STORE=$PWD/token TPM2_PKCS11_TCTI=device:/dev/tpmrm0 TSS2_LOG=all+none \\
        pkcs11-tool --module /usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so --token-label peer --login --pin user \\
        --sign --mechanism ECDSA --input-file digest --output-file pkcs11.signature
}}
volume() {{
    /lib/systemd/systemd-cryptsetup attach neighbour "$(realpath volume)" - tpm2-device=/dev/tpmrm0,headless=true &&
        test -b /dev/mapper/neighbour && /lib/systemd/systemd-cryptsetup detach neighbour
}}
card() {{
    runuser --user alice -- pkcs11-tool --module {steps.MODULE} --slot-description "$1" --login --pin {steps.PIN} \\
        --sign --id 01 --mechanism ECDSA --input-file digest --output-file /dev/null
}}
chmod 644 digest
for neighbour in {" ".join(NEIGHBOURS)}; do
    while [ ! -e stop ]; do
        if $neighbour "$1" >$neighbour.output 2>&1; then echo done; else tail -n 3 $neighbour.output; fi
    done >$neighbour.rounds &
done
somebody_is_behind() {{
    for neighbour in {" ".join(NEIGHBOURS)}; do
        [ "$(grep -c . $neighbour.rounds)" -ge {ROUNDS} ] || return 0
    done
    return 1
}}
while somebody_is_behind; do sleep 1; done
touch stop
wait
head --lines 1000 *.rounds
"""


def test_all_get_on_while_a_card_signs(lab: Lab) -> None:
    machine = lab.machine
    [made] = lab.controller.tasks({steps.MAKE: steps.card("alice")})
    steps.sign(machine, made["reader"])
    machine.root(PREPARE)
    said = machine.root(f"bash -s '{made['reader']}'", given=WORK, patience=PATIENCE).stdout
    rounds = by_neighbour(said)
    assert set(rounds) == set(NEIGHBOURS), said
    assert all(set(done) == {"done"} and len(done) >= ROUNDS for done in rounds.values()), said
    assert steps.lockout_counter(machine) == 0
    assert nothing_is_left(machine)


def by_neighbour(said: str) -> t.Dict[str, t.List[str]]:
    """Takes apart what head(1) says of several files."""
    found: t.Dict[str, t.List[str]] = {}
    for part in said.split("==> ")[1:]:
        name, _unused, lines = part.partition(".rounds <==\n")
        found[name] = [line for line in lines.splitlines() if line]
    return found


def nothing_is_left(machine: Machine) -> bool:
    """Whether the TPM holds no session or key of a program that has ended."""
    kinds = ("loaded-session", "saved-session", "transient")
    look = "; ".join(f"tpm2_getcap --tcti device:/dev/tpm0 handles-{kind}" for kind in kinds)
    return not machine.root(look).stdout.strip()
