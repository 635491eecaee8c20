# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data objects: those of the store, and those that every card has. SP 800-73-4 part 1, clause 3 and appendix A."""

from __future__ import annotations

import typing as t
import zlib

from ..._card.key import FIRST_RETIRED, RETIRED
from ..._encoding.apdu import LONGEST_COMMAND_DATA, ApduError, StatusWord
from ..._encoding.tlv import encode, parse_distinct, parse_one
from .. import public_key
from ..card import Card
from .reference import AID, CERTIFICATE_SLOTS, PIN_PROTECTED, Object

_TAG_LIST = 0x5C
_DATA = 0x53
_CARD_AID = 0x4F
_CERTIFICATE = 0x70
_CERTIFICATE_INFO = 0x71
_NOT_COMPRESSED = b"\x00"
_GZIP_OR_ZLIB = zlib.MAX_WBITS + 32  # the format is told by its header
_WRITABLE = range(0x5F0000, 0x600000)  # SP 800-73-4 part 1, table 3, among what a YubiKey takes
_BIOMETRIC_TEMPLATE = 0x7F61
_BARE = frozenset((int(Object.DISCOVERY), _BIOMETRIC_TEMPLATE))
"""Objects that PUT DATA brings without a tag list: SP 800-73-4 part 2, tables 13 and 14."""
_FOR_GOOD = _BARE | {int(Object.ATTESTATION_CERTIFICATE)}
"""Objects that programs don't write."""
_ERROR_DETECTION = encode(0xFE)

# Application PIN only, no global PIN, no fingerprint: SP 800-73-4 part 1, clause 3.3.2
_PIN_USAGE = encode(0x5F2F, b"\x40\x00")
DISCOVERY = encode(Object.DISCOVERY, encode(_CARD_AID, AID), _PIN_USAGE)

# Agency, system and credential all nines, as of a card that no federal agency issues: such a card is told
# apart by its GUID (SP 800-73-4 part 1, clause 3.1.2; encoded as in TIG SCEPACS 2.3, clause 6).
FASC_N = bytes.fromhex("D4E739DA739CED39CE739D836858210842108421C84210C3EB")
_NEVER_EXPIRES = b"20991231"

_CARD_IDENTIFIER = bytes.fromhex("A000000116FF02")  # GSC-RID, manufacturer unknown, JavaCard or the like: GSC-IS 2.1
_GSC_IS_2_1 = b"\x21"
_PKCS15_NONE = b"\x00"
_DATA_MODEL_PIV = b"\x10"
_OFF_CARD_NONE = 0


def read(card: Card, request: bytes) -> bytes:
    """Answers GET DATA: SP 800-73-4 part 2, clause 3.1.2.

    :param request: the data field, a tag list with one tag
    :raises ApduError: 6A82 if there is no such object, 6982 if it takes a verified PIN
    :raises TlvError: if the data field is malformed
    """
    tag = int.from_bytes(parse_one(request, _TAG_LIST), "big")
    if tag in PIN_PROTECTED:
        card.require_pin()
    if tag == Object.DISCOVERY:
        return DISCOVERY
    if tag in CERTIFICATE_SLOTS:
        value = _certificate(card, tag)
    elif tag == Object.ATTESTATION_CERTIFICATE:
        value = attestation_certificate(card)
    else:
        value = (card.protected(tag) if tag in PIN_PROTECTED else card.object(tag)) or _synthesise(card, tag)
    if not value:
        raise ApduError(StatusWord.NOT_FOUND)
    return encode(_DATA, value)


def write(card: Card, request: bytes) -> None:
    """Carries out PUT DATA: SP 800-73-4 part 2, clause 3.3.1. An object without content is removed.

    :param request: the data field, a tag list with one tag, and the data
    :raises ApduError: 6A82 if no card has such an object, 6A80 for a certificate that is not wrapped as one, 6A81 for
        what a card has for good: it has but the application PIN, and no fingerprints; and for what enrolment brings
    :raises TlvError: if the data field is malformed
    """
    template = parse_distinct(request)
    if template and set(template) <= _BARE:
        raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)
    if set(template) != {_TAG_LIST, _DATA}:
        raise ApduError(StatusWord.INCORRECT_DATA)
    tag, value = int.from_bytes(template[_TAG_LIST], "big"), template[_DATA] or None
    if tag in CERTIFICATE_SLOTS:
        _write_certificate(card, tag, value)
    elif tag in _FOR_GOOD:
        raise ApduError(StatusWord.FUNCTION_NOT_SUPPORTED)
    elif tag not in _WRITABLE:
        raise ApduError(StatusWord.NOT_FOUND)
    elif tag in PIN_PROTECTED:
        card.store_protected(tag, value)
    else:
        card.store_object(tag, value)


