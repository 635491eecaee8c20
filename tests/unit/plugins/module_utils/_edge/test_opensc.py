# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._edge.access import Holder
from ansible_collections.hardbound.identity.plugins.module_utils._edge.host_file import HostFile
from ansible_collections.hardbound.identity.plugins.module_utils._edge.opensc import render
from ansible_collections.hardbound.identity.plugins.module_utils._edge.presentation import Presentation, Presented
from ansible_collections.hardbound.identity.plugins.module_utils._edge.reader import ReaderFiles


@pytest.mark.parametrize("others", ["", "# mine\ntrust-policy: no\n", "priority: 3"])
def test_what_an_administrator_has_written_stays(others: str) -> None:
    kept_back = render(others, True)
    assert kept_back.startswith(others)
    assert "enable-in: p11_child" in kept_back.splitlines()
    assert render(kept_back, True) == kept_back
    assert render(kept_back, False) == (others + "\n" if others and not others.endswith("\n") else others)
    assert render(others, False) == others


def test_a_second_run_plans_nothing_and_a_file_of_ours_alone_goes(tmp_path: Path) -> None:
    module = HostFile(str(tmp_path / "opensc-pkcs11.module"), "opensc")
    for kept_back in (True, False):
        changes = module.plan(render(module.read(), kept_back), module.read())
        assert changes.changed
        module.apply(changes)
        assert not module.plan(render(module.read(), kept_back), module.read()).changed
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_no_text_stay(tmp_path: Path) -> None:
    path = tmp_path / "opensc-pkcs11.module"
    path.write_bytes(b"# \xff\n")
    module = HostFile(str(path), "opensc")
    for kept_back in (True, False):
        module.apply(module.plan(render(module.read(), kept_back), module.read()))
    assert path.read_bytes() == b"# \xff\n"


@pytest.mark.parametrize(("offered", "both", "kept_back"), [(1, 1, 1), (1, 0, 0), (0, 1, 0)])
def test_opensc_is_kept_back_where_p11_kit_shows_a_card_beside_its_reader(
    offered: bool, both: bool, kept_back: bool
) -> None:
    found = Presented(ReaderFiles(), "", "digest", bool(offered))
    holders = [Holder(0, "Work", "alice", in_p11_kit=bool(both)), Holder(1, "Door", "alice")]
    step = Presentation("/var/lib/hardbound").plan(holders, found, holders_changed=False)
    assert step.opensc.changed is bool(kept_back)
