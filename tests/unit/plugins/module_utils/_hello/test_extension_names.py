# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension names of a GPO: the registry extension is in, groups are merged and in order."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.extension_names import (
    REGISTRY_CSE,
    REGISTRY_TOOLS,
    with_registry,
)
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import Scope
from hypothesis import given
from hypothesis import strategies as st

REGISTRY = f"[{REGISTRY_CSE}{REGISTRY_TOOLS[Scope.DEVICE]}]"
SECURITY = "[{827D319E-6EAC-11D2-A4EA-00C04F79F83A}{803E14A0-B4FB-11D0-A0D0-00A0C90F574B}]"
EARLY = "[{00000000-0000-0000-0000-000000000000}{79F92669-4224-476C-9C5C-6EFB4D87DF4A}]"
GUIDS = st.uuids().map(lambda each: f"{{{each}}}") | st.just(REGISTRY_CSE.lower())
GROUPS = st.builds(lambda cse, tools: f"[{cse}{''.join(tools)}]", GUIDS, st.lists(GUIDS, max_size=3))


@pytest.mark.parametrize(
    "before, after",
    [
        ("", REGISTRY),
        (" ", REGISTRY),
        (REGISTRY, REGISTRY),
        (SECURITY, REGISTRY + SECURITY),
        (SECURITY + EARLY, EARLY + REGISTRY + SECURITY),
        (REGISTRY.lower(), REGISTRY.replace(REGISTRY_TOOLS[Scope.DEVICE], REGISTRY_TOOLS[Scope.DEVICE].lower())),
        (f"[{REGISTRY_CSE}]", REGISTRY),
        (
            f"[{REGISTRY_CSE}{{0F6B957E-509E-11D1-A7CC-0000F87571E3}}]",
            f"[{REGISTRY_CSE}{{0F6B957E-509E-11D1-A7CC-0000F87571E3}}{REGISTRY_TOOLS[Scope.DEVICE]}]",
        ),
        (REGISTRY + SECURITY + REGISTRY, REGISTRY + SECURITY),
    ],
)
def test_the_registry_extension_goes_to_its_place(before, after):
    assert with_registry(before, Scope.DEVICE) == after
    assert with_registry(after, Scope.DEVICE) == after


def test_users_have_a_tool_of_their_own():
    assert "D02B1F73" in with_registry("", Scope.USER)


@given(st.lists(GROUPS, max_size=5).map("".join))
def test_groups_are_sorted_and_nothing_is_lost(names):
    after = with_registry(names, Scope.DEVICE)
    extensions = [group[1:39].upper() for group in after.split("]") if group]
    assert extensions == sorted(set(extensions))
    assert set(names.upper().replace("[", "").replace("]", "").split("{")) <= set(
        after.upper().replace("[", "").replace("]", "").split("{")
    )
    assert with_registry(after, Scope.DEVICE) == after


@pytest.mark.parametrize(
    "names, at", [("[{827D319E", 0), (SECURITY + "x", len(SECURITY)), (SECURITY + "[]", len(SECURITY))]
)
def test_a_malformed_list_is_refused_with_the_place(names, at):
    with pytest.raises(StateError, match=f"gPCMachineExtensionNames of the GPO is malformed at character {at}"):
        with_registry(names, Scope.DEVICE)
