"""The edge ControlNet: a small second encoder that reads lines and adds to what the U-Net's decoder is given.

As in "controlnet-canny-sdxl-1.0-small", it has no attention: the U-Net's own encoder has read the words already. What
it shares with the U-Net starts as a copy (Zhang et al., arXiv:2302.05543).
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from PIL import Image
from torch import Tensor, nn

from generation.builtin.architecture import make_scheduler
from generation.builtin.companions.base import Batch, Hinted, batches
from generation.builtin.companions.edges import edges
from generation.builtin.training.denoiser import Denoiser, TrainingSet, denoising_loss
from generation.builtin.training.device import DEVICE
from generation.builtin.training.pool import Part

FOLDER_NAME = "edges"
LINE_CHANNELS = (8, 16, 24, 32, 48)
"""Channels on the way from lines of 256x256 to features of 16x16: each after the first halves the size."""
LINE_GAIN = 1.35
"""Makes up for what SiLU takes away more than the ReLU that He's start is for."""
UNCAPTIONED = 0.3
"""More than for the U-Net, so that the lines alone say what to draw."""
SHARED_SETTINGS = (
    "in_channels", "block_out_channels", "layers_per_block", "norm_num_groups", "cross_attention_dim",
    "attention_head_dim", "addition_embed_type", "addition_embed_type_num_heads",
)  # fmt: skip


def make_controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """A ControlNet that changes nothing yet, with all of the U-Net's weights that it has a place for.

    Not made by `from_unet`, which has no lighter blocks and forgets `addition_embed_type_num_heads`.
    """
    controlnet = ControlNetModel(
        down_block_types=("DownBlock2D", "DownBlock2D"),
        mid_block_type="UNetMidBlock2D",
        conditioning_embedding_out_channels=LINE_CHANNELS,
        **{name: unet.config[name] for name in SHARED_SETTINGS},
    )
    places = controlnet.state_dict().keys()
    known = {name: weight for name, weight in unet.state_dict().items() if name in places}
    controlnet.load_state_dict(known, strict=False)
    _let_lines_through(controlnet.controlnet_cond_embedding)
    return controlnet.to(memory_format=torch.channels_last)


@torch.no_grad()
def _let_lines_through(embedding: nn.Module) -> None:
    """Starts the layers that read lines (He et al., arXiv:1502.01852) so that features come out about as large as noise's.

    PyTorch's own start fades them a hundredfold, and diffusers' begins with nothing; then nothing is learned for long.
    What the ControlNet adds still begins at nothing, by the layers behind.
    """
    for layer in embedding.modules():
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            layer.weight *= LINE_GAIN
            nn.init.zeros_(layer.bias)


def as_lines(batch: Batch, pool: Sequence[Part]) -> Tensor:
    """The batch's edge maps as the pipeline feeds them: float, (n, 3, rows, columns), 0..1; mirrored as latents are."""
    maps = [
        np.asarray(edges(Image.fromarray(picture)))[:, :: -1 if mirrored else 1]
        for picture, mirrored in zip(batch.pictures(pool), batch.mirrored, strict=True)
    ]
    lines = torch.from_numpy(np.stack(maps))[:, None].to(DEVICE).float() / 255.0
    return lines.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


class Controlled(nn.Module):
    """The built-in model with the ControlNet beside it."""

    def __init__(self, base: Denoiser) -> None:
        super().__init__()
        self.base = base
        self.controlnet = make_controlnet(base.unet)

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor, lines: Tensor) -> Tensor:
        """The predicted v, shaped like `noisy`."""
        context = self.base.text_encoder(tokens)[0]
        down, middle = self.controlnet(noisy, times, context, lines, return_dict=False)
        predicted: Tensor = self.base.unet(
            noisy,
            times,
            context,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
        ).sample
        return predicted


class EdgeControl:
    """The ControlNet's training: the loss of the base, with lines as a hint."""

    name = "controlnet"
    rate = 1e-3

    def __init__(self, base: Denoiser, data: TrainingSet, pool: Sequence[Part]) -> None:
        self.model = Controlled(base)
        self.data, self.pool = data, pool
        self.alphas = make_scheduler().alphas_cumprod.to(DEVICE)

    def losses(self, rng: np.random.Generator) -> Iterator[Tensor]:
        """An endless row of losses, one of a batch each."""
        for batch in batches(rng, self.data, UNCAPTIONED):
            hinted = Hinted(self.model, as_lines(batch, self.pool))
            yield denoising_loss(hinted, self.alphas, batch.latents, batch.tokens)

    def export(self, folder: Path) -> list[Path]:
        """Writes the folder for `ControlNetModel.from_pretrained(folder)`."""
        place = folder / FOLDER_NAME
        deepcopy(self.model.controlnet).half().save_pretrained(place, safe_serialization=True)
        return [place / "diffusion_pytorch_model.safetensors"]
