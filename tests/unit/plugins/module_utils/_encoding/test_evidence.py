# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

from ansible_collections.hardbound.identity.plugins.module_utils._encoding.evidence import (
    INDICES,
    CardEvidence,
    Evidence,
    IndexEvidence,
    KeyEvidence,
    Statement,
)
from hypothesis import given
from hypothesis import strategies as st

blobs = st.binary(max_size=200)
words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
statements = st.builds(Statement, blobs, blobs)
keys = st.builds(KeyEvidence, words, blobs, blobs, statements)
indices = st.dictionaries(st.sampled_from(INDICES), st.builds(IndexEvidence, blobs, statements))
cards = st.builds(
    CardEvidence,
    words,
    st.integers(0, 0x01FFFFFF),
    blobs,
    st.booleans(),
    st.booleans(),
    blobs,
    blobs,
    indices,
    st.lists(keys, max_size=2).map(tuple),
)
evidence = st.builds(
    Evidence, blobs, st.lists(blobs, max_size=2).map(tuple), blobs, st.lists(cards, max_size=2).map(tuple)
)


@given(evidence)
def test_evidence_survives_the_way_as_json(shown):
    assert Evidence.parse(json.loads(json.dumps(shown.document()))) == shown
