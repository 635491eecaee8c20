# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Curves by their object identifiers: RFC 5480, clause 2.1.1.1."""

from __future__ import annotations

import typing as t

from ..._encoding import der
from ..._encoding.key_algorithm import KeyAlgorithm
from .fault import CallRefused
from .reference import Rv


def algorithm_of(parameters: t.Any) -> KeyAlgorithm:
    """Returns the algorithm of CKA_EC_PARAMS, an object identifier in DER.

    :raises CallRefused: if there are none, or no card has such keys
    """
    if not parameters:
        raise CallRefused(Rv.TEMPLATE_INCOMPLETE)
    for each in KeyAlgorithm:
        if each.curve is not None and der.oid(each.curve.oid) == parameters:
            return each
    raise CallRefused(Rv.ATTRIBUTE_VALUE_INVALID)
