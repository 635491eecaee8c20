# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that modules and roles describe."""

from __future__ import annotations

import functools
import importlib
import typing as t

import yaml
from ansible_collections.hardbound.identity.tests.support.pages import COLLECTION

PLUGINS = "ansible_collections.hardbound.identity.plugins"
Options = t.Mapping[str, t.Mapping[str, t.Any]]


@functools.cache
def module_options(module: str) -> Options:
    """Returns the options that a module documents, with those of its fragments, merged as ansible-core does."""
    told = yaml.safe_load(importlib.import_module(f"{PLUGINS}.modules.{module}").DOCUMENTATION)
    options = dict(told.get("options", {}))
    for name in told["extends_documentation_fragment"]:
        _namespace, _collection, file, *section = name.split(".")
        fragment = importlib.import_module(f"{PLUGINS}.doc_fragments.{file}").ModuleDocFragment
        text = getattr(fragment, section[0].upper() if section else "DOCUMENTATION")
        for option, said in yaml.safe_load(text).get("options", {}).items():
            options[option] = {**said, **options.get(option, {})}
    return options


@functools.cache
def role_variables() -> Options:
    """Returns the variables that all roles declare."""
    files = COLLECTION.glob("roles/*/meta/argument_specs.yml")
    declared = [yaml.safe_load(file.read_text())["argument_specs"]["main"]["options"] for file in files]
    return {name: told for options in declared for name, told in options.items()}
