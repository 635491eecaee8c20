# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``smartcard_enrollment``: two visits to the host, and all that is decided between them on the controller."""

from __future__ import annotations

import functools
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.urls import open_url
from ansible_collections.hardbound.identity.plugins.module_utils._card.outlasting import AFTER_END, TICKETS
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError
from ansible_collections.hardbound.identity.plugins.module_utils._task.admin_key import ARGUMENTS as ADMIN_KEY
from ansible_collections.hardbound.identity.plugins.module_utils._task.arguments import (
    AUTHS,
    CARD,
    KEY,
    PLACE,
    STORE,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.revocation import RevocationPolicy
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.desk import Desk, online
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.enrollment import Enrollment
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.refused import Refused, Trouble
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.retirement import REASONS, Retirement
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.visitor import (
    DEFAULT_TIMEOUT,
    HostSilent,
    VisitFailed,
    Visitor,
    fetch,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.wanted import WantedHost
from ansible_collections.hardbound.identity.plugins.plugin_utils._string_secrets import StringSecrets

KEY_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    **KEY,
    "self_signed": {"type": "bool", "default": False},
    "profile": {"type": "str"},
    "ssh_profile": {"type": "str"},
}
CARD_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "common_name": {"type": "str"},
    "upn": {"type": "str"},
    "sid": {"type": "str"},
    "principal": {"type": "str"},
    "email": {"type": "str"},
    "dns_names": {"type": "list", "elements": "str", "default": []},
    "ssh_principals": {"type": "list", "elements": "str", "default": []},
    "profile": {"type": "str"},
    **CARD,
    **ADMIN_KEY,
    "keys": {"type": "list", "elements": "dict", "options": KEY_ARGUMENTS, "default": [], "no_log": False},
}
EXTERNAL_CA: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "default": "the other CA"},
    "certificates": {"type": "path", "required": True},
    "requests": {"type": "path", "required": True},
    "command": {"type": "list", "elements": "str", "default": []},
    "revoke_command": {"type": "list", "elements": "str", "default": []},
    "profiles": {"type": "list", "elements": "str", "default": []},
}
ARGUMENTS: dict[str, dict[str, t.Any]] = {
    **PLACE,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "cards": {"type": "list", "elements": "dict", "options": CARD_ARGUMENTS, "default": []},
    "profile": {"type": "str"},
    "profiles": {"type": "dict", "default": {}},
    "ca": {"type": "str", "required": True},
    "ca_passphrase": {"type": "str", "required": True, "no_log": True},
    "ledger": {"type": "str", "no_log": True},
    "external_ca": {"type": "dict", "options": EXTERNAL_CA},
    "trust_anchors": {"type": "path"},
    "revocation": {
        "type": "str",
        "choices": [policy.value for policy in RevocationPolicy],
        "default": RevocationPolicy.WHERE_REACHABLE.value,
    },
    "online": {"type": "bool", "default": True},
    "cache": {"type": "path"},
    "ek": {"type": "str"},
    "replace_ek": {"type": "str"},
    "replace_cards": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "recovery_key": {"type": "str", "no_log": False},
    "timeout": {"type": "int", "default": DEFAULT_TIMEOUT},
    "reason": {"type": "str", "choices": REASONS, "default": "cessation_of_operation"},
}


def _raise_again(cause: BaseException) -> t.NoReturn:
    raise cause from None


