"""models.toml, and every mistake in it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.catalogue import BUILTIN_FOLDER, Catalogue, CatalogueError, ModelSpec
from generation.installed import installed

SHIPPED = Path(__file__).parents[2] / "models.toml"

ENTRY = {
    "key": '"a"',
    "name": '"A"',
    "family": '"sdxl"',
    "source": '"someone/model"',
    "licence": '"MIT"',
    "native": "[1024, 1024]",
    "multiple": "8",
    "sides": "[512, 2048]",
    "steps": "30",
    "steps_range": "[5, 100]",
    "guidance": "6.0",
    "guidance_range": "[1, 20]",
    "memory_gb": "12",
}


def written(folder: Path, *entries: dict[str, str], top: str = "") -> Path:
    path = folder / "models.toml"
    tables = ["[[model]]\n" + "".join(f"{key} = {value}\n" for key, value in entry.items()) for entry in entries]
    path.write_text(top + "\n".join(tables), encoding="utf-8")
    return path


def test_the_shipped_file_is_right() -> None:
    catalogue = Catalogue.load(SHIPPED)
    assert catalogue.default.key == "easel"
    assert catalogue.default.folder == BUILTIN_FOLDER
    assert set(catalogue) >= {"easel", "sd15", "sdxl", "flux-schnell"}
    assert catalogue["flux-schnell"].ignores == {"negative", "guidance"}
    assert catalogue["sdxl"].folder is None


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("colour", "1", "isn't a key"),
        ("key", '"A b"', "lower-case"),
        ("name", '""', "text"),
        ("family", '"dalle"', "one of stable-diffusion, sdxl, "),
        ("source", '"a b c"', "Hugging Face id"),
        ("source", '"~nobody-of-that-name/model"', "Hugging Face id"),
        ("source", '"a\\u0000b"', "Hugging Face id"),
        ("native", "[1024]", "two whole numbers"),
        ("native", "[1020, 1024]", "multiples of 8"),
        ("native", "[2056, 1024]", "512 to 2048"),
        ("multiple", "0", "from 1 to 256"),
        ("multiple", "true", "whole number"),
        ("sides", "[2048, 512]", "smaller first"),
        ("max_pixels", "1000", "native"),
        ("steps", "200", "from 1 to 150"),
        ("steps", "3", "steps_range"),
        ("guidance", "30.0", "guidance_range"),
        ("guidance_range", "[nan, 2]", "two numbers"),
        ("memory_gb", '"much"', "a number"),
        ("cost", "0", "from 1"),
        ("prices", "{ dream = 1 }", "imagine, vary, reroll"),
        ("prices", "{ vary = -1 }", "from 0 to 1000000"),
        ("max_images", "5", "from 1 to 4"),
        ("ignores", '["size"]', "guidance, negative"),
        ("ignores", '[["negative"]]', "guidance, negative"),
        ("strength", "0", "0.05 to 1"),
        ("vocabulary", "1", "true or false"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_its_place(tmp_path: Path, key: str, value: str, said: str) -> None:
    path = written(tmp_path, ENTRY | {key: value})
    with pytest.raises(CatalogueError) as caught:
        Catalogue.load(path, actions=("imagine", "vary", "reroll"))
    message = str(caught.value)
    assert str(path) in message
    assert f"`{key}`" in message
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize("key", ENTRY)
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    path = written(tmp_path, {name: value for name, value in ENTRY.items() if name != key})
    with pytest.raises(CatalogueError, match=f"`{key}` is missing"):
        Catalogue.load(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no model"),
        ("model = []", "no model"),
        ("model = 3", "no model"),
        ("models = []", "`models`"),
        ("[[", "models.toml"),
    ],
)
def test_a_file_without_models_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "models.toml"
    path.write_text(text)
    with pytest.raises(CatalogueError, match=said):
        Catalogue.load(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no such file"):
        Catalogue.load(tmp_path / "models.toml")


def test_keys_are_unique_and_the_default_exists(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="two models have the key 'a'"):
        Catalogue.load(written(tmp_path, ENTRY, ENTRY))
    with pytest.raises(CatalogueError, match="`default`"):
        Catalogue.load(written(tmp_path, ENTRY, top='default = "b"\n'))
    with pytest.raises(CatalogueError, match="`default`"):
        Catalogue.load(written(tmp_path, ENTRY, top='default = ["a"]\n'))
    assert Catalogue.load(written(tmp_path, ENTRY | {"key": '"b"'}, ENTRY)).default.key == "b"


def test_a_source_is_a_folder_beside_the_file_or_a_hub_id(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for source, folder in (("mine", tmp_path / "mine"), ("./no", tmp_path / "no"), ("a/b", None)):
        spec = Catalogue.load(written(tmp_path, ENTRY | {"source": f'"{source}"'})).default
        assert spec.folder == (folder.resolve() if folder else None)


def test_weights_may_lie_in_a_file_beside_it(tmp_path: Path) -> None:
    _complete(tmp_path / "mine")
    spec = Catalogue.load(written(tmp_path, ENTRY | {"source": '"./mine"', "file": '"tuned.safetensors"'})).default
    assert spec.file == (tmp_path / "tuned.safetensors").resolve()
    assert not installed(spec)
    spec.file.touch()
    assert installed(spec)
    with pytest.raises(CatalogueError, match=r"`file` must be a \.safetensors file, not 'tuned\.ckpt'"):
        Catalogue.load(written(tmp_path, ENTRY | {"file": '"tuned.ckpt"'}))


def _complete(folder: Path) -> None:
    (folder / "unet").mkdir(parents=True)
    index = {
        "_class_name": "X",
        "unet": ["diffusers", "U"],
        "safety_checker": ["a", "b"],
        "image_encoder": [None, None],
    }
    (folder / "model_index.json").write_text(json.dumps(index))


def test_a_model_is_installed_when_all_its_parts_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = Catalogue.load(written(tmp_path, ENTRY | {"source": '"./mine"'})).default
    assert not installed(local)
    _complete(tmp_path / "mine")
    assert installed(local)
    (tmp_path / "mine" / "unet").rmdir()
    assert not installed(local)
    for index in ("[]", "null", "{"):
        (tmp_path / "mine" / "model_index.json").write_text(index)
        assert not installed(local)


def test_a_model_that_may_not_be_looked_at_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that another user made, for instance root."""

    def refuse(*_: object) -> None:
        raise PermissionError

    spec = Catalogue.load(written(tmp_path, ENTRY | {"source": '"./mine"'})).default
    _complete(tmp_path / "mine")
    assert installed(spec)
    monkeypatch.setattr(Path, "is_dir", refuse)
    assert not installed(spec)


