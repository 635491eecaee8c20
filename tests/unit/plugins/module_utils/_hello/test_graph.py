# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both documents of Microsoft Graph: their shape, and the parts of others that stay."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.csp import Tree
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.graph_catalog import GraphCatalog
from ansible_collections.hardbound.identity.plugins.module_utils._hello.graph_custom import GraphCustom
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import NOT_CONFIGURED, Scope
from ansible_collections.hardbound.identity.tests.support.hello_samples import TENANT

CUSTOM = GraphCustom(Tree(Scope.DEVICE, TENANT), "Hello")
CATALOG = GraphCatalog(Scope.DEVICE, "Hello")
PIN = f"./Device/Vendor/MSFT/PassportForWork/{TENANT}/Policies/PINComplexity/"
GROUP = "device_vendor_msft_passportforwork_{tenantid}"


def test_a_custom_configuration_types_each_value() -> None:
    desired = parse_settings(
        {"use_hello": "enabled", "pin_min_length": 8, "device_unlock": {"group_a": ["face"], "group_b": ["pin"]}}
    )
    found = json.loads(CUSTOM.render(desired, b""))
    assert found["@odata.type"] == "#microsoft.graph.windows10CustomConfiguration"
    assert found["displayName"] == "Hello"
    types = {each["omaUri"].rpartition("/")[2]: (each["@odata.type"], each["value"]) for each in found["omaSettings"]}
    assert types == {
        "UsePassportForWork": ("#microsoft.graph.omaSettingBoolean", True),
        "DisablePostLogonProvisioning": ("#microsoft.graph.omaSettingBoolean", False),
        "GroupA": ("#microsoft.graph.omaSettingString", "{8AF662BF-65A0-4D0A-A540-A338A999D36F}"),
        "GroupB": ("#microsoft.graph.omaSettingString", "{D6886603-9D2F-4EB2-B667-1971041FA96B}"),
        "MinimumPINLength": ("#microsoft.graph.omaSettingInteger", 8),
    }


def test_entries_of_others_keep_their_place_and_keys() -> None:
    other = {"@odata.type": "#microsoft.graph.omaSettingInteger", "omaUri": "./Device/Vendor/MSFT/Other", "value": 1}
    mine = {
        "description": "ours, said by hand",
        "omaUri": PIN.upper().replace("./DEVICE", "./Device") + "HISTORY",
        "value": 5,
    }
    last = {"@odata.type": "x", "omaUri": "./Vendor/MSFT/Last", "value": "z"}
    whole = {"id": "7", "omaSettings": [other, mine, last], "version": 3}
    document = json.dumps(whole).encode()
    assert CUSTOM.read(document) == parse_settings({"pin_history": 5})
    found = json.loads(CUSTOM.render(parse_settings({"pin_history": 6, "pin_min_length": 8}), document))
    assert list(found) == ["id", "omaSettings", "version"]
    assert [each["omaUri"] for each in found["omaSettings"]] == [
        other["omaUri"],
        PIN + "History",
        last["omaUri"],
        PIN + "MinimumPINLength",
    ]
    assert found["omaSettings"][1]["description"] == "ours, said by hand"
    assert json.loads(CUSTOM.render({"pin_history": NOT_CONFIGURED}, document))["omaSettings"] == [other, last]


def choice(identity: str, value: str) -> dict[str, Any]:
    return {"settingDefinitionId": identity, "choiceSettingValue": {"value": value}}


def test_the_settings_below_a_tenant_are_children_of_one_group() -> None:
    desired = parse_settings({"pin_digits": "required", "pin_min_length": 8, "use_biometrics": "enabled"})
    found = json.loads(CATALOG.render(desired, b""))
    group, plain = (each["settingInstance"] for each in found["settings"])
    assert group["settingDefinitionId"] == GROUP
    children = group["groupSettingCollectionValue"][0]["children"]
    assert [each["settingDefinitionId"].rpartition("_")[2] for each in children] == ["minimumpinlength", "digits"]
    assert children[0]["simpleSettingValue"]["value"] == 8
    assert children[1]["choiceSettingValue"]["value"] == f"{GROUP}_policies_pincomplexity_digits_1"
    assert plain["choiceSettingValue"]["value"] == "device_vendor_msft_passportforwork_biometrics_usebiometrics_true"
    assert (found["platforms"], found["technologies"]) == ("windows10", "mdm")


def test_settings_of_others_and_of_users_stay() -> None:
    ours = choice(f"{GROUP}_policies_enablepinrecovery", f"{GROUP}_policies_enablepinrecovery_true")
    child = choice(f"{GROUP}_policies_unheard_of", "x")
    users = choice(GROUP.replace("device_", "user_") + "_policies_enablepinrecovery", "y")
    other = choice("device_vendor_msft_policy_config_x", "z")
    whole = {
        "name": "N",
        "settings": [
            {"id": "0", "settingInstance": other},
            {
                "id": "1",
                "settingInstance": {
                    "settingDefinitionId": GROUP,
                    "groupSettingCollectionValue": [{"children": [child, ours], "settingValueTemplateReference": None}],
                },
            },
            {"id": "2", "settingInstance": users},
        ],
    }
    document = json.dumps(whole).encode()
    assert CATALOG.read(document) == parse_settings({"pin_recovery": "enabled"})
    found = json.loads(CATALOG.render({"pin_recovery": NOT_CONFIGURED}, document))
    assert found["settings"][0] == whole["settings"][0]
    assert found["settings"][2] == whole["settings"][2]
    (group,) = found["settings"][1]["settingInstance"]["groupSettingCollectionValue"]
    assert group == {"children": [child], "settingValueTemplateReference": None}


def test_a_group_that_holds_nothing_more_goes() -> None:
    document = CATALOG.render(parse_settings({"pin_history": 5}), b"")
    assert json.loads(CATALOG.render({"pin_history": NOT_CONFIGURED}, document))["settings"] == []


@pytest.mark.parametrize("writer", [CUSTOM, CATALOG])
@pytest.mark.parametrize(
    "document",
    [
        b"{",
        b"[]",
        b"\xff",
        b'{"omaSettings": 1, "settings": 1}',
        b'{"omaSettings": [1], "settings": [1]}',
        b'{"a": 1, "a": 2}',
        b"[" * 99999,
    ],
)
def test_a_damaged_document_is_refused(writer: Any, document: bytes) -> None:
    with pytest.raises(StateError):
        writer.read(document)
