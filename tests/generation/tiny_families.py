"""A small model with random weights for every declared family, built from its own configuration in well under a second.

What is small is what diffusers allows: four levels in a VAE, so that a latent stands for 8 pixels as in the real ones, and
sizes that must agree between a text encoder and a denoiser do.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.guiders import AdaptiveProjectedMixGuidance
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers.convert_slow_tokenizer import bytes_to_unicode

from generation.families import FAMILIES
from generation.pipelines.substitutes import PicturesAndWords
from tests.generation import tiny

_SPECIAL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<think>",
    "</think>",
)  # fmt: skip
_CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}"
    "{% else %}{% for c in m['content'] %}{{ c.get('text', '') }}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_BYTES = 256 + len(_SPECIAL)
_FLOW = diffusers.FlowMatchEulerDiscreteScheduler
_SMALL = {"num_layers": 1, "attention_head_dim": 8, "num_attention_heads": 4}


# Parts


def _byte_words(*extra: str) -> dict[str, int]:
    """A vocabulary of single bytes and a few more."""
    return {word: number for number, word in enumerate((*bytes_to_unicode().values(), *extra))}


def _chat_tokenizer() -> Any:
    tokenizer = transformers.Qwen2Tokenizer(
        vocab=_byte_words(*_SPECIAL),
        merges=[],
        unk_token="<|endoftext|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=list(_SPECIAL[1:]),
        model_max_length=4096,
    )
    tokenizer.chat_template = _CHAT
    return tokenizer


_GEMMA = (
    "<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{number:02X}>" for number in range(256)), "▁",
    *(chr(number) for number in range(33, 127)),
)  # fmt: skip


def _gemma() -> dict[str, Any]:
    """Gemma 2 and its tokenizer."""
    words = {piece: number for number, piece in enumerate(_GEMMA)}
    core = Tokenizer(models.BPE(vocab=words, merges=[], unk_token="<unk>", byte_fallback=True))
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    config = transformers.Gemma2Config(
        head_dim=8,
        hidden_size=8,
        intermediate_size=16,
        num_attention_heads=2,
        num_hidden_layers=2,
        num_key_value_heads=2,
        vocab_size=len(words),
        sliding_window=64,
        attn_implementation="eager",
    )
    return {
        "text_encoder": transformers.Gemma2Model(config),
        "tokenizer": transformers.GemmaTokenizer(tokenizer_object=core, model_max_length=512),
    }


def _t5(width: int = 16) -> Any:
    return transformers.T5EncoderModel(
        transformers.T5Config(vocab_size=300, d_model=width, d_kv=8, d_ff=16, num_layers=1, num_heads=2, pad_token_id=0)
    )


def _qwen3(kind: Any, *, width: int = 16, layers: int = 2) -> Any:
    return kind(
        transformers.Qwen3Config(
            hidden_size=width,
            intermediate_size=16,
            num_hidden_layers=layers,
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=8,
            vocab_size=_BYTES + 8,
            max_position_embeddings=4096,
        )
    )


def _qwen25vl(width: int = 16) -> Any:
    head = width // 2
    text = {
        "hidden_size": width,
        "intermediate_size": width,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": _BYTES + 8,
        "rope_scaling": {
            "mrope_section": [head // 8, head // 8, head // 4],
            "rope_type": "default",
            "type": "default",
        },
        "rope_theta": 1e6,
    }
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": width}
    config = transformers.Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        vision_start_token_id=259,
        vision_end_token_id=260,
        image_token_id=261,
        vision_token_id=261,
    )
    return transformers.Qwen2_5_VLForConditionalGeneration(config)


def _vae(channels: int, *, shift: float | None = None, scale: float = 0.3611) -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=channels,
        layers_per_block=1,
        norm_num_groups=4,
        scaling_factor=scale,
        shift_factor=shift,
        force_upcast=False,
    )


def _qwen_vae() -> Any:
    return diffusers.AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 2, 2, 2],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.1] * 4,
        latents_std=[0.8] * 4,
    )


def _deep_vae() -> Any:
    """Six levels, so that a latent stands for 32 pixels."""
    blocks = ("ResBlock",) * 5 + ("EfficientViTBlock",)
    ends = {"block_types": blocks, "block_out_channels": (8,) * 6, "layers_per_block": (1,) * 6}
    both = {f"{end}_{name}": value for end in ("encoder", "decoder") for name, value in ends.items()}
    scales = {f"{end}_qkv_multiscales": ((),) * 5 + ((5,),) for end in ("encoder", "decoder")}
    return diffusers.AutoencoderDC(
        in_channels=3,
        latent_channels=4,
        attention_head_dim=2,
        **both,
        **scales,
        downsample_block_type="conv",
        upsample_block_type="interpolate",
        decoder_norm_types="rms_norm",
        decoder_act_fns="silu",
        scaling_factor=0.41407,
    )


def _clip_with_projection(width: int = 16, *, room: int = 77) -> Any:
    config = tiny.clip_config(width)
    config.max_position_embeddings = room
    return transformers.CLIPTextModelWithProjection(config)


def _changed(part: Any, **changes: Any) -> dict[str, Any]:
    """A part's configuration with other values, also where it had the default."""
    return {name: value for name, value in part.config.items() if name != "_use_default_values"} | changes


