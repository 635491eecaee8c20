# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Structures that a host shows, each read or reported."""

from __future__ import annotations

import typing as t

from ...module_utils._encoding.public import Public
from ...module_utils._encoding.wire import WireError
from .finding import Code, Report

Read = t.TypeVar("Read")


def read(parse: t.Callable[[], Read], subject: str, report: Report) -> t.Optional[Read]:
    """Returns what is parsed, or None if it can't be, which goes into the report.

    :param parse: raises :class:`WireError` for what is no such structure
    :param subject: what it is, for messages
    """
    try:
        return parse()
    except WireError as error:
        report.refuse(Code.STRUCTURE_MALFORMED, f"{subject} is malformed: {error}")
        return None


def read_public(data: bytes, subject: str, report: Report) -> t.Optional[Public]:
    """Returns a public area as :func:`read`."""
    return read(lambda: Public.parse(data), subject, report)