class ActionModule(StringSecrets):
    """The visits, and nothing that could be tested without a host."""

    TRANSFERS_FILES = False
    ARGUMENTS = ARGUMENTS
    decides_here = True

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        if result.get("failed") and "status" not in result:  # Nobody was visited yet.
            result.update(_refusal([Refused(Trouble.INVENTORY_INVALID.name, str(result.get("msg")))], []))
        return result

    def act(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().act(tmp, task_vars)
        variables = task_vars or {}
        _validation, arguments = self.validate_argument_spec(ARGUMENTS)
        self._host = str(variables.get("inventory_hostname", ""))
        run = functools.partial(self._execute_module, task_vars=variables)
        self._visitor = Visitor(run, (AnsibleConnectionFailure,), arguments["timeout"])
        work = self._enrol if arguments["state"] == "present" else self._retire
        try:
            result.update(work(arguments))
        except VisitFailed as error:
            result.update(_refusal([Refused.of_host(str(error))], error.cards))
        except HostSilent as error:
            if error.__cause__ is not None:
                _raise_again(error.__cause__)  # Ansible knows what to do with a connection that broke.
            result.update(_refusal([Refused.of_silence(str(error))], []))
        except HardboundError as error:
            result.update(_refusal([Refused.of_error(error)], []))
        return result

    def _enrol(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        wanted = WantedHost.parse(self._host, arguments)
        desk = Desk.open(arguments)
        desk.authority.check_passphrase()  # a wrong passphrase is said before anything is changed
        makers = online(arguments, functools.partial(fetch, open_url=open_url))
        policy = desk.policy(arguments, makers)
        enrollment = Enrollment(wanted, desk.issuer, desk.ledger, policy, makers, self._task.check_mode)
        try:
            self._visit_all(enrollment, {name: arguments[name] for name in PLACE})
        finally:
            desk.end(enrollment)
        return _outcome(enrollment)

    def _visit_all(self, enrollment: Enrollment, place: dict[str, t.Any]) -> None:
        enrollment.judge(self._visitor.visit("smartcard_evidence", {**place, "cards": enrollment.questions()}))
        while challenges := enrollment.challenges():
            try:
                enrollment.accept(self._visitor.visit("smartcard_activate", {**place, "challenges": challenges}))
            except VisitFailed as error:
                enrollment.give_up(Refused.of_host(str(error)))
            except HostSilent as error:
                enrollment.give_up(Refused.of_silence(str(error)))

    def _retire(self, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Revokes first: what a host does, or whether it answers, changes nothing about that."""
        names = [card["name"] for card in arguments["cards"]]
        external_ca = WantedHost.external_ca_of(arguments)
        retirement = Retirement(self._host, names, Desk.open(arguments), arguments["reason"], external_ca)
        revoked = retirement.revoke(self._task.check_mode)
        place = {name: arguments[name] for name in (*STORE, *AUTHS)}
        gone = [
            self._visitor.visit("virtual_smartcard", {**place, "name": name, "state": "absent"})
            for name in retirement.cards
        ]
        if not self._task.check_mode:
            retirement.release()
        destroyed = [name for name, each in zip(retirement.cards, gone) if each.get("changed") is True]
        changed = bool(revoked or destroyed)
        before = {"cards": destroyed, "valid": [each["line"] for each in revoked]}
        failures = retirement.failures
        result = {
            "failed": False,
            "changed": changed,
            "status": "retired" if changed else "unchanged",
            "cards": [],
            "revoked": revoked,
            "warnings": [*retirement.warnings, *([AFTER_END] if destroyed else [])],
            TICKETS: bool(destroyed) and not self._task.check_mode,
            "diff": _diff(before, {"cards": [], "valid": []}),
        }
        return {**result, **(_refusal([Refused.of_error(each) for each in failures], []) if failures else {})}


def _outcome(enrollment: Enrollment) -> dict[str, t.Any]:
    made = enrollment.answer
    before = {"cards": made.before, "certificates": enrollment.before()}
    after = {"cards": made.after, "certificates": enrollment.after()}
    result: dict[str, t.Any] = {
        "failed": False,
        "changed": enrollment.changed,
        "status": enrollment.status.value,
        "cards": enrollment.cards(),
        "evidence": enrollment.evidence,
        "warnings": enrollment.warnings,
        "diff": _diff(before, after),
    }
    if enrollment.refused:
        result.update(_refusal(enrollment.refused, result["cards"]))
    return result


def _refusal(refused: list[Refused], cards: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """One line for a person, and a code for a playbook."""
    first, more = refused[0], len(refused) - 1
    return {
        "failed": True,
        "status": "refused",
        "code": first.code,
        "msg": first.line + (f" ({more} more)" if more else ""),
        "refused": [each.document() for each in refused],
        "cards": cards,
    }


def _diff(before: t.Any, after: t.Any) -> dict[str, t.Any]:
    return {"before_header": "enrollment", "after_header": "enrollment", "before": before, "after": after}