# Families


def stable_diffusion() -> Any:
    return tiny.stable_diffusion(vae=_vae(4, scale=0.18215))


def sdxl() -> Any:
    return tiny.sdxl(vae=_vae(4, scale=0.13025))


def lcm() -> Any:
    base = stable_diffusion()
    unet = diffusers.UNet2DConditionModel.from_config(_changed(base.unet, time_cond_proj_dim=8))
    parts = {**base.components, "unet": unet, "scheduler": diffusers.LCMScheduler()}
    return diffusers.LatentConsistencyModelPipeline(**parts, requires_safety_checker=False)


def sd3() -> Any:
    return diffusers.StableDiffusion3Pipeline(
        transformer=diffusers.SD3Transformer2DModel(
            **_SMALL,
            sample_size=32,
            patch_size=2,
            in_channels=16,
            out_channels=16,
            caption_projection_dim=32,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            pos_embed_max_size=64,
        ),
        scheduler=_FLOW(shift=3.0),
        vae=_vae(16, shift=0.0609, scale=1.5305),
        text_encoder=_clip_with_projection(),
        tokenizer=tiny.clip_tokenizer(),
        text_encoder_2=_clip_with_projection(),
        tokenizer_2=tiny.clip_tokenizer(),
        text_encoder_3=_t5(32),
        tokenizer_3=tiny.t5_tokenizer(),
    )


def _flux_parts(**transformer: Any) -> dict[str, Any]:
    base = tiny.flux(vae=_vae(4, shift=0.1159))
    parts = {name: part for name, part in base.components.items() if name not in ("image_encoder", "feature_extractor")}
    if transformer:
        parts["transformer"] = diffusers.FluxTransformer2DModel.from_config(_changed(base.transformer, **transformer))
    return parts


def flux() -> Any:
    return diffusers.FluxPipeline(**_flux_parts())


def flux_kontext() -> Any:
    return diffusers.FluxKontextPipeline(**_flux_parts(guidance_embeds=True))


def flux_fill() -> Any:
    return diffusers.FluxFillPipeline(**_flux_parts(in_channels=16 + 16 + 256, out_channels=16, guidance_embeds=True))


def flux_control() -> Any:
    return diffusers.FluxControlPipeline(**_flux_parts(in_channels=32, out_channels=16, guidance_embeds=True))


def _flux2_vae() -> Any:
    return diffusers.AutoencoderKLFlux2(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=4,
        sample_size=32,
    )


