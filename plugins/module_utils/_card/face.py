# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faces: the ways by which programs reach a card."""

from __future__ import annotations

import enum
import typing as t

from .._errors import InputError


class Face(str, enum.Enum):
    """A way to a card. A card has one or more, and they may change."""

    PCSC = "pcsc"
    """A reader of pcscd."""
    PKCS11 = "pkcs11"
    """The socket that p11-kit asks."""


def parse_faces(names: t.Sequence[str], field: str = "faces") -> t.Tuple[Face, ...]:
    """Returns the faces of these names, in one order.

    :raises InputError: if there is none, which would leave a card that nobody reaches
    """
    faces = tuple(face for face in Face if face.value in names)
    if not faces:
        raise InputError(field, "is empty, so that no program would reach the card", "name pcsc, pkcs11 or both")
    return faces
