# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is generated from the catalogue is what stands in the files."""

from __future__ import annotations

import importlib.util
import pathlib

import pytest
import yaml
from ansible_collections.hardbound.identity.plugins.doc_fragments import _hello
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import SETTINGS
from ansible_collections.hardbound.identity.plugins.modules import hello_policy

ROOT = pathlib.Path(__file__).resolve().parents[4]
SCRIPT = ROOT / "docs" / "hello_policy_tables.py"

pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="an installed collection has no docs")


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("hello_policy_tables", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_guide_is_up_to_date(tables) -> None:
    assert tables.GUIDE.read_text(encoding="utf-8") == tables.guide()


def test_the_doc_fragment_is_up_to_date(tables) -> None:
    assert tables.FRAGMENT.read_text(encoding="utf-8") == tables.fragment()


def test_the_guide_names_every_setting_in_both_languages(tables) -> None:
    text = tables.GUIDE.read_text(encoding="utf-8")
    for setting in SETTINGS:
        assert f"`{setting.name}`" in text
        assert setting.english in text
        assert setting.japanese in text


def test_every_setting_is_documented_with_the_arguments_it_has() -> None:
    options = yaml.safe_load(_hello.ModuleDocFragment.DOCUMENTATION)["options"]["settings"]["suboptions"]
    arguments = hello_policy.ARGUMENTS["settings"]["options"]
    assert list(options) == list(arguments) == [setting.name for setting in SETTINGS]
    for name, option in options.items():
        assert option["type"] == arguments[name]["type"]
        assert option.get("choices") == arguments[name].get("choices")
        assert len(option["description"]) >= 4