@pytest.mark.parametrize("variable", ["HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"])
def test_a_model_is_found_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "cache"))
    inside = {"HF_HUB_CACHE": ".", "HF_HOME": "hub", "XDG_CACHE_HOME": "huggingface/hub"}[variable]
    spec = Catalogue.load(written(tmp_path, ENTRY)).default
    repository = tmp_path / "cache" / inside / "models--someone--model"
    assert not installed(spec)
    _complete(repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc\n")
    assert installed(spec)
    pinned = Catalogue.load(written(tmp_path, ENTRY | {"revision": '"abc"'})).default
    assert installed(pinned)
    assert not installed(Catalogue.load(written(tmp_path, ENTRY | {"revision": '"def"'})).default)


SPECS = list(Catalogue.load(SHIPPED).values())


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SPECS), st.integers(1, 10_000), st.integers(1, 10_000))
def test_every_size_can_be_drawn(spec: ModelSpec, across: int, down: int) -> None:
    width, height = spec.size_for((across, down))
    assert width % spec.multiple == height % spec.multiple == 0
    assert spec.min_side <= min(width, height) <= max(width, height) <= spec.max_side
    assert width * height <= spec.max_pixels
    assert spec.size_for((down, across)) == (height, width)
    if across >= down:
        assert width >= height


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SPECS), st.integers(1, 24), st.integers(1, 24))
def test_usual_shapes_are_kept(spec: ModelSpec, across: int, down: int) -> None:
    if not 1 / 2 <= across / down <= 2:
        return
    width, height = spec.size_for((across, down))
    assert abs(math.log(width / height * down / across)) <= spec.multiple / min(width, height)
    assert 0.8 <= width * height / (spec.width * spec.height) <= 1.25


def test_a_square_is_the_native_size() -> None:
    for spec in SPECS:
        assert spec.size_for((1, 1)) == (spec.width, spec.height)


@pytest.mark.parametrize("aspect", [(0, 1), (1, 0), (-3, 2)])
def test_an_aspect_ratio_is_positive(aspect: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        SPECS[0].size_for(aspect)
