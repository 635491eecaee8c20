# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as a Registry.pol. Pure: the file may lie in a folder or in a Group Policy object.

A client carries out the entries of a Registry.pol from the first to the last, so the last word about a
value counts. Edits keep that in mind and touch no other entry: what exists is replaced in its place,
what is new goes to the end of its key's run, stored spelling is kept, and commands of other tools
(``**DeleteValues``, ``**SecureKey``, ``**soft.`` and the like) stay as they are and are never made.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from .._encoding import preg
from .._encoding.preg import Entry, RegType
from .._errors import InputError, StateError
from .registry import Delete, Edit, FoundEntry, PutValue, edits, objection, states
from .setting import Model, Scope, Setting, SettingState
from .writer import Objection

# [MS-GPREG] 3.2.5.1, older commands: their data is a list with semicolons.
_DELETE_LISTED_VALUES = "**deletevalues"
_DELETE_LISTED_KEYS = "**deletekeys"  # keys below the entry's own, with all that they hold


class RegistryPol:
    """The writer of Registry.pol, for the computer's or the users' half of a policy."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def objection(self, setting: Setting, state: SettingState) -> Optional[Objection]:
        reason = objection(setting, state, self.scope)
        return Objection(reason) if reason else None

    def read(self, document: bytes) -> Model:
        """Returns the states that the file tells. Raises StateError for a damaged file, with the offset."""
        return states(found(decode(document)))

    def render(self, changes: Model, document: bytes) -> bytes:
        """Returns the edited file; the same bytes where nothing changes.

        :raises StateError: as :meth:`read`
        :raises InputError: for a value that no entry can hold
        """
        before = decode(document)
        after = edited(before, edits(changes))
        return document if after == before else preg.encode(after)

    def keeps_removal(self, setting: Setting) -> bool:
        return setting.lingers


def decode(document: bytes) -> Tuple[Entry, ...]:
    """Returns the entries of a file, none for no bytes. Raises StateError for a damaged file."""
    if not document:
        return ()
    try:
        return preg.decode(document)
    except preg.PregError as error:
        raise StateError(
            f"the Registry.pol is damaged, {error}", "restore it from a backup; it was left as it is"
        ) from error


def found(entries: Iterable[Entry]) -> Tuple[FoundEntry, ...]:
    """Returns what is left of the entries once a client has carried them all out."""
    outcome: Dict[Tuple[str, str], FoundEntry] = {}
    for entry in entries:
        if _is_command(entry):
            for at in [at for at in outcome if _undoes(entry, *at)]:
                del outcome[at]
        command, name = _split(entry)
        if command in ("", preg.DELETE_VALUE):
            at = (entry.key.lower(), name.lower())
            outcome.pop(at, None)
            outcome[at] = FoundEntry(entry.key, name, None if command else _plain(entry), deleted=bool(command))
    return tuple(outcome.values())


def edited(entries: Sequence[Entry], changes: Iterable[Edit]) -> Tuple[Entry, ...]:
    """Returns the entries with the edits carried out, in the order of the file."""
    result = list(entries)
    for change in changes:
        _edit(result, change)
    return tuple(result)


def _edit(entries: List[Entry], change: Edit) -> None:
    own = [at for at, entry in enumerate(entries) if _is_about(entry, change.key, change.name)]
    wanted = _wanted(change, [entries[at] for at in own])
    keep = bool(own) and wanted is not None and not _is_undone_after(entries, own[-1], change)
    if keep and wanted is not None:
        entries[own[-1]] = wanted
    for at in reversed(own[:-1] if keep else own):
        del entries[at]
    if wanted is not None and not keep:
        _append(entries, wanted)


def _wanted(change: Edit, standing: List[Entry]) -> Optional[Entry]:
    """The entry that shall stand, in the spelling that the file has already; None for none."""
    key, name = change.key, change.name
    if standing:
        key, name = standing[-1].key, _split(standing[-1])[1]
    if isinstance(change, PutValue):
        return _put(change, key, name)
    if isinstance(change, Delete):
        if standing and _split(standing[-1])[0]:
            return standing[-1]
        return Entry.deletion(key, name)
    return None


def _put(change: PutValue, key: str, name: str) -> Entry:
    try:
        if isinstance(change.data, int):
            return Entry.dword(key, name, change.data)
        return Entry.string(key, name, change.data)
    except ValueError as error:
        raise InputError(change.name, f"can't be written, {error}", "choose a smaller value") from error


def _append(entries: List[Entry], entry: Entry) -> None:
    """Puts an entry at the end of its key's run, or of the file where the key is new, and after what would undo it."""
    run = [at for at, other in enumerate(entries) if other.key.lower() == entry.key.lower()]
    if not run:
        entries.append(entry)
        return
    last = max([run[-1], *(at for at, other in enumerate(entries) if _undoes(other, entry.key, entry.value))])
    entries.insert(last + 1, Entry(entries[run[-1]].key, entry.value, entry.type, entry.data))


def _split(entry: Entry) -> Tuple[str, str]:
    """Takes a value name apart: ``**del.`` or nothing, and the name. Other commands stay names of their own."""
    if entry.value.lower().startswith(preg.DELETE_VALUE):
        return preg.DELETE_VALUE, entry.value[len(preg.DELETE_VALUE) :]
    if _is_command(entry):
        return "**", entry.value
    return "", entry.value


def _is_command(entry: Entry) -> bool:
    return entry.value.startswith("**")


def _is_about(entry: Entry, key: str, name: str) -> bool:
    return entry.key.lower() == key.lower() and _split(entry)[1].lower() == name.lower()


def _undoes(entry: Entry, key: str, name: str) -> bool:
    """Whether a command of another tool removes that value from a client."""
    return _is_about_all(entry, key) or _lists_value(entry, key, name) or _lists_key(entry, key)


def _is_about_all(entry: Entry, key: str) -> bool:
    return entry.key.lower() == key.lower() and entry.value.lower().rstrip(".") == preg.DELETE_ALL_VALUES.rstrip(".")


def _is_undone_after(entries: Sequence[Entry], at: int, change: Edit) -> bool:
    """Whether a later command would remove the value again."""
    return isinstance(change, PutValue) and any(_undoes(entry, change.key, change.name) for entry in entries[at + 1 :])


def _lists_value(entry: Entry, key: str, name: str) -> bool:
    return entry.key.lower() == key.lower() and name.lower() in _listed(entry, _DELETE_LISTED_VALUES)


def _lists_key(entry: Entry, key: str) -> bool:
    below = [f"{entry.key.lower()}\\{name}\\" for name in _listed(entry, _DELETE_LISTED_KEYS)]
    return any(f"{key.lower()}\\".startswith(each) for each in below)


def _listed(entry: Entry, command: str) -> List[str]:
    """The names that a command lists, in lower case; none where the entry is another one."""
    if entry.value.lower() != command or entry.type not in (RegType.SZ, RegType.EXPAND_SZ):
        return []
    text = entry.data.decode("utf-16-le", "replace").split("\0", 1)[0]
    return [each.strip().lower() for each in text.split(";") if each.strip()]


def _plain(entry: Entry) -> object:
    """The data of a value as :class:`FoundEntry` has it. Bytes stay bytes where the size belies the type."""
    try:
        if entry.type == RegType.DWORD:
            return entry.number
        if entry.type == RegType.SZ:
            return entry.text
    except ValueError:
        pass
    return entry.data
