"""Very small models with random weights, saved in diffusers' layout: real pipelines that draw in milliseconds."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PNDMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5TokenizerFast,
)

ENTRY = """
[[model]]
key = "{key}"
name = "Tiny {key}"
family = "{family}"
source = "./{folder}"
licence = "none"
native = [32, 32]
multiple = 8
sides = [16, 256]
max_pixels = 65536
steps = 4
steps_range = [1, 150]
guidance = 4.0
guidance_range = [0.0, 20.0]
memory_gb = 0.1
"""

FAMILIES = {"sd": "stable-diffusion", "sdxl": "sdxl", "flux": "flux"}


def entry(key: str, family: str, folder: str | None = None) -> str:
    return ENTRY.format(key=key, family=family, folder=folder or key)


def build(folder: Path) -> None:
    """Save `sd`, `sdxl` and `flux` under the folder, and a `models.toml` that offers them."""
    torch.manual_seed(0)
    stable_diffusion().save_pretrained(folder / "sd")
    sdxl().save_pretrained(folder / "sdxl")
    flux().save_pretrained(folder / "flux")
    text = "".join(entry(key, family) for key, family in FAMILIES.items())
    (folder / "models.toml").write_text(text, encoding="utf-8")


def stable_diffusion(*, vae: AutoencoderKL | None = None) -> StableDiffusionPipeline:
    return StableDiffusionPipeline(
        vae=vae or _vae(4, shift=None),
        text_encoder=CLIPTextModel(clip_config(16)),
        tokenizer=clip_tokenizer(),
        unet=UNet2DConditionModel(**_unet(), cross_attention_dim=16),
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            skip_prk_steps=True,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sdxl(*, vae: AutoencoderKL | None = None) -> StableDiffusionXLPipeline:
    conditions = {"addition_embed_type": "text_time", "addition_time_embed_dim": 8}
    return StableDiffusionXLPipeline(
        vae=vae or _vae(4, shift=None),
        text_encoder=CLIPTextModel(clip_config(16)),
        text_encoder_2=CLIPTextModelWithProjection(clip_config(16)),
        tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(),
        unet=UNet2DConditionModel(
            **_unet(), cross_attention_dim=32, **conditions, projection_class_embeddings_input_dim=16 + 6 * 8
        ),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            timestep_spacing="leading",
            steps_offset=1,
        ),
        add_watermarker=False,
    )


def flux(*, vae: AutoencoderKL | None = None) -> FluxPipeline:
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=vae or _vae(4, shift=0.1),
        text_encoder=CLIPTextModel(clip_config(16)),
        tokenizer=clip_tokenizer(),
        text_encoder_2=T5EncoderModel(
            T5Config(vocab_size=300, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, pad_token_id=0)
        ),
        tokenizer_2=t5_tokenizer(),
        transformer=FluxTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            pooled_projection_dim=16,
            axes_dims_rope=(4, 4, 8),
        ),
    )


def spoil(source: Path, target: Path, value: float) -> None:
    """A copy of a model whose VAE makes every pixel `value`: NaN, or a blank picture."""
    pipe = StableDiffusionPipeline.from_pretrained(source, safety_checker=None, requires_safety_checker=False)
    with torch.no_grad():
        pipe.vae.decoder.conv_out.weight.fill_(0)
        pipe.vae.decoder.conv_out.bias.fill_(value)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    pipe.save_pretrained(target)


def break_weights(source: Path, target: Path) -> None:
    """A copy of a model's folder whose UNet is cut off."""
    for file in source.rglob("*"):
        if file.is_file():
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            data = file.read_bytes()
            copy.write_bytes(data[: len(data) // 2] if copy.match("unet/*.safetensors") else data)


def component_names(folder: Path) -> list[str]:
    """The folders that a model's index names."""
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    return [name for name, value in index.items() if isinstance(value, list) and value[0]]


def _vae(channels: int, shift: float | None) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 16),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=channels,
        layers_per_block=1,
        norm_num_groups=4,
        shift_factor=shift,
        force_upcast=shift is None,
    )


def _unet() -> dict[str, object]:
    return {
        "sample_size": 16,
        "in_channels": 4,
        "out_channels": 4,
        "block_out_channels": (8, 16),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "attention_head_dim": 4,
        "norm_num_groups": 4,
    }


def clip_config(size: int) -> CLIPTextConfig:
    vocabulary = _clip_vocabulary()
    return CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=size,
        projection_dim=size,
        intermediate_size=2 * size,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=vocabulary["<|startoftext|>"],
        eos_token_id=vocabulary["<|endoftext|>"],
        pad_token_id=vocabulary["<|endoftext|>"],
    )


def _clip_vocabulary() -> dict[str, int]:
    letters = [chr(code) for code in range(33, 127)]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return {word: index for index, word in enumerate(words)}


def clip_tokenizer(room: int = 77) -> CLIPTokenizer:
    return CLIPTokenizer(vocab=_clip_vocabulary(), merges=[], model_max_length=room)


def t5_tokenizer() -> T5TokenizerFast:
    pieces = ["<pad>", "</s>", "<unk>", *(chr(code) for code in range(33, 127))]
    core = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=2))
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    return T5TokenizerFast(tokenizer_object=core, extra_ids=0, model_max_length=512)
