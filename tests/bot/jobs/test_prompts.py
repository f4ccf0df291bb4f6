"""What people type: flags, dashes from phones, mistakes, and every word kept."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadPrompt
from bot.jobs.flags import FLAGS
from bot.jobs.prompts import MAX_PROMPT, parse, prose, read
from bot.texts.plain_text import DASHES, plain
from generation.contract import MAX_SEED


def test_flags_are_taken_out_of_the_prompt() -> None:
    parsed = parse("a fox in snow --ar 3:2 --seed 7 --steps 30 --cfg 6.5 --count 2 --model sdxl --no trees, people")
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
    assert words in " ".join(map(str, refused.value.reasons))


PIECES = (
    *(
        "a",
        "fox",
        "Hola",
        "ar",
        "seed",
        "no",
        "private",
        "sed",
        "stylize",
        "16:9",
        "7",
        "boat,",
        "=",
        ":",
        ",",
        "\n",
    ),
    *(
        " ",
        "-",
        "--",
        "\u2014",
        "\u2013",
        "\u2212",
        "\uff0d",
        "\u30fc",
        "\u200b",
        "\ufeff",
        "\u200d",
        "\ufe0f",
    ),
    *("\u2800", "\u3164", "\ud800", "\u2764", "\u0915", "\u20e3", "\U000e0041", "\u3000", "`"),
)
"""What makes flags, what looks like it, and what can't be seen."""
typed = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(st.characters(codec=None), max_size=60)


@given(typed)
def test_any_text_is_a_prompt_or_sentences(text: str) -> None:
    try:
        outcome = [parse(text).prompt]
    except BadPrompt as refused:
        outcome = [str(reason) for reason in refused.reasons]
    assert all(outcome)


@given(typed)
def test_what_is_plain_stays_as_it_is(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@given(typed)
def test_words_without_a_dash_are_kept_whatever_stands_around_them(text: str) -> None:
    words = [word for word in plain(text).split() if not set(word) & set(DASHES)]
    kept = read(text).parsed
    heard = f"{kept.prompt} {kept.negative or ''}".split()
    values = len([name for name in ("aspect", "seed", "model") if getattr(kept, name) is not None])
    refused = len(read(text).problems)
    assert len([word for word in words if word not in heard]) <= values + refused


@given(typed)
def test_prose_has_no_flag_and_nothing_near_one(text: str) -> None:
    reading = read(f"{prose(text)} --seed 7 --no {prose(text)}")
    assert reading.parsed.prompt == prose(text)
    assert reading.parsed.seed == 7
    assert [problem for problem in reading.problems if "empty" not in problem and "--no" not in problem] == []


@pytest.mark.parametrize(
    "flag",
    [
        *("- -ar 3:2", "\uff0d\uff0dar 3:2", "--ar3:2", "--ar: 3:2", "--ar:3:2", "--ar=3:2", "--ar= 3:2"),
        *(
            "\u2014ar 3:2",
            "\u2013ar 3:2",
            "\u2012ar 3:2",
            "\u2015ar 3:2",
            "\u2212\u2212ar 3:2",
            "\u2010\u2011ar 3:2",
        ),
        *("\u2014-ar 3:2", "-\u2013ar 3:2", "---ar 3:2", "\u30fc\u30fcar 3:2", "\u2e3aar 3:2", "- -ar3:2"),
        *(
            "\u200b--ar 3:2",
            "-\u200b-ar 3:2",
            "--\u200bar 3:2",
            "--a\u00adr 3:2",
            "--ar\u200b 3:2",
            "--ar 3\u200d:2",
        ),
        *(
            "\u202e--ar 3:2",
            "--ar\ufe0f 3:2",
            "--\U000e0061ar 3:2",
            "\ufeff--ar 3:2",
            "--AR 3:2",
            "--aspect 3:2",
        ),
        *("\uff0d\uff0d\uff41\uff52\u3000\uff13\uff1a\uff12", "--ar 3\u00d72", "--ar 3\u22362"),
        *("--ar 1920:1280", "--ar 1536x1024", "--ar 300:200"),
    ],
)
def test_a_flag_is_one_however_it_is_typed(flag: str) -> None:
    parsed = parse(f"a fox {flag} in snow")
    assert (parsed.aspect, parsed.prompt) == ((3, 2), "a fox in snow")


def test_an_invisible_space_sets_a_flag_apart() -> None:
    parsed = parse("a fox\u200b--seed 7")
    assert (parsed.prompt, parsed.seed) == ("a fox", 7)


@pytest.mark.parametrize(
    "prompt",
    [
        *(
            "Hola \u2014dijo el zorro",
            "a fox \u2014no, gracias",
            "una \u2013dijo\u2013 voz",
            "he \u2014see her\u2014 left",
        ),
        *(
            "a -5 degree morning",
            "a semi -detached house",
            "a list - no boats",
            "art \u2014 count Dracula",
            "- -dijo",
        ),
        *(
            "a fox -count Dracula",
            "\u2764\ufe0f a heart",
            "1\ufe0f\u20e3 first",
            "a \U0001f469\u200d\U0001f680 on the moon",
        ),
        *(
            "\u06a9\u062a\u0627\u0628\u200c\u0647\u0627",
            "\u0915\u094d\u200d\u0937",
            "caf\u00e9 na\u00efve \u0416",
            "detective office \u2014 private eye",
        ),
    ],
)
def test_what_only_looks_like_a_flag_stays_as_it_was_written(prompt: str) -> None:
    assert parse(prompt).prompt == prompt


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a fox --stylise 100", "Midjourney's `--stylize`"),
        ("a fox --v 6", "`--v` is a flag of Midjourney's"),
        ("a fox --asepct 3:2", "Did you mean `--aspect`?"),
        ("a fox \u2014sed 7", "Did you mean `--seed`?"),
        ("a fox \u2014stylize 100", "Midjourney's"),
        ("a fox -ar 3:2", "Write `--ar` with two"),
        ("a fox -seed7", "Write `--seed7` with two"),
        ("a fox -no boats", "Write `--no` with two"),
        ("a fox -private", "Write `--private` with two"),
        ("a fox -- ar 3:2", "Write `--ar`"),
        ("a fox \u2014 seed 7", "Write `--seed`"),
        ("a fox -- private", "Write `--private`"),
        ("a fox --private, in snow", "Write `--private`"),
        ("a fox --privat", "Did you mean `--private`?"),
        ("a fox \u2014privat", "Did you mean `--private`?"),
        ("a fox --seed, 7", "Write `--seed`"),
    ],
)
def test_what_is_nearly_a_flag_is_pointed_out(text: str, words: str) -> None:
    with pytest.raises(BadPrompt) as refused:
        parse(text)
    (reason,) = refused.value.reasons
    assert words in str(reason)


