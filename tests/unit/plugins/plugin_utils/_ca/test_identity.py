# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca import identity
from ansible_collections.hardbound.identity.plugins.plugin_utils._ca.identity import Identity
from hypothesis import given
from hypothesis import strategies as st


def test_the_sid_extension_is_byte_for_byte_what_a_windows_ca_writes() -> None:
    # dumped by certutil from a certificate of Active Directory Certificate Services
    windows = bytes.fromhex(
        "303fa03d060a2b060104018237190201a02f042d532d312d352d32312d363636313939363832"
        "2d313431313334323134372d323933383731373835352d31303031"
    )
    extension = identity.sid_extension("S-1-5-21-666199682-1411342147-2938717855-1001")
    assert extension.value == windows
    assert extension.oid.dotted_string == "1.3.6.1.4.1.311.25.2"


def test_a_kerberos_principal_is_encoded_by_the_letter_of_rfc_4556() -> None:
    realm = "a00e1b0c" + b"CORP.EXAMPLE".hex()
    name = "a111300fa003020101a10830061b04" + b"al-1".hex()
    expected = bytes.fromhex("3023" + realm + name)
    assert identity.krb5_principal_name("al-1@CORP.EXAMPLE") == expected


def test_a_principal_of_two_components_keeps_both() -> None:
    encoded = identity.krb5_principal_name("alice/admin@CORP.EXAMPLE")
    assert b"\x1b\x05alice\x1b\x05admin" in encoded


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"common_name": ""}, "identity.common_name"),
        ({"common_name": "a" * 65}, "identity.common_name"),
        ({"common_name": "a\nb"}, "identity.common_name"),
        ({"common_name": 7}, "identity.common_name"),
        ({"common_name": "a", "upn": "alice"}, "identity.upn"),
        ({"common_name": "a", "upn": "alice@corp.example\x00@evil"}, "identity.upn"),
        ({"common_name": "a", "upn": "a@b@c"}, "identity.upn"),
        ({"common_name": "a", "principal": "älice@CORP"}, "identity.principal"),
        ({"common_name": "a", "principal": "al\\@ice@CORP"}, "identity.principal"),
        ({"common_name": "a", "sid": "512"}, "identity.sid"),
        ({"common_name": "a", "sid": "S-1-5-21-4294967296-1"}, "identity.sid"),
        ({"common_name": "a", "sid": "S-1-5-21-1\n"}, "identity.sid"),
        ({"common_name": "a", "dns_names": ["-"]}, "identity.dns_names"),
        ({"common_name": "a", "dns_names": "host"}, "identity.dns_names"),
        ({"common_name": "a", "ssh_principals": ["a,b"]}, "identity.ssh_principals"),
        ({"common_name": "a", "ssh_principals": [""]}, "identity.ssh_principals"),
        ({"common_name": "a", "subject": "x"}, "identity.subject"),
    ],
)
def test_a_name_that_is_none_is_refused_by_its_field(values: dict[str, object], field: str) -> None:
    with pytest.raises(InputError) as refused:
        Identity.parse(values)
    assert refused.value.field == field


@given(
    st.dictionaries(st.sampled_from(list(Identity.__dataclass_fields__)), st.text() | st.lists(st.text()) | st.none())
)
def test_whatever_is_given_is_an_identity_or_an_error_in_words(values: dict[str, object]) -> None:
    try:
        parsed = Identity.parse(values)
    except InputError as error:
        assert error.field.startswith("identity.")
    else:
        identity.alternative_names(parsed, list(identity.NameKind))
        if parsed.sid:
            identity.sid_extension(parsed.sid)
