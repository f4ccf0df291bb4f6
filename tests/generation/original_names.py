"""Stable Diffusion's weights under the names that its authors gave them, as single files have them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch

State = dict[str, torch.Tensor]
_Rule = tuple[str, str | Callable[[re.Match[str]], str]]

_RESNET: tuple[_Rule, ...] = (
    (r"\.norm1\.(?=\w+$)", ".in_layers.0."),
    (r"\.conv1\.", ".in_layers.2."),
    (r"\.norm2\.(?=\w+$)", ".out_layers.0."),
    (r"\.conv2\.", ".out_layers.3."),
    (r"\.time_emb_proj\.", ".emb_layers.1."),
    (r"\.conv_shortcut\.", ".skip_connection."),
)
_VAE: tuple[_Rule, ...] = (
    (r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}"),
    (r"mid_block\.attentions\.0", "mid.attn_1"),
    (r"attn_1\.group_norm", "attn_1.norm"),
    (r"attn_1\.to_([qkv])\.", r"attn_1.\1."),
    (r"attn_1\.to_out\.0", "attn_1.proj_out"),
    (r"conv_shortcut", "nin_shortcut"),
    (r"conv_norm_out", "norm_out"),
    (r"down_blocks\.(\d)\.resnets", r"down.\1.block"),
    (r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample"),
)


def unet(network: Any) -> State:
    """A UNet's weights."""
    each = network.config.layers_per_block + 1
    attends = {
        re.match(r"up_blocks\.\d", key)[0] for key in network.state_dict() if "up_blocks" in key and "attn" in key
    }  # type: ignore[index]

    def down(found: re.Match[str]) -> str:
        return f"input_blocks.{int(found[1]) * each + int(found[3]) + 1}.{int(found[2] == 'attentions')}."

    def up(found: re.Match[str]) -> str:
        return f"output_blocks.{int(found[1]) * each + int(found[3])}.{int(found[2] == 'attentions')}."

    def larger(found: re.Match[str]) -> str:
        return f"output_blocks.{int(found[1]) * each + each - 1}.{1 + (found[0][:11] in attends)}.conv"

    rules: tuple[_Rule, ...] = (
        (r"^time_embedding\.linear_1", "time_embed.0"),
        (r"^time_embedding\.linear_2", "time_embed.2"),
        (r"^add_embedding\.linear_1", "label_emb.0.0"),
        (r"^add_embedding\.linear_2", "label_emb.0.2"),
        (r"^conv_in", "input_blocks.0.0"),
        (r"^conv_norm_out", "out.0"),
        (r"^conv_out", "out.2"),
        (r"^down_blocks\.(\d)\.downsamplers\.0\.conv", lambda found: f"input_blocks.{(int(found[1]) + 1) * each}.0.op"),
        (r"^up_blocks\.(\d)\.upsamplers\.0\.conv", larger),
        (r"^down_blocks\.(\d)\.(resnets|attentions)\.(\d)\.", down),
        (r"^up_blocks\.(\d)\.(resnets|attentions)\.(\d)\.", up),
        (r"^mid_block\.resnets\.(\d)", lambda found: f"middle_block.{2 * int(found[1])}"),
        (r"^mid_block\.attentions\.0", "middle_block.1"),
    )
    named = {}
    for key, value in network.state_dict().items():
        inner = _renamed(key, _RESNET) if ".resnets." in key else key
        named["model.diffusion_model." + _renamed(inner, rules)] = value
    return named


def vae(network: Any) -> State:
    """An autoencoder's weights."""
    most = len(network.config.block_out_channels) - 1
    up: tuple[_Rule, ...] = (
        (r"up_blocks\.(\d)\.resnets", lambda found: f"up.{most - int(found[1])}.block"),
        (r"up_blocks\.(\d)\.upsamplers\.0", lambda found: f"up.{most - int(found[1])}.upsample"),
    )
    named = {}
    for key, value in network.state_dict().items():
        is_linear = "mid_block.attentions" in key and key.endswith("weight") and value.dim() == 2
        named["first_stage_model." + _renamed(key, (*_VAE, *up))] = value[:, :, None, None] if is_linear else value
    return named


def text_encoder(network: Any) -> State:
    """The weights of CLIP's text encoder."""
    return {f"cond_stage_model.transformer.text_model.{key}": value for key, value in network.state_dict().items()}


def _renamed(key: str, rules: tuple[_Rule, ...]) -> str:
    for pattern, name in rules:
        key = re.sub(pattern, name, key)
    return key
