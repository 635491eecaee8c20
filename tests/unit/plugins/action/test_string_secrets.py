# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module that takes a secret refuses one that is no string, on the controller, before it does anything."""

from __future__ import annotations

import gc
import importlib
import types
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.hardbound.identity.plugins.plugin_utils._string_secrets import StringSecrets

PLUGINS = Path(__file__).parents[4] / "plugins"
PACKAGE = "ansible_collections.hardbound.identity.plugins"
MODULES = sorted(file.stem for file in (PLUGINS / "modules").glob("[a-z]*.py"))


def action(module: str) -> Any:
    if not (PLUGINS / f"action/{module}.py").is_file():
        return None
    return importlib.import_module(f"{PACKAGE}.action.{module}").ActionModule


def secrets(arguments: dict[str, Any], inside: tuple[tuple[str, bool], ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to the secrets of a module: names, each with whether a list is there."""
    for name, argument in arguments.items():
        path = (*inside, (name, argument.get("type") == "list"))
        if argument.get("no_log"):
            yield path
        yield from secrets(argument.get("options", {}), path)


def arguments_with(path: tuple[tuple[str, bool], ...], value: object) -> Any:
    for name, is_list in reversed(path):
        value = {name: [value] if is_list else value}
    return value


CASES = [
    (module, path) for module in MODULES if issubclass(action(module) or int, StringSecrets)
    for path in secrets(action(module).ARGUMENTS)
]  # fmt: skip


@pytest.mark.parametrize(("module", "path"), CASES)
def test_a_number_is_refused(module: str, path: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = action(module).__new__(action(module))
    plugin._task = types.SimpleNamespace(args=arguments_with(path, 42798), no_log=False)
    monkeypatch.setattr(action(module), "act", lambda *_unused: pytest.fail("it went on"))
    result = plugin.run()
    assert result["failed"] and "quote it" in result["msg"] and "42798" not in result["msg"]
    assert path[-1][0] + " is a number" in result["msg"]


@pytest.mark.parametrize("module", MODULES)
def test_no_module_that_takes_a_secret_goes_without(module: str) -> None:
    text = (PLUGINS / f"modules/{module}.py").read_text()
    made = importlib.import_module(f"{PACKAGE}.modules.{module}")
    arguments = next((getattr(made, each) for each in dir(made) if each.endswith("ARGUMENTS")), {})
    if list(secrets(arguments)) or "vaulted_" in text:
        assert issubclass(action(module), StringSecrets)
        assert list(secrets(action(module).ARGUMENTS)) or not list(secrets(arguments))


def test_what_an_action_returns_is_passed_on_and_its_secrets_are_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    where = f"{PACKAGE}.plugin_utils._string_secrets.register_secrets"
    monkeypatch.setattr(where, lambda *values: told.extend(values))
    made = action("virtual_smartcard_pin")
    plugin = made.__new__(made)
    plugin._task = types.SimpleNamespace(args={"name": "card", "pin": "0000", "new_pin": "s3cret-1"})
    monkeypatch.setattr(made, "act", lambda *_unused: {"instance_id": "ROOT\\SMARTCARDREADER\\0000"})
    assert plugin.run() == {"instance_id": "ROOT\\SMARTCARDREADER\\0000"}
    assert told == ["s3cret-1"]


def test_what_a_process_has_inherited_is_not_searched_for_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    made = action("virtual_smartcard_pin")
    plugin = made.__new__(made)
    plugin._task = types.SimpleNamespace(args={"name": "card"})
    monkeypatch.setattr(made, "act", lambda *_unused: {"left_out": gc.get_freeze_count()})
    gc.unfreeze()
    try:
        assert plugin.run()["left_out"] > 0
    finally:
        gc.unfreeze()