def _mistral(*, layers: int = 2) -> Any:
    text = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "vocab_size": _BYTES + 8,
        "model_type": "mistral",
    }
    vision = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "head_dim": 8,
        "image_size": 28,
        "patch_size": 14,
        "model_type": "pixtral",
    }
    return transformers.Mistral3Config(text_config=text, vision_config=vision, image_token_index=261)


def flux2() -> Any:
    return diffusers.Flux2Pipeline(
        transformer=diffusers.Flux2Transformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=48,
            timestep_guidance_channels=16,
            axes_dims_rope=[4, 4, 4, 4],
            guidance_embeds=True,
        ),
        scheduler=_FLOW(),
        vae=_flux2_vae(),
        text_encoder=transformers.Mistral3ForConditionalGeneration(_mistral(layers=31)),  # it reads layers 10, 20, 30
        tokenizer=_chat_tokenizer(),
    )


def ernie() -> Any:
    return diffusers.ErnieImagePipeline(
        transformer=diffusers.ErnieImageTransformer2DModel(
            hidden_size=32,
            num_attention_heads=4,
            num_layers=1,
            ffn_hidden_size=32,
            in_channels=16,
            out_channels=16,
            text_in_dim=16,
            rope_axes_dim=(4, 2, 2),
        ),
        scheduler=_FLOW(),
        vae=_flux2_vae(),
        text_encoder=transformers.Mistral3Model(_mistral()),
        tokenizer=_chat_tokenizer(),
    )


def longcat() -> Any:
    return diffusers.LongCatImagePipeline(
        transformer=diffusers.LongCatImageTransformer2DModel(
            patch_size=1,
            in_channels=64,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            pooled_projection_dim=16,
            axes_dims_rope=[4, 4, 8],
        ),
        scheduler=_FLOW(use_dynamic_shifting=True),
        vae=_vae(16, shift=0.1159),
        text_encoder=_qwen25vl(),
        tokenizer=_chat_tokenizer(),
        text_processor=None,
    )


def kandinsky5() -> Any:
    return diffusers.Kandinsky5T2IPipeline(
        transformer=diffusers.Kandinsky5Transformer3DModel(
            in_visual_dim=4,
            out_visual_dim=4,
            in_text_dim=16,
            in_text_dim2=16,
            time_dim=16,
            patch_size=(1, 2, 2),
            model_dim=16,
            ff_dim=32,
            num_text_blocks=1,
            num_visual_blocks=1,
            axes_dims=(4, 6, 6),
        ),
        scheduler=_FLOW(),
        vae=_vae(4, scale=0.3611),
        text_encoder=_qwen25vl(),
        tokenizer=_chat_tokenizer(),
        text_encoder_2=transformers.CLIPTextModel(tiny.clip_config(16)),
        tokenizer_2=tiny.clip_tokenizer(),
    )


def longcat_edit() -> Any:
    pictures = PicturesAndWords(_chat_tokenizer(), transformers.Qwen2VLImageProcessorPil())
    return diffusers.LongCatImageEditPipeline(**longcat().components | {"text_processor": pictures})


def kandinsky5_edit() -> Any:
    transformer = diffusers.Kandinsky5Transformer3DModel.from_config(
        _changed(kandinsky5().transformer, in_visual_dim=4, visual_cond=True)
    )
    return diffusers.Kandinsky5I2IPipeline(**kandinsky5().components | {"transformer": transformer})