def _write_certificate(card: Card, tag: int, value: t.Optional[bytes]) -> None:
    """Keeps the certificate for whoever looks at the card, and what was written where it can't be made from that."""
    certificate = _unwrapped(value) if value else None
    card.store_object(tag, None if certificate and value == _wrapped(certificate) else value)
    card.store_certificate(CERTIFICATE_SLOTS[tag], certificate)


def _unwrapped(value: bytes) -> t.Optional[bytes]:
    """Returns the certificate of a data object as table 10 of SP 800-73-4 part 1 wraps it, no longer compressed.

    GnuPG writes the bare public key of a new key where its certificate will be. That is None.

    :raises ApduError: 6A80 if it is neither
    :raises TlvError: as well
    """
    template = parse_distinct(value)
    if public_key.TEMPLATE in template and _CERTIFICATE not in template:
        return None
    certificate = template.get(_CERTIFICATE, b"")
    if template.get(_CERTIFICATE_INFO, _NOT_COMPRESSED) != _NOT_COMPRESSED:
        certificate = _decompressed(certificate)
    if not certificate:
        raise ApduError(StatusWord.INCORRECT_DATA)
    return certificate


def _decompressed(data: bytes) -> bytes:
    """gzip (RFC 1952), or zlib, which OpenSC writes."""
    inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        content = inflater.decompress(data, LONGEST_COMMAND_DATA)
    except zlib.error:
        raise ApduError(StatusWord.INCORRECT_DATA) from None
    return content if inflater.eof else b""


def _certificate(card: Card, tag: int) -> t.Optional[bytes]:
    """Returns what was written, unless the card has another certificate by now; None where there is nothing."""
    certificate, written = card.certificate(CERTIFICATE_SLOTS[tag]), card.object(tag)
    if written and _unwrapped(written) == certificate:
        return written
    return _wrapped(certificate) if certificate else None


def _wrapped(certificate: bytes) -> bytes:
    return encode(_CERTIFICATE, certificate) + encode(_CERTIFICATE_INFO, _NOT_COMPRESSED) + _ERROR_DETECTION


def _synthesise(card: Card, tag: int) -> bytes:
    """Returns an object that every card has, for a card whose store holds none."""
    maker = _MAKERS.get(tag)
    return maker(card) if maker else b""


def attestation_certificate(card: Card) -> bytes:
    """Returns the certificate of the CA that signed what ATTEST answers with, where there is any."""
    return _wrapped(card.attestation_issuer) if card.attestation_issuer else b""


def card_holder_unique_identifier(card: Card) -> bytes:
    """Returns the CHUID, unsigned: SP 800-73-4 part 1, table 9. Its GUID is the card's serial."""
    return b"".join(
        (
            encode(0x30, FASC_N),
            encode(0x34, card.serial),
            encode(0x35, _NEVER_EXPIRES),
            encode(0x3E),  # issuer's signature
            _ERROR_DETECTION,
        )
    )


def card_capability_container(card: Card) -> bytes:
    """Returns the CCC: SP 800-73-4 part 1, table 8."""
    return b"".join(
        (
            encode(0xF0, _CARD_IDENTIFIER, card.serial[-14:]),
            encode(0xF1, _GSC_IS_2_1),
            encode(0xF2, _GSC_IS_2_1),
            encode(0xF3),
            encode(0xF4, _PKCS15_NONE),
            encode(0xF5, _DATA_MODEL_PIV),
            b"".join(encode(tag) for tag in (0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD)),
            _ERROR_DETECTION,
        )
    )


def key_history(card: Card) -> bytes:
    """Returns how many retired slots a program has to look into: SP 800-73-4 part 1, clause 3.3.3.

    Certificates may stand in any of the slots, so it is the number of the last one that holds one.
    """
    used = [slot for slot in range(FIRST_RETIRED, FIRST_RETIRED + RETIRED) if card.certificate(slot)]
    on_card = used[-1] - FIRST_RETIRED + 1 if used else 0
    return encode(0xC1, bytes((on_card,))) + encode(0xC2, bytes((_OFF_CARD_NONE,))) + _ERROR_DETECTION


_MAKERS: t.Mapping[int, t.Callable[[Card], bytes]] = {
    Object.CHUID: card_holder_unique_identifier,
    Object.CAPABILITY_CONTAINER: card_capability_container,
    Object.KEY_HISTORY: key_history,
}

# Application property template: SP 800-73-4 part 2, table 3
PROPERTIES = encode(
    0x61,
    encode(_CARD_AID, AID[5:]),
    encode(0x79, encode(_CARD_AID, AID[:5])),
    encode(0x50, b"hardbound.identity"),
)
