# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import contextlib
import json

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.payload import Payload
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import WireError
from hypothesis import given
from hypothesis import strategies as st

SLOTS = st.sampled_from(["authentication", "signature", "retired_3"])


CERTIFICATES = st.dictionaries(SLOTS, st.binary(max_size=64))


@given(CERTIFICATES, st.binary(max_size=64), CERTIFICATES, st.binary(max_size=64))
def test_it_comes_back(certificates, ak_certificate, attestations, issuer):
    payload = Payload(certificates, ak_certificate, attestations, issuer)
    assert Payload.parse(payload.encode()) == payload


@given(st.binary(max_size=200))
def test_whatever_it_is_it_is_a_payload_or_a_wire_error(data):
    with contextlib.suppress(WireError):
        Payload.parse(data)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 1},
        {"version": 3},
        {"upn": "admin@corp.example"},
        {"certificates": "all"},
        {"attestations": 1},
    ],
)
def test_what_is_not_understood_is_refused(change):
    document = {**json.loads(Payload({}, b"").encode()), **change}
    with pytest.raises(WireError):
        Payload.parse(json.dumps(document).encode())
