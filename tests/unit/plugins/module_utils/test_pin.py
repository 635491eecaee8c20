# SPDX-FileCopyrightText: 2026 The hardbound.identity authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import string

import pytest
from ansible_collections.hardbound.identity.plugins.module_utils._errors import InputError
from ansible_collections.hardbound.identity.plugins.module_utils._pin import (
    LONGEST,
    LONGEST_EXPIRY_DAYS,
    LONGEST_HISTORY,
    LOOSEST,
    SHORTEST,
    CharacterClass,
    PinPolicy,
    Presence,
)
from hypothesis import given
from hypothesis import strategies as st

PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F))

SAMPLE = {
    CharacterClass.UPPERCASE: "QWER",
    CharacterClass.LOWERCASE: "qwer",
    CharacterClass.DIGITS: "1357",
    CharacterClass.SPECIALCHARS: "-_ ~",
}


def refusal(policy: PinPolicy, pin: str) -> str:
    with pytest.raises(InputError) as caught:
        policy.check(pin)
    return str(caught.value)


# Character classes.


@pytest.mark.parametrize("character", PRINTABLE)
def test_each_printable_character_but_the_space_is_in_exactly_one_class(character: str) -> None:
    assert sum(each.holds(character) for each in CharacterClass) == (character != " ")


@pytest.mark.parametrize("character", ["\x1f", "\x7f", "ä", "\u0663", "\u2167"])
def test_other_characters_are_in_no_class(character: str) -> None:
    assert not any(each.holds(character) for each in CharacterClass)


def test_the_special_characters_are_the_32_of_the_reference() -> None:
    special = [each for each in PRINTABLE if CharacterClass.SPECIALCHARS.holds(each)]
    assert "".join(special) == "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
    assert len(special) == 32


def test_a_space_is_no_special_character_and_stands_where_one_may() -> None:
    PinPolicy(minlen=4).check("ab 12")
    with pytest.raises(InputError, match="none of the specialchars"):
        PinPolicy(minlen=4, specialchars=Presence.REQUIRED).check("ab 12")
    with pytest.raises(InputError, match="holds a space, which may stand only where"):
        PinPolicy(minlen=4, specialchars=Presence.DISALLOWED).check("ab 12")


# Rules that make sense.


@pytest.mark.parametrize(
    "policy",
    [
        PinPolicy(),
        PinPolicy(minlen=SHORTEST, maxlen=SHORTEST),
        PinPolicy(minlen=LONGEST, maxlen=LONGEST),
        PinPolicy(history=LONGEST_HISTORY, expiry_days=LONGEST_EXPIRY_DAYS),
        PinPolicy(uppercase=Presence.DISALLOWED, lowercase=Presence.DISALLOWED, specialchars=Presence.DISALLOWED),
    ],
)
def test_a_sensible_policy_validates_to_itself(policy: PinPolicy) -> None:
    assert policy.validate() is policy


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (PinPolicy(minlen=SHORTEST - 1), "pin_policy.minlen"),
        (PinPolicy(minlen=LONGEST + 1), "pin_policy.minlen"),
        (PinPolicy(maxlen=SHORTEST - 1), "pin_policy.maxlen"),
        (PinPolicy(maxlen=LONGEST + 1), "pin_policy.maxlen"),
        (PinPolicy(minlen=9, maxlen=8), "pin_policy.minlen"),
        (PinPolicy(history=-1), "pin_policy.history"),
        (PinPolicy(history=LONGEST_HISTORY + 1), "pin_policy.history"),
        (PinPolicy(expiry_days=-1), "pin_policy.expiry_days"),
        (PinPolicy(expiry_days=LONGEST_EXPIRY_DAYS + 1), "pin_policy.expiry_days"),
    ],
)
def test_a_number_out_of_range_names_its_field(policy: PinPolicy, field: str) -> None:
    with pytest.raises(InputError) as caught:
        policy.validate()
    assert caught.value.field == field


def test_a_policy_that_no_pin_can_follow_is_refused() -> None:
    nothing = {each.value: Presence.DISALLOWED for each in CharacterClass}
    with pytest.raises(InputError, match="no PIN is possible"):
        PinPolicy(**nothing).validate()


def test_a_fault_is_named_as_the_caller_names_the_policy() -> None:
    with pytest.raises(InputError, match=r"^cards\[2\]\.policy\.minlen is 3"):
        PinPolicy(minlen=3).validate("cards[2].policy")


# What an edge can take.


def test_a_default_maximum_is_lowered_to_what_the_edge_takes() -> None:
    assert PinPolicy(minlen=6).capped(8, "pin_policy", "a PIV card").maxlen == 8


def test_a_maximum_that_fits_stays() -> None:
    policy = PinPolicy(minlen=4, maxlen=6)
    assert policy.capped(8, "pin_policy", "a PIV card") is policy


@pytest.mark.parametrize(
    ("policy", "field"),
    [(PinPolicy(minlen=6, maxlen=12), "pin_policy.maxlen"), (PinPolicy(minlen=9), "pin_policy.minlen")],
)
def test_what_was_asked_for_is_never_lowered_in_silence(policy: PinPolicy, field: str) -> None:
    with pytest.raises(InputError) as caught:
        policy.capped(8, "pin_policy", "a PIV card")
    assert caught.value.field == field
    assert "a PIV card takes at most 8" in str(caught.value)


# PINs.


def test_length_is_inclusive_at_both_ends() -> None:
    policy = PinPolicy(minlen=6, maxlen=8)
    policy.check("a" * 6)
    policy.check("a" * 8)
    assert "shorter than the 6" in refusal(policy, "a" * 5)
    assert "longer than the 8" in refusal(policy, "a" * 9)


