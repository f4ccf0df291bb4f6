"""What people type: flags, dashes from phones, mistakes, and every word kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadPrompt
from bot.prompts import FLAGS, MAX_PROMPT, parse
from generation.contract import MAX_SEED


def test_flags_are_taken_out_of_the_prompt() -> None:
    parsed = parse(
        "a fox in snow --ar 3:2 --seed 7 --steps 30 --cfg 6.5 --count 2 --model sdxl --no trees, people"
    )
    assert parsed.prompt == "a fox in snow"
    assert (parsed.aspect, parsed.seed, parsed.steps, parsed.guidance) == ((3, 2), 7, 30, 6.5)
    assert (parsed.count, parsed.model, parsed.negative) == (2, "sdxl", "trees, people")


@pytest.mark.parametrize("dash", ["--", "—", "–"])
def test_a_phone_may_turn_two_dashes_into_one_long_one(dash: str) -> None:
    assert parse(f"a fox {dash}seed 7").seed == 7


def test_a_dash_between_words_is_a_dash() -> None:
    assert parse("a fox — painted -- in oil - well-known").prompt == "a fox — painted -- in oil - well-known"


def test_words_after_a_flag_stay_in_the_prompt() -> None:
    assert parse("a fox --seed 7 in the snow").prompt == "a fox in the snow"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a fox --sed 7", "no flag `--sed`. Did you mean `--seed`?"),
        ("a fox --zzzz 7", "`--ar`, `--seed`"),
        ("a fox --seed", "`--seed` needs a value: a whole number from 0 to 4294967295"),
        ("a fox --seed --ar 3:2", "`--seed` needs a value"),
        (f"a fox --seed {MAX_SEED + 1}", "from 0 to 4294967295, not `4294967296`"),
        ("a fox --seed -1", "not `-1`"),
        ("a fox --ar 9:1", "from 1:4 to 4:1, not `9:1`"),
        ("a fox --ar 0:1", "from 1:4 to 4:1"),
        ("a fox --steps 9999", "from 1 to 150"),
        ("a fox --cfg 31", "from 0 to 30"),
        ("a fox --cfg nan", "not `nan`"),
        ("a fox --count 5", "from 1 to 4"),
        ("a fox --seed 1 --seed 2", "there twice"),
        ("a fox --no", "`--no` needs a value"),
        ("--seed 7", "The prompt is empty"),
        ("   ", "The prompt is empty"),
        ("x" * (MAX_PROMPT + 1), "longest that can be read is 1500"),
    ],
)
def test_mistakes_are_refused_with_the_range(text: str, words: str) -> None:
    with pytest.raises(BadPrompt) as refused:
        parse(text)
    assert words in refused.value.reason


@given(st.text(max_size=200))
def test_any_text_is_a_prompt_or_a_sentence(text: str) -> None:
    try:
        outcome = parse(text).prompt
    except BadPrompt as refused:
        outcome = refused.reason
    assert outcome.strip()


@given(
    words=st.lists(st.from_regex(r"[a-z']{1,8}", fullmatch=True), min_size=1, max_size=8),
    seed=st.integers(0, MAX_SEED),
    at=st.integers(0, 8),
)
def test_no_word_is_lost_wherever_the_flag_stands(words: list[str], seed: int, at: int) -> None:
    typed = [*words[:at], "--seed", str(seed), *words[at:]]
    parsed = parse(" ".join(typed))
    assert parsed.seed == seed
    assert parsed.prompt.split() == words


def test_every_flag_says_what_it_takes() -> None:
    assert all(flag.takes for flag in FLAGS.values())
