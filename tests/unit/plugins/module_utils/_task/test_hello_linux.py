# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""hello_policy on a Linux host that has cards: polkit hears of a change at once."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._card import store as store_module
from ansible_collections.hardbound.identity.plugins.module_utils._card.record import Record, State
from ansible_collections.hardbound.identity.plugins.module_utils._edge import access
from ansible_collections.hardbound.identity.plugins.module_utils._edge.host_file import HostFile
from ansible_collections.hardbound.identity.plugins.module_utils._edge.presentation import Presentation
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello import sources
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.linux import Linux
from ansible_collections.hardbound.identity.plugins.module_utils._hello.place import FilePlace
from ansible_collections.hardbound.identity.plugins.module_utils._hello.policy import HelloPolicy
from ansible_collections.hardbound.identity.plugins.module_utils._hello.resolver import Source, SourceKind
from ansible_collections.hardbound.identity.plugins.module_utils._pin import PinPolicy
from ansible_collections.hardbound.identity.plugins.module_utils._spine import Plan, View
from ansible_collections.hardbound.identity.plugins.module_utils._task import hello_linux
from ansible_collections.hardbound.identity.plugins.module_utils._task.hello_linux import LinuxPolicy

SEEN_BY_ALL = {"allow_all_user_card_enumeration": "enabled"}


def card(number: int, name: str, owner: str, presented: bool = True) -> Record:
    fields: t.Dict[str, t.Any] = dict.fromkeys(("serial", "genesis", "salt"), b"")
    return Record(
        number, name, tcti="", first_handle=0, pin_policy=PinPolicy(), pin_retries=3, puk_retries=3,
        state=State.READY, owner=owner, presented=presented, **fields,
    )  # fmt: skip


class Host:
    """Its policy, its cards, and polkit's rules."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.policy = folder / "hello_policy.json"
        self.rules = folder / "50-hardbound.rules"
        self.store = store_module.Store(str(folder))
        self.store.prepare()

    def run(self, check: bool = False, **settings: object) -> t.Tuple[Plan[t.Any], View]:
        """What the module does."""
        noun = LinuxPolicy(
            HelloPolicy(parse_settings(settings), Linux(), FilePlace(str(self.policy))), self.store.folder
        )
        found = noun.read()
        plan = noun.plan(found)
        return plan, (noun.apply(plan, found) if plan.changed and not check else noun.report(plan, found))

    @property
    def everyone(self) -> str:
        text = self.rules.read_text()
        return text[text.index("var everyone = ") :].partition(";")[0].rpartition(" ")[2]


@pytest.fixture
def host(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host(tmp_path)
    monkeypatch.setattr(Presentation, "is_set_up", True)
    monkeypatch.setattr(Presentation, "asks_polkit", True)
    monkeypatch.setattr(access, "RULES", HostFile(str(host.rules), "access"))
    host.store.write(card(0, "Work", "alice"))
    host.store.write(card(1, "Hidden", "bob", presented=False))
    return host


def test_check_do_and_again(host: Host) -> None:
    would, told = host.run(check=True, **SEEN_BY_ALL)
    assert would.changed and not host.policy.exists() and not host.rules.exists()
    assert would.after == {**SEEN_BY_ALL, "to_do": [hello_linux.GUARD_READERS]}
    assert told["settings"] == SEEN_BY_ALL
    done, _told = host.run(**SEEN_BY_ALL)
    assert done.changed and host.everyone == "true"
    assert "Work 00 00" in host.rules.read_text() and "Hidden" not in host.rules.read_text()
    before = host.policy.stat().st_mtime_ns, host.rules.stat().st_mtime_ns
    again, told = host.run(**SEEN_BY_ALL)
    assert not again.changed and told["changed_settings"] == []
    assert (host.policy.stat().st_mtime_ns, host.rules.stat().st_mtime_ns) == before


def test_each_state_is_told(host: Host) -> None:
    for state, literal in (("disabled", "false"), ("enabled", "true"), ("not_configured", "null")):
        host.run(allow_all_user_card_enumeration=state)
        assert host.everyone == literal


def test_a_setting_about_something_else_does_not_touch_the_rules(host: Host) -> None:
    host.run(**SEEN_BY_ALL)
    plan, _told = host.run(pin_history=5)
    assert [type(step).__name__ for step in plan.steps] == ["SettingChange"]


def test_a_run_that_was_killed_between_policy_and_rules_is_finished_by_the_next(host: Host) -> None:
    host.run(**SEEN_BY_ALL)
    host.rules.unlink()
    plan, told = host.run(**SEEN_BY_ALL)
    assert plan.changed and told["changed_settings"] == []
    assert host.everyone == "true"
    assert json.loads(host.policy.read_text())["settings"] == SEEN_BY_ALL


def test_a_pcscd_without_polkit_is_warned_of(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Presentation, "asks_polkit", False)
    plan, _told = host.run(**SEEN_BY_ALL)
    assert hello_linux.NO_POLKIT in plan.warnings
    assert hello_linux.NO_POLKIT not in host.run(allow_all_user_card_enumeration="disabled")[0].warnings


def test_a_pcscd_without_polkit_is_told_of_by_the_info_module(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    model = parse_settings({**SEEN_BY_ALL, "pin_history": 5})
    monkeypatch.setattr(sources, "_this_host", lambda: Source(SourceKind.LINUX_HOST, "here", model))

    def told(**params: object) -> t.Dict[str, t.Any]:
        return sources.answer({"sources": None, "platform": None, **params}, hello_linux.not_enabled_here())

    assert told()["not_enforceable"] == []
    monkeypatch.setattr(Presentation, "asks_polkit", False)
    assert told()["not_enforceable"] == [
        {"name": "allow_all_user_card_enumeration", "source": "here", "reason": hello_linux.WHY_NOT}
    ]
    values = {each["name"]: each["value"] for each in told()["settings"]}
    assert (values["allow_all_user_card_enumeration"], values["pin_history"]) == ("not_configured", 5)
    model = parse_settings({"allow_all_user_card_enumeration": "disabled"})
    assert told()["not_enforceable"] == []
    elsewhere = {"kind": "linux_host", "settings": SEEN_BY_ALL}
    assert told(sources=[elsewhere])["not_enforceable"] == []


def test_without_a_card_service_it_is_only_a_file(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Presentation, "is_set_up", False)
    plan, _told = host.run(**SEEN_BY_ALL)
    assert plan.changed and host.policy.exists() and not host.rules.exists()


def test_a_damaged_policy_is_refused_and_polkit_hears_nothing(host: Host) -> None:
    host.policy.write_bytes(b"{")
    with pytest.raises(StateError, match="is no JSON"):
        host.run(**SEEN_BY_ALL)
    assert not host.rules.exists()
