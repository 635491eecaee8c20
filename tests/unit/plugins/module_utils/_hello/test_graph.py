# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both documents of Microsoft Graph: their shape, and the parts of others that stay."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import SETTINGS, setting_named
from ansible_collections.hardbound.identity.plugins.module_utils._hello.csp import Tree
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.graph_catalog import GraphCatalog
from ansible_collections.hardbound.identity.plugins.module_utils._hello.graph_custom import GraphCustom
from ansible_collections.hardbound.identity.plugins.module_utils._hello.graph_definitions import DEFINITIONS
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import NOT_CONFIGURED, Scope
from ansible_collections.hardbound.identity.tests.support.hello_samples import TENANT

CUSTOM = GraphCustom(Tree(Scope.DEVICE, TENANT), "Hello")
CATALOG = GraphCatalog(Scope.DEVICE, "Hello")
PIN = f"./Device/Vendor/MSFT/PassportForWork/{TENANT}/Policies/PINComplexity/"
CHILDREN = (
    *("usepassportforwork", "requiresecuritydevice", "excludesecuritydevices_tpm12", "enablepinrecovery"),
    *("enablewindowshelloprovisioningforsecuritykeys", "disablepostlogonprovisioning"),
    *("disablepostlogoncredentialcaching", "usecertificateforonpremauth", "usecloudtrustforonpremauth"),
    *("pincomplexity_minimumpinlength", "pincomplexity_maximumpinlength", "pincomplexity_uppercaseletters"),
    *("pincomplexity_lowercaseletters", "pincomplexity_specialcharacters", "pincomplexity_digits"),
    *("pincomplexity_history", "pincomplexity_expiration", "remote_useremotepassport"),
    "usehellocertificatesassmartcardcertificates",
)
"""The children of the tenant's group in version 639150686251400134 of its definition."""
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
        "GroupA": ("#microsoft.graph.omaSettingString", "{8AF662BF-65A0-4D0A-A540-A338A999D36F}"),
        "GroupB": ("#microsoft.graph.omaSettingString", "{D6886603-9D2F-4EB2-B667-1971041FA96B}"),
        "MinimumPINLength": ("#microsoft.graph.omaSettingInteger", 8),
    }


