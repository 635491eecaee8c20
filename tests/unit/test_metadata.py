# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What galaxy.yml and meta/ promise is there."""

from __future__ import annotations

import re
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


def test_every_role_declares_its_variables_and_has_a_page() -> None:
    roles = sorted(path for path in (COLLECTION / "roles").iterdir() if path.is_dir())
    assert len(roles) >= 5
    for role in roles:
        assert (role / "README.md").is_file(), role.name
        options = load(f"roles/{role.name}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
        defaults = load(f"roles/{role.name}/defaults/main.yml")
        assert set(defaults) <= set(options), f"{role.name}: {set(defaults) - set(options)}"
        assert {name for name in options if not name.startswith(f"{role.name}_")} == set()
        for name, option in options.items():
            if "default" in option and "{{" not in str(defaults.get(name)):
                assert defaults[name] == option["default"], f"{role.name}: {name}"


def test_the_readme_names_what_a_user_calls() -> None:
    readme = (COLLECTION / "README.md").read_text()
    called = [path.name for path in (COLLECTION / "roles").iterdir()]
    called += [path.stem for path in (COLLECTION / "playbooks").glob("*.yml")]
    called += [path.stem for path in (COLLECTION / "plugins/filter").glob("*.py")]
    called += [path.stem for path in (COLLECTION / "plugins/modules").glob("*.py")]
    wildcards = tuple(re.findall(r"`(\w+_)\*`", readme))
    for name in set(called) - {"enrollment_summary"}:
        assert f"`{name}`" in readme or name.startswith(wildcards), name