def glm_image() -> Any:
    extra = {"image_token": "<|image|>", "grid_bos_token": "<sop>", "grid_eos_token": "<eop>", "bos_token": "<|dit|>"}
    words = _byte_words(*_SPECIAL, *extra.values())
    core = Tokenizer(models.BPE(vocab=words, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        model_max_length=1024,
        padding_side="left",
        extra_special_tokens={name: token for name, token in extra.items() if name != "bos_token"},
        bos_token=extra["bos_token"],
    )
    config = transformers.GlmImageConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 1024,
            "vision_vocab_size": 128,
            "pad_token_id": 256,
            "rope_parameters": {"mrope_section": (4, 2, 2), "rope_type": "default", "rope_theta": 10000.0},
        },
        vision_config={"depth": 1, "hidden_size": 32, "num_heads": 2, "image_size": 64, "intermediate_size": 32},
        vq_config={"embed_dim": 32, "num_embeddings": 128, "latent_channels": 32},
        image_token_id=words["<|image|>"],
    )
    return diffusers.GlmImagePipeline(
        tokenizer=transformers.ByT5Tokenizer(),
        processor=transformers.GlmImageProcessor(
            transformers.GlmImageImageProcessorPil(patch_size=16, merge_size=1, temporal_patch_size=1),
            tokenizer,
            chat_template=_CHAT.replace("c.get('text', '')", "c.get('text', '<|image|>')"),
        ),
        text_encoder=_t5(),
        vision_language_encoder=transformers.GlmImageForConditionalGeneration(config),
        vae=diffusers.AutoencoderKL.from_config(_changed(_vae(4), latents_mean=[0.1] * 4, latents_std=[0.8] * 4)),
        transformer=diffusers.GlmImageTransformer2DModel(
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=2,
            text_embed_dim=16,
            time_embed_dim=16,
            condition_dim=8,
            prior_vq_quantizer_codebook_size=128,
        ),
        scheduler=_FLOW(use_dynamic_shifting=True, time_shift_type="linear"),
    )


def flux2_klein() -> Any:
    return diffusers.Flux2KleinPipeline(
        transformer=diffusers.Flux2Transformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=48,
            timestep_guidance_channels=16,
            axes_dims_rope=[4, 4, 4, 4],
            guidance_embeds=False,
        ),
        scheduler=_FLOW(),
        vae=_flux2_vae(),
        text_encoder=_qwen3(transformers.Qwen3ForCausalLM, layers=28),
        tokenizer=_chat_tokenizer(),
        is_distilled=True,
    )


def z_image() -> Any:
    transformer = diffusers.ZImageTransformer2DModel(
        all_patch_size=(2,),
        all_f_patch_size=(1,),
        in_channels=16,
        dim=32,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        qk_norm=True,
        cap_feat_dim=16,
        rope_theta=256.0,
        t_scale=1000.0,
        axes_dims=[8, 4, 4],
        axes_lens=[1536, 128, 128],
    )
    with torch.no_grad():  # it leaves them as memory happened to be
        transformer.x_pad_token.fill_(1)
        transformer.cap_pad_token.fill_(1)
    return diffusers.ZImagePipeline(
        transformer=transformer,
        scheduler=_FLOW(shift=3.0),
        vae=_vae(16, shift=0.1159),
        text_encoder=_qwen3(transformers.Qwen3Model),
        tokenizer=_chat_tokenizer(),
    )


def qwen_image() -> Any:
    return diffusers.QwenImagePipeline(
        transformer=diffusers.QwenImageTransformer2DModel(
            patch_size=2,
            in_channels=16,
            out_channels=4,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=3,
            joint_attention_dim=16,
            guidance_embeds=False,
            axes_dims_rope=(8, 4, 4),
        ),
        scheduler=_FLOW(),
        vae=_qwen_vae(),
        text_encoder=_qwen25vl(),
        tokenizer=_chat_tokenizer(),
    )


def qwen_image_edit() -> Any:
    return diffusers.QwenImageEditPlusPipeline(**qwen_image().components, processor=None)


def _sana_transformer(**more: Any) -> Any:
    return diffusers.SanaTransformer2DModel(
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_attention_heads=2,
        attention_head_dim=4,
        num_cross_attention_heads=2,
        cross_attention_head_dim=4,
        cross_attention_dim=8,
        caption_channels=8,
        sample_size=32,
        **more,
    )


def sana() -> Any:
    scheduler = diffusers.DPMSolverMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )
    return diffusers.SanaPipeline(transformer=_sana_transformer(), scheduler=scheduler, vae=_deep_vae(), **_gemma())


