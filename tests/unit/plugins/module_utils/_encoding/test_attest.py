# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.attest import Attest, CreationInfo
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.wire import WireError

STATEMENT = Attest(b"signer", b"nonce", CreationInfo(b"name", bytes(32))).marshal()


def test_a_forged_blob_that_a_free_key_could_sign_is_refused():
    with pytest.raises(WireError, match="no TPM made it"):
        Attest.parse(b"\xff\x54\x43\x48" + STATEMENT[4:])


def test_a_quote_says_nothing_about_a_card():
    with pytest.raises(WireError, match="type 0x8018"):
        Attest.parse(STATEMENT[:4] + b"\x80\x18" + STATEMENT[6:])


def test_a_name_longer_than_any_hash_is_refused():
    with pytest.raises(WireError, match="qualifiedSigner"):
        Attest.parse(STATEMENT[:6] + b"\xff\xff" + bytes(0xFFFF))
