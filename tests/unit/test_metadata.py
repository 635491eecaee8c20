# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What galaxy.yml and meta/ promise is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

COLLECTION = Path(__file__).parents[2]


def load(name: str) -> Any:
    return yaml.safe_load((COLLECTION / name).read_text())


def test_the_action_group_holds_every_module() -> None:
    modules = {path.stem for path in (COLLECTION / "plugins/modules").glob("*.py")} - {"__init__"}
    assert set(load("meta/runtime.yml")["action_groups"]["all"]) == modules


def test_every_action_plugin_has_the_documentation_of_its_module() -> None:
    actions = {path.stem for path in (COLLECTION / "plugins/action").glob("*.py")} - {"__init__"}
    assert actions <= {path.stem for path in (COLLECTION / "plugins/modules").glob("*.py")}


def test_the_execution_environment_names_files_that_exist() -> None:
    for name in load("meta/execution-environment.yml")["dependencies"].values():
        assert (COLLECTION / name).is_file()


def test_the_collection_depends_on_no_other() -> None:
    assert load("galaxy.yml")["dependencies"] == {}


def test_sanity_has_nothing_to_ignore() -> None:
    ignores = sorted((COLLECTION / "tests/sanity").glob("ignore-*.txt"))
    assert ignores
    assert [path.name for path in ignores if path.read_text().strip()] == []
