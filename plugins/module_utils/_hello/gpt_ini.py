# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpt.ini, the file that tells a policy's version beside its folders ([MS-GPOL]). Pure.

Only the number after ``Version=`` is ever changed: other keys, sections, comments, the encoding and
the line ends stay byte for byte.
"""

from __future__ import annotations

import codecs
import re
from typing import Optional

from .gpo_version import GpoVersion

FILE = "GPT.INI"
_EMPTY = b"[General]\r\nVersion=0\r\n"
_SECTION = re.compile(r"^[ \t]*\[general\][^\n]*(?:\n|$)", re.IGNORECASE | re.MULTILINE)
_NEXT_SECTION = re.compile(r"^[ \t]*\[", re.MULTILINE)
_VERSION = re.compile(r"^([ \t]*version[ \t]*=[ \t]*)(-?\d+|)", re.IGNORECASE | re.MULTILINE)


def version(document: Optional[bytes]) -> GpoVersion:
    """Returns the version that the file tells; 0 where it tells none or there is no file."""
    text = _text(document or b"")
    found = _found(text)
    return GpoVersion.of(int(found.group(2) or 0) if found else 0)


def with_version(document: Optional[bytes], new: GpoVersion) -> bytes:
    """Returns the file with another version; a new file where there is none."""
    document = document or _EMPTY
    text = _text(document)
    found = _found(text)
    section = _SECTION.search(text)
    if found:
        text = text[: found.start(2)] + str(new.number) + text[found.end(2) :]
    elif section:
        head = text[: section.end()]
        head += "" if head.endswith("\n") else "\r\n"
        text = head + f"Version={new.number}\r\n" + text[section.end() :]
    else:
        text = f"[General]\r\nVersion={new.number}\r\n" + text
    return _bytes(text, document)


def _found(text: str) -> Optional[re.Match[str]]:
    section = _SECTION.search(text)
    if not section:
        return None
    after = _NEXT_SECTION.search(text, section.end())
    return _VERSION.search(text, section.end(), after.start() if after else len(text))


def _text(document: bytes) -> str:
    if document.startswith(codecs.BOM_UTF16_LE):
        return document[len(codecs.BOM_UTF16_LE) :].decode("utf-16-le", "surrogatepass")
    return document.decode("latin-1")  # a byte a character, whatever the code page was


def _bytes(text: str, like: bytes) -> bytes:
    if like.startswith(codecs.BOM_UTF16_LE):
        return codecs.BOM_UTF16_LE + text.encode("utf-16-le", "surrogatepass")
    return text.encode("latin-1")