def sana_sprint() -> Any:
    transformer = _sana_transformer(qk_norm="rms_norm_across_heads", guidance_embeds=True)
    return diffusers.SanaSprintPipeline(
        transformer=transformer, scheduler=diffusers.SCMScheduler(), vae=_deep_vae(), **_gemma()
    )


def chroma() -> Any:
    return diffusers.ChromaPipeline(
        transformer=diffusers.ChromaTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            axes_dims_rope=[4, 4, 8],
            approximator_hidden_dim=32,
            approximator_layers=1,
            approximator_num_channels=16,
        ),
        scheduler=_FLOW(),
        vae=_vae(4, shift=0.1159),
        text_encoder=_t5(),
        tokenizer=tiny.t5_tokenizer(),
    )


def pixart_sigma() -> Any:
    return diffusers.PixArtSigmaPipeline(
        transformer=diffusers.PixArtTransformer2DModel(
            sample_size=8,
            num_layers=1,
            patch_size=2,
            attention_head_dim=8,
            num_attention_heads=3,
            caption_channels=16,
            in_channels=4,
            cross_attention_dim=24,
            out_channels=8,
            attention_bias=True,
            activation_fn="gelu-approximate",
            num_embeds_ada_norm=1000,
            norm_type="ada_norm_single",
            norm_elementwise_affine=False,
            norm_eps=1e-6,
        ),
        scheduler=diffusers.DPMSolverMultistepScheduler(),
        vae=_vae(4, scale=0.13025),
        text_encoder=_t5(),
        tokenizer=tiny.t5_tokenizer(),
    )


def lumina2() -> Any:
    return diffusers.Lumina2Pipeline(
        transformer=diffusers.Lumina2Transformer2DModel(
            sample_size=4,
            patch_size=2,
            in_channels=4,
            hidden_size=8,
            num_layers=2,
            num_refiner_layers=1,
            num_attention_heads=1,
            num_kv_heads=1,
            multiple_of=16,
            norm_eps=1e-5,
            scaling_factor=1.0,
            axes_dim_rope=[4, 2, 2],
            axes_lens=[300, 512, 512],
            cap_feat_dim=8,
        ),
        scheduler=_FLOW(shift=6.0),
        vae=_vae(4, shift=0.1159),
        **_gemma(),
    )