@pytest.mark.parametrize("character_class", CharacterClass)
def test_a_required_class_must_occur(character_class: CharacterClass) -> None:
    policy = PinPolicy(minlen=4, **{character_class.value: Presence.REQUIRED})
    others = "".join(SAMPLE[each] for each in CharacterClass if each is not character_class)
    policy.check(others + SAMPLE[character_class][0])
    assert f"holds none of the {character_class.value}" in refusal(policy, others)


@pytest.mark.parametrize("character_class", CharacterClass)
def test_a_disallowed_class_must_not_occur(character_class: CharacterClass) -> None:
    policy = PinPolicy(minlen=4, **{character_class.value: Presence.DISALLOWED})
    others = "".join(SAMPLE[each] for each in CharacterClass if each is not character_class)
    policy.check(others)
    assert f"holds {character_class.value}" in refusal(policy, others + SAMPLE[character_class][0])


@pytest.mark.parametrize("pin", ["1234567\n", "1234567\0", "1234567ä", "\uff11" * 8])
def test_only_printable_ascii_makes_a_pin(pin: str) -> None:
    assert "not printable ASCII" in refusal(PinPolicy(), pin)


@given(st.text(alphabet=PRINTABLE, min_size=8, max_size=LONGEST))
def test_the_default_policy_takes_any_printable_pin_that_is_long_enough(pin: str) -> None:
    PinPolicy().check(pin)


presences = st.sampled_from(Presence)
policies = st.builds(
    PinPolicy,
    minlen=st.integers(SHORTEST, 12),
    maxlen=st.integers(12, 20),
    uppercase=presences,
    lowercase=presences,
    digits=presences,
    specialchars=presences,
)


@given(policies, st.text(alphabet=st.characters(max_codepoint=0x2FF), max_size=24))
def test_a_pin_passes_exactly_if_it_keeps_every_rule(policy: PinPolicy, pin: str) -> None:
    kept = set(pin) <= set(PRINTABLE) and policy.minlen <= len(pin) <= policy.maxlen
    for rule, members in (
        (policy.uppercase, string.ascii_uppercase),
        (policy.lowercase, string.ascii_lowercase),
        (policy.digits, string.digits),
        (policy.specialchars, string.punctuation),
    ):
        found = bool(set(pin) & set(members))
        kept = kept and not (rule is Presence.REQUIRED and not found)
        kept = kept and not (rule is Presence.DISALLOWED and found)
    kept = kept and not (policy.specialchars is Presence.DISALLOWED and " " in pin)
    try:
        policy.check(pin)
    except InputError:
        assert not kept
    else:
        assert kept


@given(policies, st.text(alphabet="QXZ!", min_size=5, max_size=24))
def test_a_refusal_never_holds_any_of_the_pin(policy: PinPolicy, pin: str) -> None:
    try:
        policy.check(pin)
    except InputError as error:
        assert not set(pin) & set(str(error) + repr(error))


# Two policies together.


def follows(policy: PinPolicy, pin: str) -> bool:
    try:
        policy.check(pin)
    except InputError:
        return False
    return True


@given(policies, policies, st.text(alphabet=PRINTABLE, max_size=24))
def test_the_stricter_policy_takes_what_both_take(one: PinPolicy, other: PinPolicy, pin: str) -> None:
    try:
        both = one.stricter(other)
    except InputError:
        assert not (follows(one, pin) and follows(other, pin))
    else:
        assert follows(both, pin) == (follows(one, pin) and follows(other, pin))
        assert both == other.stricter(one) == both.stricter(one)


@given(policies)
def test_the_loosest_policy_asks_for_nothing_more(policy: PinPolicy) -> None:
    assert policy.stricter(LOOSEST) == policy


@pytest.mark.parametrize(("one", "other", "days"), [(0, 0, 0), (0, 30, 30), (60, 0, 60), (60, 30, 30)])
def test_the_earlier_expiry_counts(one: int, other: int, days: int) -> None:
    assert PinPolicy(expiry_days=one).stricter(PinPolicy(expiry_days=other)).expiry_days == days


def test_the_longer_history_counts() -> None:
    assert PinPolicy(history=3).stricter(PinPolicy(history=5)).history == 5


@pytest.mark.parametrize("rules", [{"minlen": "8"}, {"minlen": True}, {"digits": "often"}, {"colour": "red"}])
def test_rules_as_data_have_to_be_known_and_of_their_type(rules: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        LOOSEST.with_rules(rules)


def test_rules_as_data() -> None:
    assert LOOSEST.with_rules({"minlen": 6, "digits": "required"}) == PinPolicy(minlen=6, digits=Presence.REQUIRED)


# Random PINs.


@given(policies)
def test_a_random_pin_follows_the_rules(policy: PinPolicy) -> None:
    if any(policy.presence(each) is not Presence.DISALLOWED for each in CharacterClass):
        pin = policy.generate()
        policy.check(pin)
        assert not set(pin) & set("0O1lI ")


def test_random_pins_differ_and_use_all_that_they_may() -> None:
    pins = [PinPolicy(minlen=6, maxlen=8).generate() for _unused in range(200)]
    assert len(set(pins)) == 200
    assert {len(pin) for pin in pins} == {8}
    assert len(set("".join(pins))) == 56


def test_a_random_pin_of_digits() -> None:
    nothing = dict.fromkeys(("uppercase", "lowercase", "specialchars"), Presence.DISALLOWED)
    assert PinPolicy(minlen=4, maxlen=6, **nothing).generate().isdigit()
