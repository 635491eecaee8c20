# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a card's keys can do: PKCS#11 2.40 (current mechanisms), clauses 2.1 and 2.3, and PKCS#11 3.0, clause 6.3."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass

from ..._encoding.key_algorithm import KeyAlgorithm
from ..._encoding.p11_kit_mechanism import Mechanism, MechanismType
from .fault import CallRefused
from .reference import MechanismFlag, Rv


class Padding(enum.Enum):
    """What is done to a message before or after the private key sees it."""

    NONE = enum.auto()
    RAW = enum.auto()
    PKCS1 = enum.auto()
    PSS = enum.auto()
    OAEP = enum.auto()


@dataclass(frozen=True)
class Method:
    """How a mechanism goes.

    :param hash: by hashlib's name, where the card hashes the message itself; else empty
    """

    is_rsa: bool
    padding: Padding = Padding.NONE
    hash: str = ""
    flags: MechanismFlag = MechanismFlag.SIGN


_M = MechanismType
_F = MechanismFlag
_CURVES = _F.EC_F_P | _F.EC_NAMEDCURVE | _F.EC_UNCOMPRESS

METHODS: t.Mapping[int, Method] = {
    _M.RSA_PKCS: Method(True, Padding.PKCS1, flags=_F.SIGN | _F.DECRYPT),
    _M.RSA_X_509: Method(True, Padding.RAW, flags=_F.SIGN | _F.DECRYPT),
    _M.RSA_PKCS_OAEP: Method(True, Padding.OAEP, flags=_F.DECRYPT),
    _M.SHA1_RSA_PKCS: Method(True, Padding.PKCS1, "sha1"),
    _M.SHA224_RSA_PKCS: Method(True, Padding.PKCS1, "sha224"),
    _M.SHA256_RSA_PKCS: Method(True, Padding.PKCS1, "sha256"),
    _M.SHA384_RSA_PKCS: Method(True, Padding.PKCS1, "sha384"),
    _M.SHA512_RSA_PKCS: Method(True, Padding.PKCS1, "sha512"),
    _M.RSA_PKCS_PSS: Method(True, Padding.PSS),
    _M.SHA1_RSA_PKCS_PSS: Method(True, Padding.PSS, "sha1"),
    _M.SHA224_RSA_PKCS_PSS: Method(True, Padding.PSS, "sha224"),
    _M.SHA256_RSA_PKCS_PSS: Method(True, Padding.PSS, "sha256"),
    _M.SHA384_RSA_PKCS_PSS: Method(True, Padding.PSS, "sha384"),
    _M.SHA512_RSA_PKCS_PSS: Method(True, Padding.PSS, "sha512"),
    _M.RSA_PKCS_KEY_PAIR_GEN: Method(True, flags=_F.GENERATE_KEY_PAIR),
    _M.ECDSA: Method(False, flags=_F.SIGN | _CURVES),
    _M.ECDSA_SHA1: Method(False, hash="sha1", flags=_F.SIGN | _CURVES),
    _M.ECDSA_SHA224: Method(False, hash="sha224", flags=_F.SIGN | _CURVES),
    _M.ECDSA_SHA256: Method(False, hash="sha256", flags=_F.SIGN | _CURVES),
    _M.ECDSA_SHA384: Method(False, hash="sha384", flags=_F.SIGN | _CURVES),
    _M.ECDSA_SHA512: Method(False, hash="sha512", flags=_F.SIGN | _CURVES),
    _M.ECDH1_DERIVE: Method(False, flags=_F.DERIVE | _CURVES),
    _M.EC_KEY_PAIR_GEN: Method(False, flags=_F.GENERATE_KEY_PAIR | _CURVES),
}

_HASHES = {0x220: "sha1", 0x255: "sha224", 0x250: "sha256", 0x260: "sha384", 0x270: "sha512"}
"""By CKM_SHA_1, CKM_SHA224 and so on."""
_MASKS = {1: "sha1", 5: "sha224", 2: "sha256", 3: "sha384", 4: "sha512"}
"""By CKG_MGF1_SHA1, CKG_MGF1_SHA224 and so on."""
_LABEL_GIVEN = 1  # CKZ_DATA_SPECIFIED


class Pss(t.NamedTuple):
    hash: str
    mask: str
    salt_size: int


class Oaep(t.NamedTuple):
    hash: str
    mask: str
    label: bytes


def info(number: int) -> t.Tuple[int, int, int]:
    """Returns the least and the greatest size of a key in bits, and the flags.

    :raises CallRefused: for a mechanism that no card has
    """
    method = METHODS.get(number)
    if method is None:
        raise CallRefused(Rv.MECHANISM_INVALID)
    sizes = [each.bits for each in KeyAlgorithm if each.is_rsa is method.is_rsa]
    return min(sizes), max(sizes), int(method.flags | MechanismFlag.HW)


def method_of(mechanism: Mechanism, use: MechanismFlag) -> Method:
    """Returns how a mechanism goes.

    :raises CallRefused: for one that is not for this use, or a parameter that it has not
    """
    method = METHODS.get(mechanism.type)
    if method is None or not method.flags & use:
        raise CallRefused(Rv.MECHANISM_INVALID)
    return method


def pss(mechanism: Mechanism, method: Method) -> Pss:
    """:raises CallRefused: for parameters that make no sense together"""
    hashed, mask, salt_size = _parameter(mechanism)
    found = Pss(_named(_HASHES, hashed), _named(_MASKS, mask), salt_size)
    if method.hash and found.hash != method.hash:
        raise CallRefused(Rv.MECHANISM_PARAM_INVALID)
    return found


def oaep(mechanism: Mechanism) -> Oaep:
    """:raises CallRefused: for parameters that nobody knows"""
    hashed, mask, source, text = _parameter(mechanism)
    if source not in (0, _LABEL_GIVEN):
        raise CallRefused(Rv.MECHANISM_PARAM_INVALID)
    return Oaep(_named(_HASHES, hashed), _named(_MASKS, mask), text if source else b"")


def _parameter(mechanism: Mechanism) -> t.Tuple[t.Any, ...]:
    if mechanism.parameter is None:
        raise CallRefused(Rv.MECHANISM_PARAM_INVALID)
    return mechanism.parameter


def _named(names: t.Mapping[int, str], number: int) -> str:
    if number not in names:
        raise CallRefused(Rv.MECHANISM_PARAM_INVALID)
    return names[number]
