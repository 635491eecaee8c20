# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpt.ini: the number changes, everything else stays byte for byte."""

from __future__ import annotations

import codecs

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._hello import gpt_ini
from ansible_collections.hardbound.identity.plugins.module_utils._hello.gpo_version import GpoVersion
from hypothesis import given
from hypothesis import strategies as st

NEW = GpoVersion(8, 3)


@pytest.mark.parametrize(
    "before, after",
    [
        (None, b"[General]\r\nVersion=196616\r\n"),
        (b"", b"[General]\r\nVersion=196616\r\n"),
        (b"[General]\r\nVersion=7\r\n", b"[General]\r\nVersion=196616\r\n"),
        (b"[General]\r\nVersion=-1\r\n", b"[General]\r\nVersion=196616\r\n"),
        (b"[General]\r\nVersion=\r\n", b"[General]\r\nVersion=196616\r\n"),
        (
            b"; note\n[GENERAL]\ndisplayName=Caf\xe9\nversion = 7\n\n[Other]\nVersion=1\n",
            b"; note\n[GENERAL]\ndisplayName=Caf\xe9\nversion = 196616\n\n[Other]\nVersion=1\n",
        ),
        (b"[Other]\r\nVersion=1\r\n", b"[General]\r\nVersion=196616\r\n[Other]\r\nVersion=1\r\n"),
        (b"[General]\r\ndisplayName=x\r\n", b"[General]\r\nVersion=196616\r\ndisplayName=x\r\n"),
        (b"[General]\nVersion=abc ; x\nA=1", b"[General]\nVersion=196616\nA=1"),
        (b'[General]\r\nVersion="7"\r\n', b"[General]\r\nVersion=196616\r\n"),
        (codecs.BOM_UTF8 + b"[General]\r\nVersion=7\r\n", b"[General]\r\nVersion=196616\r\n"),
        (b"[General]", b"[General]\r\nVersion=196616\r\n"),
    ],
)
def test_only_the_number_changes(before, after):
    assert gpt_ini.with_version(before, NEW) == after
    assert gpt_ini.version(after) == NEW


@pytest.mark.parametrize(("mark", "encoding"), [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")])
@pytest.mark.parametrize("left_over", [b"", b"\0"])
def test_utf_16_stays_utf_16(mark, encoding, left_over):
    before = mark + "[General]\r\nVersion=7\r\ndisplayName=\u65b9\r\n".encode(encoding) + left_over
    assert gpt_ini.version(before) == GpoVersion(7)
    after = gpt_ini.with_version(before, NEW)
    assert after == mark + "[General]\r\nVersion=196616\r\ndisplayName=\u65b9\r\n".encode(encoding)


@pytest.mark.parametrize(
    "document, version",
    [
        (None, GpoVersion()),
        (b"no ini at all", GpoVersion()),
        (b"[Other]\nVersion=5\n", GpoVersion()),
        (b"[General]\r\nVersion=-1\r\n", GpoVersion(0xFFFF, 0xFFFF)),
        (b"[General]\r\nVersion=abc\r\n", GpoVersion()),
        (b'[General]\r\nVersion="7"\r\n', GpoVersion(7)),
        (b"[General]\r\nVersion=7abc\r\n", GpoVersion(7)),
        (b"[General]\r\nVersion=" + b"9" * 9999, GpoVersion.of(int("9" * 20))),
        # Windows reads an ANSI text, in which the mark stands before the section's name.
        (codecs.BOM_UTF8 + b"[General]\r\nVersion=7\r\n", GpoVersion()),
    ],
)
def test_what_a_file_tells(document, version):
    assert gpt_ini.version(document) == version


@given(
    st.binary(max_size=80) | st.text("[General]Version=7\n\ufeff").map(lambda text: text.encode("utf-16")),
    st.integers(0, 0xFFFFFFFF),
)
def test_any_file_can_be_given_a_version(document, number):
    written = gpt_ini.with_version(document, GpoVersion.of(number))
    assert gpt_ini.version(written) == GpoVersion.of(number)
    assert gpt_ini.with_version(written, GpoVersion.of(number)) == written
