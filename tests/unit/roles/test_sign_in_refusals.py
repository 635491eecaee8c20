# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role smartcard_login refuses before it changes anything: its own tasks, run by Ansible, a case each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.hardbound.identity.tests.support import role_refusals
from ansible_collections.hardbound.identity.tests.support.role_refusals import NOTHING, Case

ALICE = {"name": "alice", "upn": "alice@corp.example"}
HOST = {
    "systemd": True,
    "unknown": [],
    "domains": [],
    "services": "",
    "conflicts": [],
    "socket": True,
    "pin_change": True,
    "profile": "",
    "enabled": False,
    "sign_in": {},
}
DORAS = {"name": "Dora", "owner": "dora", "faces": ["pkcs11"]}
OWNED = {"smartcard_login_users": [], "smartcard_enrollment_cards": [{"owner": "dora", "upn": "dora@corp.example"}]}
DOMAIN = {"smartcard_login_domains": {"corp.example": "upn"}}
WANTED: dict[str, dict[str, Any]] = {
    "an_unknown_owner_of_a_card": OWNED,
    "an_unknown_user_beside_those_of_a_domain": DOMAIN,
    "a_card_of_a_domain_s_owner_out_of_reach": {**OWNED, **DOMAIN},
    "right_host_of_a_domain_s_owner": {**OWNED, **DOMAIN},
    "a_ticket_without_kerberos": {"smartcard_login_kerberos": False},
}
"""What the inventory says otherwise, beside what is found on the host."""
CARD = {"name": "Alice", "owner": "alice", "faces": ["pkcs11"]}

INVENTORY: dict[str, tuple[dict[str, Any], str]] = {
    "no_ca": ({"smartcard_login_ca": []}, "smartcard_login_ca is empty: name the certificates"),
    "a_ca_that_is_no_file": ({"smartcard_login_ca": ["/nonexistent/root.cer"]}, "root.cer, which is no file on"),
    "a_user_without_a_mapping": (
        {"smartcard_login_users": [ALICE, {"name": "bob"}]},
        "bob has neither upn, principal nor subject, so no certificate is theirs: give one",
    ),
    "two_users_with_one_certificate": (
        {"smartcard_login_users": [ALICE, {"name": "bob", "upn": "Alice@Corp.Example"}]},
        "alice@corp.example is there for more than one user",
    ),
    "two_owners_with_one_upn": (
        {
            "smartcard_enrollment_cards": [
                {"owner": "alice", "upn": "alice@corp.example"},
                {"owner": "bob", "upn": "alice@corp.example"},
            ],
            "smartcard_login_users": [],
        },
        "alice@corp.example is there for more than one user",
    ),
    "two_users_with_one_principal": (
        {"smartcard_login_users": [{"name": each, "principal": "alice@CORP"} for each in ("alice", "bob")]},
        "alice@CORP is there for more than one user",
    ),
    "one_user_twice": (
        {"smartcard_login_users": [ALICE, {"name": "alice", "upn": "admin@corp.example"}]},
        "user alice is there for more than one user",
    ),
    "nobody": ({"smartcard_login_users": []}, "Nobody would sign in: name users"),
    "a_pin_of_nobody": ({"smartcard_login_try_pin": "123456"}, "smartcard_login_try_pin is given, but not whose it is"),
}
FOUND: dict[str, tuple[dict[str, Any], list[Any], str]] = {
    "no_systemd": ({"systemd": False}, [CARD], "does not run systemd"),
    "an_unknown_user": ({"unknown": ["alice"]}, [CARD], "names alice, whom this host does not know"),
    "an_unknown_owner_of_a_card": (
        {"unknown": ["dora"]},
        [CARD],
        "names dora, whom this host does not know",
    ),
    "an_unknown_user_beside_those_of_a_domain": (
        {"unknown": ["alice"], "domains": ["corp.example"]},
        [CARD],
        "names alice, whom this host does not know",
    ),
    "a_card_of_a_domain_s_owner_out_of_reach": (
        {"unknown": ["dora"], "domains": ["corp.example"]},
        [{**DORAS, "faces": ["pcsc"]}],
        "The cards Dora have not the face pkcs11",
    ),
    "a_domain_of_somebody_else_named_as_ours": ({"domains": ["hardbound"]}, [CARD], "give that another name"),
    "sssd_without_pam": ({"services": "nss, sudo"}, [CARD], "services nss, sudo by somebody else, and pam is not"),
    "sssd_configured_otherwise": ({"conflicts": ["pam_cert_auth is False in x.conf"]}, [CARD], "is False in x.conf"),
    "a_card_service_of_an_earlier_release": ({"pin_change": False}, [CARD], "run the role tpm_host first, or set"),
    "a_lock_without_a_card_service": (
        {"pin_change": False},
        [CARD],
        "smartcard_login_lock_without_card: the card serv",
    ),
    "a_policy_that_leaves_no_second_factor": (
        {"sign_in": {"second_factors": []}},
        [CARD],
        "asks for a second factor beside the PIN, and leaves none but fingerprints, which use_biometrics turns off",
    ),
    "a_policy_without_certificates_for_kerberos": (
        {"sign_in": {"certificates": False}},
        [CARD],
        "smartcard_login_kerberos gets tickets with certificates, and the Hello policy of this host has",
    ),
    "a_ticket_without_kerberos": ({}, [CARD], "nobody tells Kerberos of cards: set it to true"),
    "two_owners_in_one_reader": (
        {"socket": False},
        [CARD, {**CARD, "name": "Bob", "owner": "bob"}],
        "cards of alice and bob, and SSSD would see the first card alone",
    ),
    "a_card_out_of_reach": ({}, [{**CARD, "faces": ["pcsc"]}], "The cards Alice have not the face pkcs11"),
}


