#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: summary
short_description: Lines of text for a person
version_added: 0.1.0
description:
  - Shows lines as they are at the end of a run, where M(ansible.builtin.debug) shows a list with quotes and escapes.
  - Characters that are not printable are made visible, so that what a host said can't command the terminal.
  - The playbooks of this collection show their summary with this module.
author:
  - The hardbound.identity authors (!UNKNOWN)
extends_documentation_fragment:
  - hardbound.identity._attributes.info_module
attributes:
  action:
    description: Runs on the controller, whatever host the task is for.
    support: full
options:
  lines:
    description: The lines. A task with C(no_log) shows none of them.
    type: list
    elements: str
    required: true
seealso:
  - plugin: hardbound.identity.enrollment_summary
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Tell what came of it
  hardbound.identity.summary:
    lines: "{{ hostvars | hardbound.identity.enrollment_summary(ansible_play_hosts_all) }}"
  run_once: true
"""

RETURN = r"""
# nothing but what every module returns
"""
