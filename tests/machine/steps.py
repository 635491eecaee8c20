# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several scenarios do on a machine, and look at."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.hardbound.identity.tests.support.virtual_machine import Machine

PIN, PUK = "47114711", "08150815"
MODULE = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
RECORDS = "/var/lib/hardbound/cards"
MAKE, LIST = "hardbound.identity.virtual_smartcard", "hardbound.identity.virtual_smartcard_info"

# The card may be on its way back to its reader.
_SIGN = f"""
set -eu
reader=$1 pin=$2
for try in $(seq 240); do opensc-tool --reader "$reader" --name >/dev/null 2>&1 && break; sleep 0.5; done
echo message >message
token() {{ pkcs11-tool --module {MODULE} --slot-description "$reader" "$@"; }}
token --login --pin "$pin" --sign --id 01 --mechanism ECDSA-SHA256 --signature-format openssl \\
    --input-file message --output-file signature
token --read-object --type cert --id 01 --output-file certificate
openssl x509 -inform DER -in certificate -pubkey -noout >public
openssl dgst -sha256 -verify public -signature signature message
"""


def card(owner: str, **more: t.Any) -> t.Dict[str, t.Any]:
    """Returns the options of a card with one key."""
    keys = [{"slot": "authentication", "algorithm": "ecc_p256"}]
    return {"name": f"Card of {owner}", "owner": owner, "pin": PIN, "puk": PUK, "keys": keys, **more}


def sign(machine: Machine, reader: str, user: str = "alice", pin: str = PIN) -> None:
    """Signs with a card through PC/SC, in a new process, and has OpenSSL verify it."""
    done = machine.run(f"bash -s '{reader}' {pin}", user=user, given=_SIGN)
    assert "Verified OK" in done.stdout, done.stdout + done.stderr


def records(machine: Machine) -> t.List[t.Dict[str, t.Any]]:
    """Returns what the machine's disk holds of each card."""
    text = machine.root(f"find {RECORDS} -name '*.json' | sort | xargs --no-run-if-empty cat").stdout
    decoder, found = json.JSONDecoder(), []
    while text.strip():
        text = text.lstrip()
        record, end = decoder.raw_decode(text)
        found.append(record)
        text = text[end:]
    return found


def nv_indices(machine: Machine) -> t.List[str]:
    """Returns the NV indices that somebody made; 0x01C00000 and above are the maker's (TCG PC Client)."""
    found = [line.strip("- \t") for line in machine.root("tpm2_getcap handles-nv-index").stdout.splitlines()]
    return [each for each in found if not each.upper().startswith("0X1C")]


def lockout_counter(machine: Machine) -> int:
    """Returns how many failures the TPM's own dictionary attack protection has counted."""
    found = machine.root("tpm2_getcap properties-variable").stdout
    [line] = [line for line in found.splitlines() if line.startswith("TPM2_PT_LOCKOUT_COUNTER:")]
    return int(line.split(":")[1], 16)


def await_card(machine: Machine, reader: str, user: str = "alice") -> None:
    """Waits until a card is in its reader again."""
    look = f"for try in $(seq 240); do opensc-tool --reader '{reader}' --name && exit; sleep 0.5; done; exit 1"
    machine.run(look, user=user)
