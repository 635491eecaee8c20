# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command lines in the reference of Microsoft's Tpmvscmgr, as tasks.

With ``/generate`` the third is in test_gids.py; the last one, with a certificate of the attestation key, needs a CA,
and is in tests/integration/enrollment/test_attested_card.py.
"""

from __future__ import annotations

from ansible_collections.hardbound.identity.tests.support.tasks import ADMIN_KEY, WELL_KNOWN
from ansible_collections.hardbound.identity.tests.support.tpmvscmgr_page import Typist, playbooks

PIN, NEW = "pin-4711", "pin-1234"


def test_create_with_the_default_admin_key(ansible):
    """``create /name VirtualSmartCardForCorpAccess /AdminKey DEFAULT /PIN PROMPT``"""
    named = {"name": "VirtualSmartCardForCorpAccess"}
    [made] = ansible.run(ansible.card(**named, admin_key="default", pin=PIN))
    assert made["changed"] and made["instance_id"] == r"ROOT\SMARTCARDREADER\0000"
    assert any("everybody knows" in warning for warning in made["warnings"])
    assert made["card"]["pin_policy"]["minlen"] == 8 and made["card"]["pin_retries"] == 5
    assert ansible.administered(WELL_KNOWN)
    second, gone, third = ansible.run(
        ansible.card(name="second", admin_key="default", pin=PIN),
        ansible.card(state="absent", name=None, instance_id=made["instance_id"]),
        ansible.card(name="third", admin_key="default", pin="default"),
    )
    assert second["instance_id"].endswith("0001") and gone["changed"] and third["instance_id"].endswith("0000")


def test_create_with_a_prompted_admin_key(ansible):
    """``create /name VirtualSmartCardForCorpAccess /AdminKey PROMPT /PIN PROMPT``"""
    [made] = ansible.run(ansible.card(admin_key=ADMIN_KEY, pin=PIN))
    assert made["changed"] and not any("everybody knows" in warning for warning in made.get("warnings", ()))
    assert ansible.administered(ADMIN_KEY)
    [reset] = ansible.run(ansible.part("pin", admin_key=ADMIN_KEY, new_pin=NEW))
    assert reset["changed"]


def test_create_with_a_random_admin_key_and_lose_the_pin(ansible):
    """``create /name VirtualSmartCardForCorpAccess /AdminKey RANDOM /PIN PROMPT``: then only another card helps."""
    ansible.run(ansible.card(admin_key="random", pin=PIN))
    wrong = [ansible.part("key", slot="authentication", pin="wrong-00") for _unused in range(5)]
    *_unused, blocked, by_puk, by_key, by_default, again, gone, made, key = ansible.run(
        *wrong,
        ansible.part("key", slot="authentication", pin=PIN),
        ansible.part("pin", puk="12345678", new_pin=NEW),
        ansible.part("pin", admin_key=ADMIN_KEY, new_pin=NEW),
        ansible.part("pin", admin_key="default", new_pin=NEW),
        ansible.card(admin_key="random", pin=NEW),
        ansible.card(state="absent"),
        ansible.card(admin_key="random", pin=NEW),
        ansible.part("key", slot="authentication", pin=NEW),
    )
    assert "pin was not looked at, for the card's PIN is blocked: unblock it" in blocked["msg"]
    assert "the card 'card' has none" in by_puk["msg"]
    for refused in (by_key, by_default):
        assert "nobody knows one of the card 'card'" in refused["msg"]
    assert not again["changed"] and gone["changed"] and made["changed"] and key["changed"]


NAMED = '/name "VirtualSmartCardForCorpAccess"'
BY_DEFAULT = f"tpmvscmgr create {NAMED} /AdminKey DEFAULT /PIN PROMPT"
BY_PROMPT = f"tpmvscmgr create {NAMED} /AdminKey PROMPT /PIN PROMPT"
BY_NOBODY = f"tpmvscmgr create {NAMED} /AdminKey RANDOM /PIN PROMPT /generate"
DESTROY = r"tpmvscmgr destroy /instance ROOT\SMARTCARDREADER\0000"
ATTESTED = (
    f"tpmvscmgr create {NAMED} /PIN PROMPT /pinpolicy minlen 4 maxlen 8"
    " /AdminKey DEFAULT /attestation AIK_AND_CERT /generate"
)


def test_the_page_has_a_playbook_for_each_command_line():
    assert set(playbooks()) == {BY_DEFAULT, BY_PROMPT, BY_NOBODY, DESTROY, ATTESTED}


def test_the_playbooks_of_the_page(ansible):
    """As they stand there, with somebody who types what they ask for; ATTESTED is run where there is a CA."""
    typist = Typist(ansible.folder, ansible.environment(), {"tpm": ansible.tcti, "store": str(ansible.store)})
    page = playbooks()

    def destroy():
        typist.run(page[DESTROY])
        [left] = ansible.run(ansible.info())
        assert left["cards"] == []

    made = typist.run(page[BY_DEFAULT], PIN)
    assert made["changed"] and made["card"]["has_admin_key"]
    assert "\nlocalhost: ROOT\\SMARTCARDREADER\\0000" in typist.output.replace("\r", "")
    assert ansible.administered(WELL_KNOWN)
    destroy()
    made = typist.run(page[BY_PROMPT], ADMIN_KEY, PIN)
    assert made["changed"] and ansible.administered(ADMIN_KEY)
    destroy()
    made = typist.run(page[BY_NOBODY], PIN)
    assert made["card"]["generated"] and not made["card"]["has_admin_key"]
    destroy()
