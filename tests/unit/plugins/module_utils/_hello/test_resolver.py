# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who wins, setting by setting and group by group."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import SETTINGS
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.resolver import (
    Effective,
    Platform,
    Resolution,
    resolve,
)
from ansible_collections.hardbound.identity.plugins.module_utils._hello.source import Source, SourceKind
from ansible_collections.hardbound.identity.tests.support.hello_samples import ALL
from hypothesis import given
from hypothesis import strategies as st


def source(kind: str, **settings: object) -> Source:
    return Source(SourceKind(kind), kind, parse_settings(settings))


def of(resolution: Resolution, name: str) -> Effective:
    return next(each for each in resolution.effective if each.name == name)


def said(resolution: Resolution, name: str) -> tuple[object, object]:
    data = of(resolution, name).to_data()
    return data["value"], data["source"]


ORDER = ("user_gpo", "computer_gpo", "user_csp", "device_csp")


@pytest.mark.parametrize("lower", range(1, 4))
def test_the_higher_source_wins_whatever_the_order_they_are_given_in(lower: int) -> None:
    high, low = (source(ORDER[lower - 1], use_hello="disabled"), source(ORDER[lower], use_hello="enabled"))
    for sources in ([high, low], [low, high]):
        found = of(resolve(sources), "use_hello")
        assert (found.source, found.conflict) == (ORDER[lower - 1], True)
        assert [loser.source for loser in found.losers] == [ORDER[lower]]


def test_of_two_of_one_kind_the_first_wins() -> None:
    one, other = source("computer_gpo", pin_recovery="enabled"), source("computer_gpo", pin_recovery="disabled")
    assert said(resolve([one, other]), "pin_recovery")[0] == "enabled"
    assert said(resolve([other, one]), "pin_recovery")[0] == "disabled"


def test_pin_rules_come_from_one_source_even_where_it_says_nothing() -> None:
    found = resolve(
        [source("computer_gpo", pin_min_length=8), source("device_csp", pin_history=5, pin_recovery="enabled")]
    )
    assert said(found, "pin_min_length") == (8, "computer_gpo")
    assert said(found, "pin_history") == ("not_configured", None)
    assert of(found, "pin_history").conflict
    assert "come from computer_gpo" in of(found, "pin_history").notes[0]
    # Recovery is no rule of complexity: it resolves alone.
    assert said(found, "pin_recovery") == ("enabled", "device_csp")


def test_the_security_device_belongs_to_the_pin_group() -> None:
    found = resolve([source("computer_gpo", require_security_device="enabled"), source("device_csp", pin_min_length=8)])
    assert said(found, "pin_min_length") == ("not_configured", None)


def test_whoever_says_whether_to_use_hello_decides_about_certificate_trust() -> None:
    found = resolve(
        [source("computer_gpo", use_certificate_for_on_prem_auth="enabled"), source("device_csp", use_hello="enabled")]
    )
    assert said(found, "use_hello") == ("enabled", "device_csp")
    assert said(found, "use_certificate_for_on_prem_auth") == ("not_configured", None)


def test_without_use_hello_certificate_trust_resolves_as_usual() -> None:
    found = resolve([source("device_csp", use_certificate_for_on_prem_auth="enabled")])
    assert said(found, "use_certificate_for_on_prem_auth") == ("enabled", "device_csp")


def test_a_computer_setting_in_a_user_policy_has_no_effect() -> None:
    found = resolve([source("user_gpo", pin_min_length=10), source("computer_gpo", pin_min_length=8)])
    assert said(found, "pin_min_length") == (8, "computer_gpo")
    assert [(name, label) for name, label, _reason in found.not_enforceable] == [("pin_min_length", "user_gpo")]


def test_eas_knows_pin_numbers_only_and_comes_last() -> None:
    found = resolve([source("eas", pin_min_length=10, use_hello="enabled"), source("device_csp", pin_min_length=8)])
    assert said(found, "pin_min_length") == (8, "device_csp")
    assert [name for name, _label, _reason in found.not_enforceable] == ["use_hello"]
    assert any("EAS" in text for text in found.warnings)


def test_minimum_over_maximum_means_defaults_for_both() -> None:
    found = resolve([source("computer_gpo", pin_min_length=9, pin_max_length=8)])
    assert all("defaults for both" in of(found, name).notes[-1] for name in ("pin_min_length", "pin_max_length"))


def test_certificate_trust_wins_over_cloud_trust() -> None:
    found = resolve(
        [source("computer_gpo", use_certificate_for_on_prem_auth="enabled", use_cloud_trust_for_on_prem_auth="enabled")]
    )
    assert "wins over" in of(found, "use_cloud_trust_for_on_prem_auth").notes[-1]


def test_an_answer_that_hangs_on_a_dispute_says_so() -> None:
    assert "sources disagree" in of(resolve([]), "use_hello").notes[0]
    assert of(resolve([]), "pin_history").notes == ()


def test_a_mix_of_gpo_and_csp_is_warned_of() -> None:
    assert resolve([source("computer_gpo", use_hello="enabled")]).warnings == ()
    mixed = resolve([source("computer_gpo", use_hello="enabled"), source("device_csp", pin_history=5)])
    assert "doesn't support" in mixed.warnings[0]


def test_on_linux_only_the_hosts_own_policy_counts() -> None:
    host = source("linux_host", pin_min_length=8)
    gpo = source("computer_gpo", pin_min_length=10, enhanced_anti_spoofing="disabled")
    found = resolve([gpo, host], Platform.LINUX)
    assert said(found, "pin_min_length") == (8, "linux_host")
    assert of(found, "pin_min_length").conflict
    reasons = {name: reason for name, _label, reason in found.not_enforceable}
    assert "target linux" in reasons["pin_min_length"]
    assert "cameras" in reasons["enhanced_anti_spoofing"]


def test_on_windows_the_policy_of_a_linux_host_counts_nothing() -> None:
    found = resolve([source("linux_host", pin_min_length=8)])
    assert said(found, "pin_min_length") == ("not_configured", None)
    assert len(found.not_enforceable) == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(SourceKind)),
            st.dictionaries(st.sampled_from([name for name, _state in ALL]), st.none(), max_size=5),
        ),
        max_size=5,
    ),
    st.sampled_from(list(Platform)),
)
def test_any_mix_resolves_all_settings_and_every_value_is_accounted_for(mix, platform: Platform) -> None:
    states = dict(ALL)
    sources = [
        Source(kind, f"{number}", {name: states[name] for name in names}) for number, (kind, names) in enumerate(mix)
    ]
    found = resolve(sources, platform)
    assert [each.name for each in found.effective] == [setting.name for setting in SETTINGS]
    for each in found.effective:
        told = {loser.source for loser in each.losers} | ({each.source} if each.source else set())
        assert told == {source.label for source in sources if each.name in source.model}
