# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets of a real Samba domain by PKINIT, as the role sets a host up: two owners of cards, and plain kinit."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

pytest.importorskip("tpm2_pytss", reason="needs tpm2-pytss, as in Debian's python3-tpm2-pytss")

from ansible_collections.hardbound.identity.tests.support.card_ca import CardCa
from ansible_collections.hardbound.identity.tests.support.kerberos_host import KEYS, WRONG, KerberosHost
from ansible_collections.hardbound.identity.tests.support.mit_kdc import client_configuration
from ansible_collections.hardbound.identity.tests.support.needed_program import needs
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host, host
from ansible_collections.hardbound.identity.tests.support.sign_in_host import OWNERS

__all__ = ["host"]

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for namespaces")]

TICKET = "krbtgt/CORP.EXAMPLE@CORP.EXAMPLE"
CONTROLLER = """\
[libdefaults]
default_realm = CORP.EXAMPLE
dns_lookup_realm = false
dns_lookup_kdc = true
[kdc]
enable-pkinit = yes
pkinit_identity = FILE:{chain},{key}
pkinit_anchors = FILE:{anchors}
pkinit_principal_in_certificate = yes
"""


@pytest.fixture
def desk(host: Host, domain_controller: t.Any) -> t.Iterator[KerberosHost]:
    """The controller is made beside the host, which then is in its network."""
    needs("kinit", "klist")
    folder: pathlib.Path = host.machine.folder / "domain"
    folder.mkdir(mode=0o711)
    ca = CardCa(folder, permitted_domains=())  # Samba's KDC refuses people under a CA that says any
    chain, key = ca.certify_kdc(domain_controller.server)
    (folder / "krb5.conf").write_text(CONTROLLER.format(chain=chain, key=key, anchors=ca.certificates))
    controller = domain_controller(folder)
    try:
        controller.wait()
        desk = KerberosHost(host, ca, client_configuration(controller.address))
        desk.give_cards(KEYS, desk.certify)
        for owner in OWNERS:
            controller.tool("user", "create", owner, "--random-password")
        host.machine.network = f"/proc/{controller._children()[0]}/ns/net"
        yield desk
    finally:
        controller.stop()
        ca.close()


def test_each_owner_gets_a_ticket_with_the_own_card(desk: KerberosHost) -> None:
    desk.play("kerberos", **desk.wanted)
    desk.assert_each_owner_gets_a_ticket()
    assert TICKET not in desk.kinit("bob", "alice"), "his certificate is not hers"
    assert TICKET not in desk.kinit("alice", "alice", WRONG)
    assert desk.tries() == {"alice": 2, "bob": 3}
