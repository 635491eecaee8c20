# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What action plugins share that have a host do something and decide on the controller: visits, and downloads."""

from __future__ import annotations

import typing as t

from ansible.module_utils.urls import open_url
from ansible.plugins.action import ActionBase

from ..module_utils._errors import HardboundError
from ..module_utils._escrow import ESCROWED

SECONDS = 10
"""How long a maker's server may take."""
LARGEST_DOWNLOAD = 16 << 20


class VisitFailed(HardboundError):
    """A module failed on the host. What it has told once before that is not lost."""

    def __init__(self, seen: t.Mapping[str, t.Any]) -> None:
        super().__init__(str(seen.get("msg") or "the module failed without a word."))
        self._told = {name: seen[name] for name in ESCROWED if seen.get(name)}
        cards = seen.get("cards")
        self.cards = [_told_card(each) for each in cards if isinstance(each, dict)] if isinstance(cards, list) else []
        """What it has told of cards that it had made by then."""

    @property
    def facts(self) -> t.Dict[str, t.Any]:
        return self._told


def _told_card(card: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
    """A host may say anything."""
    return {name: value for name in ("name", *ESCROWED) if isinstance(value := card.get(name), str)}


class Visitor(ActionBase):  # type: ignore[misc]
    """An action plugin that sets :attr:`task_vars` before it visits."""

    TRANSFERS_FILES = False
    task_vars: t.Mapping[str, t.Any]

    @property
    def host(self) -> str:
        """The host's name in the inventory."""
        return str(self.task_vars.get("inventory_hostname", ""))

    def visit(self, module: str, arguments: t.Mapping[str, t.Any]) -> t.Dict[str, t.Any]:
        """Runs a module on the host.

        :raises VisitFailed: with the host's words
        """
        seen: t.Dict[str, t.Any] = self._execute_module(
            module_name=f"hardbound.identity.{module}", module_args=dict(arguments), task_vars=self.task_vars
        )
        if seen.get("failed"):
            raise VisitFailed(seen)
        return seen


def fetch(url: str) -> t.Optional[bytes]:
    """Returns what a maker serves, or None. What comes is checked by whoever asked for it."""
    if not url.startswith(("http://", "https://")):
        return None
    try:
        with open_url(url, timeout=SECONDS) as answer:
            data: bytes = answer.read(LARGEST_DOWNLOAD + 1)
    except Exception:  # Whatever keeps it from coming, it is not there.
        return None
    return data if len(data) <= LARGEST_DOWNLOAD else None
