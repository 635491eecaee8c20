# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages name is there: headings, files, variables, options of modules and roles, subcommands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Iterator, Mapping

import pytest
import yaml
from ansible_collections.hardbound.identity.plugins.module_utils._command.program import SUBCOMMANDS
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.profiles import shelf
from ansible_collections.hardbound.identity.tests.support.described_options import (
    Options,
    module_options,
    role_variables,
)
from ansible_collections.hardbound.identity.tests.support.pages import (
    COLLECTION,
    PAGES,
    relative,
    without_blocks,
    yaml_blocks,
)

OURS = re.compile(r"\b(?:smartcard|tpm_host|enrollment|virtual_smartcard|hello_policy|quickstart)_\w+\b")
TYPES = {"bool": bool, "dict": dict, "float": float, "int": int, "list": list, "path": str, "raw": object, "str": str}
FOLDERS = r"(?:tests|plugins|roles|docs|extensions|playbooks|unit|integration|machine|module_utils|plugin_utils)"
DESCRIBED_ELSEWHERE = {
    "hello_policy_settings": ("hello_policy", "settings"),
    "smartcard_enrollment_cards": ("smartcard_enrollment", "cards"),
    "smartcard_enrollment_external_ca": ("smartcard_enrollment", "external_ca"),
    "virtual_smartcard_cards": ("virtual_smartcard", None),
}
"""Variables of roles, each with the module, and the option of it, that says what they hold."""
INVENTORY_ONLY = {"smartcard_first_pin", "smartcard_first_puk", "smartcard_passkeys"}
"""What AWX hands in, for the inventory to use."""


