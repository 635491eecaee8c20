# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A property says what is known. What asks the TPM is a method, so that whoever reads a call sees that it costs one."""

from __future__ import annotations

import ast
import re

import pytest
from ansible_collections.hardbound.identity.tests.support.code_imports import files

TPM = re.compile(r"\b(tpm|bench|workbench|esapi)\b|\bturn\(")


def properties_that_ask_the_tpm(source: str) -> list[str]:
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        and {"property", "functools.cached_property"} & {ast.unparse(each) for each in node.decorator_list}
        and any(TPM.search(ast.unparse(call)) for call in ast.walk(node) if isinstance(call, ast.Call))
    ]


def test_no_property_asks_the_tpm() -> None:
    found = {str(file): properties_that_ask_the_tpm(file.read_text()) for file in files("module_utils")}
    assert {file: names for file, names in found.items() if names} == {}


@pytest.mark.parametrize("body", ["root(self.tpm)", "self.tpm.handle(1)", "self.session.turn()"])
def test_one_that_does_is_noticed(body: str) -> None:
    assert properties_that_ask_the_tpm(f"class Card:\n    @property\n    def root(self): return {body}") == ["root"]
