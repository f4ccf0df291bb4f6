"""What the built-in model says of prompts that it can't draw, and what it makes of those that people type first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.builtin.evaluation.__main__ import WEIGHTS
from generation.builtin.evaluation.generate import Sampling, Wish, generate, load_pipeline
from generation.builtin.nearest import FAVOURITES, knows_subject, nearest
from generation.builtin.vocabulary import as_told, unknown_words
from tests.generation.first_prompts import FIRST_PROMPTS

PLAIN = 0.012
"""The detail of a plain wall or of an empty field under the sky is below this; that of a small cat before a wall above it."""


@pytest.mark.parametrize(
    ("prompt", "closest"),
    [
        ("a fox", "a dog by the beach in the morning"),
        ("a wolf in the snow", "a dog in the snow"),
        ("an owl at night", "a bird at night"),
        ("a dragon", "a castle near a volcano"),
        ("portrait of a woman", "a cat by the seaside at sunset"),
        ("the Eiffel Tower at sunset", "a castle in front of a city at sunset"),
        ("a red apple", "a red circle on a white background"),
        ("sharks", "a boat on the sea"),
        ("pixel art", "a castle in the hills at dawn, pixel art"),
        ("ein Fuchs im Wald", "a dog in a forest"),
        ("ein roter Leuchtturm am Meer bei Sonnenuntergang", "a lighthouse by the sea at sunset"),
        ("un chat noir", "a black cat by the seaside at sunset"),
        ("una casa en la montaña", "a house in the mountains"),
        ("夕焼けの海", "the sea at sunset"),
        ("猫", "a cat by the seaside at sunset"),
        ("🦊", "a dog by the beach in the morning"),
        ("hello", FAVOURITES[0]),
        ("", FAVOURITES[0]),
    ],
)
def test_what_is_unknown_is_met_with_what_comes_closest(prompt: str, closest: str) -> None:
    assert not knows_subject(prompt)
    assert nearest(prompt)[0] == closest


@pytest.mark.parametrize(
    ("prompt", "known"),
    [
        ("a sunset", True),
        ("a rainy night", True),
        ("an elephant in a rainy night", False),
        ("a horse running on a beach", False),
        ("a bear in the forest", True),
        ("a river in the hills", True),
        ("cats", True),
        ("two red hearts", True),
        ("a sailing yacht", True),
        ("a beautiful landscape", True),
        ("red", False),
        ("a watercolor painting", False),
        ("something beautiful", False),
        ("a robot on a blue background", False),
        ("a flying teapot", False),
    ],
)
def test_a_prompt_is_drawn_where_something_that_it_is_about_is_known(prompt: str, known: bool) -> None:
    assert knows_subject(prompt) is known


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(FIRST_PROMPTS), max_size=3).map(" ".join)))
def test_three_prompts_are_offered_that_the_model_knows_every_word_of(prompt: str) -> None:
    offers = nearest(prompt)
    assert len(set(offers)) == 3
    for offer in offers:
        assert unknown_words(offer) == []
        assert knows_subject(offer)
        assert len(offer) <= 80


def test_none_of_fifty_first_prompts_gives_a_blank() -> None:
    """Each is drawn, and then there is something to see; or it is met with an offer."""
    assert len(set(FIRST_PROMPTS)) == 50
    drawn = [prompt for prompt in FIRST_PROMPTS if knows_subject(prompt)]
    assert 10 < len(drawn) < 30
    wishes = [Wish(prompt=as_told(prompt), seed=index) for index, prompt in enumerate(drawn)]
    pictures = generate(load_pipeline(WEIGHTS), wishes, Sampling(steps=10))
    blank = [prompt for prompt, picture in zip(drawn, pictures, strict=True) if detail(picture) < PLAIN]
    assert blank == []


def detail(picture: object) -> float:
    """The share of pixels that differ clearly from their neighbour on the right, in columns or below, in rows."""
    values = np.asarray(picture, dtype=float).mean(axis=2)
    right, below = np.abs(np.diff(values, axis=1)) > 12, np.abs(np.diff(values, axis=0)) > 12
    return float((right.mean() + below.mean()) / 2)