def cogview4() -> Any:
    words = _byte_words("<|endoftext|>", "[gMASK]", "<sop>")
    core = Tokenizer(models.BPE(vocab=words, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    begin = [(piece, words[piece]) for piece in ("[gMASK]", "<sop>")]  # so that no prompt is empty
    core.post_processor = processors.TemplateProcessing(single="[gMASK] <sop> $A", special_tokens=begin)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        model_max_length=1024,
        padding_side="left",
    )
    config = transformers.GlmConfig(
        hidden_size=32,
        intermediate_size=8,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        vocab_size=len(words),
        pad_token_id=256,
    )
    return diffusers.CogView4Pipeline(
        transformer=diffusers.CogView4Transformer2DModel(
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_layers=1,
            attention_head_dim=4,
            num_attention_heads=4,
            text_embed_dim=32,
            time_embed_dim=8,
            condition_dim=4,
        ),
        scheduler=_FLOW(
            base_shift=0.25,
            max_shift=0.75,
            base_image_seq_len=256,
            use_dynamic_shifting=True,
            time_shift_type="linear",
        ),
        vae=_vae(4),
        text_encoder=transformers.GlmModel(config),
        tokenizer=tokenizer,
    )


def auraflow() -> Any:
    return diffusers.AuraFlowPipeline(
        transformer=diffusers.AuraFlowTransformer2DModel(
            sample_size=32,
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_mmdit_layers=1,
            num_single_dit_layers=1,
            attention_head_dim=8,
            num_attention_heads=4,
            caption_projection_dim=32,
            joint_attention_dim=16,
            pos_embed_max_size=256,
        ),
        scheduler=_FLOW(shift=1.73),
        vae=_vae(4, scale=0.13025),
        text_encoder=transformers.UMT5EncoderModel(
            transformers.UMT5Config(vocab_size=300, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
        ),
        tokenizer=tiny.t5_tokenizer(),
    )


def hidream() -> Any:
    llama = transformers.LlamaConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        vocab_size=_BYTES + 8,
    )
    return diffusers.HiDreamImagePipeline(
        transformer=diffusers.HiDreamImageTransformer2DModel(
            **_SMALL,
            patch_size=2,
            in_channels=4,
            out_channels=4,
            num_single_layers=1,
            caption_channels=[32, 16],
            text_emb_dim=64,
            num_routed_experts=4,
            num_activated_experts=2,
            axes_dims_rope=(4, 2, 2),
            max_resolution=(192, 192),
            llama_layers=(0, 1),
        ),
        scheduler=_FLOW(),
        vae=_vae(4, shift=0.1159),
        text_encoder=_clip_with_projection(32, room=248),
        tokenizer=tiny.clip_tokenizer(248),
        text_encoder_2=_clip_with_projection(32, room=248),
        tokenizer_2=tiny.clip_tokenizer(248),
        text_encoder_3=_t5(32),
        tokenizer_3=tiny.t5_tokenizer(),
        text_encoder_4=transformers.LlamaForCausalLM(llama),
        tokenizer_4=_chat_tokenizer(),
    )


def ovis() -> Any:
    return diffusers.OvisImagePipeline(
        transformer=diffusers.OvisImageTransformer2DModel(
            patch_size=1,
            in_channels=16,
            out_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            axes_dims_rope=(4, 4, 8),
        ),
        scheduler=_FLOW(use_dynamic_shifting=True),
        vae=_vae(4, shift=0.1159),
        text_encoder=_qwen3(transformers.Qwen3Model, width=32),
        tokenizer=_chat_tokenizer(),
    )


def krea2() -> Any:
    text = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "vocab_size": _BYTES + 8,
    }
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16}
    return diffusers.Krea2Pipeline(
        transformer=diffusers.Krea2Transformer2DModel(
            in_channels=16,
            num_layers=2,
            attention_head_dim=8,
            num_attention_heads=4,
            num_key_value_heads=2,
            intermediate_size=32,
            timestep_embed_dim=8,
            text_hidden_dim=16,
            num_text_layers=3,
            text_num_attention_heads=2,
            text_num_key_value_heads=1,
            text_intermediate_size=16,
            num_layerwise_text_blocks=1,
            num_refiner_text_blocks=1,
            axes_dims_rope=(4, 2, 2),
            rope_theta=1000.0,
        ),
        scheduler=_FLOW(use_dynamic_shifting=True, max_image_seq_len=6400),
        vae=_qwen_vae(),
        text_encoder=transformers.Qwen3VLModel(transformers.Qwen3VLConfig(text_config=text, vision_config=vision)),
        tokenizer=_chat_tokenizer(),
        text_encoder_select_layers=(0, 1, 2),
    )


def hunyuan_image() -> Any:
    guider = AdaptiveProjectedMixGuidance(adaptive_projected_guidance_start_step=2)
    return diffusers.HunyuanImagePipeline(
        transformer=diffusers.HunyuanImageTransformer2DModel(
            **_SMALL,
            in_channels=4,
            out_channels=4,
            num_single_layers=1,
            num_refiner_layers=1,
            patch_size=(1, 1),
            guidance_embeds=False,
            text_embed_dim=32,
            text_embed_2_dim=32,
            rope_axes_dim=(4, 4),
        ),
        scheduler=_FLOW(shift=7.0),
        vae=diffusers.AutoencoderKLHunyuanImage(
            in_channels=3,
            out_channels=3,
            latent_channels=4,
            block_out_channels=(32, 64, 64, 64),
            layers_per_block=1,
            scaling_factor=0.476986,
            spatial_compression_ratio=8,
            sample_size=128,
        ),
        text_encoder=_qwen25vl(32),
        tokenizer=_chat_tokenizer(),
        text_encoder_2=transformers.T5EncoderModel(
            transformers.T5Config(d_model=32, d_kv=4, d_ff=16, num_layers=1, num_heads=2, vocab_size=400)
        ),
        tokenizer_2=transformers.ByT5Tokenizer(),
        guider=guider,
        ocr_guider=guider,
    )


