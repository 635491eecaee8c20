# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registry.pol: by hand, by property, and side by side with Samba's own codec."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import preg
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.preg import Entry, PregError, RegType
from ansible_collections.hardbound.identity.tests.support.data_files import POLICIES
from hypothesis import example, given
from hypothesis import strategies as st

KEY = "SOFTWARE\\Policies\\Microsoft\\PassportForWork"

# Delimiters, NUL-adjacent code points, lone surrogates and characters outside the BMP.
NAMES = st.text(st.characters(min_codepoint=1), max_size=20) | st.text("[];\u5b00\u5d00\ud800\U0001f511", max_size=6)
NUMBERS = st.integers(0, 0xFFFFFFFF)
ENTRIES = st.builds(Entry, NAMES, NAMES, NUMBERS, st.binary(max_size=40))
FILES = st.lists(ENTRIES, max_size=8)


def test_the_bytes_of_one_entry():
    blob = preg.encode([Entry.dword("K", "V", 1)])
    assert blob == bytes.fromhex(
        "50526567 01000000 5b00 4b000000 3b00 56000000 3b00 04000000 3b00 04000000 3b00 01000000 5d00"
    )
    assert preg.decode(blob) == (Entry("K", "V", 4, b"\x01\0\0\0"),)


def test_an_empty_policy_is_its_header():
    assert preg.EMPTY == b"PReg\x01\0\0\0"
    assert preg.decode(preg.EMPTY) == ()


@pytest.mark.parametrize("number", [10, 59, 91, 93, 0x3B005D, 0x5D005B, 0x3B003B, 0])
def test_a_number_that_looks_like_a_delimiter_survives(number):
    entries = (Entry.dword(KEY, "MinimumPINLength", number), Entry.dword(KEY, "Next", 1))
    assert preg.decode(preg.encode(entries)) == entries
    assert preg.decode(preg.encode(entries))[0].number == number


def test_a_string_full_of_delimiters_survives():
    entry = Entry.string("a]\0;[".replace("\0", ""), "v;1]", '<rule a="];["/>')
    assert preg.decode(preg.encode([entry, entry])) == (entry, entry)
    assert preg.decode(preg.encode([entry]))[0].text == '<rule a="];["/>'


@given(FILES)
def test_what_is_written_is_read(entries):
    assert preg.decode(preg.encode(entries)) == tuple(entries)


@given(st.binary(max_size=200))
@example(b"PReg\x01\0\0\0[\0]\0")
def test_any_bytes_are_read_exactly_or_refused(noise):
    for blob in (noise, preg.EMPTY + noise):
        try:
            entries = preg.decode(blob)
        except PregError as error:
            assert 0 <= error.offset <= len(blob)
        else:
            assert preg.encode(entries) == blob


@given(FILES.filter(bool), st.data())
def test_a_cut_file_is_refused_or_cut_between_entries(entries, data):
    blob = preg.encode(entries)
    cut = data.draw(st.integers(0, len(blob) - 1))
    whole = {len(preg.encode(entries[:count])) for count in range(len(entries))}
    if cut in whole:
        assert preg.decode(blob[:cut]) == preg.decode(blob)[: len(preg.decode(blob[:cut]))]
    else:
        with pytest.raises(PregError):
            preg.decode(blob[:cut])


@pytest.mark.parametrize(
    "blob, offset, fault",
    [
        (b"", 0, "header"),
        (b"PReg\x01\0\0", 7, "header"),
        (b"XReg\x01\0\0\0", 0, "signature"),
        (b"PReg\x02\0\0\0", 4, "version is 2"),
        (preg.EMPTY + b"{\0", 8, "'['"),
        (preg.EMPTY + b"[", 8, "'['"),
        (preg.EMPTY + b"[\0K\0", 10, "the key has no NUL"),
        (preg.EMPTY + b"[\0K\0\0\0,\0", 14, "';'"),
        (preg.EMPTY + b"[\0K\0\0\0;\0V\0", 16, "the value name has no NUL"),
        (preg.encode([Entry.dword("K", "V", 1)])[:-4], 34, "the data: 4 bytes announced, 2 left"),
        (preg.encode([Entry.dword("K", "V", 1)])[:-2] + b")\0", 38, "']'"),
    ],
)
def test_the_offset_of_a_fault_is_named(blob, offset, fault):
    with pytest.raises(PregError, match="offset") as caught:
        preg.decode(blob)
    assert caught.value.offset == offset
    assert fault in str(caught.value)


def test_a_size_beyond_the_file_is_refused_without_reading_on():
    blob = bytearray(preg.encode([Entry.dword("K", "V", 1), Entry.dword("K", "W", 2)]))
    blob[28:32] = b"\xff\xff\xff\xff"
    with pytest.raises(PregError, match="4294967295 bytes announced"):
        preg.decode(bytes(blob))


