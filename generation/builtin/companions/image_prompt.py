"""The image-prompt adapter (Ye et al., arXiv:2308.06721): a picture's colours and subject beside the words.

A small CLIP vision transformer makes one vector of a picture, a projection makes four tokens of it, and each layer that
reads the words gets keys and values for these tokens too. All of it is trained; the U-Net stands still.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0
from diffusers.models.embeddings import ImageProjection, MultiIPAdapterImageProjection
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

from generation.builtin.architecture import TEXT_WIDTH, make_scheduler
from generation.builtin.companions.base import Hinted, batches
from generation.builtin.training.denoiser import Denoiser, TrainingSet, denoising_loss
from generation.builtin.training.device import DEVICE
from generation.builtin.training.pool import Part, Pictures

FOLDER_NAME = "image_prompt"
FILE_NAME = "ip_adapter.safetensors"
SIGHT = 64
"""The side in pixels of the square that the image encoder sees."""
IMAGE_TOKENS = 4
"""As many as diffusers expects of an adapter with one linear projection."""
UNCAPTIONED = 0.5
"""High, so that a picture alone says what to draw."""
UNSEEN = 0.1
"""How often the picture is left out, for classifier-free guidance: its vector is then zero, as in the pipeline."""


def make_image_encoder() -> CLIPVisionModelWithProjection:
    """Three layers of CLIP's vision transformer on 8x8 patches; `image_embeds` has shape (n, TEXT_WIDTH)."""
    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            image_size=SIGHT,
            patch_size=8,
            hidden_size=96,
            intermediate_size=288,
            num_hidden_layers=3,
            num_attention_heads=6,
            projection_dim=TEXT_WIDTH,
        )
    )


def reading_layers(unet: UNet2DConditionModel) -> list[str]:
    """The names of the processors of the layers that read words, in the order of `unet.attn_processors`."""
    return [name for name in unet.attn_processors if name.endswith("attn2.processor")]


def give_sight(unet: UNet2DConditionModel) -> None:
    """Adds the image projection, and keys and values for its tokens that start as those for words."""
    processors = dict(unet.attn_processors)
    for name in reading_layers(unet):
        layer = unet.get_submodule(name.removesuffix(".processor"))
        processor = IPAdapterAttnProcessor2_0(layer.to_k.out_features, TEXT_WIDTH, num_tokens=(IMAGE_TOKENS,))
        processor.to_k_ip[0].load_state_dict(layer.to_k.state_dict())
        processor.to_v_ip[0].load_state_dict(layer.to_v.state_dict())
        processors[name] = processor
    unet.set_attn_processor(processors)
    projection = ImageProjection(TEXT_WIDTH, TEXT_WIDTH, IMAGE_TOKENS)
    unet.encoder_hid_proj = MultiIPAdapterImageProjection([projection])
    unet.register_to_config(encoder_hid_dim_type="ip_image_proj")


class Sighted(nn.Module):
    """The built-in model with the adapter in it and the image encoder beside it."""

    def __init__(self, base: Denoiser) -> None:
        super().__init__()
        give_sight(base.unet)
        self.base = base
        self.image_encoder = make_image_encoder()

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor, embeds: Tensor) -> Tensor:
        """The predicted v, shaped like `noisy`; `embeds` is (n, TEXT_WIDTH)."""
        context = self.base.text_encoder(tokens)[0]
        hints = {"image_embeds": [embeds[:, None]]}
        predicted: Tensor = self.base.unet(noisy, times, context, added_cond_kwargs=hints).sample
        return predicted

    def embeds(self, pictures: Pictures, seen: NDArray[np.bool_]) -> Tensor:
        """The pictures' vectors (n, TEXT_WIDTH), zero for those that are not seen."""
        processor = CLIPImageProcessor(size=SIGHT, crop_size=SIGHT)
        pixels = processor([Image.fromarray(each) for each in pictures], return_tensors="pt").pixel_values
        embeds: Tensor = self.image_encoder(pixels.to(DEVICE)).image_embeds
        return embeds * torch.from_numpy(seen).to(DEVICE)[:, None]


class ImagePrompt:
    """The adapter's training: the loss of the base, with the picture itself, never mirrored, as a hint."""

    name = "image-prompt"
    rate = 1e-3

    def __init__(self, base: Denoiser, data: TrainingSet, pool: Sequence[Part]) -> None:
        self.model = Sighted(base)
        self.data, self.pool = data, pool
        self.alphas = make_scheduler().alphas_cumprod.to(DEVICE)

    def losses(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """An endless row of losses, one of a batch each."""
        for batch in batches(rng, self.data, UNCAPTIONED):
            seen = rng.random(len(batch.chosen)) >= UNSEEN
            hinted = Hinted(self.model, self.model.embeds(batch.pictures(self.pool), seen))
            yield denoising_loss(hinted, self.alphas, batch.latents, batch.tokens)

    def export(self, folder: Path) -> list[Path]:
        """Writes what `pipeline.load_ip_adapter(folder, FOLDER_NAME, FILE_NAME)` loads."""
        place = folder / FOLDER_NAME
        deepcopy(self.model.image_encoder).half().save_pretrained(place / "image_encoder")
        save_file(adapter_weights(self.model.base.unet), place / FILE_NAME)
        return [place / FILE_NAME, place / "image_encoder" / "model.safetensors"]


def adapter_weights(unet: UNet2DConditionModel) -> dict[str, Tensor]:
    """The projection and the keys and values, half precision, named as diffusers' loader wants them.

    That is `image_proj.` and `ip_adapter.` in front, and the reading layers numbered 1, 3, 5…
    """
    projection = unet.encoder_hid_proj.image_projection_layers[0]
    weights = {
        f"image_proj.{name.replace('image_embeds', 'proj')}": weight for name, weight in projection.state_dict().items()
    }
    for index, name in enumerate(reading_layers(unet)):
        processor = unet.attn_processors[name]
        for part in ("to_k_ip", "to_v_ip"):
            weights[f"ip_adapter.{2 * index + 1}.{part}.weight"] = getattr(processor, part)[0].weight
    return {name: weight.detach().half().contiguous() for name, weight in weights.items()}
