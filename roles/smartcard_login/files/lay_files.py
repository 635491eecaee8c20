# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays the role's files, or takes them away, in one step: one connection for all of them.

Standard input is a JSON list of {"path": path, "text": text, "mode": octal digits, "wanted": boolean, "encoding":
name}; "mode" may be missing, and is 0644 then, as may "wanted" and "encoding", which is utf-8, or latin-1 for bytes.
Prints JSON: the paths that were not so, and what was there, in the same form, so that a run that fails puts it back.
With --check nothing is changed.
"""

from __future__ import annotations

import json
import os
import sys
import typing as t

File = t.Dict[str, t.Any]
_OURS = ("hardbound", "hardbound-login", "principals", "sssd.service.d")


def normal(file: File) -> File:
    wanted = bool(file.get("wanted", True))
    mode, text = (file.get("mode", "0644"), file["text"]) if wanted else ("", "")
    encoding = file.get("encoding", "utf-8")
    return {"path": file["path"], "text": text, "mode": mode, "wanted": wanted, "encoding": encoding}


def read(path: str, encoding: str) -> File:
    """Whatever there is has to be put back as it was, so what is no text of that encoding is taken byte by byte."""
    try:
        with open(path, "rb") as file:
            mode, data = os.fstat(file.fileno()).st_mode & 0o7777, file.read()
    except FileNotFoundError:
        return normal({"path": path, "wanted": False, "encoding": encoding})
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding = "latin-1"
        text = data.decode(encoding)
    return normal({"path": path, "text": text, "mode": f"{mode:04o}", "encoding": encoding})


def lay(file: File) -> None:
    """A reader sees the old file or the new one, never half of it. Folders that get empty go, too."""
    path = file["path"]
    if not file["wanted"]:
        os.unlink(path)
        _remove_empty(os.path.dirname(path))
        return
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    with open(path + ".new", "w", encoding=file["encoding"], newline="") as new:
        os.fchmod(new.fileno(), int(file["mode"], 8))
        new.write(file["text"])
    os.replace(path + ".new", path)


def _remove_empty(folder: str) -> None:
    """Only folders whose names are the role's, or a unit's own."""
    while os.path.basename(folder) in _OURS and not os.listdir(folder):
        os.rmdir(folder)
        folder = os.path.dirname(folder)


def main(dry: bool) -> None:
    os.umask(0o022)
    wanted = [normal(file) for file in json.load(sys.stdin)]
    before = [read(file["path"], file["encoding"]) for file in wanted]
    pairs = [pair for pair in zip(wanted, before) if pair[0] != pair[1]]
    for file, _there in [] if dry else pairs:
        lay(file)
    told = {"changed": [file["path"] for file, _there in pairs], "before": [there for _file, there in pairs]}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
