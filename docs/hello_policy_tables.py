# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what is generated from the catalogue: the tables of hello_policy.md and the doc fragment of the modules.

Run it with PYTHONPATH set to the folder that holds ``ansible_collections``. A unit test compares the files with
what it would write.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from ansible_collections.hardbound.identity.plugins.module_utils._hello.arguments import choices
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import SETTINGS
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_setting
from ansible_collections.hardbound.identity.plugins.module_utils._hello.graph_definitions import DEFINITIONS, Seen
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import (
    EditorFolder,
    Option,
    Scope,
    Setting,
    ValueKind,
)
from ansible_collections.hardbound.identity.plugins.module_utils._hello.target import TARGETS, Target

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs/hello_policy.md"
FRAGMENT = ROOT / "plugins/doc_fragments/_hello.py"
BEGIN, END = "<!-- generated from the catalogue: begin -->\n", "<!-- generated from the catalogue: end -->\n"

_HEAD = '''# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Written by docs/hello_policy_tables.py from the catalogue. Change that, then run the script.

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  target:
    description:
%s
  settings:
    description:
      - What the policy shall say. A setting that is left out stays as it is.
      - A setting with options is a mapping of these options and of C(state). Without C(state) the setting is
        V(enabled), and an option that is left out has its default.
    type: dict
    suboptions:
'''

#: A value of each setting that a target is asked about.
_SAMPLES = {
    "device_unlock": {"group_a": ["fingerprint"], "group_b": ["pin"]},
    "pin_expiration": 90,
    "pin_history": 5,
    "pin_max_length": 20,
    "pin_min_length": 8,
    "ess_with_supported_peripherals": "blocked",
}


def fragment() -> str:
    """The doc fragment: each target, and each setting with its meaning in each state, range and default."""
    lines = [line for setting in SETTINGS for line in _suboption(setting)]
    return _HEAD % "\n".join(_target_option()) + "\n".join(lines) + '\n"""\n'


def _target_option() -> list[str]:
    lines = [line for each in TARGETS for line in _item(f"V({each.name}): {each.about}", indent=6)]
    names = ", ".join(each.name for each in TARGETS)
    return [*lines, "    type: str", "    required: true", f"    choices: [{names}]"]


def _suboption(setting: Setting) -> list[str]:
    words = choices(setting)
    lines = [f"      {setting.name}:", "        description:"]
    lines += [line for text in _texts(setting) for line in _item(text)]
    lines += ["        type: raw" if words is None else "        type: str"]
    return lines + ([f"        choices: [{', '.join(words)}]"] if words else [])


def _texts(setting: Setting) -> list[str]:
    beyond = "" if setting.in_reference else " Only the CSP has it."
    texts = [f"{setting.english}.{beyond}"]
    enabled, disabled = ("required", "disallowed") if setting.is_class else ("enabled", "disabled")
    if setting.scalar is not None and setting.scalar.kind is ValueKind.NUMBER:
        option = setting.scalar
        texts.append(f"A number from {option.lowest} to {option.highest}: {setting.meaning.enabled}")
    else:
        head = f"V({enabled})" if setting.switch or setting.scalar else "A mapping of its options enables it"
        texts.append(f"{head}: {_after_colon(setting.meaning.enabled)}")
        texts += [_option_text(setting, option) for option in setting.options]
    texts.append(f"V({disabled}): {_after_colon(setting.meaning.disabled)}")
    if setting.is_class:
        texts.append(f"V(allowed): {setting.meaning.allowed}")
        texts.append("V(enabled) and V(disabled) are other words for V(required) and V(disallowed).")
    texts.append(f"V(not_configured): {_after_colon(setting.meaning.not_configured)}")
    texts.append(f"Default of Windows: {setting.default}.")
    if setting.folder is not EditorFolder.NONE:
        texts.append(f"In the Group Policy editor below Administrative Templates: {setting.folder.value}.")
    return texts + ([f"Disputed: {setting.disputed}"] if setting.disputed else [])


def _option_text(setting: Setting, option: Option) -> str:
    if setting.scalar is option:
        return f"V({option.words[0][0]}) or V({option.words[1][0]}) enables it with that: {option.meaning}"
    default = "required" if option.default is None else f"default {_default(option)}"
    return f"Option C({option.name}), {default}: {option.meaning}"


def _default(option: Option) -> str:
    if option.kind is ValueKind.FLAG:
        return str(option.default).lower()
    return "none" if option.default == () else "a phone"


def _after_colon(text: str) -> str:
    for head in ("Required: ", "Disallowed: ", "Allowed: "):
        text = text.removeprefix(head)
    return text


