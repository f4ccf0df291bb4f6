"""`/describe`: what people learn of a file, how they draw it again, and what hostile files come to."""

from __future__ import annotations

import io
import random
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.features import describe
from bot.jobs import orders, prompt_line
from bot.jobs.prompt_line import Again, Changed
from bot.jobs.prompts import parse
from bot.texts.escaping import copyable
from generation import pictures, provenance
from generation.catalogue import Catalogue
from generation.contract import Request, Sampling, TextToImage
from generation.parameters import Parameters
from generation.read_metadata import Description
from tests.bot.pictures.hostile import chunk
from tests.bot.settings.test_settings import PROJECT
from tests.fakes import picture
from tests.generation.requests import result_files
from tests.generation.test_metadata import INPUTS
from tests.world import World, said

CATALOGUE = Catalogue.load(PROJECT / "models.toml")


def request(**changes: object) -> TextToImage:
    values = {
        "model": "easel",
        "prompt": "a fox in the snow",
        "negative": "fog",
        "width": 192,
        "height": 128,
        "steps": 12,
        "guidance": 4.5,
        "seeds": (7, 8),
    }
    return TextToImage(sampling=Sampling(**values | changes))  # type: ignore[arg-type]


def files(of: Request) -> tuple[tuple[bytes, ...], bytes]:
    return result_files(of, [Image.new("RGB", (32, 32)) for _ in of.sampling.seeds])


def a1111(form: str, text: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, form, **provenance.Label(text=text).options(form))
    return out.getvalue()


async def described(easel: World, data: bytes, name: str = "picture.png") -> str:
    result = await easel.ben.slash(easel.channel, "describe", image=(name, data))
    assert not easel.messages(), "nobody else sees it"
    return said(result)


@pytest.mark.parametrize("which", ["picture", "grid"])
async def test_our_own_files_tell_how_they_were_made(easel: World, which: str) -> None:
    singles, grid = files(request())
    words = await described(easel, grid if which == "grid" else singles[1])
    assert "a fox in the snow" in words
    assert "fog" in words
    assert "AI made it" in words
    for fact in (
        "Model easel",
        f"seed {7 if which == 'grid' else 8}",
        "size 192x128",
        "steps 12",
        "guidance 4.5",
    ):
        assert fact in words


async def test_the_line_draws_the_same_again(easel: World) -> None:
    singles, _ = files(request())
    line = (await described(easel, singles[1])).split("```")[1].strip()
    assert line.startswith("/imagine prompt: ")
    await easel.imagine(easel.ben, line.removeprefix("/imagine prompt: "))
    drawn = easel.generator.requests[easel.generator.last]
    assert (drawn.sampling.prompt, drawn.sampling.negative) == ("a fox in the snow", "fog")
    assert (drawn.sampling.model, drawn.sampling.steps, drawn.sampling.guidance, drawn.sampling.seeds) == (
        "easel",
        12,
        4.5,
        (8,),
    )
    assert drawn.sampling.width / drawn.sampling.height == 1.5


async def test_a_private_jobs_file_keeps_its_words(easel: World) -> None:
    singles, _ = files(request(private=True))
    words = await described(easel, singles[0])
    assert "left out of the file" in words
    assert "seed 7" in words
    assert "```" not in words


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
async def test_files_of_other_tools_are_read(easel: World, form: str) -> None:
    text = (
        "a cat\nNegative prompt: dog\nSteps: 28, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 832x1216, Model: pony"
    )
    words = await described(easel, a1111(form, text), f"cat.{form.lower()}")
    assert "does not say whether AI made it" in words
    assert "sampler Euler a" in words
    assert "prompt: a cat --ar 13:19 --seed 5 --steps 28 --cfg 7 --count 1 --no dog\n" in words


async def test_a_picture_without_parameters_says_so(easel: World) -> None:
    words = await described(easel, picture(1))
    assert "carries no parameters" in words
    assert "screenshots" in words


