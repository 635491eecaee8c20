# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all TPM structures share: they survive a round trip, and nothing malformed gets through."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.attest import Attest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.creation import CreationData
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.nv_public import NvPublic
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.public import Public
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.signature import Signature
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import WireError
from ansible_collections.hardbound.identity.tests.support import tpm_structures
from hypothesis import given
from hypothesis import strategies as st

STRUCTURES = {
    Public: tpm_structures.publics(),
    NvPublic: tpm_structures.nv_publics(),
    CreationData: tpm_structures.creation_data,
    Attest: tpm_structures.attests,
}
kinds = pytest.mark.parametrize("kind", list(STRUCTURES), ids=lambda kind: kind.__name__)


@kinds
@given(st.data())
def test_what_is_marshalled_is_parsed_again(kind: t.Any, data: st.DataObject) -> None:
    structure = data.draw(STRUCTURES[kind])
    assert kind.parse(structure.marshal()) == structure


@kinds
@given(st.data())
def test_a_cut_structure_is_refused(kind: t.Any, data: st.DataObject) -> None:
    whole = data.draw(STRUCTURES[kind]).marshal()
    with pytest.raises(WireError):
        kind.parse(whole[: data.draw(st.integers(0, len(whole) - 1))])


@kinds
@given(st.data(), st.binary(min_size=1, max_size=9))
def test_bytes_after_the_end_are_refused(kind: t.Any, data: st.DataObject, rest: bytes) -> None:
    with pytest.raises(WireError, match=f"has {len(rest)} bytes after its end"):
        kind.parse(data.draw(STRUCTURES[kind]).marshal() + rest)


@pytest.mark.parametrize("kind", [*STRUCTURES, Signature], ids=lambda kind: kind.__name__)
@given(st.binary(max_size=300))
def test_noise_is_refused_in_words(kind: t.Any, noise: bytes) -> None:
    with contextlib.suppress(WireError):
        assert kind.parse(noise).marshal() == noise or kind is Signature


@kinds
@given(st.data())
def test_a_flipped_bit_is_refused_or_kept(kind: t.Any, data: st.DataObject) -> None:
    """Whatever is accepted means exactly the bytes that came: nothing is normalised away under a Name."""
    whole = bytearray(data.draw(STRUCTURES[kind]).marshal())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with contextlib.suppress(WireError):
        assert kind.parse(bytes(whole)).marshal() == bytes(whole)