def fibo() -> Any:
    config = transformers.SmolLM3Config(
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        vocab_size=128_001,  # its pipeline writes token 128,000 where a prompt is empty
        pad_token_id=256,
        bos_token_id=257,
        eos_token_id=258,
    )
    return diffusers.BriaFiboPipeline(
        transformer=diffusers.BriaFiboTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=8,
            num_attention_heads=2,
            joint_attention_dim=64,
            text_encoder_dim=32,
            pooled_projection_dim=None,
            axes_dims_rope=[0, 4, 4],
        ),
        scheduler=_FLOW(),
        vae=diffusers.AutoencoderKLWan(
            base_dim=8,
            decoder_base_dim=8,
            num_res_blocks=1,
            in_channels=12,
            out_channels=12,
            patch_size=2,
            scale_factor_spatial=16,
            scale_factor_temporal=4,
            temperal_downsample=[False, True, True],
            z_dim=16,
        ),
        text_encoder=transformers.SmolLM3ForCausalLM(config),
        tokenizer=_chat_tokenizer(),
    )


def swin2sr() -> Any:
    return transformers.Swin2SRForImageSuperResolution(
        transformers.Swin2SRConfig(
            image_size=16, embed_dim=16, depths=[1], num_heads=[2], window_size=4, upscale=2, upsampler="pixelshuffle"
        )
    )


BUILDERS: dict[str, Callable[[], Any]] = {
    "stable-diffusion": stable_diffusion, "sdxl": sdxl, "lcm": lcm, "sd3": sd3, "flux": flux,
    "flux-kontext": flux_kontext, "flux-fill": flux_fill, "flux2-klein": flux2_klein, "z-image": z_image,
    "qwen-image": qwen_image, "sana": sana, "sana-sprint": sana_sprint, "chroma": chroma, "pixart-sigma": pixart_sigma,
    "lumina2": lumina2, "cogview4": cogview4, "hidream": hidream, "auraflow": auraflow, "ovis": ovis, "krea2": krea2,
    "hunyuan-image": hunyuan_image, "fibo": fibo, "flux-control": flux_control, "flux2": flux2, "ernie-image": ernie,
    "longcat-image": longcat, "kandinsky5": kandinsky5, "qwen-image-edit": qwen_image_edit, "swin2sr": swin2sr,
    "longcat-image-edit": longcat_edit, "kandinsky5-edit": kandinsky5_edit, "glm-image": glm_image,
}  # fmt: skip
"""What builds the small model of each family, by the family's name."""


_ASLEEP = ("ernie-image", "kandinsky5", "kandinsky5-edit")
"""Families whose blocks begin as the identity, so that no prompt would change anything."""


@torch.no_grad()
def _wake(part: torch.nn.Module) -> None:
    """Give random values to all weights that are zero."""
    for weights in part.parameters():
        if not weights.any():
            weights.normal_(std=0.1)


def save(name: str, folder: Path) -> None:
    """Build a family's small model and save it as a repository has it."""
    torch.manual_seed(0)
    pipe = BUILDERS[name]()
    if name in _ASLEEP:
        _wake(pipe.transformer)
    pipe.save_pretrained(folder)
    for component, made in FAMILIES[name].substitutes.items():  # as repositories have what can't be built here
        if made == "pictures_and_words":
            transformers.Qwen2VLImageProcessorPil().save_pretrained(folder / component)
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
        index[component] = ["transformers", "PixtralProcessor" if made == "words" else "Qwen2VLProcessor"]
        (folder / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
