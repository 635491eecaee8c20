# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error of the module layer says field, fault and remedy, as a person reads them: ``pin is missing: give it.``"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator, NamedTuple

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"
LAYER = ("module_utils/_task", "modules", "action", "filter")

FIELD = re.compile(r"[a-z][a-z_]*(\[…\])?(\.[a-z_]+)*|…(\.[a-z_]+)*")
FAULT = re.compile(
    r"(is|are|has|have|holds|does|can't|can|comes|came|names|gives|sets|asks|may|was|wants|contradicts|…) ?\S*"
)
REMEDY = re.compile(
    r"(add|ask|check|choose|enter|give|install|leave|let|look|make|name|quote|remove|request|run|unblock|say|start|use|wait|write"
    r")\b|…"
)
"""A remedy tells somebody to do something."""

OTHERS = {
    "AnsibleFilterError": "a filter's way to fail, with the words of an error from below",
    "Blocked": "_task/pin.py: becomes an InputError at once",
    "Doubt": "a StateError, see its class",
    "Interrupted": "the words of an error from below, with what was told once",
    "LookupError": "a step without its card: a fault of ours",
    "NotImplementedError": "for a class that is yet to be written",
    "CaRefusal": "virtual_smartcard on the controller: the words of the CA",
    "Refusal": "_enrollment: the words of the CA",
    "_Finished": "no error",
}


class Raised(NamedTuple):
    """One ``raise`` and its arguments, with what is only known at run time as an ellipsis."""

    place: str
    kind: str
    parts: tuple[str, ...]


def raised(file: Path) -> Iterator[Raised]:
    tree = ast.parse(file.read_text())
    given = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    given.sort(key=lambda node: node.lineno)
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            place = f"{file.relative_to(PLUGINS)}:{node.lineno}"
            names = {each.targets[0].id: each.value for each in given if each.lineno < node.lineno}  # type: ignore[attr-defined]
            yield Raised(place, ast.unparse(node.exc.func), tuple(_text(each, names) for each in node.exc.args))


def _text(node: ast.expr, names: dict[str, ast.expr]) -> str:
    """A text as far as it is written down. A name stands for what it was given last."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(each, names) for each in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left, names) + _text(node.right, names)
    if isinstance(node, ast.Name) and node.id in names:
        return _text(names[node.id], {})
    return "…"


ALL = [
    each
    for folder in LAYER
    for file in sorted((PLUGINS / folder).rglob("*.py"))
    for each in raised(file)
    if each.kind not in OTHERS
]


@pytest.mark.parametrize("error", ALL, ids=[each.place for each in ALL])
def test_an_error_has_its_parts(error: Raised) -> None:
    if error.kind == "InputError":
        field, fault, remedy = error.parts
        assert FIELD.fullmatch(field), field
        assert FAULT.match(fault), fault
    else:
        assert error.kind == "StateError", f"{error.kind} is no error for people: explain it in OTHERS"
        found, remedy = error.parts
        assert len(found) >= 3 or found == "…"
    assert REMEDY.match(remedy), remedy
    for part in error.parts:
        assert not part.endswith((".", ":")) and part == part.strip(), part


def test_it_sees_what_there_is() -> None:
    assert len(ALL) > 40
    assert {each.kind for each in ALL} == {"InputError", "StateError"}


@pytest.mark.parametrize(
    "source",
    [
        "raise InputError('pin', 'bad', 'give it')",
        "raise InputError('pin', 'is bad', 'nothing helps')",
        "raise InputError('The PIN', 'is bad', 'give it')",
        "raise InputError('pin', 'is bad', 'give it.')",
        "def f():\n    remedy = 'no idea'\n    raise InputError('pin', 'is bad', remedy)",
        "raise StateError('the disk is full', 'sorry')",
        "raise ValueError('oops')",
    ],
)
def test_a_poor_error_is_noticed(tmp_path: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "poor.py"
    file.write_text(source)
    monkeypatch.setitem(globals(), "PLUGINS", tmp_path)
    [error] = raised(file)
    with pytest.raises((AssertionError, ValueError)):
        test_an_error_has_its_parts(error)
