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
        (b"[General]", b"[General]\r\nVersion=196616\r\n"),
    ],
)
def test_only_the_number_changes(before, after):
    assert gpt_ini.with_version(before, NEW) == after
    assert gpt_ini.version(after) == NEW


def test_utf_16_stays_utf_16():
    before = codecs.BOM_UTF16_LE + "[General]\r\nVersion=7\r\ndisplayName=\u65b9\r\n".encode("utf-16-le")
    after = gpt_ini.with_version(before, NEW)
    assert after == codecs.BOM_UTF16_LE + "[General]\r\nVersion=196616\r\ndisplayName=\u65b9\r\n".encode("utf-16-le")


@pytest.mark.parametrize(
    "document, version",
    [
        (None, GpoVersion()),
        (b"no ini at all", GpoVersion()),
        (b"[Other]\nVersion=5\n", GpoVersion()),
        (b"[General]\r\nVersion=-1\r\n", GpoVersion(0xFFFF, 0xFFFF)),
    ],
)
def test_what_a_file_tells(document, version):
    assert gpt_ini.version(document) == version


@given(st.binary(max_size=80), st.integers(0, 0xFFFFFFFF))
def test_any_file_can_be_given_a_version(document, number):
    written = gpt_ini.with_version(document, GpoVersion.of(number))
    assert gpt_ini.version(written) == GpoVersion.of(number)
    assert gpt_ini.with_version(written, GpoVersion.of(number)) == written
