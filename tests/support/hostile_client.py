# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that sends what no honest one sends, and one that signs meanwhile: each with a card of its own.

It stands alone, so that any Python with pyscard runs it, as any user::

    hostile_client.py attack READER NAME   prints "done" when the attack stands, and holds it for a minute
    hostile_client.py sign READER PIN FILE prints "signs", signs until the file is there, and tells the longest wait
    hostile_client.py ask READER APDU...   prints the answers

READER is what the reader's name ends with.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import statistics
import sys
import time
import typing as t

scard: t.Any = None
with contextlib.suppress(ImportError):  # Whoever only wants the attacks' names has no use for it.
    scard = importlib.import_module("smartcard.scard")

PATIENCE = 1600  # tries, a twentieth of a second each: a card that hung the driver is out of its reader for up to 64 s
IN_PEACE, AT_LEAST = 15, 20  # signatures
SIGN = "0087119A267C2482008120" + "5A" * 32  # ECDSA with the key in 9A

Card = t.Any


def connect(name: str) -> Card:
    context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)[1]
    for _try in range(PATIENCE):
        for reader in scard.SCardListReaders(context, [])[1]:
            if reader.endswith(name):
                status, card, _protocol = scard.SCardConnect(
                    context, reader, scard.SCARD_SHARE_SHARED, scard.SCARD_PROTOCOL_T1
                )
                if status == scard.SCARD_S_SUCCESS:
                    return card
        time.sleep(0.05)
    sys.exit("no card")


def send(card: Card, hexadecimal: str) -> str:
    status, answer = scard.SCardTransmit(card, scard.SCARD_PCI_T1, list(bytes.fromhex(hexadecimal)))
    return bytes(answer).hex() if status == scard.SCARD_S_SUCCESS else f"error {status & 0xFFFFFFFF:08X}"


def _send_each(*hexadecimal: str, times: int = 1) -> t.Callable[[Card], None]:
    def attack(card: Card) -> None:
        for _time in range(times):
            for each in hexadecimal:
                send(card, each)

    return attack


def _begin_transaction(card: Card) -> None:
    scard.SCardBeginTransaction(card)


ATTACKS: t.Mapping[str, t.Callable[[Card], object]] = {
    "power-off": _send_each("00"),
    "power-on": _send_each("01"),
    "reset": _send_each("02"),
    "word-for-the-atr": _send_each("04"),
    "one-byte": _send_each("03", "ff"),
    "nothing": _send_each(""),
    "transaction-without-end": _begin_transaction,
    "chain-without-end": _send_each("10DB3FFFFF" + "5A" * 255, times=3000),
    "flood": _send_each("00CB3FFF055C035FC102", times=3000),
    "longest-commands": _send_each("00DB3FFF00FFF0" + "5A" * 0xFFF0, times=50),
}


def attack(reader: str, name: str) -> None:
    card = connect(reader)
    ATTACKS[name](card)
    print("done", flush=True)
    time.sleep(60)


def sign(reader: str, pin: str, enough: str) -> None:
    card = connect(reader)
    verified = send(card, "0020008008" + pin.encode().ljust(8, b"\xff").hex())
    if verified != "9000":
        sys.exit(verified)
    took: t.List[float] = []
    while len(took) < AT_LEAST or not os.path.exists(enough):
        start = time.monotonic()
        answer = send(card, SIGN)
        if not answer.endswith("9000"):
            sys.exit(answer)
        took.append(time.monotonic() - start)
        if len(took) == IN_PEACE:
            print("signs", flush=True)
    print(f"longest {max(took):.3f} usual {statistics.median(took[:IN_PEACE]):.3f}", flush=True)


def ask(reader: str, *apdus: str) -> None:
    card = connect(reader)
    print(*(send(card, each) for each in apdus), flush=True)


PARTS: t.Mapping[str, t.Callable[..., None]] = {"attack": attack, "sign": sign, "ask": ask}

if __name__ == "__main__":
    PARTS[sys.argv[1]](*sys.argv[2:])
