"""The line that draws a described picture again says exactly what it was drawn from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.jobs import prompt_line
from bot.jobs.prompts import MAX_PROMPT, parse, prose
from bot.texts.escaping import readable
from bot.texts.plain_text import is_visible, plain
from generation.catalogue import Catalogue
from generation.contract import MAX_SEED
from generation.parameters import Parameters
from tests.bot.jobs.test_prompts import typed
from tests.bot.settings.test_settings import PROJECT

CATALOGUE = Catalogue.load(PROJECT / "models.toml")


def line_for(parameters: Parameters) -> str | None:
    return prompt_line.again(parameters, CATALOGUE, default_model=CATALOGUE.default.key).line


def shown(text: str) -> str:
    """A text as the line has it: what can't be shown is left out, and so are dashes that would make flags."""
    return prose(readable(text).replace("`", "'"))


@given(prompt=typed, negative=typed, seed=st.integers(0, MAX_SEED), width=st.integers(64, 4096))
def test_the_line_is_read_as_it_was_meant(prompt: str, negative: str, seed: int, width: int) -> None:
    facts = {"Size": f"{width}x1024", "Seed": str(seed), "Steps": "20", "CFG scale": "4.5"}
    line = line_for(Parameters(prompt=prompt, negative=negative, facts=facts))
    if line is None:
        assert not is_visible(plain(prompt)) or not is_visible(shown(prompt))
        return
    parsed = parse(line.removeprefix("/imagine prompt: "))
    assert parsed.prompt == shown(prompt)
    assert (parsed.negative or "") == (shown(negative) if is_visible(shown(negative)) else "")
    assert (parsed.seed, parsed.steps, parsed.guidance) == (seed, 20, 4.5)
    if width >= 256:
        assert parsed.aspect is not None
        assert abs(parsed.aspect[0] / parsed.aspect[1] * 1024 / width - 1) < 0.02


def test_a_cut_does_not_make_a_flag_of_what_is_left_out() -> None:
    negative = "x" * (MAX_PROMPT - 4) + " —arch"
    line = line_for(Parameters(prompt="a fox", negative=negative, facts={}))
    assert line is not None
    assert parse(line.removeprefix("/imagine prompt: ")).negative == "x" * (MAX_PROMPT - 4) + " ar"
