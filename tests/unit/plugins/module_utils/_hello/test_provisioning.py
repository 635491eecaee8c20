# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""customizations.xml: one setting, and all else stays."""

from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.provisioning import Provisioning
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import NOT_CONFIGURED, PolicyState

ON, OFF = (parse_settings({"use_security_key_for_signin": state}) for state in ("enabled", "disabled"))
FOREIGN = b"""<?xml version="1.0" encoding="utf-8"?>
<WindowsCustomizations>
  <PackageConfig xmlns="urn:schemas-Microsoft-com:Windows-ICD-Package-Config.v1.0">
    <ID>{11111111-2222-3333-4444-555555555555}</ID>
    <Name>Theirs</Name>
  </PackageConfig>
  <Settings xmlns="urn:schemas-microsoft-com:windows-provisioning">
    <Customizations>
      <Common>
        <Policies>
          <DeviceLock/>
        </Policies>
      </Common>
    </Customizations>
  </Settings>
</WindowsCustomizations>
"""


def test_a_package_has_the_same_id_each_time_and_another_by_another_name() -> None:
    assert Provisioning("A").render(ON, b"") == Provisioning("A").render(ON, b"")
    assert Provisioning("A").render(ON, b"") != Provisioning("B").render(ON, b"").replace(b">B<", b">A<")


def test_the_setting_is_put_among_those_of_others() -> None:
    added = (
        b"        <WindowsHelloForBusiness>\n"
        b"          <SecurityKeys>1</SecurityKeys>\n"
        b"        </WindowsHelloForBusiness>\n"
    )
    document = Provisioning().render(ON, FOREIGN)
    assert document == FOREIGN.replace(b"        </Policies>\n", b"        </Policies>\n" + added)
    assert Provisioning().render(OFF, document) == document.replace(b">1<", b">0<")
    assert b"SecurityKeys" not in Provisioning().render(dict.fromkeys(ON, NOT_CONFIGURED), document)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_value_changes_in_its_place_whatever_the_encoding(encoding: str) -> None:
    document = Provisioning().render(ON, FOREIGN).decode().replace("<SecurityKeys>", '<SecurityKeys note="theirs">')
    other = document.replace('encoding="utf-8"', f'encoding="{encoding.removesuffix("-sig")}"').encode(encoding)
    assert Provisioning().read(other) == ON
    assert Provisioning().render(OFF, other).decode() == document.replace(">1<", ">0<")


def test_another_number_is_unknown() -> None:
    [state] = list(Provisioning().read(Provisioning().render(ON, b"").replace(b">1</Sec", b">2</Sec")).values())
    assert state.state is PolicyState.UNKNOWN


def test_a_title_is_escaped() -> None:
    assert b"<Name>R&amp;D &lt;x&gt;</Name>" in Provisioning("R&D <x>").render(ON, b"")


def test_another_root_is_refused() -> None:
    with pytest.raises(StateError, match="root is unattend"):
        Provisioning().render(ON, b"<unattend/>")
