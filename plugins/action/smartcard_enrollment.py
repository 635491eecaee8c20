# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``smartcard_enrollment``: two visits to the host, and all that is decided between them on the controller."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError
from ansible_collections.hardbound.identity.plugins.module_utils._task.admin_key import ARGUMENTS as ADMIN_KEY
from ansible_collections.hardbound.identity.plugins.module_utils._task.admin_key import secret_of
from ansible_collections.hardbound.identity.plugins.module_utils._task.arguments import (
    CARD,
    KEY,
    OWNER_AUTH,
    STORE,
    TPM,
    register_secrets,
)
from ansible_collections.hardbound.identity.plugins.plugin_utils._attestation.revocation import RevocationPolicy
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.desk import Desk, online
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.enrollment import Enrollment
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.refused import Refused
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.retirement import REASONS, Retirement
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.wanted import Wanted
from ansible_collections.hardbound.identity.plugins.plugin_utils._visitor import VisitFailed, Visitor, fetch

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
OUTSIDE_CA: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "default": "the other CA"},
    "certificates": {"type": "path", "required": True},
    "requests": {"type": "path", "required": True},
    "command": {"type": "list", "elements": "str", "default": []},
    "profiles": {"type": "list", "elements": "str", "default": []},
}
ARGUMENTS: dict[str, dict[str, t.Any]] = {
    **TPM,
    **STORE,
    **OWNER_AUTH,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "cards": {"type": "list", "elements": "dict", "options": CARD_ARGUMENTS, "default": []},
    "profile": {"type": "str"},
    "profiles": {"type": "dict", "default": {}},
    "ca": {"type": "str", "required": True},
    "ca_passphrase": {"type": "str", "required": True, "no_log": True},
    "ledger": {"type": "str", "no_log": True},
    "outside_ca": {"type": "dict", "options": OUTSIDE_CA},
    "trust_anchors": {"type": "path"},
    "revocation": {
        "type": "str",
        "choices": [policy.value for policy in RevocationPolicy],
        "default": RevocationPolicy.WHERE_REACHABLE.value,
    },
    "online": {"type": "bool", "default": True},
    "cache": {"type": "path"},
    "ek": {"type": "str"},
    "replace_ek": {"type": "bool", "default": False},
    "replace_aks": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "reason": {"type": "str", "choices": REASONS, "default": "cessation_of_operation"},
}


class ActionModule(Visitor):
    """The visits, and nothing that could be tested without a host."""

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        self.task_vars = task_vars or {}
        _validation, arguments = self.validate_argument_spec(ARGUMENTS)
        secrets = [arguments[name] for name in ("ca_passphrase", "ledger", "tpm_owner_auth")]
        for card in arguments["cards"]:
            secrets += [card["pin"], card["puk"], secret_of(card)]
        register_secrets(*secrets)
        host = self.host
        work = self._enrol if arguments["state"] == "present" else self._retire
        try:
            result.update(work(host, arguments))
        except VisitFailed as error:
            result.update(_refusal([Refused.of_host(str(error))], error.cards))
        except HardboundError as error:
            result.update(_refusal([Refused.of_error(error)], []))
        return result

    def _enrol(self, host: str, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        check = self._task.check_mode
        wanted = Wanted.parse(host, arguments)
        desk = Desk.open(arguments)
        desk.authority.issuing()  # a wrong passphrase is said before anything is changed
        makers = online(arguments, fetch)
        enrollment = Enrollment(wanted, desk.issuer, desk.ledger, desk.policy(arguments, makers), makers, check)
        place = {name: arguments[name] for name in (*TPM, *STORE, *OWNER_AUTH)}
        seen = self.visit("smartcard_evidence", {**place, "cards": enrollment.questions()})
        enrollment.judge(seen)
        while challenges := enrollment.challenges():
            try:
                enrollment.accept(self.visit("smartcard_activate", {**place, "challenges": challenges}))
            except VisitFailed as error:
                enrollment.give_up(Refused.of_host(str(error)))
            except AnsibleConnectionFailure as error:
                enrollment.give_up(Refused.of_silence(str(error)))
        return _outcome(enrollment, seen)

    def _retire(self, host: str, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Revokes first: what a host does, or whether it answers, changes nothing about that."""
        names = [card["name"] for card in arguments["cards"]]
        retirement = Retirement(host, names, Desk.open(arguments), arguments["reason"])
        revoked = retirement.revoke(self._task.check_mode)
        place = {name: arguments[name] for name in (*STORE, *OWNER_AUTH)}
        gone = [
            self.visit("virtual_smartcard", {**place, "name": name, "state": "absent"}) for name in retirement.cards
        ]
        if not self._task.check_mode:
            retirement.release()
        destroyed = [name for name, each in zip(retirement.cards, gone) if each.get("changed")]
        changed = bool(revoked or destroyed)
        before = {"cards": destroyed, "valid": [each["line"] for each in revoked]}
        return {
            "failed": False,
            "changed": changed,
            "status": "retired" if changed else "unchanged",
            "cards": [],
            "revoked": revoked,
            "warnings": retirement.warnings,
            "diff": _diff(before, {"cards": [], "valid": []}),
        }


def _outcome(enrollment: Enrollment, seen: dict[str, t.Any]) -> dict[str, t.Any]:
    made = seen.get("diff") or {}
    before = {"cards": made.get("before"), "certificates": enrollment.before()}
    after = {"cards": made.get("after"), "certificates": enrollment.after()}
    result: dict[str, t.Any] = {
        "failed": False,
        "changed": enrollment.changed,
        "status": enrollment.status.value,
        "cards": enrollment.cards(),
        "evidence": enrollment.evidence,
        "warnings": [*enrollment.warnings, *(seen.get("warnings") or ())],
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
