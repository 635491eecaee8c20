# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-ins of Himmelblau: three keys of ours, all other lines stay."""

from __future__ import annotations

import configparser

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError, StateError
from ansible_collections.hardbound.identity.plugins.module_utils._hello.catalogue import setting_named
from ansible_collections.hardbound.identity.plugins.module_utils._hello.desired import parse_settings
from ansible_collections.hardbound.identity.plugins.module_utils._hello.himmelblau import Himmelblau
from ansible_collections.hardbound.identity.plugins.module_utils._hello.setting import NOT_CONFIGURED, PolicyState
from hypothesis import given
from hypothesis import strategies as st

FOREIGN = b"""# by hand
[corp.example]
hello_pin_min_length = 30

[global]
debug = true
Hello_PIN_Min_Length: 12
; odc = x

[other]
enable_hello = false
"""


def test_a_new_drop_in_has_one_section() -> None:
    document = Himmelblau(5).render(parse_settings({"use_hello": "disabled", "pin_min_length": 8}), b"")
    assert document == b"[global]\nenable_hello = false\nhello_pin_min_length = 8\nhello_pin_retry_count = 5\n"


def test_other_lines_and_sections_stay() -> None:
    assert Himmelblau().read(FOREIGN) == parse_settings({"pin_min_length": 12})
    document = Himmelblau().render(parse_settings({"pin_min_length": 8, "use_hello": "enabled"}), FOREIGN)
    assert document == FOREIGN.replace(b"Hello_PIN_Min_Length: 12", b"hello_pin_min_length = 8").replace(
        b"; odc = x\n", b"; odc = x\nenable_hello = true\n"
    )


def test_a_key_goes_and_an_empty_drop_in_with_it() -> None:
    document = Himmelblau().render(parse_settings({"pin_min_length": 8}), b"")
    assert Himmelblau().render({"pin_min_length": NOT_CONFIGURED}, document) == b""
    gone = Himmelblau().render({"pin_min_length": NOT_CONFIGURED}, FOREIGN)
    assert gone == FOREIGN.replace(b"Hello_PIN_Min_Length: 12\n", b"")


@pytest.mark.parametrize(
    ("name", "value", "refuse"),
    [
        ("pin_min_length", 5, True),
        ("pin_min_length", 33, True),
        ("pin_min_length", "disabled", True),
        ("pin_max_length", 20, False),
        ("require_security_device", "enabled", False),
        ("use_hello", {"disable_post_logon_provisioning": True}, True),
    ],
)
def test_what_it_has_no_key_for_is_named(name: str, value: object, refuse: bool) -> None:
    objection = Himmelblau().objection(setting_named(name), parse_settings({name: value})[name])
    assert objection is not None
    assert objection.refuse is refuse


@pytest.mark.parametrize("text", ["enable_hello = maybe", "hello_pin_min_length = many"])
def test_a_value_that_it_would_not_take_is_unknown(text: str) -> None:
    [state] = list(Himmelblau().read(f"[global]\n{text}\n".encode()).values())
    assert state.state is PolicyState.UNKNOWN


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(StateError, match="byte 3"):
        Himmelblau().read(b"[gl\xff")


def test_a_byte_order_mark_hides_no_section() -> None:
    document = b"\xef\xbb\xbf[global]\nhello_pin_min_length = 8\n"
    assert Himmelblau().read(document) == parse_settings({"pin_min_length": 8})
    changed = Himmelblau().render(parse_settings({"pin_min_length": 9}), document)
    assert changed == b"[global]\nhello_pin_min_length = 9\n"


@pytest.mark.parametrize("count", [0, 3, 0xFFFFFFFF])
def test_a_retry_count_is_any_number_that_the_manual_allows(count: int) -> None:
    assert f"hello_pin_retry_count = {count}\n".encode() in Himmelblau(count).render({}, b"")


@pytest.mark.parametrize("count", [-1, 0x100000000])
def test_any_other_retry_count_is_refused_by_name(count: int) -> None:
    with pytest.raises(InputError, match=rf"^himmelblau\.pin_retry_count is {count}: choose a whole number"):
        Himmelblau(count)


LINE = st.sampled_from(
    [
        "[global]",
        "[corp.example]",
        "debug = true",
        "enable_hello = true",
        "hello_pin_min_length = 9",
        "# note",
        "",
        "x : y",
    ]
)


def of_ours(lines: list[str]) -> list[int]:
    """Where the minimum length stands in [global]."""
    section, found = "", []
    for at, line in enumerate(lines):
        section = line if line.startswith("[") else section
        if section == "[global]" and line.startswith("hello_pin"):
            found.append(at)
    return found


@given(st.lists(LINE, max_size=8), st.integers(10, 32))
def test_every_foreign_line_stays_and_an_ini_parser_finds_what_was_written(lines: list[str], length: int) -> None:
    before = "".join(line + "\n" for line in lines).encode()
    after = Himmelblau().render(parse_settings({"pin_min_length": length}), before).decode()
    left = [line for line in after.splitlines() if line != f"hello_pin_min_length = {length}"]
    if "[global]" not in lines:
        left.remove("[global]")
    assert left == [line for at, line in enumerate(lines) if at not in of_ours(lines)]
    parser = configparser.ConfigParser(strict=False, allow_no_value=True)
    parser.read_string(after[after.find("[") :])
    assert parser["global"]["hello_pin_min_length"] == str(length)
