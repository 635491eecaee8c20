# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gPLink: a new link has the lowest rank, links of others keep theirs."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.gp_link import has_link, with_link

OURS = "CN={31B2F340-016D-11D2-945F-00C04FB984F9},CN=Policies,CN=System,DC=corp,DC=example"
OTHER = "[LDAP://cn={6AC1786C-016F-11D2-945F-00C04fB984F9},cn=policies,cn=system,DC=corp,DC=example;2]"


@pytest.mark.parametrize(
    "before, after",
    [
        ("", f"[LDAP://{OURS};0]"),
        (" ", f"[LDAP://{OURS};0]"),
        (OTHER, f"[LDAP://{OURS};0]{OTHER}"),
        (f"{OTHER}[LDAP://{OURS};0]", f"{OTHER}[LDAP://{OURS};0]"),
        (f"{OTHER}[LDAP://{OURS};2]", f"{OTHER}[LDAP://{OURS};2]"),
        (f"[LDAP://{OURS};1]{OTHER}", f"[LDAP://{OURS};0]{OTHER}"),
        (f"[LDAP://{OURS};3]{OTHER}", f"[LDAP://{OURS};2]{OTHER}"),
        (f"[ldap://{OURS.lower()};0]", f"[ldap://{OURS.lower()};0]"),
    ],
)
def test_the_policy_is_linked_and_the_link_turned_on(before, after):
    assert with_link(before, OURS) == after
    assert with_link(after, OURS) == after


@pytest.mark.parametrize(
    ("links", "linked"),
    [
        ("", False),
        (OTHER, False),
        (f"{OTHER}[LDAP://{OURS};0]", True),
        (f"[LDAP://{OURS.lower()};2]{OTHER}", True),
        (f"[LDAP://{OURS};1]", False),
        (f"[LDAP://{OURS};3]", False),
    ],
)
def test_a_link_that_is_turned_off_links_nothing(links, linked):
    assert has_link(links, OURS) == linked
    assert has_link(with_link(links, OURS), OURS)


@pytest.mark.parametrize("links", ["[LDAP://x", OTHER + "x", "[HTTP://x;0]", f"[LDAP://{OURS};{'9' * 5000}]"])
def test_a_malformed_list_is_refused(links):
    with pytest.raises(StateError, match="gPLink of the container is malformed"):
        with_link(links, OURS)
