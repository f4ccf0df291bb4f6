"""Every family that can be drawn with. To add one: a declaration here, and a small random model in `tests/generation/tiny`.

Facts are diffusers' own (0.42): signatures, defaults, and what its pipelines do with their arguments.
"""

from __future__ import annotations

import math
import sys
from typing import Any

from generation.families.family import Family, Layout, Way

TEXT, IMAGE, INPAINT, EDIT = Way.TEXT, Way.IMAGE, Way.INPAINT, Way.EDIT


def _ways(name: str, *more: Way) -> dict[Way, str]:
    """The class for text, and those that most families name alike for other ways."""
    endings = {TEXT: "", IMAGE: "Img2Img", INPAINT: "Inpaint"}
    return {way: f"{name}{endings[way]}Pipeline" for way in (TEXT, *more)}


STABLE_DIFFUSION = Family(
    name="stable-diffusion",
    title="Stable Diffusion 1.5 and 2.1",
    ways=_ways("StableDiffusion", IMAGE, INPAINT),
    multiple=8,
    dtype="float16",
)

SDXL = Family(
    name="sdxl",
    title="Stable Diffusion XL, with Turbo, Lightning, LCM and Playground v2.5",
    ways=_ways("StableDiffusionXL", IMAGE, INPAINT),
    multiple=8,
    dtype="float16",
)

LCM = Family(
    name="lcm",
    title="Latent Consistency Models",
    ways={TEXT: "LatentConsistencyModelPipeline", IMAGE: "LatentConsistencyModelImg2ImgPipeline"},
    off=None,
    negative=False,
    multiple=8,
    dtype="float16",
)

SD3 = Family(
    name="sd3",
    title="Stable Diffusion 3 and 3.5",
    ways=_ways("StableDiffusion3", IMAGE, INPAINT),
    fixed={"max_sequence_length": 256},
)


def _flux_tokens(pipe: Any, arguments: dict[str, Any]) -> None:
    """FLUX.1-schnell, which takes no guidance, was trained with 256 tokens, and the others with 512 (their cards)."""
    arguments["max_sequence_length"] = 512 if pipe.transformer.config.guidance_embeds else 256


FLUX = Family(
    name="flux",
    title="FLUX.1 schnell, dev and Krea dev",
    ways=_ways("Flux", IMAGE, INPAINT),
    off=None,
    negative=False,
    layout=Layout.PACKED,
    patch=_flux_tokens,
)


def _own_size(pipe: Any, arguments: dict[str, Any]) -> None:
    """Kontext takes the size of what it edits, unless it is told the area and to leave it at that."""
    arguments |= {"max_area": arguments["width"] * arguments["height"], "_auto_resize": False}
    _flux_tokens(pipe, arguments)


FLUX_KONTEXT = Family(
    name="flux-kontext",
    title="FLUX.1 Kontext dev",
    ways={EDIT: "FluxKontextPipeline", TEXT: "FluxKontextPipeline", INPAINT: "FluxKontextInpaintPipeline"},
    off=None,
    negative=False,
    layout=Layout.PACKED,
    patch=_own_size,
)

FLUX_FILL = Family(
    name="flux-fill",
    title="FLUX.1 Fill dev",
    ways={INPAINT: "FluxFillPipeline"},
    off=None,
    negative=False,
    layout=Layout.PACKED,
    patch=_flux_tokens,
)

FLUX_CONTROL = Family(
    name="flux-control",
    title="FLUX.1 Canny dev and Depth dev",
    ways={Way.CONTROL: "FluxControlPipeline"},
    off=None,
    negative=False,
    layout=Layout.PACKED,
    patch=_flux_tokens,
)


FLUX2 = Family(
    name="flux2",
    title="FLUX.2 dev",
    ways={TEXT: "Flux2Pipeline", EDIT: "Flux2Pipeline"},
    off=None,
    negative=False,
    layout=Layout.PACKED,
    references=4,
    substitutes={"tokenizer": "words"},
)

QWEN_IMAGE_EDIT = Family(
    name="qwen-image-edit",
    title="Qwen-Image-Edit 2509 and 2511",
    ways={EDIT: "QwenImageEditPlusPipeline"},
    guidance="true_cfg_scale",
    layout=Layout.PACKED,
    references=3,
    substitutes={"processor": "pictures_and_words"},
)

