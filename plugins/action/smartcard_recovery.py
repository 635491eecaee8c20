# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``smartcard_recovery``: two visits to the host, and the controller's half of the PUK between them."""

from __future__ import annotations

import functools
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.hardbound.identity.plugins.module_utils._card.outlasting import AFTER_CHANGE, TICKETS
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError, InputError
from ansible_collections.hardbound.identity.plugins.module_utils._task.arguments import PLACE
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.desk import ledger_of
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.recovery import PinRecovery, told
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.recovery_key import (
    RecoveryKey,
    load_recovery_key,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.visitor import DEFAULT_TIMEOUT, Visitor
from ansible_collections.hardbound.identity.plugins.plugin_utils._ledger.record import CertificatePlace
from ansible_collections.hardbound.identity.plugins.plugin_utils._string_secrets import StringSecrets

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    **PLACE,
    "name": {"type": "str", "required": True},
    "new_pin": {"type": "str", "required": True, "no_log": True},
    "pin_escrow_key": {"type": "str", "no_log": False},
    "ca": {"type": "str", "required": True},
    "ledger": {"type": "str", "no_log": True},
    "recovery_key": {"type": "str", "required": True, "no_log": False},
    "recovery_private_key": {"type": "str", "required": True, "no_log": True},
    "recovery_passphrase": {"type": "str", "required": True, "no_log": True},
    "reason": {"type": "str", "default": ""},
    "timeout": {"type": "int", "default": DEFAULT_TIMEOUT},
}


class ActionModule(StringSecrets):
    """The visits, and nothing that could be tested without a host."""

    TRANSFERS_FILES = False
    ARGUMENTS = ARGUMENTS
    decides_here = True

    def act(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().act(tmp, task_vars)
        variables = task_vars or {}
        _validation, arguments = self.validate_argument_spec(ARGUMENTS)
        run = functools.partial(self._execute_module, task_vars=variables)
        visitor = Visitor(run, (AnsibleConnectionFailure,), arguments["timeout"])
        try:
            result.update(self._recover(str(variables.get("inventory_hostname", "")), arguments, visitor))
        except HardboundError as error:
            result.update(failed=True, changed=False, msg=str(error), **error.facts)
        return result

    def _recover(self, host: str, arguments: dict[str, t.Any], visitor: Visitor) -> dict[str, t.Any]:
        recipient = load_recovery_key(arguments["recovery_key"])
        if recipient is None:
            raise InputError("recovery_key", "is empty", "give the public key that the next half is sealed for")
        key = RecoveryKey.parse(arguments["recovery_private_key"], arguments["recovery_passphrase"])
        place = CertificatePlace(host, arguments["name"])
        recovery = PinRecovery(place, ledger_of(arguments), key, recipient, arguments["reason"])
        where = {name: arguments[name] for name in PLACE}
        shown, halves = recovery.examine(visitor.visit("smartcard_recover", {**where, **recovery.question()}))
        outcome = _outcome(place, {"pin_tries_left": shown.pin.left, "pin": "the present one"}, shown.pin.limit)
        if self._task.check_mode:
            return outcome
        order = {"challenge": recovery.order(shown, halves)}
        pin = {name: arguments[name] for name in ("new_pin", "pin_escrow_key")}
        answer = visitor.visit("smartcard_recover", {**where, **recovery.question(), **order, **pin})
        try:
            recovery.accept(answer)
        except HardboundError as error:
            return {"failed": True, "changed": True, "msg": str(error), "pin_escrow": told(answer)}
        return {**outcome, "pin_escrow": told(answer), TICKETS: True, "warnings": [AFTER_CHANGE]}


def _outcome(place: CertificatePlace, before: dict[str, t.Any], tries: int) -> dict[str, t.Any]:
    after = {"pin_tries_left": tries, "pin": "a new one, which has to be changed", "puk": "a new one of two halves"}
    title = f"PIN of the virtual smart card {place.card} of {place.host}"
    diff = {"before_header": title, "after_header": title, "before": before, "after": after}
    return {"failed": False, "changed": True, "name": place.card, "pin_escrow": None, TICKETS: False, "diff": diff}
