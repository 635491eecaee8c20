# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a GIDS card takes off a decrypted block. Its algorithm reference for OAEP stands for SHA-1 without a label."""

from __future__ import annotations

from ..._encoding import rsa_padding
from ..._encoding.apdu import ApduError, StatusWord


def unpad_pkcs1(block: bytes) -> bytes:
    """Returns the message in a block of RSAES-PKCS1-v1_5.

    :raises ApduError: 6A80 if there is none
    """
    try:
        return rsa_padding.unpad_pkcs1(block)
    except rsa_padding.PaddingError:
        raise ApduError(StatusWord.INCORRECT_DATA) from None


def unpad_oaep(block: bytes) -> bytes:
    """Returns the message in a block of RSAES-OAEP.

    :raises ApduError: 6A80 if there is none
    """
    try:
        return rsa_padding.unpad_oaep(block)
    except rsa_padding.PaddingError:
        raise ApduError(StatusWord.INCORRECT_DATA) from None
