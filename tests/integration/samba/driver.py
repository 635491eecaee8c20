# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the GPO writer as a process of its own: orders as JSON on stdin, the answer on stdout.

``kill_at: n`` kills the process, as SIGKILL would, right before the n-th call that changes the
directory or SYSVOL. Runs meet where they are told to: ``meet: {folder, count}`` waits before the first such call
until as many runs have come to theirs, ``hold: {after, until_there}`` waits after a call that names a file until
another file is there.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
from typing import ClassVar

from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.domain import Domain
from ansible_collections.hardbound.identity.plugins.module_utils._hello.gpo import Missing, Want
from ansible_collections.hardbound.identity.plugins.module_utils._hello.gpo_place import GpoPlace
from ansible_collections.hardbound.identity.plugins.module_utils._hello.login import Login
from ansible_collections.hardbound.identity.plugins.module_utils._hello.registry_pol import RegistryPol
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import PolicyState, Scope, SettingState
from ansible_collections.hardbound.identity.tests.support.waiting import until

CHANGING = {"add", "modify", "create", "write", "close", "unlink", "mkdir", "set_acl"}
READING = {"search", "loadfile", "chkpath"}


class Watched:
    """Stands before Samba's directory or file connection, counts its calls, and kills where told to."""

    changes = 0
    reads: ClassVar[list[str]] = []

    def __init__(self, real, order):
        self._real, self._order = real, order

    def __getattr__(self, name):
        real = getattr(self._real, name)
        if name in READING:
            return lambda *args, **options: (Watched.reads.append(name), real(*args, **options))[1]
        if name not in CHANGING:
            return real

        def changing(*args, **options):
            Watched.changes += 1
            if Watched.changes == self._order.get("kill_at"):
                os._exit(9)
            if Watched.changes == 1 and "meet" in self._order:
                meet(**self._order["meet"])
            done = real(*args, **options)
            if "hold" in self._order:
                hold(args, **self._order["hold"])
            return done

        return changing


def meet(folder, count):
    place = pathlib.Path(folder)
    (place / str(os.getpid())).touch()
    until(lambda: len(list(place.iterdir())) == count)


def hold(arguments, after, until_there):
    if any(after in str(each) for each in arguments):
        until(pathlib.Path(until_there).exists)


def watch(domain, order):
    ldb, directory = domain._samba.ldb, domain._directory
    domain._dn = lambda dn: ldb.Dn(directory, dn)  # takes nothing that only stands before a connection
    domain._directory = Watched(directory, order)
    domain._files = Watched(domain._files, order)


def settings(names):
    return {name: SettingState(PolicyState(state)) for name, state in names.items()}


def run(order):
    domain = Domain(Login(**order["login"]))
    watch(domain, order)
    want = {**order["want"]}
    want["scope"] = Scope(want.get("scope", "device"))
    want["missing"] = Missing(want.get("missing", "create"))
    writer, changes = RegistryPol(want["scope"]), settings(order.get("settings", {}))
    place = GpoPlace(domain, Want(**want), lambda document: writer.render(changes, document))
    before = place.load()
    title, chores, reads = place.title, place.chores, list(Watched.reads)
    after = writer.render(changes, before)
    changed = after != before or bool(chores)
    if changed and not order.get("check"):
        place.store(after)
    return {
        "changed": changed,
        "title": title,
        "chores": chores,
        "reads": reads,
        "changes": Watched.changes,
        "warnings": place.warnings,
        "after_title": place.title,
        "settings": {name: state.state.value for name, state in writer.read(after).items()},
        **place.report(),
    }


def main():
    order = json.load(sys.stdin)
    try:
        print(json.dumps(run(order)))
    except HardboundError as error:
        print(json.dumps({"error": str(error), "changes": Watched.changes}))


main()
