# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The import contract: which room of ``plugins/`` may know which other. See docs/architecture.md."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
from ansible_collections.hardbound.identity.tests.support import code_imports
from ansible_collections.hardbound.identity.tests.support.code_imports import (
    COLLECTION,
    PACKAGE,
    PLUGINS,
    Import,
    circles,
    files,
    graph,
    imports,
    reach,
)

GROUND = {"_cryptography", "_errors", "_escrow", "_files", "_pin", "_spine"}
"""Modules without a room of their own that every core may use."""

MAY_IMPORT = {
    "module_utils/_errors": set(),
    "module_utils/_cryptography": {"_errors"},
    "module_utils/_spine": set(),
    "module_utils/_files": {"_errors"},
    "module_utils/_pin": {"_errors"},
    "module_utils/_escrow": {"_cryptography", "_errors"},
    "module_utils/_encoding": {"_cryptography", "_errors"},
    "module_utils/_tpm": GROUND | {"_encoding"},
    "module_utils/_card": GROUND | {"_encoding", "_tpm"},
    "module_utils/_edge": GROUND | {"_encoding", "_card"},
    "module_utils/_command": GROUND | {"_encoding"},
    "module_utils/_hello": GROUND | {"_encoding"},
    "module_utils/_task": GROUND | {"_encoding", "_tpm", "_card", "_edge", "_hello"},
    "plugin_utils/_ledger": GROUND,
    "plugin_utils/_ca": GROUND | {"_encoding", "_card", "_ledger"},
    "plugin_utils/_attestation": GROUND | {"_encoding", "_card", "_ca", "_ledger"},
    "plugin_utils/_enrollment": GROUND | {"_encoding", "_card", "_attestation", "_ca", "_ledger"},
}
"""The rooms that each core may import beside itself and the standard library."""

THIRD_PARTY = {
    "module_utils/_cryptography": {"cryptography"},
    "module_utils/_edge": {"cbor2"},
    "module_utils/_tpm": {"tpm2_pytss"},
    "plugin_utils/_ledger": {"sqlalchemy"},
}
"""What a room imports beyond the standard library. Nobody else may."""

MOST_LINES = 430
MOST_LINES_OF_A_FUNCTION = 33


def is_breach(room: str, found: Import) -> bool:
    """Whether a core may not import this."""
    if found.place is None:
        return found.top not in sys.stdlib_module_names | THIRD_PARTY.get(room, set())
    side, other = found.place
    own_side, own_room = room.split("/")
    if (side, other) == (own_side, own_room):
        return False
    return other not in MAY_IMPORT[room] or side not in {own_side, "module_utils"}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_core_imports_what_its_contract_allows(room: str) -> None:
    assert [str(each) for file in files(room) for each in imports(file) if is_breach(room, each)] == []


def test_nothing_but_the_ground_stands_beside_the_rooms() -> None:
    assert {each.stem for each in (PLUGINS / "module_utils").glob("*.py")} == GROUND


@pytest.mark.parametrize("folder", ["module_utils", "plugin_utils"])
def test_every_room_has_a_contract(folder: str) -> None:
    rooms = {
        each.stem
        for each in (PLUGINS / folder).iterdir()
        if each.is_dir() and each.stem != "__pycache__" and any(each.rglob("*.py"))
    }
    assert rooms == {name.split("/")[1] for name in MAY_IMPORT if (PLUGINS / name).is_dir() and name.startswith(folder)}


def test_the_architecture_page_shows_this_contract() -> None:
    shown = {}
    for line in (COLLECTION / "docs/architecture.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0].strip("`") in MAY_IMPORT:
            rooms = {each.strip("`") for each in cells[2].split(", ")} - {"nothing"}
            shown[cells[0].strip("`")] = (rooms - {"ground"}) | (GROUND if "ground" in rooms else set())
    assert shown == MAY_IMPORT


def test_nobody_but_the_tpm_room_imports_tpm2_pytss() -> None:
    strangers = [file for file in files(".") if "_tpm" not in file.parts]
    assert [str(each) for file in strangers for each in imports(file) if each.top == "tpm2_pytss"] == []


def test_a_tpm_is_opened_for_a_block_but_by_who_keeps_it_between_commands() -> None:
    """``Tpm.taken`` closes what it opens. A card in use takes turns, and the service lets go when nobody asks."""
    taking = re.compile(r"\btpm\.(acquire|release|close)\(")
    found = {str(file.relative_to(PLUGINS)) for file in files(".") if taking.search(file.read_text())}
    assert found == {"module_utils/_card/host.py", "module_utils/_card/session.py"}


def test_a_controller_needs_no_tpm_stack_not_even_through_the_model_of_a_card() -> None:
    reached = {str(file.relative_to(PLUGINS)) for file in reach(files("plugin_utils"))}
    assert sorted(each for each in reached if each.startswith("module_utils/_tpm")) == []


def test_the_cards_life_cycle_does_reach_the_tpm() -> None:
    assert PLUGINS / "module_utils/_tpm/__init__.py" in reach(files("module_utils/_card"))


def test_module_utils_never_imports_the_controllers_side() -> None:
    found = [each for file in files("module_utils") for each in imports(file)]
    assert [str(each) for each in found if each.place and each.place[0] != "module_utils"] == []


def test_module_utils_imports_itself_relatively_so_that_the_installed_tree_runs() -> None:
    found = [
        f"{file.relative_to(COLLECTION)}:{node.lineno}"
        for file in files("module_utils")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom)) and "ansible_collections" in ast.unparse(node)
    ]
    assert found == []


