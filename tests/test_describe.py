"""`/describe`: what people learn of a file, how they draw it again, and what hostile files come to."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import pytest
from PIL import Image

from bot import again
from bot.features import describe
from bot.prompts import parse
from generation import encoding, pictures, provenance
from generation.catalogue import Catalogue
from generation.contract import Request, TextToImage
from generation.parameters import Parameters
from tests.fakes import picture
from tests.test_settings import PROJECT
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
    return TextToImage(**values | changes)  # type: ignore[arg-type]


def files(of: Request) -> tuple[tuple[bytes, ...], bytes]:
    with ThreadPoolExecutor(1) as threads:
        return encoding.encode([Image.new("RGB", (32, 32)) for _ in of.seeds], of, threads)


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
    assert (drawn.prompt, drawn.negative) == ("a fox in the snow", "fog")
    assert (drawn.model, drawn.steps, drawn.guidance, drawn.seeds) == ("easel", 12, 4.5, (8,))
    assert drawn.width / drawn.height == 1.5


async def test_a_private_jobs_file_keeps_its_words(easel: World) -> None:
    singles, _ = files(request(private=True))
    words = await described(easel, singles[0])
    assert "left out of the file" in words
    assert "seed 7" in words
    assert "```" not in words


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
async def test_files_of_other_tools_are_read(easel: World, form: str) -> None:
    text = "a cat\nNegative prompt: dog\nSteps: 28, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 832x1216, Model: pony"
    words = await described(easel, a1111(form, text), f"cat.{form.lower()}")
    assert "does not say whether AI made it" in words
    assert "sampler Euler a" in words
    assert "prompt: a cat --ar 13:19 --seed 5 --steps 28 --cfg 7 --count 1 --no dog\n" in words


async def test_a_picture_without_parameters_says_so(easel: World) -> None:
    words = await described(easel, picture(1))
    assert "carries no parameters" in words
    assert "screenshots" in words


async def test_words_from_a_file_are_shown_inert(easel: World) -> None:
    evil = (
        "@everyone <@&1> https://evil.example **x** ``` # big\nSteps: <#1>, Seed: @here, Model: [a](http://b)"
    )
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


async def test_a_file_that_discord_lost_is_refused_kindly(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(_: object) -> bytes:
        raise aiohttp.ClientConnectionError("gone")

    monkeypatch.setattr(describe.discord.Attachment, "read", gone)
    assert "does not hand it out" in await described(easel, picture(1))


async def test_files_are_never_read_on_the_event_loop(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def watched(data: bytes) -> object:
        threads.append(threading.current_thread())
        return pictures_describe(data)

    pictures_describe = describe.read_description
    monkeypatch.setattr(describe, "read_description", watched)
    await described(easel, picture(1))
    assert threads[0] is not threading.main_thread()


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
    line = again.line(Parameters(prompt="a fox", facts={"Size": size}), CATALOGUE)
    assert line is not None
    assert (f"--ar {aspect} " in line) if aspect else ("--ar" not in line)


def test_the_line_never_holds_what_imagine_would_refuse() -> None:
    facts = {"Steps": "9999", "CFG scale": "1e9", "Seed": "-1", "Model": "unknown", "Batch size": "64"}
    line = again.line(
        Parameters(prompt="a --big fox — red --seed", negative="x" * 2000, facts=facts), CATALOGUE
    )
    assert line is not None
    parsed = parse(line.removeprefix("/imagine prompt: "))
    assert parsed.prompt == "a big fox — red seed"
    assert (parsed.steps, parsed.seed, parsed.model, parsed.count) == (None, None, None, None)
    assert again.line(Parameters(prompt="x" * 2000), CATALOGUE) is None