def test_entries_of_others_keep_their_place_and_keys() -> None:
    other = {"@odata.type": "#microsoft.graph.omaSettingInteger", "omaUri": "./Device/Vendor/MSFT/Other", "value": 1}
    mine = {
        "displayName": "How many PINs are remembered",
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
    assert found["omaSettings"][1] == {
        **mine,
        "@odata.type": "#microsoft.graph.omaSettingInteger",
        "omaUri": PIN + "History",
        "value": 6,
    }
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


def made_from_a_template() -> dict[str, Any]:
    """A policy as Intune makes it from a template: references on both levels, settings in the template's order."""

    def child(name: str, number: int, word: str) -> dict[str, Any]:
        identity = f"{GROUP}_policies_{name}"
        return {
            "@odata.type": "#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance",
            "settingDefinitionId": identity,
            "settingInstanceTemplateReference": {"settingInstanceTemplateId": f"instance-{number}"},
            "auditRuleInformation": None,
            "choiceSettingValue": {
                "settingValueTemplateReference": {"settingValueTemplateId": f"value-{number}"},
                "value": f"{identity}_{word}",
                "children": [],
            },
        }

    names = (("enablepinrecovery", "true"), ("usepassportforwork", "true"), ("pincomplexity_digits", "1"))
    members = [child(name, number, word) for number, (name, word) in enumerate(names)]
    group = {
        "settingDefinitionId": GROUP,
        "settingInstanceTemplateReference": {"settingInstanceTemplateId": "group"},
        "groupSettingCollectionValue": [{"settingValueTemplateReference": None, "children": members}],
    }
    plain = {
        "settingDefinitionId": "device_vendor_msft_passportforwork_biometrics_usebiometrics",
        "settingInstanceTemplateReference": {"settingInstanceTemplateId": "biometrics"},
        "choiceSettingValue": {
            "settingValueTemplateReference": {"settingValueTemplateId": "biometrics"},
            "value": "device_vendor_msft_passportforwork_biometrics_usebiometrics_true",
            "children": [],
        },
    }
    settings = [{"id": "0", "settingInstance": plain}, {"id": "1", "settingInstance": group}]
    return {"name": "N", "templateReference": {"templateId": "t"}, "settings": settings}


def test_a_policy_of_a_template_is_merged_its_references_and_order_stay() -> None:
    whole = made_from_a_template()
    desired = {"pin_recovery": "disabled", "use_biometrics": "disabled", "pin_digits": "disallowed", "pin_history": 5}
    found = json.loads(CATALOG.render(parse_settings(desired), json.dumps(whole).encode()))
    wanted = made_from_a_template()
    wanted["settings"][0]["settingInstance"]["choiceSettingValue"]["value"] = (
        "device_vendor_msft_passportforwork_biometrics_usebiometrics_false"
    )
    members = wanted["settings"][1]["settingInstance"]["groupSettingCollectionValue"][0]["children"]
    members[0]["choiceSettingValue"]["value"] = f"{GROUP}_policies_enablepinrecovery_false"
    members[2]["choiceSettingValue"]["value"] = f"{GROUP}_policies_pincomplexity_digits_2"
    fresh = found["settings"][1]["settingInstance"]["groupSettingCollectionValue"][0]["children"].pop()
    assert fresh["settingDefinitionId"] == f"{GROUP}_policies_pincomplexity_history"
    assert found == wanted


def test_what_is_right_already_is_not_touched() -> None:
    whole = made_from_a_template()
    document = json.dumps(whole).encode()
    assert json.loads(CATALOG.render(parse_settings({"pin_digits": "required"}), document)) == whole


def test_taking_out_the_last_child_and_putting_in_another_keeps_the_group() -> None:
    whole = made_from_a_template()
    changes = {**dict.fromkeys(("pin_recovery", "use_hello", "pin_digits"), NOT_CONFIGURED)}
    found = json.loads(CATALOG.render({**changes, **parse_settings({"pin_history": 1})}, json.dumps(whole).encode()))
    group = found["settings"][1]["settingInstance"]
    assert group["settingInstanceTemplateReference"] == {"settingInstanceTemplateId": "group"}
    assert len(group["groupSettingCollectionValue"][0]["children"]) == 1


@pytest.mark.parametrize("writer", [CUSTOM, CATALOG])
def test_an_option_that_is_off_is_written_only_where_it_stood(writer: Any) -> None:
    on = parse_settings({"use_hello": {"state": "enabled", "disable_post_logon_provisioning": True}})
    off = parse_settings({"use_hello": "enabled"})
    assert b"rovisioning" not in writer.render(off, b"")
    document = writer.render(on, b"")
    assert b"rovisioning" in document
    assert writer.read(document) == on
    changed = writer.render(off, document)
    assert b"rovisioning" in changed
    assert writer.read(changed) == off


def test_every_node_is_looked_up_in_the_settings_catalogue() -> None:
    nodes = {node.path for setting in SETTINGS for node in setting.nodes if node is not None}
    absent = {path for path in nodes if path.startswith(("DeviceUnlock/", "DynamicLock/"))}
    assert set(DEFINITIONS) == nodes - absent
    tenant = {path.lower().replace("/", "_") for path in DEFINITIONS if path.startswith("{TenantId}")}
    assert tenant == {f"{{tenantid}}_policies_{name}" for name in CHILDREN}


def test_a_node_that_the_catalogue_does_not_define_is_refused_by_name() -> None:
    state = parse_settings({"dynamic_lock": "enabled"})["dynamic_lock"]
    objection = CATALOG.objection(setting_named("dynamic_lock"), state)
    assert objection is not None
    assert (objection.refuse, objection.remedy) == (True, "use graph_custom or syncml for it")


@pytest.mark.parametrize("writer", [CUSTOM, CATALOG])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_what_powershell_wrote_is_read(writer: Any, encoding: str) -> None:
    document = writer.render(parse_settings({"pin_history": 5}), b"")
    other = document.decode().encode(encoding)
    assert writer.read(other) == parse_settings({"pin_history": 5})
    assert writer.read(writer.render(parse_settings({"pin_history": 6}), other)) == parse_settings({"pin_history": 6})


@pytest.mark.parametrize("writer", [CUSTOM, CATALOG])
def test_half_a_surrogate_pair_in_a_text_of_others_stays(writer: Any) -> None:
    document = writer.render(parse_settings({"pin_history": 5}), b"").replace(
        b'"description": ""', rb'"description": "\ud800"'
    )
    assert rb'"description": "\ud800"' in writer.render(parse_settings({"pin_history": 6}), document)


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
