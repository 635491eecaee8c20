# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that a host has made itself: Ansible lets them stand above those of the inventory.

Whatever module runs on a host, its answer may hold ``ansible_facts``, with any names. Unless ``inject_facts_as_vars``
is false, each is a variable of that host from then on, above group_vars, host_vars and the defaults of roles (Ansible's
documentation, "Understanding variable precedence"), and a cache keeps it for later runs. Who is root on a host could
say so who its user is, whom the controller trusts, and which command it runs.
"""

from __future__ import annotations

import re
import typing as t

from ansible.template import is_trusted_as_template

from ..module_utils._errors import InputError

Variables = t.Mapping[str, t.Any]

_OURS = ("smartcard_", "enrollment_", "hello_policy_", "tpm_host_", "virtual_smartcard_", "quickstart_")
"""How names begin that our roles and playbooks read."""
_OF_ANSIBLE = frozenset(("ansible_facts", "hostvars", "vars"))
_INTERPRETER = re.compile(r"(ansible_)?discovered_interpreter_\w+")
"""What Ansible itself adds to an answer; it takes out what a module says under that name."""
_WORD = re.compile(r"[A-Za-z_]\w*")
_FAULT = "is what the host says of itself, and stands above what the inventory says"
_REMEDY = (
    "find out who controls the host, and clear it from the cache of facts; "
    "if a play of yours sets it, leave cacheable out"
)


def without_facts(result: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
    """Returns the result of a module of ours without facts: none of them has any to tell."""
    facts = result.pop("ansible_facts", None)
    found = facts if isinstance(facts, dict) else {}
    kept = {name: value for name, value in found.items() if _INTERPRETER.fullmatch(str(name))}
    return {**result, "ansible_facts": kept} if kept else result


def check_variables(variables: Variables, task: t.Any) -> None:
    """Looks at the variables that a task's arguments are made of, directly or through others, and at all of ours.

    :param task: as its author wrote it
    :raises InputError: for the first that the host has made. One that a task names as a fact is that author's choice
    """
    made = set(said_by_host(variables))
    if not made:
        return
    asked = sorted(made & _reached(task, variables)) or sorted(name for name in made if name.startswith(_OURS))
    if asked:
        raise InputError(asked[0], _FAULT, _REMEDY)


def said_by_host(variables: Variables) -> t.Iterator[str]:
    """Yields the variables of a host that are facts of its own.

    Facts that ``setup`` finds have names of Ansible. One that is told by another name is a variable by that name.
    """
    told = variables.get("ansible_facts")
    facts = told if isinstance(told, t.Mapping) else {}
    for name in facts:
        if name in variables and variables[name] == facts[name] and not _is_written(variables[name]):
            yield str(name)


def _is_written(value: t.Any) -> bool:
    """Whether a person has written the value: Ansible never takes what a host says for a template."""
    return any(is_trusted_as_template(each) for each in _strings(value))


def _strings(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for each in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from _strings(each)


def _reached(value: t.Any, variables: Variables) -> t.Set[str]:
    """Returns the variables that templates in a value name, and those that they are made of."""
    found: t.Set[str] = set()
    waiting = [value]
    while waiting:
        named = {word for text in _strings(waiting.pop()) if "{" in text for word in _WORD.findall(text)}
        new = {name for name in named & variables.keys() if name not in found and name not in _OF_ANSIBLE}
        found |= new
        waiting += [variables[name] for name in new]
    return found