def test_nothing_imports_what_ansible_keeps_for_itself() -> None:
    found = [each for file in files(".") for each in imports(file)]
    assert [str(each) for each in found if each.name.startswith("ansible.module_utils._internal")] == []


def test_no_files_import_each_other() -> None:
    assert circles(graph(PLUGINS)) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("from .second import x", "from .third import x"),
        ("from . import second", "def late():\n    from .third import x"),
        ("from . import second", "if t.TYPE_CHECKING:\n    from . import third"),
    ],
)
def test_a_circle_of_files_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, first: str, second: str) -> None:
    monkeypatch.setattr(code_imports, "PLUGINS", tmp_path)
    sources = {"first": first, "second": second, "third": "from . import first", "fourth": "from . import first"}
    room = tmp_path / "module_utils/_room"
    room.mkdir(parents=True)
    for name, source in {"__init__": "from . import first", **sources}.items():
        (room / f"{name}.py").write_text(source)
    assert circles(graph(tmp_path)) == [["first.py", "second.py", "third.py"]]


def test_every_file_has_its_licence_and_postponed_annotations() -> None:
    for file in files("."):
        text = file.read_text()
        assert "SPDX-License" + "-Identifier: GPL-3.0-or-later" in text[:300], file
        assert "from __future__ import annotations" in text or not list(imports(file)), file


def long_parts(source: str) -> list[str]:
    """The functions that are too long, and the file itself if it is."""
    functions = (each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.FunctionDef))
    found = [each.name for each in functions if each.end_lineno - each.lineno >= MOST_LINES_OF_A_FUNCTION]
    return found + ["the file"] * (len(source.splitlines()) > MOST_LINES)


def test_files_and_functions_are_short_enough_to_be_read_at_once() -> None:
    code = [*PLUGINS.rglob("*.py"), *COLLECTION.glob("roles/*/files/*.py")]
    found = {str(file.relative_to(COLLECTION)): long_parts(file.read_text()) for file in code}
    assert {file: parts for file, parts in found.items() if parts} == {}


def test_what_is_too_long_is_noticed() -> None:
    body = "    pass\n"
    assert long_parts("def f():\n" + body * (MOST_LINES_OF_A_FUNCTION - 1)) == []
    assert long_parts("def f():\n" + body * MOST_LINES_OF_A_FUNCTION) == ["f"]
    assert long_parts("pass\n" * (MOST_LINES + 1)) == ["the file"]


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("module_utils/_card", "import ansible"),
        ("module_utils/_edge", "def sign():\n    from .._tpm import session"),
        ("module_utils/_card", "from .._edge.piv import Piv"),
        ("module_utils/_card", "from .. import _hello"),
        ("module_utils/_hello", "from .._card.card import Card"),
        ("module_utils/_card", "from .._task.arguments import CARD"),
        ("module_utils/_task", "from ansible.module_utils.basic import AnsibleModule"),
        ("plugin_utils/_enrollment", "from ...module_utils._task.key import Wanted"),
        ("module_utils/_encoding", "import tpm2_pytss"),
        ("plugin_utils/_attestation", "from ...module_utils._tpm import session"),
        ("plugin_utils/_attestation", "import yaml"),
        ("plugin_utils/_ledger", "from .._ca import issuer"),
        ("plugin_utils/_ca", "import sqlalchemy"),
        ("plugin_utils/_attestation", "from ...module_utils._edge import piv"),
        ("module_utils/_tpm", f"from {PACKAGE}.plugin_utils._ledger import ledger"),
    ],
)
def test_the_contract_notices_a_breach(room: str, source: str) -> None:
    file = PLUGINS / room / "breach.py"
    assert any(is_breach(room, each) for each in imports(file, source))


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("module_utils/_edge", "from .._card.card import Card"),
        ("module_utils/_card", "from . import key\nfrom .._errors import InputError\nimport os.path"),
        ("plugin_utils/_attestation", "from ...module_utils._encoding.name import digest"),
        ("module_utils/_tpm", "import tpm2_pytss"),
    ],
)
def test_the_contract_lets_good_imports_pass(room: str, source: str) -> None:
    file = PLUGINS / room / "guest.py"
    assert not any(is_breach(room, each) for each in imports(file, source))
