# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ``virtual_smartcard`` as any module, but where a CA has a part in it: then the controller visits the host twice.

What the CA's part needs is imported then, and the host never sees ``attestation_ca``.
"""

from __future__ import annotations

import functools
import ssl
import typing as t

from ansible.module_utils.urls import open_url
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.hardbound.identity.plugins.module_utils._errors import HardboundError, InputError
from ansible_collections.hardbound.identity.plugins.module_utils._task.arguments import PLACE
from ansible_collections.hardbound.identity.plugins.module_utils._task.wanted_card import ARGUMENTS
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.visitor import Visitor, fetch
from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.words import plain_object, sentences
from ansible_collections.hardbound.identity.plugins.plugin_utils._string_secrets import StringSecrets

if t.TYPE_CHECKING:
    from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.desk import Desk
    from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.enrollment import Enrollment

CERTIFIED = "aik_and_cert"
REASON = "cessation_of_operation"


_UNASKED = InputError(
    "attestation_ca",
    f"is given, but attestation is not {CERTIFIED}",
    f"ask for attestation: {CERTIFIED}, or leave attestation_ca out",
)


class CaRefusal(HardboundError):
    """The CA gives no certificate."""


class ActionModule(StringSecrets, NormalAction):
    """The visits, and nothing that could be tested without a host."""

    ARGUMENTS = ARGUMENTS

    @property
    def decides_here(self) -> bool:
        return "attestation_ca" in self._task.args

    def act(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        variables = task_vars or {}
        self._host = str(variables.get("inventory_hostname", ""))
        self._arguments = dict(self._task.args)
        has_ca = self._arguments.pop("attestation_ca", None) is not None
        absent = self._arguments.get("state") == "absent"
        if has_ca and not absent and self._arguments.get("attestation") != CERTIFIED:
            return {"failed": True, "changed": False, "msg": str(_UNASKED)}
        if not has_ca or not (absent or self._arguments.get("attestation") == CERTIFIED):
            self._task.args = self._arguments
            return super().act(tmp, task_vars)
        result: dict[str, t.Any] = super(NormalAction, self).run(tmp, task_vars)
        self._visitor = Visitor(functools.partial(self._execute_module, task_vars=variables))
        try:
            result.update(self._retire() if absent else self._certify())
        except HardboundError as error:
            result.update(failed=True, msg=str(error), **error.facts)
        return result

    def _open_desk(self) -> tuple[dict[str, t.Any], Desk]:
        """Returns the whole task with its defaults, and the CA. A wrong passphrase is said before anything is done."""
        from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.desk import Desk

        _validation, task = self.validate_argument_spec(ARGUMENTS)
        ca = task["attestation_ca"]
        if not task["name"]:
            raise InputError("name", "is missing, and the CA knows cards by their names", "give it")
        if self._task.async_val:
            raise InputError("async", "is given with attestation_ca", "leave it out: the controller has its part in it")
        desk = Desk.open(ca)
        desk.authority.check_passphrase()
        return task, desk

    def _certify(self) -> dict[str, t.Any]:
        from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment import bare_card
        from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.desk import online
        from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.enrollment import Enrollment

        task, desk = self._open_desk()
        ca, check = task["attestation_ca"], self._task.check_mode
        makers = online(ca, functools.partial(fetch, open_url=open_url))
        wanted = bare_card.wanted(self._host, task, ca)
        enrollment = Enrollment(wanted, desk.issuer, desk.ledger, desk.policy(ca, makers), makers, check)
        nonce = enrollment.questions()[0]["nonce"]
        made = self._visitor.visit("virtual_smartcard", {**self._arguments, "attestation_nonce": nonce})
        if made.get("evidence") is None and check:
            return {**plain_object(made), "warnings": sentences(made.get("warnings"))}  # There is no card yet.
        try:
            self._enrol(enrollment, desk, task, made)
        except BaseException as error:
            if made.get("created") is True:
                self._undo(task, made, desk, error)
            raise
        return _outcome(made, enrollment)

    def _enrol(self, enrollment: Enrollment, desk: Desk, task: dict[str, t.Any], made: dict[str, t.Any]) -> None:
        """:raises CaRefusal: if the card's attestation key gets no certificate"""
        from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment import bare_card

        try:
            enrollment.judge(bare_card.answer(task["name"], made))
            challenges = enrollment.challenges()
            if challenges:
                place = self._place(task)
                enrollment.accept(self._visitor.visit("smartcard_activate", {**place, "challenges": challenges}))
        finally:
            desk.end(enrollment)
        if enrollment.refused:
            raise CaRefusal(" ".join(each.line for each in enrollment.refused))

    def _undo(self, task: dict[str, t.Any], made: dict[str, t.Any], desk: Desk, error: BaseException) -> None:
        """Leaves nothing of a card that this task has made. What was issued for it is revoked."""
        from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.retirement import Retirement

        left = []
        try:
            retirement = Retirement(self._host, [task["name"]], desk, REASON)
            retirement.revoke(False)
            retirement.release()
            left += retirement.warnings
        except HardboundError as unrevoked:
            left.append(f"Its certificates are not revoked, for {unrevoked} Revoke them with enrollment_ca.")
        try:
            card = {"instance_id": made.get("instance_id"), "state": "absent"}
            self._visitor.visit("virtual_smartcard", {**self._place(task), **card})
        except HardboundError as there:
            left.append(f"The card is still there, for {there} Remove it with state: absent.")
        if left:
            raise CaRefusal(" ".join([str(error), *left])) from error

    def _retire(self) -> dict[str, t.Any]:
        """Revokes first: what the host does, or whether it answers, changes nothing about that."""
        from ansible_collections.hardbound.identity.plugins.plugin_utils._enrollment.retirement import Retirement

        task, desk = self._open_desk()
        check = self._task.check_mode
        retirement = Retirement(self._host, [task["name"]], desk, REASON)
        revoked = retirement.revoke(check)
        seen = self._visitor.visit("virtual_smartcard", self._arguments)
        if not check:
            retirement.release()
        warnings = [*sentences(seen.get("warnings")), *retirement.warnings]
        changed = seen.get("changed") is True or bool(revoked)
        return {**plain_object(seen), "warnings": warnings, "changed": changed}

    def _place(self, task: dict[str, t.Any]) -> dict[str, t.Any]:
        return {name: task[name] for name in PLACE}


def _outcome(made: dict[str, t.Any], enrollment: Enrollment) -> dict[str, t.Any]:
    """Returns what the module said, and what the CA has added to the card."""
    said = plain_object(made)
    card = said["card"] if isinstance(said.get("card"), dict) else {}
    for progress in enrollment.progress.values():
        for issued in progress.issued:
            _add(card, issued.certificate.slot, ssl.DER_cert_to_PEM_cert(issued.certificate.body))
        if progress.issued and progress.card.keys:
            card["attestation_issuer"] = ssl.DER_cert_to_PEM_cert(enrollment.issuer)
    warnings = [*sentences(made.get("warnings")), *enrollment.warnings]
    changed = said.get("changed") is True or enrollment.changed
    return {**said, "card": card, "warnings": warnings, "changed": changed}


def _add(card: dict[str, t.Any], slot: str, certificate: str) -> None:
    """Puts a certificate where the host will tell of it: with the attestation key, or with the key that it attests."""
    if not slot:
        card.update(attestation=CERTIFIED, attestation_certificate=certificate)
    for key in card.get("slots") or ():
        if isinstance(key, dict) and key.get("slot") == slot:
            key["attestation"] = certificate
