# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpt.ini, the file that tells a policy's version beside its folders ([MS-GPOL]). Pure.

Only what stands after ``Version=`` is ever changed: other keys, sections, comments, the encoding and
the line ends stay byte for byte. Windows reads the file as an ANSI text, or as UTF-16 where a byte order
mark says so. To it a mark of UTF-8 is three characters before ``[General]``, and the version is 0: that
mark goes with the next write.
"""

from __future__ import annotations

import codecs
import re
from typing import Optional, Tuple

from .gpo_version import GpoVersion

FILE = "GPT.INI"
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_EMPTY = b"[General]\r\nVersion=0\r\n"
_SECTION = re.compile(r"^[ \t]*\[general\][^\n]*(?:\n|$)", re.IGNORECASE | re.MULTILINE)
_NEXT_SECTION = re.compile(r"^[ \t]*\[", re.MULTILINE)
_VERSION = re.compile(r"^([ \t]*version[ \t]*=[ \t]*)([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_NUMBER = re.compile(r"\"?(-?[0-9]{1,20})")


def version(document: Optional[bytes]) -> GpoVersion:
    """Returns the version that a client reads in the file; 0 where there is no number or no file."""
    found = _found(_text(document or b""))
    number = _NUMBER.match(found.group(2)) if found else None
    return GpoVersion.of(int(number.group(1)) if number else 0)


def with_version(document: Optional[bytes], new: GpoVersion) -> bytes:
    """Returns the file with another version; a new file where there is none."""
    document = (document or b"").removeprefix(codecs.BOM_UTF8) or _EMPTY
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
    mark, encoding = _encoding(document)
    body = document[len(mark) :]
    # A byte that is half a character ends no file that a client could read.
    return body[: len(body) // 2 * 2].decode(encoding, "surrogatepass") if mark else body.decode(encoding)


def _bytes(text: str, like: bytes) -> bytes:
    mark, encoding = _encoding(like)
    return mark + text.encode(encoding, "surrogatepass")


def _encoding(document: bytes) -> Tuple[bytes, str]:
    """Returns the byte order mark and the encoding that it announces."""
    for mark, encoding in _MARKS:
        if document.startswith(mark):
            return mark, encoding
    return b"", "latin-1"  # a byte a character, whatever the code page was
