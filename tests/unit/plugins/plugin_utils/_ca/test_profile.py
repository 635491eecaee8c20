# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import profiles
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity, NameKind
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.profile import (
    Profile,
    Usage,
    find_profile,
    parse_profile,
)
from hypothesis import given
from hypothesis import strategies as st


def test_ones_own_profile_starts_from_a_shipped_one() -> None:
    own = profiles.shelf({"short": {"based_on": "ad_smartcard_logon", "days": 30}})["short"]
    shipped = profiles.SHIPPED["ad_smartcard_logon"]
    assert (own.name, own.days) == ("short", 30)
    assert (own.purposes, own.required, own.crl_required) == (shipped.purposes, shipped.required, True)


def test_a_profile_from_nothing_reads_all_its_settings() -> None:
    own = profiles.shelf(
        {
            "vpn": {
                "key_usage": ["digital_signature", "key_agreement"],
                "purposes": ["client_auth", "1.3.6.1.5.5.7.3.17"],
                "required": ["dns_names"],
                "policies": ["1.2.3"],
                "assurance": "resident",
            }
        }
    )["vpn"]
    assert own.key_usage == (Usage.DIGITAL_SIGNATURE, Usage.KEY_AGREEMENT)
    assert own.purposes == ("1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.17")
    assert own.required == (NameKind.DNS,)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"day": 3}, "profiles.own.day"),
        ({"days": 0}, "profiles.own.days"),
        ({"days": True}, "profiles.own.days"),
        ({"days": "30"}, "profiles.own.days"),
        ({"based_on": "nothing"}, "profiles.own.based_on"),
        ({"key_usage": ["key_cert_sign"]}, "profiles.own.key_usage"),
        ({"key_usage": []}, "profiles.own.key_usage"),
        ({"key_usage": "digital_signature"}, "profiles.own.key_usage"),
        ({"purposes": ["server"]}, "profiles.own.purposes"),
        ({"purposes": ["client_auth", "client_auth"]}, "profiles.own.purposes"),
        ({"required": ["upn"], "optional": ["upn"]}, "profiles.own.optional"),
        ({"kind": "ssh_user"}, "profiles.own.required"),
        ({"purposes": ["ak_certificate"]}, "profiles.own.assurance"),
        ({"crl_required": "yes"}, "profiles.own.crl_required"),
        ({"sealed": "yes"}, "profiles.own.sealed"),
        ([], "profiles.own"),
    ],
)
def test_a_setting_that_is_wrong_is_refused_by_its_field(values: t.Any, field: str) -> None:
    with pytest.raises(InputError) as refused:
        profiles.shelf({"own": values})
    assert refused.value.field == field


@given(
    st.dictionaries(
        st.sampled_from(
            ["kind", "key_usage", "purposes", "required", "days", "policies", "assurance", "based_on", "x"]
        ),
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.lists(st.text() | st.integers() | st.lists(st.none())),
    )
)
def test_whatever_is_given_is_a_profile_or_an_error_in_words(values: dict[str, object]) -> None:
    try:
        profiles.shelf({"own": values})
    except InputError as error:
        assert error.field.startswith("profiles.own")


def test_a_missing_name_is_said_with_the_profile_that_needs_it() -> None:
    nameless = Identity.parse({"common_name": "Alice", "upn": "alice@corp.example"})
    with pytest.raises(InputError, match=r"identity\.sid is missing, and profile ad_smartcard_logon needs it"):
        profiles.SHIPPED["ad_smartcard_logon"].check(nameless)


def test_an_unknown_profile_is_answered_with_those_there_are() -> None:
    with pytest.raises(InputError, match="ad_smartcard_logon, attestation_key, document_signing"):
        find_profile("logon", profiles.SHIPPED)


def test_a_profile_that_does_not_ask_for_sealed_cards_says_what_it_always_said():
    """Else every certificate would be issued anew by the release that brought the setting."""
    start = {"client": Profile("client")}
    plain, asking = (parse_profile("own", {"based_on": "client", **more}, start) for more in ({}, {"sealed": True}))
    assert "sealed" not in plain.canonical() and asking.canonical() != plain.canonical() and asking.sealed
