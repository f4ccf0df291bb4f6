"""From what was asked to what a generator is given: sizes, seeds, prices, and what a model ignores."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadPrompt, UnknownModel
from bot.jobs import orders
from bot.jobs.orders import Draft
from bot.jobs.prompts import parse
from generation.catalogue import Catalogue
from generation.contract import MAX_SEED, ImageToImage, Sampling, TextToImage, from_json, to_json, with_source

CATALOGUE = Catalogue.load(Path(__file__).parents[3] / "models.toml")


def draft(text: str) -> Draft:
    return orders.imagine(parse(text), catalogue=CATALOGUE, default_model="easel", images=4, random=random.Random(1))


def test_the_price_is_the_models_cost_times_the_pictures() -> None:
    assert orders.order("imagine", draft("a fox")).price == 4
    assert orders.order("imagine", draft("a fox --model sdxl --count 3")).price == 6


def test_an_action_may_have_a_price_of_its_own() -> None:
    spec = replace(CATALOGUE["sdxl"], prices={"vary": 1, "reroll": 0})
    assert [spec.price(action, 4) for action in ("imagine", "vary", "reroll")] == [8, 4, 0]


def test_each_picture_has_a_seed_that_makes_it_again_alone() -> None:
    assert draft("a fox --seed 7").request.sampling.seeds == (7, 8, 9, 10)
    assert draft(f"a fox --seed {MAX_SEED} --count 2").request.sampling.seeds == (MAX_SEED, 0)


def test_a_model_is_found_by_key_or_name_in_any_case() -> None:
    assert draft("a fox --model SDXL").request.sampling.model == "sdxl"
    with pytest.raises(UnknownModel):
        draft("a fox --model nope")


def test_what_a_model_ignores_is_said_and_not_swallowed() -> None:
    notes = draft("a fox --model flux-schnell --no trees --cfg 5").notes
    assert [note for note in notes if "`--no`" in note]
    assert [note for note in notes if "`--cfg`" in note]
    assert draft("a boat --no trees --cfg 5").notes == ()


def test_values_outside_a_models_range_are_refused_with_its_range() -> None:
    with pytest.raises(BadPrompt, match="between 1 and 12 for FLUX"):
        draft("a fox --model flux-schnell --steps 50")


@given(st.text(max_size=50), st.lists(st.integers(0, MAX_SEED), min_size=1, max_size=4), st.booleans())
def test_a_stored_request_comes_back_as_it_was(prompt: str, seeds: list[int], varied: bool) -> None:
    common = {
        "model": "easel", "prompt": prompt, "negative": "", "width": 256, "height": 256, "steps": 20,
        "guidance": 4.0, "seeds": tuple(seeds),
    }  # fmt: skip
    request = (
        ImageToImage(sampling=Sampling(**common), strength=0.5, source=b"png")
        if varied
        else TextToImage(sampling=Sampling(**common))
    )
    assert with_source(from_json(to_json(request)), b"png") == request


@pytest.mark.parametrize("text", ["{}", "[]", '{"kind": "nonsense"}', '{"kind": "text-to-image"}'])
def test_what_is_not_a_stored_request_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="stored request"):
        from_json(text)


def test_what_the_built_in_model_knows_nothing_of_is_met_with_what_is_close_and_the_same_flags() -> None:
    beyond = draft("a red car in space --ar 3:2 --cfg 5.5 --private --no a boat, people")
    assert beyond.instead == ()
    beyond = draft("a fox --ar 3:2 --cfg 5.5 --private --no a boat, people")
    assert beyond.instead[0] == "a dog by the beach in the morning --ar 3:2 --cfg 5.5 --private --no a boat, people"
    assert parse(beyond.instead[0]) == replace(
        parse("a fox --ar 3:2 --cfg 5.5 --private --no a boat, people"), prompt="a dog by the beach in the morning"
    )
    assert draft("a fox --model sdxl").instead == ()


def test_a_shape_that_can_not_be_drawn_is_said() -> None:
    (note,) = draft("a boat --ar 4:1").notes
    assert "nearest" in note
    assert draft("a boat --ar 3:2").notes == ()
