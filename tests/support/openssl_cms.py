# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CMS with a card, by OpenSSL: RFC 5652."""

from __future__ import annotations

import pathlib
import ssl
import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record


def sign_and_decrypt(
    run: t.Callable[..., str], folder: pathlib.Path, record: Record, options: t.List[str], key: str
) -> None:
    """Signs a message and decrypts another, each with a key of the card.

    :param run: runs a program of the host
    :param options: what openssl is told of the card
    :param key: how openssl is told of a key, by its number
    """
    for name, slot in (("signer", 0x9A), ("reader", 0x9D)):
        (folder / f"{name}.pem").write_text(ssl.DER_cert_to_PEM_cert(record.certificates[slot]))
    (folder / "letter").write_text("a letter\n")
    run(
        *("openssl", "cms", "-sign", *options, "-inkey", key.format(1), "-signer", f"{folder}/signer.pem"),
        *("-in", f"{folder}/letter", "-out", f"{folder}/signed"),
    )
    trusted = ["-CAfile", f"{folder}/signer.pem", "-purpose", "any"]
    assert "a letter" in run("openssl", "cms", "-verify", "-in", f"{folder}/signed", *trusted)
    sealed = ["-in", f"{folder}/letter", "-out", f"{folder}/sealed", "-aes256", f"{folder}/reader.pem"]
    run("openssl", "cms", "-encrypt", *sealed)
    said = run(
        *("openssl", "cms", "-decrypt", *options, "-inkey", key.format(3), "-recip", f"{folder}/reader.pem"),
        *("-in", f"{folder}/sealed"),
    )
    assert "a letter" in said
