# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""States as registry values, the way the Group Policy editor writes them."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.registry import (
    Delete,
    Forget,
    FoundEntry,
    PutValue,
    edits,
    states,
)
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import NOT_CONFIGURED, PolicyState
from hypothesis import given
from hypothesis import strategies as st

HELLO = "SOFTWARE\\Policies\\Microsoft\\PassportForWork"
PIN = HELLO + "\\PINComplexity"
BIOMETRICS = "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WinBio\\Credential Provider"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"use_hello": "enabled"}, [PutValue(HELLO, "Enabled", 1), PutValue(HELLO, "DisablePostLogonProvisioning", 0)]),
        ({"use_hello": "disabled"}, [PutValue(HELLO, "Enabled", 0), Delete(HELLO, "DisablePostLogonProvisioning")]),
        ({"use_hello": "not_configured"}, [Forget(HELLO, "Enabled"), Forget(HELLO, "DisablePostLogonProvisioning")]),
        (
            {"require_security_device": {"exclude_tpm12": True}},
            [PutValue(HELLO, "RequireSecurityDevice", 1), PutValue(HELLO + "\\ExcludeSecurityDevices", "TPM12", 1)],
        ),
        ({"pin_digits": "required"}, [PutValue(PIN, "Digits", 1)]),
        ({"pin_digits": "disallowed"}, [PutValue(PIN, "Digits", 2)]),
        ({"pin_digits": "not_configured"}, [Forget(PIN, "Digits")]),
        ({"pin_min_length": 8}, [PutValue(PIN, "MinimumPINLength", 8)]),
        ({"pin_min_length": "disabled"}, [Delete(PIN, "MinimumPINLength")]),
        ({"use_biometrics": "not_configured"}, [Delete(BIOMETRICS, "Domain Accounts")]),
        ({"use_remote_passport": "enabled"}, []),
    ],
)
def test_a_state_is_edited_in_as_the_editor_would(settings: dict[str, object], expected: list[object]) -> None:
    assert list(edits(parse_settings(settings))) == expected


@pytest.mark.parametrize(
    ("entries", "settings"),
    [
        ([FoundEntry(HELLO.lower(), "ENABLED", 1)], {"use_hello": "enabled"}),
        ([FoundEntry(PIN, "Digits", 0)], {"pin_digits": "allowed"}),
        ([FoundEntry(PIN, "History", None, deleted=True)], {"pin_history": "disabled"}),
        ([FoundEntry(BIOMETRICS, "Domain Accounts", None, deleted=True)], {"use_biometrics": "not_configured"}),
        ([FoundEntry(HELLO, "Enabled", None, deleted=True)], {}),
        ([FoundEntry("Software\\Other", "Enabled", 1)], {}),
    ],
)
def test_values_are_read_whatever_their_case(entries: list[FoundEntry], settings: dict[str, object]) -> None:
    assert states(entries) == parse_settings(settings)


@pytest.mark.parametrize(
    "entry",
    [
        FoundEntry(HELLO, "Enabled", 2),
        FoundEntry(HELLO, "Enabled", "1"),
        FoundEntry(HELLO, "Enabled", b"\1\0"),
        FoundEntry(HELLO, "DisablePostLogonProvisioning", 1),
        FoundEntry(PIN, "MinimumPINLength", 3),
        FoundEntry(PIN, "MinimumPINLength", 2**32 - 1),
        FoundEntry(HELLO + "\\DeviceUnlock", "GroupA", "{D6886603-9D2F-4EB2-B667-1971041FA96B}"),
        FoundEntry(HELLO + "\\DynamicLock", "Plugins", "<rule/>"),
    ],
)
def test_data_of_no_state_is_unknown_and_said(entry: FoundEntry) -> None:
    [state] = list(states([entry]).values())
    assert state.state is PolicyState.UNKNOWN
    assert repr(entry.data) in str(state.option("found"))


@given(
    st.lists(
        st.builds(
            FoundEntry,
            st.sampled_from([HELLO, PIN, BIOMETRICS, "x"]),
            st.sampled_from(["Enabled", "Digits", "Domain Accounts", "History", "y"]),
            st.none() | st.integers() | st.text() | st.binary(),
            st.booleans(),
        ),
        max_size=8,
    )
)
def test_any_values_are_read(entries: list[FoundEntry]) -> None:
    for state in states(entries).values():
        assert state == NOT_CONFIGURED or state.state is not PolicyState.NOT_CONFIGURED
