# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each setting in each state that it can take, as a task writes it, and all writers."""

from __future__ import annotations

from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import SETTINGS, setting_named
from ansible_collections.hardbound.identity.plugins.module_utils._hello.csp import Tree
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_setting
from ansible_collections.hardbound.identity.plugins.module_utils._hello.graph_catalog import GraphCatalog
from ansible_collections.hardbound.identity.plugins.module_utils._hello.graph_custom import GraphCustom
from ansible_collections.hardbound.identity.plugins.module_utils._hello.himmelblau import Himmelblau
from ansible_collections.hardbound.identity.plugins.module_utils._hello.linux import Linux
from ansible_collections.hardbound.identity.plugins.module_utils._hello.provisioning import Provisioning
from ansible_collections.hardbound.identity.plugins.module_utils._hello.registry_pol import RegistryPol
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import Scope, SettingState
from ansible_collections.hardbound.identity.plugins.module_utils._hello.syncml import SyncMl
from ansible_collections.hardbound.identity.plugins.module_utils._hello.writer import Writer

TENANT = "2a1b3c4d-0000-4000-8000-123456789abc"

RULES = [
    {"bluetooth": {"class_of_device": "phone", "rssi_min": -128, "rssi_max_delta": 127}},
    {
        "all": [
            {"wifi": {"ssid": 'R&D <"5">', "security": "WPA2-Enterprise", "sig_quality": 0}},
            {"wifi": {"ssid": "Lab", "security": "Open", "sig_quality": 100}},
            {"ip_config": {"ipv4_prefix": "10.1.0.0/16", "dns_suffix": ["corp.example", "lab.example"]}},
        ]
    },
]

_SPECIAL: dict[str, list[object]] = {
    "use_hello": [{"state": "enabled", "disable_post_logon_provisioning": True}],
    "require_security_device": [{"state": "enabled", "exclude_tpm12": True}],
    "device_unlock": [
        {"group_a": ["{D6886603-9D2F-4EB2-B667-1971041FA96B}"], "group_b": ["face"]},
        {"group_a": ["pin", "face"], "group_b": ["trusted_signal", "fingerprint"], "rules": RULES},
        {"group_a": ["fingerprint"], "group_b": ["pin"]},
        "disabled",
    ],
    "dynamic_lock": [{"rules": [{"bluetooth": {"class_of_device": "phone", "rssi_min": -50, "rssi_max_delta": -10}}]}],
    "pin_expiration": [0, 59, 730, "disabled"],
    "pin_history": [0, 10, 50, "disabled"],
    "pin_max_length": [4, 6, 91, 127, "disabled"],
    "pin_min_length": [4, 6, 32, 93, 127, "disabled"],
    "ess_with_supported_peripherals": ["allowed", "blocked"],
}


def values(name: str) -> list[object]:
    """All values of a setting that are worth a try, not_configured left out."""
    setting = setting_named(name)
    special = _SPECIAL.get(name, [])
    if setting.switch is None:
        return special
    return [*(["allowed"] if setting.is_class else []), "enabled", "disabled", *special]


ALL: list[tuple[str, SettingState]] = [
    (setting.name, parse_setting(setting, value, setting.name))
    for setting in SETTINGS
    for value in values(setting.name)
]

WRITERS: dict[str, Writer] = {
    "registry_pol": RegistryPol(Scope.DEVICE),
    "registry_pol of users": RegistryPol(Scope.USER),
    "syncml": SyncMl(Tree(Scope.DEVICE, TENANT)),
    "syncml of users": SyncMl(Tree(Scope.USER, TENANT)),
    "graph_custom": GraphCustom(Tree(Scope.DEVICE, TENANT)),
    "graph_custom of users": GraphCustom(Tree(Scope.USER, TENANT)),
    "graph_catalog": GraphCatalog(Scope.DEVICE),
    "graph_catalog of users": GraphCatalog(Scope.USER),
    "provisioning": Provisioning(),
    "linux": Linux(),
    "himmelblau": Himmelblau(),
}
