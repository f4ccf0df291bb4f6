"""The style LoRA: rank 4 on the U-Net's attention and convolutions, for pictures made of stained glass."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
from diffusers import AutoencoderKL, StableDiffusionPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image
from torch import Tensor

from generation.builtin.architecture import make_scheduler
from generation.builtin.captions import caption
from generation.builtin.companions.base import batches, encode_once
from generation.builtin.companions.stained_glass import stained_glass
from generation.builtin.drawing.scenes import Scene, is_mirrorable
from generation.builtin.tokens import make_tokenizer
from generation.builtin.training.denoiser import (
    CAPTIONS_EACH,
    UNCAPTIONED,
    Denoiser,
    TrainingPart,
    TrainingSet,
    denoising_loss,
)
from generation.builtin.training.device import DEVICE
from generation.builtin.training.pool import Part, Pictures

TRIGGER = "stained glass"
PICTURES = 600
RANK = 4
TARGETS = ("conv_in", "conv1", "conv2", "conv_out", "to_q", "to_v", "to_out.0")
FILE_NAME = "stained_glass.safetensors"

_WORDINGS = ("{} {}", "{}, {}", "{} of {}", "a {} of {}", "{} art of {}", "{} window with {}")


def glass_caption(rng: Random, scene: Scene) -> str:
    """One wording of the scene behind the words that call for the style, so that a long one does not cut them off."""
    return rng.choice(_WORDINGS).format(TRIGGER, caption(rng, scene))


def make_glass_set(folder: Path, vae: AutoencoderKL, part: Part, seed: int, count: int = PICTURES) -> TrainingSet:
    """The first `count` pictures of the part that are in no style, as stained glass; encoded once and kept."""
    plain = [index for index in range(len(part.pictures)) if not part.scene(index).style][:count]
    scenes = [part.scene(index) for index in plain]
    latents = encode_once(vae, np.stack([_as_glass(part, index) for index in plain]), [folder / "stained-glass.npy"])
    rng, tokenizer = Random(seed), make_tokenizer()
    wordings = [glass_caption(rng, scene) for scene in scenes for _ in range(CAPTIONS_EACH)]
    tokens = np.asarray(tokenizer([*wordings, ""], padding="max_length", truncation=True).input_ids, np.int16)
    glass = TrainingPart(
        latents=latents,
        tokens=tokens[:-1].reshape(len(plain), CAPTIONS_EACH, -1),
        mirrorable=np.asarray([is_mirrorable(scene) for scene in scenes]),
        round=np.arange(len(plain)),
    )
    return TrainingSet(parts=[glass], empty=tokens[-1])


def _as_glass(part: Part, index: int) -> Pictures:
    rng = np.random.default_rng((part.seed, index))
    return np.asarray(stained_glass(rng, Image.fromarray(part.pictures[index])))


class StyleLora:
    """Low-rank changes (Hu et al., arXiv:2106.09685) of the denoiser; they start at nothing."""

    name = "lora"
    rate = 2e-3

    def __init__(self, base: Denoiser, data: TrainingSet) -> None:
        base.unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=list(TARGETS)))
        self.model, self.data = base, data
        self.alphas = make_scheduler().alphas_cumprod.to(DEVICE)

    def losses(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """An endless row of losses, one of a batch each."""
        for batch in batches(rng, self.data, UNCAPTIONED):
            yield denoising_loss(self.model, self.alphas, batch.latents, batch.tokens)

    def export(self, folder: Path) -> list[Path]:
        """Writes the file for `pipeline.load_lora_weights(file)`.

        The layers keep PEFT's names: `convert_state_dict_to_diffusers` renames those of attention alone, and what has
        names of both kinds loads without its attention.
        """
        layers = get_peft_model_state_dict(self.model.unet)
        StableDiffusionPipeline.save_lora_weights(
            folder,
            unet_lora_layers={name: layer.detach().half() for name, layer in layers.items()},
            weight_name=FILE_NAME,
            safe_serialization=True,
        )
        return [folder / FILE_NAME]
