# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role makes of policies that Firefox has already, and what it refuses to touch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "roles/tpm_host/files/firefox_policies.py"
OURS = {"p11-kit": "p11-kit-proxy.so"}


def look(*arguments: Path | str) -> Any:
    """Runs the script as the role does: its text, on the host's Python."""
    command = [sys.executable, "-I", "-c", SCRIPT.read_text(), *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    return tmp_path / "policies.json"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"policies": {"SecurityDevices": {"Add": OURS}}}),
        (
            {"policies": {"DisableTelemetry": True, "Homepage": {"URL": "https://ü.example"}}, "more": [1]},
            {
                "policies": {
                    "DisableTelemetry": True,
                    "Homepage": {"URL": "https://ü.example"},
                    "SecurityDevices": {"Add": OURS},
                },
                "more": [1],
            },
        ),
        (
            {"policies": {"SecurityDevices": {"Delete": ["old"], "Add": {"token": "/opt/token.so"}}}},
            {"policies": {"SecurityDevices": {"Delete": ["old"], "Add": {"token": "/opt/token.so", **OURS}}}},
        ),
        (
            {"policies": {"SecurityDevices": {"token": "/opt/token.so"}}},
            {"policies": {"SecurityDevices": {"token": "/opt/token.so", **OURS}}},
        ),
    ],
)
def test_what_others_wrote_stays(policies: Path, before: Any, after: Any) -> None:
    policies.write_text(json.dumps(before, ensure_ascii=False))
    told = look(policies)
    assert told["fault"] == ""
    assert json.loads(told["wanted"]) == after
    policies.write_text(told["wanted"])
    assert look(policies) == {"fault": "", "wanted": None}


@pytest.mark.parametrize(
    ("there", "left"),
    [
        ({"policies": {"SecurityDevices": {"Add": OURS}}}, None),
        ({"policies": {"SecurityDevices": OURS}}, None),
        ({"policies": {"Quiet": True, "SecurityDevices": {"Add": OURS}}}, {"policies": {"Quiet": True}}),
        ({"policies": {"SecurityDevices": {"Add": OURS}}, "more": []}, {"more": []}),
        (
            {"policies": {"SecurityDevices": {"Delete": [], "Add": {"token": "/opt/token.so", **OURS}}}},
            {"policies": {"SecurityDevices": {"Delete": [], "Add": {"token": "/opt/token.so"}}}},
        ),
    ],
)
def test_what_is_left_without_the_module(policies: Path, there: Any, left: Any) -> None:
    policies.write_text(json.dumps(there))
    told = look("--without", policies)
    assert told["fault"] == ""
    assert (json.loads(told["wanted"]) if told["wanted"] else None) == left


@pytest.mark.parametrize(
    "there",
    [
        {},
        {"policies": {"DisableTelemetry": True}},
        {"policies": {"SecurityDevices": {"Add": {}}}},
        {"policies": {"SecurityDevices": {"Add": {"p11-kit": "/opt/another.so"}}}},
        {"policies": {"SecurityDevices": {"cards": "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so"}}},
        [],
    ],
)
def test_policies_of_others_stay_as_they_are(policies: Path, there: Any) -> None:
    policies.write_text(json.dumps(there))
    assert look("--without", policies)["wanted"] is None


def test_without_policies_there_is_nothing_to_take_away(tmp_path: Path) -> None:
    assert look("--without", tmp_path / "none.json") == {"fault": "", "wanted": None}


def test_where_there_is_none(policies: Path) -> None:
    assert json.loads(look(policies)["wanted"]) == {"policies": {"SecurityDevices": {"Add": OURS}}}


def test_a_module_that_is_there_by_its_path_is_not_added_again(policies: Path) -> None:
    added = {"cards": "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so"}
    policies.write_text(json.dumps({"policies": {"SecurityDevices": {"Add": added}}}))
    assert look(policies) == {"fault": "", "wanted": None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "can't be read as JSON"),
        ('{"policies": {"DisableTelemetry": true,}}', "line 1 column"),
        ('{"policies": {}} // as of March', "Extra data"),
        ('{"policies": {"a": NaN}}', "NaN is no number of JSON"),
        ("[" * 100000, "can't be read as JSON"),
        ("[]", "It in"),
        ('{"policies": []}', "policies in"),
        ('{"policies": null}', "policies in"),
        ('{"policies": {"SecurityDevices": "p11-kit-proxy.so"}}', "policies.SecurityDevices in"),
        ('{"policies": {"SecurityDevices": {"Add": ["p11-kit-proxy.so"]}}}', "policies.SecurityDevices.Add in"),
        ('{"policies": {"SecurityDevices": {"Add": {"p11-kit": "/opt/token.so"}}}}', "calls /opt/token.so p11-kit"),
    ],
)
def test_what_firefox_would_not_understand_is_refused(policies: Path, text: str, said: str) -> None:
    policies.write_text(text)
    told = look(policies)
    assert told["wanted"] is None
    assert said in told["fault"]
    assert str(policies) in told["fault"]
    assert told["fault"].endswith(", or set tpm_host_firefox: false.")
    assert policies.read_text() == text


def test_bytes_that_are_no_text_and_a_folder_are_refused(policies: Path) -> None:
    policies.write_bytes(b'{"policies": {"\xff": 1}}')
    assert "can't be read as JSON" in look(policies)["fault"]
    policies.unlink()
    policies.mkdir()
    assert "Is a directory" in look(policies)["fault"]


def test_policies_that_a_new_file_would_hide(policies: Path, tmp_path: Path) -> None:
    own = tmp_path / "distribution.json"
    own.write_text("{}")
    assert f"Firefox reads {own} until there is {policies}. Move it there" in look(policies, own)["fault"]
    own.rename(policies)
    assert look(policies, own)["fault"] == ""
