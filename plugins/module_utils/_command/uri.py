# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``uri`` and ``ssh``: what other programs are told of a card."""

from __future__ import annotations

import os
import re
import typing as t
import urllib.parse

from .._cryptography import serialization
from .._encoding.owner_call import Message, bytes_of
from .._encoding.ssh_file import certificate_file

_HALF = 16
_PROXY = "p11-kit-proxy.so"
_LIBRARIES = "/usr/lib"
_MULTIARCH = re.compile(r"[a-z0-9_]+-linux-gnu\w*")
_SIGNING = ("authentication", "signature", "card_authentication")


def uri(card: Message, key: Message, kind: str = "private") -> str:
    """Returns a PKCS#11 URI, RFC 7512.

    :param kind: private, public or cert
    """
    return f"pkcs11:{_token(card)};id={_percent(key['id'])};type={kind}"


def _token(card: Message) -> str:
    """PKCS#11 has room for half of a serial number: OpenSC, which names tokens after certificates, shows the last."""
    if "pkcs11" in card["faces"]:
        return f"token={urllib.parse.quote(card['name'], safe='')};serial={card['serial'][:_HALF]}"
    return f"serial={card['serial'][-_HALF:]}"


def _percent(digits: str) -> str:
    return "".join(f"%{byte:02X}" for byte in bytes.fromhex(digits))


def proxy(libraries: str = _LIBRARIES) -> str:
    """Returns the module that has all of p11-kit's; its bare name where it is not found."""
    for folder in sorted(filter(_MULTIARCH.fullmatch, os.listdir(libraries))):
        path = os.path.join(libraries, folder, _PROXY)
        if os.path.exists(path):
            return path
    return _PROXY


def authorized_key(card: Message, key: Message) -> str:
    """Returns the line of a key for authorized_keys: sshd(8)."""
    public = serialization.load_der_public_key(bytes_of(key["public"]))
    line = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    return f"{line} {card['name'].replace(' ', '_')}-{key['slot']}"


def ssh_keys(card: Message) -> t.List[Message]:
    """Returns the keys that ssh signs with: not those that decrypt."""
    return [key for key in card["keys"] if key["slot"] in _SIGNING or key["slot"].startswith("container_")]


def ssh_config(card: Message, home: str, module: str) -> t.Iterator[str]:
    """Returns the lines for ~/.ssh/config: ssh_config(5)."""
    yield "Host *"
    yield f"    PKCS11Provider {module}"
    for key in card["keys"]:
        certificate = f".ssh/{certificate_file(card['name'], key['slot'])}"
        if os.path.exists(os.path.join(home, certificate)):
            yield f'    CertificateFile "~/{certificate}"'