FLUX2_KLEIN = Family(
    name="flux2-klein",
    title="FLUX.2 klein",
    ways={TEXT: "Flux2KleinPipeline", EDIT: "Flux2KleinPipeline", INPAINT: "Flux2KleinInpaintPipeline"},
    negative=False,
    layout=Layout.PACKED,
    references=4,
)

Z_IMAGE = Family(
    name="z-image",
    title="Z-Image and Z-Image Turbo",
    ways=_ways("ZImage", IMAGE, INPAINT),
    off=0.0,
)

QWEN_IMAGE = Family(
    name="qwen-image",
    title="Qwen-Image",
    ways=_ways("QwenImage", IMAGE, INPAINT),
    guidance="true_cfg_scale",
    layout=Layout.PACKED,
)

SANA = Family(
    name="sana",
    title="Sana",
    ways=_ways("Sana"),
    fixed={"use_resolution_binning": False, "complex_human_instruction": None},
    multiple=32,
)


def _any_steps(_pipe: Any, arguments: dict[str, Any]) -> None:
    """Its schedule in the middle is for two steps; with another number it must be told that there is none."""
    if arguments["num_inference_steps"] != 2:
        arguments["intermediate_timesteps"] = None


SANA_SPRINT = Family(
    name="sana-sprint",
    title="Sana Sprint",
    ways=_ways("SanaSprint", IMAGE),
    off=None,
    negative=False,
    fixed={"use_resolution_binning": False, "complex_human_instruction": None},
    multiple=32,
    patch=_any_steps,
)


def _no_guidance_embedding(pipe: Any, _arguments: dict[str, Any]) -> None:
    """ChromaInpaintPipeline asks the transformer's configuration for what Chroma's has none of."""
    pipe.transformer.register_to_config(guidance_embeds=False)


CHROMA = Family(
    name="chroma",
    title="Chroma",
    ways=_ways("Chroma", IMAGE, INPAINT),
    layout=Layout.PACKED,
    patch=_no_guidance_embedding,
)

PIXART_SIGMA = Family(
    name="pixart-sigma",
    title="PixArt-Σ",
    ways=_ways("PixArtSigma"),
    fixed={"use_resolution_binning": False},
    multiple=8,
    dtype="float16",
)

LUMINA2 = Family(name="lumina2", title="Lumina-Image 2.0", ways=_ways("Lumina2"))

COGVIEW4 = Family(name="cogview4", title="CogView4", ways=_ways("CogView4"))


def _size_as_asked(pipe: Any, arguments: dict[str, Any]) -> None:
    """Its pipeline scales every size to the area of a square of `default_sample_size` latents."""
    side = math.sqrt(arguments["width"] * arguments["height"]) / pipe.vae_scale_factor
    pipe.default_sample_size = side * (1 + 1e-9)  # so that what it rounds down is not one cell short


HIDREAM = Family(name="hidream", title="HiDream-I1", ways=_ways("HiDreamImage"), patch=_size_as_asked)

AURAFLOW = Family(name="auraflow", title="AuraFlow", ways=_ways("AuraFlow"))

OVIS = Family(name="ovis", title="Ovis-Image", ways=_ways("OvisImage"), layout=Layout.PACKED)

KREA2 = Family(name="krea2", title="Krea 2", ways=_ways("Krea2"), off=0.0, layout=Layout.PACKED)


def _own_guiders(pipe: Any, arguments: dict[str, Any]) -> None:
    """Its guidance lies in components, which remember: each call gets its own. A distilled one takes an argument."""
    scale = arguments["distilled_guidance_scale"] = arguments["guidance_scale"]
    for name in ("guider", "ocr_guider"):
        if (guider := getattr(pipe, name)) is not None:
            setattr(pipe, name, guider.new(guidance_scale=scale))


HUNYUAN_IMAGE = Family(
    name="hunyuan-image",
    title="HunyuanImage 2.1",
    ways=_ways("HunyuanImage"),
    multiple=32,
    patch=_own_guiders,
)

ERNIE = Family(
    name="ernie-image",
    title="ERNIE-Image",
    ways=_ways("ErnieImage"),
    fixed={"use_pe": False},
    substitutes={"pe": "nothing", "pe_tokenizer": "nothing"},
)