def anchors(page: Path) -> set[str]:
    """The fragments by which a page's headings are linked, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", without_blocks(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_lead_to_a_file_and_to_a_heading(page: Path) -> None:
    for file, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)]*))?\)", page.read_text()):
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not anchor or anchor in anchors(target), f"{file}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_files_of_the_collection_that_a_page_names_exist(page: Path) -> None:
    homes = [COLLECTION, COLLECTION / "plugins", COLLECTION / "tests", page.parent]
    for name, test in re.findall(rf"`({FOLDERS}/[\w./-]+)(?:::(\w+))?`", page.read_text()):
        found = [home / each for home in homes for each in (name, f"{name}.py") if (home / each).exists()]
        assert found, name
        assert f"def {test}" in found[0].read_text() if test else True, f"{name}::{test}"


def playbook_variables() -> set[str]:
    """The variables that playbooks name in their heads."""
    heads = (path.read_text().split("\n---\n")[0] for path in (COLLECTION / "playbooks").glob("*.yml"))
    return {name for head in heads for name in re.findall(r"^#   (\w+) ", head, re.MULTILINE) if OURS.match(name)}


def known_names() -> set[str]:
    """Variables of roles and playbooks, the results that roles leave, modules, roles, playbooks and filters."""
    tasks = "".join(path.read_text() for path in COLLECTION.glob("roles/*/tasks/*.yml"))
    left = re.findall(r"^ +register: (\w+)$", tasks, re.MULTILINE)
    called = [path.stem for kind in ("plugins/*/*.py", "playbooks/*.yml", "roles/*") for path in COLLECTION.glob(kind)]
    return {*role_variables(), *playbook_variables(), *INVENTORY_ONLY, *left, *called}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_variables_that_a_page_names_exist(page: Path) -> None:
    known = known_names()
    named = {name for code in re.findall(r"`([^`\n]+)`", page.read_text()) for name in OURS.findall(code)}
    assert {name for name in named if name not in known} == set()


def test_each_variable_of_a_playbook_is_on_a_page() -> None:
    named = {name for page in PAGES for name in OURS.findall(page.read_text())}
    assert playbook_variables() - named == set()


def test_the_subcommands_of_hardbound_card_are_those_of_its_page() -> None:
    page = (COLLECTION / "docs/hardbound_card.md").read_text()
    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) == list(SUBCOMMANDS)
    named = {name for each in PAGES for name in re.findall(r"hardbound-card ([a-z-]+)", each.read_text())}
    assert named <= {"status", *SUBCOMMANDS}


def variables() -> dict[str, Any]:
    """The variables of roles, with what each may hold."""
    found: dict[str, Any] = {name: dict(told) for name, told in role_variables().items()}
    for name, (module, option) in DESCRIBED_ELSEWHERE.items():
        options = module_options(module)
        found[name]["options"] = options[option]["suboptions"] if option else options
    return found


def faults(given: Mapping[str, Any], options: Options, complete: bool = True) -> Iterator[str]:
    """Yields what is wrong with the values given to options: names, types, choices, and what is missing."""
    for name, value in given.items():
        told = options.get(name)
        if told is None:
            yield f"{name} is not there"
        elif not (isinstance(value, str) and "{{" in value):
            yield from (f"{name}: {fault}" for fault in faults_of_a_value(value, told))
    if complete:
        required = {name for name, told in options.items() if told.get("required")}
        yield from (f"{name} is missing" for name in required - given.keys())


def faults_of_a_value(value: Any, told: Mapping[str, Any]) -> Iterator[str]:
    elements = value if isinstance(value, list) else [value]
    below = told.get("suboptions") or told.get("options")
    if not isinstance(value, TYPES[told.get("type", "str")]):
        yield f"{value!r} is no {told['type']}"
    for element in elements:
        if "choices" in told and element not in told["choices"]:
            yield f"{element} is no choice"
        if below and isinstance(element, dict):
            yield from faults(element, below)


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    """Yields each mapping within a value."""
    if isinstance(value, dict):
        yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from mappings(below)


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    for where, value in yaml_blocks():
        yield from ((where, each) for each in mappings(value))


def test_examples_give_modules_what_these_take() -> None:
    seen = 0
    for where, each in examples():
        for module in (key for key in each if str(key).startswith("hardbound.identity.")):
            seen += 1
            assert list(faults(each[module] or {}, module_options(module.split(".")[-1]))) == [], where
    assert seen > 10


def test_examples_give_roles_what_these_take() -> None:
    options, seen = variables(), set()
    for where, each in examples():
        given = {name: value for name, value in each.items() if OURS.fullmatch(str(name))}
        seen |= given.keys()
        assert list(faults(given, options, complete=False)) == [], where
    assert len(seen) > 20


def test_the_profiles_of_examples_are_profiles() -> None:
    own = [
        each["smartcard_enrollment_profiles"] for _where, each in examples() if "smartcard_enrollment_profiles" in each
    ]
    assert len(own) > 1
    for profiles in own:
        assert shelf(profiles).keys() > profiles.keys()


def test_pages_that_modules_link_exist() -> None:
    text = "".join(path.read_text() for path in (COLLECTION / "plugins/modules").glob("*.py"))
    linked = re.findall(r"link: https://github.com/hardbound/identity/blob/main/(\S+)", text)
    assert len(linked) > 3 and [name for name in linked if not (COLLECTION / name).is_file()] == []


def test_the_table_of_a_roles_variables_is_whole() -> None:
    """Where a role's page has one. Its defaults are those of the role."""
    page = (COLLECTION / "roles/tpm_host/README.md").read_text()
    rows = dict(re.findall(r"^\| `(tpm_host_\w+)` \| (.*?) \|", page, re.MULTILINE))
    declared = {name: told for name, told in role_variables().items() if name.startswith("tpm_host_")}
    assert rows.keys() == declared.keys()
    for name, told in declared.items():
        if "default" in told:
            assert yaml.safe_load(rows[name].strip("`")) == told["default"], name


def test_the_tags_of_tpm_host_are_those_of_its_page() -> None:
    page = (COLLECTION / "roles/tpm_host/README.md").read_text().split("\n## Tags\n")[1]
    tasks = "".join(path.read_text() for path in COLLECTION.glob("roles/tpm_host/tasks/*.yml"))
    used = {tag for tags in re.findall(r"^ *tags: \[(.*)\]$", tasks, re.MULTILINE) for tag in tags.split(", ")}
    assert set(re.findall(r"`(\w+)`", page)) == used - {"always"}


@pytest.mark.parametrize(
    "given", [{"nmae": "Alice"}, {"name": "Alice", "keys": [{"slot": 9}]}, {"name": "Alice", "card_edge": "pvi"}]
)
def test_an_example_with_a_fault_is_noticed(given: dict[str, Any]) -> None:
    assert list(faults(given, module_options("virtual_smartcard")))