def case(name: str, tasks_from: str, variables: dict[str, Any]) -> Case:
    return Case(name, "smartcard_login", tasks_from, variables)


def cases(folder: Path) -> Iterator[Case]:
    right = {"smartcard_login_ca": [str(folder / "root.cer")], "smartcard_login_users": [ALICE]}
    right = {**right, "smartcard_login_kerberos": True, "smartcard_login_lock_without_card": True}
    yield from (case(name, "refusals.yml", {**right, **wrong}) for name, (wrong, _words) in INVENTORY.items())
    yield case("right", "refusals.yml", right)
    two = {"sign_in": {"second_factors": ["fingerprint"]}}
    right_hosts = {"right_host": ({}, [CARD], ""), "right_host_of_two_factors_and_a_ticket": (two, [CARD], "")}
    right_hosts["right_host_of_a_domain_s_owner"] = {"unknown": ["dora"], "domains": ["corp.example"]}, [DORAS], ""
    hosts = {**FOUND, **right_hosts}
    for name, (found, cards, _words) in hosts.items():
        survey = {"stdout": json.dumps({**HOST, **found})}
        wants = {"smartcard_login_kerberos_ticket": "ticket" in name, **WANTED.get(name, {})}
        seen = {**wants, "__smartcard_login_survey": survey, "__smartcard_login_cards": {"cards": cards}}
        yield case(name, "host_refusals.yml", {**right, **seen})


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("refusals")
    (folder / "root.cer").write_text("a file is all that is looked for here")
    return role_refusals.said(folder, [*cases(folder)])


@pytest.mark.parametrize("name", [*INVENTORY, *FOUND])
def test_it_is_refused_with_field_fault_and_remedy(said: dict[str, str], name: str) -> None:
    words = {**{each: found[1] for each, found in INVENTORY.items()}, **{each: f[2] for each, f in FOUND.items()}}[name]
    assert words in said[name], said[name]


@pytest.mark.parametrize(
    "name", ["right", "right_host", "right_host_of_two_factors_and_a_ticket", "right_host_of_a_domain_s_owner"]
)
def test_what_is_right_is_not(said: dict[str, str], name: str) -> None:
    assert said[name] == NOTHING