LONGCAT = Family(
    name="longcat-image",
    title="LongCat-Image",
    ways=_ways("LongCatImage"),
    fixed={"enable_prompt_rewrite": False},
    layout=Layout.PACKED,
    substitutes={"text_processor": "nothing"},
)


def _one_of_its_sizes(pipe: Any, arguments: dict[str, Any]) -> None:
    """It takes the nearest of seven sizes for any other, unless the other is among them."""
    pipe.resolutions = [*pipe.resolutions, (arguments["width"], arguments["height"])]


def _size_as_told(pipe: Any, arguments: dict[str, Any]) -> None:
    """Its pipeline works out a size of a million pixels by a function of its module, whatever it is told."""
    size = arguments["width"], arguments["height"]
    sys.modules[type(pipe).__module__].calculate_dimensions = lambda _area, _ratio: size  # type: ignore[attr-defined]


LONGCAT_EDIT = Family(
    name="longcat-image-edit",
    title="LongCat-Image-Edit",
    ways={EDIT: "LongCatImageEditPipeline"},
    layout=Layout.PACKED,
    substitutes={"text_processor": "pictures_and_words"},
    patch=_size_as_told,
)

KANDINSKY5 = Family(
    name="kandinsky5",
    title="Kandinsky 5 T2I",
    ways=_ways("Kandinsky5T2I"),
    patch=_one_of_its_sizes,
    substitutes={"tokenizer": "words_alone"},
)


def _one_for_each(pipe: Any, arguments: dict[str, Any]) -> None:
    """It wants as many prompts and pictures as it is to draw."""
    _one_of_its_sizes(pipe, arguments)
    count = arguments.pop("num_images_per_prompt")
    for name in {"prompt", "negative_prompt", "image"} & set(arguments):
        arguments[name] = [arguments[name]] * count


KANDINSKY5_EDIT = Family(
    name="kandinsky5-edit",
    title="Kandinsky 5 I2I",
    ways={EDIT: "Kandinsky5I2IPipeline"},
    patch=_one_for_each,
    substitutes={"tokenizer": "pictures_and_words"},
)


def _plan_for_each(pipe: Any, arguments: dict[str, Any]) -> None:
    """Its language model plans all pictures of a batch by the first seed: here each is planned alone, by its own."""
    told, count = arguments["prompt"], arguments.pop("num_images_per_prompt")
    shown = [list(arguments["image"])] if "image" in arguments else None
    planner = pipe.vision_language_encoder
    read = type(planner).get_image_tokens  # it wants one reference after the other; diffusers gives them in one piece
    planner.get_image_tokens = lambda seen, grids: read(planner, seen.unflatten(0, (len(grids), -1)), grids)
    planned = [
        pipe.generate_prior_tokens([told], arguments["height"], arguments["width"], shown, generator=generator)
        for generator in arguments["generator"]
    ]
    tokens, seen, grids = zip(*planned, strict=True)
    rows = [row for each in tokens for row in each.tolist()]
    arguments |= {"prompt": [told] * count, "prior_token_ids": tokens[0].new_tensor(rows)}
    if shown:
        arguments |= {"image": shown * count}
        arguments |= {"prior_token_image_ids": [one for each in seen for one in each]}
        arguments |= {"source_image_grid_thw": [one for each in grids for one in each]}


GLM_IMAGE = Family(
    name="glm-image",
    title="GLM-Image",
    ways={TEXT: "GlmImagePipeline", EDIT: "GlmImagePipeline"},
    negative=False,
    multiple=32,
    references=4,
    scaled=False,
    shifts=False,  # its plan says what lies where
    patch=_plan_for_each,
)

FIBO = Family(
    name="fibo",
    title="Bria FIBO",
    ways=_ways("BriaFibo"),
    layout=Layout.CELLS,
    fixed={"max_sequence_length": 300},
)

SWIN2SR = Family(
    name="swin2sr",
    title="Swin2SR, which makes pictures larger and nothing else",
    ways={Way.UPSCALE: "Swin2SRForImageSuperResolution"},
    guidance=None,
    negative=False,
    multiple=8,
    dtype="float16",
)