def test_what_to_leave_out_may_go_on_behind_a_comma() -> None:
    assert parse("a fox --no=boat, people").negative == "boat, people"
    assert parse("a fox --no: boat, people --seed 7").negative == "boat, people"
    assert parse("a fox --no=boat in snow").prompt == "a fox in snow"


@pytest.mark.parametrize(
    "text", ["\u200b", "\u2800\u2800", "\u3164", "\u0301", "\U000e0041\U000e0042", "\ud800", "\x00"]
)
def test_a_prompt_of_nothing_that_can_be_seen_is_refused(text: str) -> None:
    with pytest.raises(BadPrompt, match="The prompt is empty"):
        parse(text)
    with pytest.raises(BadPrompt, match="`--no`"):
        parse(f"a fox --no {text}")


@pytest.mark.parametrize("text", ["!!!", "\u2764", "7", "\u65e5\u672c"])
def test_a_sign_is_a_prompt(text: str) -> None:
    assert parse(text).prompt == text


@pytest.mark.parametrize(
    ("text", "ratio"),
    [("1920:1080", (16, 9)), ("1080x1920", (9, 16)), ("1000:999", (1, 1)), ("4000:1000", (4, 1))],
)
def test_a_size_is_taken_as_its_ratio(text: str, ratio: tuple[int, int]) -> None:
    assert parse(f"a fox --ar {text}").aspect == ratio


@pytest.mark.parametrize("text", ["4001:1000", "0:5", "9999999:9999999", "1920:", "3.5:2"])
def test_what_is_no_ratio_of_that_kind_is_refused(text: str) -> None:
    with pytest.raises(BadPrompt, match="`--ar` takes"):
        parse(f"a fox --ar {text}")


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(BadPrompt) as refused:
        parse("a fox --sed 7 --ar 9:1 --steps 999 --count 1 --count 2 -private")
    said = "\n".join(map(str, refused.value.reasons))
    assert len(refused.value.reasons) == 5
    for flag in ("--seed", "--ar", "--steps", "--count", "-private"):
        assert f"`{flag}`" in said


def test_many_invisible_characters_cost_no_time() -> None:
    started = time.process_time()
    read("a" + "\u200d" * 6000 + "\u0915" * 10 + "- " * 3000)
    assert time.process_time() - started < 1


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
