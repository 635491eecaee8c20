# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``test``: has each key sign, and names the layer at fault."""

from __future__ import annotations

import datetime
import hashlib
import os
import socket
import typing as t

from .._cryptography import InvalidSignature, ec, padding, serialization, utils
from .._encoding.key_algorithm import KeyAlgorithm
from .._encoding.owner_call import Message, bytes_of
from .certificate import Lists, state_of
from .exit_code import CommandError, ExitCode
from .service import CardService

PCSCD = "/run/pcscd/pcscd.comm"
P11_KIT = "/run/hardbound/pkcs11"


class Trial(t.NamedTuple):
    """One thing that was tried.

    :param code: FINE, or the layer at fault
    """

    what: str
    code: ExitCode
    said: str


def ways(card: Message, pcscd: str = PCSCD, p11_kit: str = P11_KIT) -> t.Iterator[Trial]:
    """Tries the ways by which programs come to a card."""
    if "pkcs11" in card["faces"]:
        yield _reached("p11-kit", p11_kit, ExitCode.SERVICE)
    if "pcsc" in card["faces"]:
        yield _reached("pcscd", pcscd, ExitCode.PCSCD)
        fine = card["in_reader"]
        yield Trial(
            "reader", ExitCode.FINE if fine else ExitCode.READER, f"{'' if fine else 'not '}in {card['reader']}"
        )
    if card["tpm"]:
        yield Trial("TPM", ExitCode.TPM, card["tpm"])


def _reached(what: str, path: str, layer: ExitCode) -> Trial:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError as error:
            return Trial(what, layer, f"can't be reached at {path}: {error.strerror}")
    return Trial(what, ExitCode.FINE, "answers")


def signature(service: CardService, card: Message, key: Message, pin: t.Optional[str]) -> Trial:
    """Has a key sign, and verifies what comes.

    :raises CommandError: for what no other key would do better, such as a wrong PIN
    """
    algorithm = KeyAlgorithm(key["algorithm"])
    digest = hashlib.new(algorithm.hash.name, b"hardbound-card test" + os.urandom(32)).digest()
    try:
        made = service.sign(card["card"], key["slot"], digest, pin)
    except CommandError as error:
        if error.code is not ExitCode.CARD:
            raise
        return Trial(key["slot"], error.code, str(error))
    if _is_right(key, algorithm, made, digest):
        return Trial(key["slot"], ExitCode.FINE, "signs")
    return Trial(key["slot"], ExitCode.CARD, "signs wrongly")


def _is_right(key: Message, algorithm: KeyAlgorithm, made: bytes, digest: bytes) -> bool:
    public: t.Any = serialization.load_der_public_key(bytes_of(key["public"]))
    prehashed = utils.Prehashed(algorithm.hash)
    how = (padding.PKCS1v15(), prehashed) if algorithm.is_rsa else (ec.ECDSA(prehashed),)
    try:
        public.verify(made, digest, *how)
    except InvalidSignature:
        return False
    return True


def certificate(key: Message, lists: Lists, now: datetime.datetime) -> t.Iterator[Trial]:
    """Judges a key's certificate, if there is one."""
    state = state_of(key, lists)
    fault = state.fault(now) if state else None
    if fault:
        yield Trial(f"{key['slot']}, certificate", ExitCode.CERTIFICATE, fault)
