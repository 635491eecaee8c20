# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive in which Ansible brings a module and its files to a host: each of our files is compiled once.

Python's own importer of archives compiles a file to learn its name, drops that, and compiles it again to run it
(``get_filename`` in CPython's Lib/zipimport.py). For the hundred files of a visit that is a good part of its time.
"""

from __future__ import annotations

import sys
import typing as t
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from zipimport import zipimporter


class ArchivedFile(SourceFileLoader):
    """Loads a file that was read already. In an archive none lies compiled beside it."""

    def __init__(self, name: str, path: str, source: bytes) -> None:
        super().__init__(name, path)
        self._source = source

    def get_data(self, path: t.Any) -> bytes:
        return self._source


class Archive:
    """Finds what lies in an archive below a package. What it does not find is left to others."""

    def __init__(self, importer: zipimporter, package: str) -> None:
        self._importer = importer
        self._prefix = f"{package}."

    def find_spec(self, name: str, path: t.Any = None, target: t.Any = None) -> t.Optional[ModuleSpec]:
        if not name.startswith(self._prefix):
            return None
        stem = name.replace(".", "/")
        return self._spec(name, f"{stem}.py") or self._spec(name, f"{stem}/__init__.py", [self._path(stem)])

    def _spec(self, name: str, file: str, within: t.Optional[t.List[str]] = None) -> t.Optional[ModuleSpec]:
        try:
            loader = ArchivedFile(name, self._path(file), self._importer.get_data(file))
        except OSError:
            return None
        return spec_from_file_location(name, loader.path, loader=loader, submodule_search_locations=within)

    def _path(self, file: str) -> str:
        return f"{self._importer.archive}/{file}"


def compile_once(loader: t.Any, package: str) -> None:
    """Has what is imported from a package from now on compiled once, if it lies in an archive.

    :param loader: that of a module of the package
    """
    if isinstance(loader, zipimporter):
        sys.meta_path.insert(0, t.cast("t.Any", Archive(loader, package)))
