# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the card service."""

from __future__ import annotations

import argparse
import typing as t

from .._card.host_policy import PATH as POLICY
from .._card.store import DEFAULT_FOLDER


def parse_options(argv: t.Sequence[str]) -> argparse.Namespace:
    """:param argv: without the program's name"""
    parser = argparse.ArgumentParser(prog="card_service", description="Puts the cards of a store into their readers.")
    parser.add_argument("--store", default=DEFAULT_FOLDER, help="folder of the cards")
    parser.add_argument("--policy", default=POLICY, help="file of the host's Hello policy")
    parser.add_argument("--run", default="/run/hardbound", help="folder that tells which cards are in their readers")
    parser.add_argument(
        "--vpcd", default="127.0.0.1:35963", type=_address, help="host and port of the first reader slot"
    )
    parser.add_argument("--pkcs11", default="", help="socket for p11-kit's programs, where systemd has made none")
    parser.add_argument("--sign-in", default="", help="socket for SSSD, which signs users in")
    parser.add_argument("--owners", default="", help="socket for owners who ask about their cards")
    parser.add_argument("--keep-root-out", action="store_true", help="root does not see other users' cards by p11-kit")
    parser.add_argument("--passkeys", action="store_true", help="cards with passkeys are FIDO2 authenticators")
    parser.add_argument("--presence", default="", help="socket for sessions whose users are asked to be there")
    parser.add_argument("--log-level", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
    return parser.parse_args(argv)


def _address(text: str) -> t.Tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)
