# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that knows a realm of Kerberos, and two people there who get tickets with their cards."""

from __future__ import annotations

import typing as t

from ansible_collections.hardbound.identity.plugins.module_utils._card.specification import KeySpecification
from ansible_collections.hardbound.identity.plugins.module_utils._encoding.key_algorithm import KeyAlgorithm
from ansible_collections.hardbound.identity.tests.support.card_ca import CardCa
from ansible_collections.hardbound.identity.tests.support.p11_kit_host import Host
from ansible_collections.hardbound.identity.tests.support.server_certificate import REALM
from ansible_collections.hardbound.identity.tests.support.sign_in_host import OWNERS, PINS, SignInHost

KEYS = [KeySpecification(0x9A, KeyAlgorithm.RSA_2048), KeySpecification(0x9D, KeyAlgorithm.ECC_P256)]
"""MIT Kerberos 1.20 signs with RSA keys alone. The second one's certificate is none for a logon."""
WRONG = "000000"


class KerberosHost(SignInHost):
    """:param configuration: krb5.conf(5), as somebody else has written it"""

    def __init__(self, host: Host, ca: CardCa, configuration: str) -> None:
        super().__init__(host)
        self.ca = ca
        (self.etc / "krb5.conf").write_text(configuration)

    @property
    def wanted(self) -> t.Dict[str, t.Any]:
        return {
            "smartcard_login_kerberos": True,
            "smartcard_login_kerberos_realm": REALM,
            "smartcard_login_kerberos_ca": [str(self.ca.certificates)],
        }

    def certify(self, profile: str = "ad_smartcard_logon") -> None:
        for number, record in enumerate(self.host.machine.store.records()):
            body = self.ca.certify(profile, record.owner, 1104 + number, record.certificates[0x9A])
            self.host.machine.certify(record, 0x9A, body)

    def kinit(self, owner: str, name: str, pin: t.Optional[str] = None) -> str:
        """Types a PIN once, the owner's if no other is given, and returns what kinit prints, and klist then."""
        cache = f"KRB5CCNAME=FILE:{self.home(owner)}/cache"
        said = self.own(owner, cache, "timeout", "30", "kinit", name, stdin=f"{pin or PINS[owner]}\n", ok=None)
        listed = self.own(owner, cache, "klist", ok=None)
        (self.home(owner) / "cache").unlink(missing_ok=True)
        return said + listed

    def assert_each_owner_gets_a_ticket(self) -> None:
        """Each is asked for one PIN, that of the own card."""
        for owner, name in OWNERS.items():
            said = self.kinit(owner, owner)
            assert f"Default principal: {owner}@{REALM}" in said and f"krbtgt/{REALM}@{REALM}" in said, said
            assert said.count("PIN:") == 1 and name in said.split("PIN:")[0], said
        assert self.tries() == {"alice": 3, "bob": 3}