async def test_words_from_a_file_are_shown_inert(easel: World) -> None:
    evil = "@everyone <@&1> https://evil.example **x** ``` # big\nSteps: <#1>, Seed: @here, Model: [a](http://b)"
    words = await described(easel, a1111("PNG", evil))
    for dangerous in ("@everyone", "<@&1>", "<#1>", "@here", "https://", "](http"):
        assert dangerous not in words.split("```")[0]
    assert words.count("```") == 2


async def test_a_long_prompt_comes_as_a_file(easel: World) -> None:
    prompt = "狐_" * 700
    result = await easel.ben.slash(
        easel.channel, "describe", image=("a.png", files(request(prompt=prompt, negative="fog " * 150))[0][0])
    )
    assert len(result.response.content) <= 2000
    assert prompt in (await result.response.attachments[0].read()).decode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello", "it is damaged, or another kind of file"),
        (picture(1)[:60], "it is damaged, or another kind of file"),
        (b"GIF89a" + bytes(50), "it is damaged, or another kind of file"),
        (picture(1) + bytes(pictures.MAX_SOURCE_BYTES), "more than 32 MiB"),
    ],
)
async def test_what_is_no_picture_is_refused_kindly(easel: World, data: bytes, words: str) -> None:
    told = await described(easel, data)
    assert words in told
    assert "Send a PNG, JPEG or WebP picture." in told