def _item(text: str, indent: int = 10) -> list[str]:
    quoted = "'" + text.replace("'", "''") + "'"
    return textwrap.wrap(
        quoted, 120, initial_indent=" " * indent + "- ", subsequent_indent=" " * indent + "  ", break_on_hyphens=False
    )


def tables() -> str:
    """The guide's tables: the settings' names and values, the targets, and which target holds what."""
    return "\n".join([*_settings_table(), "", *_targets_table(), "", *_held_table(), "", *_definitions_table(), ""])


def _targets_table() -> list[str]:
    lines = ["| Target | What it is | Its options | For users | What it can't hold |", "|---|---|---|---|---|"]
    for each in TARGETS:
        options = ", ".join(f"`{name}`" + (" (needed)" if name in each.needs else "") for name in each.takes)
        users = "yes" if Scope.USER in each.scopes else "no"
        lines.append(f"| `{each.name}` | {_markdown(each.about)} | {options} | {users} | {each.lacks} |")
    return lines


def _markdown(text: str) -> str:
    """Ansible's markup as Markdown."""
    return re.sub(
        r"[COV]\(([^)]*)\)",
        lambda found: f"`{found[1].rpartition('.')[2] if 'settings.' in found[1] else found[1]}`",
        text,
    )


def _settings_table() -> list[str]:
    lines = ["| Setting | Name, 日本語 | Values | Default | In the Group Policy editor |", "|---|---|---|---|---|"]
    for setting in SETTINGS:
        japanese = f"<br>{setting.japanese}" if setting.japanese else ""
        values = ", ".join(_value_words(setting))
        name = f"{setting.english}{japanese}"
        folder = setting.folder.value or "not there"
        lines.append(f"| `{setting.name}` | {name} | {values} | {setting.default} | {folder} |")
    return lines


def _value_words(setting: Setting) -> list[str]:
    if setting.scalar is not None and setting.scalar.kind is ValueKind.NUMBER:
        return [f"{setting.scalar.lowest} to {setting.scalar.highest}", "`disabled`"]
    if setting.scalar is not None:
        return [*(f"`{word}`" for word, _number in setting.scalar.words), "`disabled`"]
    if setting.is_class:
        return ["`required`", "`disallowed`", "`allowed`"]
    if setting.switch is None:
        return ["a mapping of " + ", ".join(f"`{option.name}`" for option in setting.options), "`disabled`"]
    return ["`enabled`", "`disabled`", *(f"option `{option.name}`" for option in setting.options)]


def _held_table() -> list[str]:
    columns = [each for each in TARGETS if each.name != "gpo"]
    lines = [
        "| Setting | " + " | ".join(f"`{each.name}`" for each in columns) + " | for users |",
        "|---|" + "---|" * (len(columns) + 1),
    ]
    for setting in SETTINGS:
        marks = [_mark(target, setting, Scope.DEVICE) for target in columns]
        users = [
            each.name for each in columns if Scope.USER in each.scopes and _mark(each, setting, Scope.USER) == "yes"
        ]
        lines.append(f"| `{setting.name}` | " + " | ".join(marks) + f" | {', '.join(users)} |")
    return lines


def _definitions_table() -> list[str]:
    lines = ["| What was seen of its definition in Graph's settings catalogue | Nodes |", "|---|---|"]
    for seen in Seen:
        nodes = [path.removeprefix("{TenantId}/Policies/") for path, each in DEFINITIONS.items() if each is seen]
        lines.append(f"| {seen.value} | {', '.join(f'`{node}`' for node in nodes)} |")
    unseen = [node.path for setting in SETTINGS for node in setting.nodes if node and node.path not in DEFINITIONS]
    return [*lines, f"| nothing, so `graph_catalog` refuses it | {', '.join(f'`{path}`' for path in unseen)} |"]


def _mark(target: Target, setting: Setting, scope: Scope) -> str:
    state = parse_setting(setting, _SAMPLES.get(setting.name, "enabled"), setting.name)
    objection = target.writer(scope, {}).objection(setting, state)
    if objection is None:
        return "yes"
    return "refused" if objection.refuse else "reported"


def guide() -> str:
    """The guide, with its tables renewed."""
    text = GUIDE.read_text(encoding="utf-8")
    before, _begin, rest = text.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    return before + BEGIN + "\n" + tables() + "\n" + END + after


if __name__ == "__main__":
    FRAGMENT.write_text(fragment(), encoding="utf-8")
    GUIDE.write_text(guide(), encoding="utf-8")
