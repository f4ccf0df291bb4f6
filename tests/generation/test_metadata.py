"""What other tools write into their pictures, read back; and that nothing a stranger writes there raises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation import metadata, parameters
from generation.parameters import MAX_TEXT, Parameters
from generation.read_metadata import describe

INPUTS = Path(__file__).parents[1] / "inputs"

CASTLE = Parameters(
    prompt="a castle on a hill, red trees",
    negative="lowres, blurry",
    facts={"Steps": "24", "CFG scale": "7", "Seed": "511994104", "Size": "768x512", "Model": "mix_v20"},
)
SNAIL = Parameters(
    prompt="a snail, cute animal",
    negative="worst quality",
    facts={"Steps": "25", "CFG scale": "4", "Seed": "581626448", "Size": "1024x1024", "Model": "some_model"},
)
RIGHT = {
    "trailing-newline.png": CASTLE,
    "icc-2MB.png": CASTLE,
    "civitai-negative-and-steps-on-one-line.png": Parameters(
        prompt="a portrait of a knight, detailed",
        negative="lowres, bad hands",
        facts={
            "Steps": "30",
            "Sampler": "Euler a",
            "CFG scale": "8",
            "Seed": "3995568945",
            "Size": "512x768",
        },
    ),
    "swarmui.png": SNAIL,
    "swarmui-le.jpg": SNAIL,
    "swarmui-le.webp": SNAIL,
    "utf8-in-tEXt.png": Parameters(
        prompt="城堡 на холме, über, naïve café", negative="schlecht", facts={"Steps": "20", "Seed": "5"}
    ),
    "comfyui.png": Parameters(prompt="a galaxy in a bottle", facts={"Steps": "20", "CFG scale": "8", "Seed": "5"}),
    "invokeai.png": Parameters(prompt="a fox", facts={"Steps": "20", "CFG scale": "7", "Seed": "5", "Size": "512x512"}),
}


@pytest.mark.parametrize("name", RIGHT)
def test_small_files_that_came_out_wrong_come_out_right(name: str) -> None:
    found = describe((INPUTS / name).read_bytes()).parameters
    assert found is not None
    right = RIGHT[name]
    assert (found.prompt, found.negative) == (right.prompt, right.negative)
    assert found.facts.items() >= right.facts.items()


FACTS = "Steps: 24, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 768x512"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n", "\nTemplate: a {fox|cat}\nNegative Template: b", " "])
@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_what_stands_behind_the_settings_is_no_prompt(line: str, end: str) -> None:
    text = f"a castle\nred{line}Negative prompt: blurry{line}{FACTS}{end}"
    found = parameters.parse(text)
    assert (found.prompt, found.negative) == ("a castle\nred", "blurry")
    assert found.facts["Size"] == "768x512"


def test_the_last_settings_count() -> None:
    found = parameters.parse(f"a sheet\nSteps: 1, Sampler: x, Seed: 2\n{FACTS}")
    assert found.prompt == "a sheet\nSteps: 1, Sampler: x, Seed: 2"
    assert found.facts["Steps"] == "24"


def graph(**nodes: tuple[str, dict[str, Any]]) -> dict[str, str]:
    return {
        "prompt": json.dumps({key: {"class_type": kind, "inputs": values} for key, (kind, values) in nodes.items()})
    }


def test_a_comfyui_graph_is_followed() -> None:
    found = metadata.read(
        graph(
            ckpt=("CheckpointLoaderSimple", {"ckpt_name": "sd\\xl base.safetensors"}),
            words=("PrimitiveString", {"value": "a fox"}),
            plus=("CLIPTextEncode", {"text": ["words", 0], "clip": ["ckpt", 1]}),
            minus=("CLIPTextEncode", {"text": "fog", "clip": ["ckpt", 1]}),
            control=("ControlNetApplyAdvanced", {"positive": ["plus", 0], "negative": ["minus", 0]}),
            empty=("EmptyLatentImage", {"width": 832, "height": 1216}),
            seed=("PrimitiveInt", {"value": 2**50}),
            late=("KSampler", {"seed": 9, "steps": 9, "positive": ["plus", 0], "latent_image": ["big", 0]}),
            big=("LatentUpscale", {"samples": ["draw", 0], "width": 1664, "height": 2432}),
            draw=(
                "KSampler",
                {
                    "seed": ["seed", 0],
                    "steps": 20,
                    "cfg": 7.5,
                    "sampler_name": "euler",
                    "model": ["ckpt", 0],
                    "positive": ["control", 0],
                    "negative": ["control", 1],
                    "latent_image": ["empty", 0],
                },
            ),
        )
    )
    assert found.tool == "ComfyUI"
    assert found.parameters == Parameters(
        prompt="a fox",
        negative="fog",
        facts={
            "Steps": "20",
            "Sampler": "euler",
            "CFG scale": "7.5",
            "Seed": str(2**50),
            "Size": "832x1216",
            "Model": "xl base",
        },
    )


def test_a_comfyui_graph_whose_sampler_is_in_parts_is_followed() -> None:
    found = metadata.read(
        graph(
            plus=("CLIPTextEncode", {"text": "a fox"}),
            flux=("FluxGuidance", {"guidance": 3.5, "conditioning": ["plus", 0]}),
            none=("ConditioningZeroOut", {"conditioning": ["plus", 0]}),
            guide=("CFGGuider", {"positive": ["flux", 0], "negative": ["none", 0], "model": ["unet", 0]}),
            unet=("UNETLoader", {"unet_name": "flux.gguf"}),
            noise=("RandomNoise", {"noise_seed": 4}),
            plan=("BasicScheduler", {"steps": 8}),
            kind=("KSamplerSelect", {"sampler_name": "heun"}),
            empty=("EmptySD3LatentImage", {"width": 64, "height": 96}),
            draw=(
                "SamplerCustomAdvanced",
                {
                    "noise": ["noise", 0],
                    "guider": ["guide", 0],
                    "sigmas": ["plan", 0],
                    "sampler": ["kind", 0],
                    "latent_image": ["empty", 0],
                },
            ),
        )
    ).parameters
    assert found == Parameters(
        prompt="a fox",
        facts={
            "Steps": "8",
            "Sampler": "heun",
            "CFG scale": "3.5",
            "Seed": "4",
            "Size": "64x96",
            "Model": "flux",
        },
    )


NOVEL = {
    "steps": 28,
    "sampler": "k_euler",
    "seed": 7,
    "scale": 5.0,
    "uc": "fog",
    "width": 832,
    "height": 1216,
}
NOVEL_RIGHT = Parameters(
    prompt="a fox",
    negative="fog",
    facts={"Steps": "28", "Sampler": "k_euler", "CFG scale": "5", "Seed": "7", "Size": "832x1216"},
)
FOCUS = {
    "prompt": "a fox",
    "negative_prompt": "fog",
    "steps": 30,
    "guidance_scale": 4,
    "seed": "7",
    "resolution": "(1152, 896)",
    "base_model": "juggernautXL_v8",
    "sampler": "dpmpp_2m",
}
FOCUS_RIGHT = Parameters(
    prompt="a fox",
    negative="fog",
    facts={
        "Steps": "30",
        "Sampler": "dpmpp_2m",
        "CFG scale": "4",
        "Seed": "7",
        "Size": "1152x896",
        "Model": "juggernautXL_v8",
    },
)
OLD_INVOKE = {
    "model_weights": "sd-1.5",
    "image": {"prompt": [{"prompt": "a fox [fog]", "weight": 1}], "steps": 50, "seed": 7, "sampler": "k_lms"},
}


@pytest.mark.parametrize(
    ("tool", "texts", "right"),
    [
        (
            "NovelAI",
            {"Software": "NovelAI", "Description": "a fox", "Comment": json.dumps(NOVEL)},
            NOVEL_RIGHT,
        ),
        (
            "NovelAI",
            {"UserComment": json.dumps({"Software": "NovelAI", "Description": "a fox", "Comment": json.dumps(NOVEL)})},
            NOVEL_RIGHT,
        ),
        ("Fooocus", {"parameters": json.dumps(FOCUS)}, FOCUS_RIGHT),
        ("Fooocus", {"UserComment": json.dumps(FOCUS)}, FOCUS_RIGHT),
        (
            "InvokeAI",
            {"sd-metadata": json.dumps(OLD_INVOKE)},
            Parameters(
                prompt="a fox",
                negative="fog",
                facts={"Steps": "50", "Sampler": "k_lms", "Seed": "7", "Model": "sd-1.5"},
            ),
        ),
        (
            "InvokeAI",
            {"Dream": '"a fox [fog]" -s 50 -S 7 -W 512 -H 768 -C 7.5 -A k_lms'},
            Parameters(
                prompt="a fox",
                negative="fog",
                facts={"Steps": "50", "Sampler": "k_lms", "CFG scale": "7.5", "Seed": "7", "Size": "512x768"},
            ),
        ),
        (
            "ComfyUI",
            {
                "Make": "workflow:{}",
                "Model": "prompt:" + graph(a=("KSampler", {"positive": "a", "steps": 3}))["prompt"],
            },
            Parameters(prompt="", facts={"Steps": "3"}),
        ),
    ],
)
def test_other_tools_are_read(tool: str, texts: dict[str, str], right: Parameters) -> None:
    found = metadata.read(texts)
    assert (found.tool, found.parameters, found.unreadable) == (tool, right, False)


@pytest.mark.parametrize(
    ("texts", "left_out", "tool"),
    [
        ({"workflow": '{"nodes": [1]}'}, (), "ComfyUI"),
        ({"prompt": '{"1": {"class_type": "Mystery", "inputs": {}}}'}, (), "ComfyUI"),
        ({"invokeai_metadata": "{broken"}, (), "InvokeAI"),
        ({"parameters": '{"of": "a tool that nobody knows"}'}, (), ""),
        ({"parameters": '{"sui_image_params": {"prompt": "cut o'}, (), ""),
        ({"parameters": "a" * (MAX_TEXT + 1)}, (), ""),
        ({"settings": '{"steps": 5}'}, (), ""),
        ({"UserComment": "a fox in the snow, " * 3}, (), ""),
        ({}, ("workflow",), "ComfyUI"),
    ],
)
def test_what_is_in_no_known_form_is_said_to_be_there(
    texts: dict[str, str], left_out: tuple[str, ...], tool: str
) -> None:
    assert metadata.read(texts, frozenset(left_out)) == metadata.Reading(unreadable=True, tool=tool)


def test_a_prompt_with_braces_is_a_prompt() -> None:
    for text in ("{red|blue} fox", "[a fox:a cat:10], snow", "(fox)"):
        assert metadata.read({"parameters": text}).parameters == Parameters(prompt=text)


def test_a_photograph_carries_none() -> None:
    assert (
        metadata.read({"Make": "Canon", "Model": "EOS", "Software": "Gimp", "UserComment": "Screenshot"})
        == metadata.Reading()
    )


KEYS = st.sampled_from(
    [
        "positive",
        "negative",
        "text",
        "steps",
        "seed",
        "model",
        "latent_image",
        "guider",
        "inputs",
        "class_type",
        "image",
        "prompt",
        "width",
        "height",
        "sui_image_params",
        "base_model",
        "resolution",
        "Comment",
        "uc",
        "a",
        "b",
    ]
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["a", "b", "KSampler"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5),
    max_leaves=30,
)
NAMES = sorted(
    {name for tool in metadata.TOOLS for name in tool.texts} | {"UserComment", "Comment", "Make", "Software"}
)


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        ANYTHING.map(json.dumps) | st.text(max_size=60) | ANYTHING.map(lambda value: "prompt:" + json.dumps(value)),
        max_size=4,
    )
)
def test_nothing_that_a_stranger_writes_raises(texts: dict[str, str]) -> None:
    found = metadata.read(texts)
    if found.parameters is not None:
        assert not found.unreadable
        assert all(isinstance(value, str) and value for value in found.parameters.facts.values())


@given(
    st.dictionaries(
        st.sampled_from("abcde"),
        st.dictionaries(
            KEYS, st.lists(st.sampled_from([*"abcde", 0, 1]), max_size=3) | st.text(max_size=3), max_size=6
        ),
        max_size=5,
    )
)
def test_graphs_that_bite_their_tails_come_to_an_end(nodes: dict[str, dict[str, Any]]) -> None:
    metadata.read(graph(**{key: ("KSampler", inputs) for key, inputs in nodes.items()}))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "9" * 100_000, '{"seed": 1e999, "prompt": NaN}'])
@pytest.mark.parametrize("name", ["parameters", "prompt", "invokeai_metadata", "Comment"])
def test_deep_and_long_json_is_no_more_than_unreadable(name: str, text: str) -> None:
    metadata.read({name: text})
