# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding import der
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st


@given(r=st.integers(0, 2**600), s=st.integers(0, 2**600))
def test_integers_and_sequences_read_back_by_another_parser(r: int, s: int) -> None:
    assert decode_dss_signature(der.sequence(der.integer(r), der.integer(s))) == (r, s)


@given(st.tuples(st.integers(0, 1), st.integers(0, 39)), st.lists(st.integers(0, 2**31), min_size=1, max_size=12))
def test_object_identifiers_are_those_of_cryptography(head: tuple[int, int], tail: list[int]) -> None:
    dotted = ".".join(map(str, (*head, *tail)))
    usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier(dotted)])
    assert usage.public_bytes() == der.sequence(der.oid(dotted))


@pytest.mark.parametrize(
    ("size", "length"),
    [(0, b"\x00"), (127, b"\x7f"), (128, b"\x81\x80"), (256, b"\x82\x01\x00"), (65536, b"\x83\x01\x00\x00")],
)
def test_a_length_has_its_shortest_form(size: int, length: bytes) -> None:
    assert der.octets(bytes(size)) == b"\x04" + length + bytes(size)