async def test_a_file_that_discord_lost_is_refused_kindly(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(_: object) -> bytes:
        raise aiohttp.ClientConnectionError("gone")

    monkeypatch.setattr(describe.discord.Attachment, "read", gone)
    assert "does not hand it out" in await described(easel, picture(1))


@pytest.mark.parametrize(
    ("size", "aspect"),
    [
        ("1344x768", "7:4"),
        ("1000x1", None),
        ("512x512", "1:1"),
        ("0x5", None),
        ("x", None),
        ("999999x300001", "10:3"),
    ],
)
def test_sizes_become_ratios(size: str, aspect: str | None) -> None:
    line = again_from(Parameters(prompt="a fox", facts={"Size": size})).line
    assert line is not None
    assert (f"--ar {aspect} " in line) if aspect else ("--ar" not in line)


def again_from(given: Parameters, **options: Any) -> Again:
    return prompt_line.again(given, CATALOGUE, **{"default_model": CATALOGUE.default.key} | options)


def test_the_line_never_holds_what_imagine_would_refuse() -> None:
    facts = {"Steps": "9999", "CFG scale": "1e9", "Seed": "-1", "Model": "unknown", "Batch size": "64"}
    line = again_from(Parameters(prompt="a --big fox — red --seed", negative="x" * 2000, facts=facts)).line
    assert line is not None
    parsed = parse(line.removeprefix("/imagine prompt: "))
    assert parsed.prompt == "a big fox — red seed"
    assert (parsed.seed, parsed.guidance, parsed.model, parsed.count) == (None, None, None, 4)
    assert again_from(Parameters(prompt="x" * 2000)) == Again(too_long=2000)


async def test_settings_outside_of_the_models_ranges_are_brought_into_them_and_told(easel: World) -> None:
    words = await described(easel, (INPUTS / "steps-80-cfg-15.png").read_bytes())
    spec = CATALOGUE.default
    assert f"steps {spec.max_steps} instead of 80" in words
    assert f"guidance {spec.max_guidance:g} instead of 15" in words
    width, height = spec.size_for((3, 2))
    assert f"size {width}×{height} instead of 768×512" in words
    assert "Its model can't be had here: the picture will differ." in words
    told = await easel.imagine(easel.ben, words.split("/imagine prompt: ")[1].split("\n")[0])
    assert "On its way" in told
    drawn = easel.generator.requests[easel.generator.last]
    assert (drawn.sampling.steps, drawn.sampling.guidance, drawn.sampling.seeds) == (
        spec.max_steps,
        spec.max_guidance,
        (511994104,),
    )


async def test_a_seed_that_does_not_fit_is_told(easel: World) -> None:
    words = await described(easel, (INPUTS / "seed-64-bit.png").read_bytes())
    assert "Its seed and model can't be had here: the picture will differ." in words
    assert "--seed" not in words


async def test_a_form_that_nobody_knows_is_not_called_none(easel: World) -> None:
    unknown = a1111("PNG", '{"of": "a tool that nobody knows"}')
    words = await described(easel, unknown)
    assert "It carries parameters in a form that I can't read." in words
    assert "no parameters" not in words


async def test_parameters_that_are_damaged_are_not_called_none(easel: World) -> None:
    whole = picture(1)
    start = whole.index(b"IDAT") - 4
    damaged = whole[:start] + chunk(b"zTXt", b"parameters\0\0no zlib stream") + whole[start:]
    words = await described(easel, damaged)
    assert "in a form that I can't read." in words
    assert "no parameters" not in words


async def test_the_tool_is_named(easel: World) -> None:
    words = await described(easel, (INPUTS / "comfyui.png").read_bytes())
    assert "made with ComfyUI" in words
    assert "a galaxy in a bottle" in words


def test_a_prompt_that_is_too_long_is_told() -> None:
    found = Description(parameters=Parameters(prompt="x" * 2000), says_ai=False, signed=False)
    words, _ = describe.described(found, None, again_from(Parameters(prompt="x" * 2000)))
    assert "has 2,000 characters, and `/imagine` takes 1,500" in words


def test_the_line_counts_on_no_more_pictures_than_the_server_allows() -> None:
    given = Parameters(prompt="a fox", facts={"Batch size": "4"})
    found = again_from(given, most_pictures=2)
    assert "--count 2" in (found.line or "")
    assert Changed(setting="pictures", was="4", now="2") in found.changed


def test_a_model_that_cannot_be_had_is_left_out() -> None:
    found = again_from(Parameters(prompt="a fox", facts={"Model": "sdxl"}), usable=["easel"])
    assert (found.model, "--model" in (found.line or "")) == ("sdxl", False)


DASHES = st.sampled_from([*"-–—‐‑‒―−－", "\u200b", "\u2060", "ar", "seed", "no", "=", ":", "16:9", "a fox", " ", "`"])
PROMPTS = st.text(max_size=40) | st.lists(DASHES, max_size=12).map("".join)
FIGURES = st.text(max_size=8) | st.integers(-(2**70), 2**70).map(str) | st.floats().map(str)


@settings(max_examples=400)
@given(
    PROMPTS,
    PROMPTS,
    st.dictionaries(
        st.sampled_from(["Steps", "CFG scale", "Seed", "Size", "Model", "Batch size", "Batch pos"]),
        FIGURES | st.sampled_from([*CATALOGUE, "1x1", "99999x1", "832x1216", "3", "-1", "7.12345"]),
    ),
    st.sampled_from(sorted(CATALOGUE)),
)
def test_every_line_is_one_that_imagine_takes(prompt: str, negative: str, facts: dict[str, str], model: str) -> None:
    found = again_from(Parameters(prompt=prompt, negative=negative, facts=facts), default_model=model)
    if found.line is None:
        return
    shown = copyable(found.line).split("\n")[1]
    parsed = parse(shown.removeprefix("/imagine prompt:").strip())
    order = orders.imagine(parsed, catalogue=CATALOGUE, default_model=model, images=4, random=random.Random(1))
    spec = CATALOGUE[order.request.sampling.model]
    assert spec.refusal(order.request) is None
    if found.model or "Model" not in facts:
        assert order.request.sampling.model == model
    assert (bool(facts.get("Seed")) and not found.seed) == (parsed.seed is not None)


@pytest.mark.parametrize("prompt", ["a fox", "fox -- ar", "- -ar fox", "－－ar fox", "a —dijo", "-\u200b-seed fox"])
def test_a_prompt_with_words_has_a_line(prompt: str) -> None:
    found = again_from(Parameters(prompt=prompt))
    assert found.line is not None
    assert "fox" in found.line or "dijo" in found.line
