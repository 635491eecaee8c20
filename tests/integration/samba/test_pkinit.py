# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets of a real Samba domain by PKINIT, as the role sets a host up: two owners of cards, and plain kinit."""

from __future__ import annotations

import os
import typing as t

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.tests.support.kerberos_host import KEYS, WRONG, KerberosHost
from ansible_collections.hardbound.identity.tests.support.mit_kdc import client_configuration
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host, host

__all__ = ["host"]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for namespaces")]

TICKET = "krbtgt/CORP.EXAMPLE@CORP.EXAMPLE"


@pytest.fixture
def desk(host: Host, card_domain: t.Any) -> KerberosHost:
    """The host is in the controller's network."""
    needs("kinit", "klist")
    desk = KerberosHost(host, card_domain.ca, client_configuration(card_domain.controller.address))
    desk.give_cards(KEYS, desk.certify)
    host.machine.network = card_domain.controller.network
    return desk


def test_each_owner_gets_a_ticket_with_the_own_card(desk: KerberosHost) -> None:
    desk.play("kerberos", **desk.wanted)
    desk.assert_each_owner_gets_a_ticket()
    assert TICKET not in desk.kinit("bob", "alice"), "his certificate is not hers"
    assert TICKET not in desk.kinit("alice", "alice", WRONG)
    assert desk.tries() == {"alice": 2, "bob": 3}