@pytest.mark.parametrize("entry", [Entry("K\0L", "V", 4, b""), Entry("K", "V\0", 4, b"")])
def test_a_nul_in_a_name_is_not_written(entry):
    with pytest.raises(ValueError, match="NUL"):
        preg.encode([entry])


def test_new_values_are_checked():
    with pytest.raises(ValueError, match="REG_DWORD"):
        Entry.dword(KEY, "V", 1 << 32)
    with pytest.raises(ValueError, match="REG_DWORD"):
        Entry.dword(KEY, "V", -1)
    with pytest.raises(ValueError, match="65535"):
        Entry.string(KEY, "V", "x" * 32768)
    assert len(Entry.string(KEY, "V", "x" * 32766).data) == 65534


def test_a_deletion_is_what_the_editor_writes():
    assert Entry.deletion(KEY, "Enabled") == Entry(KEY, "**del.Enabled", RegType.SZ, b" \0\0\0")


def test_views_refuse_other_types():
    with pytest.raises(ValueError, match="no number"):
        _unused = Entry.string(KEY, "V", "1").number
    with pytest.raises(ValueError, match="no number"):
        _unused = Entry(KEY, "V", RegType.DWORD, b"\x01").number
    with pytest.raises(ValueError, match="no text"):
        _unused = Entry.dword(KEY, "V", 1).text
    with pytest.raises(ValueError, match="no text"):
        _unused = Entry(KEY, "V", RegType.SZ, b"x").text
    assert Entry(KEY, "V", RegType.QWORD, b"\x01" + b"\0" * 7).number == 1


def test_real_files_are_rewritten_byte_for_byte():
    assert len(POLICIES) == 3
    for path in POLICIES:
        blob = path.read_bytes()
        entries = preg.decode(blob)
        assert len(entries) > 30, path
        assert preg.encode(entries) == blob, path


class TestBesideSamba:
    """Debian's python3-samba reads and writes the same bytes."""

    @pytest.fixture(autouse=True)
    def samba(self):
        self.preg = pytest.importorskip("samba.dcerpc.preg", reason="python3-samba is not importable from this Python")
        self.ndr = pytest.importorskip("samba.ndr")

    def packed(self, entries):
        """The file as Samba writes it. Its entries hold numbers and texts, not bytes."""
        theirs = self.preg.file()
        theirs.header.signature = "PReg"
        theirs.header.version = 1
        theirs.num_entries = len(entries)
        theirs.entries = [self.entry(entry) for entry in entries]
        return self.ndr.ndr_pack(theirs)

    def entry(self, ours):
        theirs = self.preg.entry()
        theirs.keyname, theirs.valuename, theirs.type = ours.key, ours.value, ours.type
        theirs.size = len(ours.data)
        if ours.type == RegType.DWORD:
            theirs.data = ours.number
        elif ours.type == RegType.SZ:
            theirs.data = ours.text
        else:
            theirs.data = ours.data
        return theirs

    def test_real_files_read_alike(self):
        for path in POLICIES:
            blob = path.read_bytes()
            theirs = self.ndr.ndr_unpack(self.preg.file, blob)
            ours = preg.decode(blob)
            assert [(e.keyname, e.valuename, e.type, e.size) for e in theirs.entries] == [
                (e.key, e.value, e.type, len(e.data)) for e in ours
            ]
            numbers = [(t.data, o.number) for t, o in zip(theirs.entries, ours) if o.type == RegType.DWORD]
            texts = [(t.data, o.text) for t, o in zip(theirs.entries, ours) if o.type == RegType.SZ]
            assert numbers and texts
            assert all(their == our for their, our in numbers + texts)

    @given(
        st.lists(
            st.builds(Entry.dword, st.text("aZ09;[]\\ ", min_size=1), st.text("aZ;[]*."), NUMBERS)
            | st.builds(Entry.string, st.just(KEY), st.text("aZ;[]*."), st.text("aé;[]<>\u65e5\U0001f511"))
            | st.builds(Entry, st.just(KEY), st.just("Blob"), st.just(RegType.BINARY), st.binary(min_size=1)),
            min_size=1,
            max_size=6,
        )
    )
    @example([Entry.dword(KEY, "Number", number) for number in (10, 59, 91, 93, 0x5D003B)])
    @example([Entry.deletion(KEY, "Enabled")])
    def test_written_alike_and_read_alike(self, entries):
        blob = preg.encode(entries)
        assert self.packed(entries) == blob
        assert self.ndr.ndr_pack(self.ndr.ndr_unpack(self.preg.file, blob)) == blob
