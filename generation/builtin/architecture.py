"""The sizes of the built-in model's parts, and the noise schedule that it is trained and sampled with."""

from typing import Any

import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

PICTURE_SIZE = 256
LATENT_SIZE = 16
LATENT_CHANNELS = 12
TEXT_WIDTH = 192
PROMPT_TOKENS = 32
TOKEN_ROWS = 1536
"""Rows in the token embedding: more than today's vocabulary, so that words can be added in place."""


def make_vae() -> AutoencoderKL:
    """A picture of 256x256 to latents of 12x16x16 and back: five levels, so a factor of 16."""
    return AutoencoderKL(
        block_out_channels=(16, 32, 48, 64, 64),
        down_block_types=("DownEncoderBlock2D",) * 5,
        up_block_types=("UpDecoderBlock2D",) * 5,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=1,
        mid_block_add_attention=False,
        sample_size=PICTURE_SIZE,
        force_upcast=False,
    )


def make_unet() -> UNet2DConditionModel:
    """Two levels, 16x16 and 8x8; text is read at the lower one, where attention is cheap on a CPU.

    Pooled text is added to the time embedding as well, so that colours named in it reach every block.
    """
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        block_out_channels=(128, 208),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=8,
        norm_num_groups=16,
        cross_attention_dim=TEXT_WIDTH,
        addition_embed_type="text",
        addition_embed_type_num_heads=6,
    )


def make_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Three layers of CLIP's text transformer, its special ids taken from the tokenizer."""
    config = CLIPTextConfig(
        vocab_size=TOKEN_ROWS,
        hidden_size=TEXT_WIDTH,
        intermediate_size=TEXT_WIDTH * 3,
        projection_dim=TEXT_WIDTH,
        num_hidden_layers=3,
        num_attention_heads=6,
        max_position_embeddings=PROMPT_TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def make_scheduler() -> DDPMScheduler:
    """The cosine schedule of Nichol and Dhariwal (2021), which ends in pure noise; the U-Net predicts v.

    Sampling draws new noise in every step (Ho et al., arXiv:2006.11239): what a small U-Net gets wrong in one step is put
    right in the next, and animals and buildings come out more whole than without (DDIM), though faint rain may be lost.
    """
    return DDPMScheduler(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        steps_offset=1,  # means nothing here, but diffusers warns of 0
        clip_sample=False,
    )


def parameter_count(module: Any) -> int:
    """How many numbers a part holds."""
    return sum(parameter.numel() for parameter in module.parameters() if isinstance(parameter, torch.Tensor))
