# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.name import NV_WRITTEN, nv_name, nv_public
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.nv_public import NvPublic
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import WireError


def test_the_name_is_that_of_the_name_module():
    marshalled = nv_public(0x01800300, 0x1234 | NV_WRITTEN, bytes(32), 8)
    assert NvPublic.parse(marshalled).name == nv_name(0x01800300, 0x1234, bytes(32), 8)


def test_a_handle_of_another_kind_is_refused():
    with pytest.raises(WireError, match="no NV index"):
        NvPublic.parse(nv_public(0x81000001, 0, b"", 8))


def test_a_policy_that_is_no_digest_is_refused():
    with pytest.raises(WireError, match="authPolicy of 31 bytes"):
        NvPublic.parse(nv_public(0x01800300, 0, bytes(31), 8))
