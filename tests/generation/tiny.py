"""Weights of the architectures in the catalog, tiny and random: all that a pipeline does to them is real."""

import json
from pathlib import Path

from generation.engine import weights
from generation.engine.entries import ALL

WORDS = 64  # tokens of a prompt


def save(model_id: str, root: Path) -> Path:
    """A folder of weights for that entry, complete and pinned, as an operator has it after fetching."""
    import torch

    torch.manual_seed(0)
    folder = root / model_id
    PIPELINES[model_id]().save_pretrained(folder)
    _as_published(folder / weights.INDEX)
    model = next(model for model in ALL if model.id == model_id)
    weights.pin(folder, model.hub, commit=model.hub.commit)
    return folder


def _as_published(index: Path) -> None:
    """Published folders name classes as older versions of the libraries did."""
    told = index.read_text().replace("CLIPImageProcessorPil", "CLIPImageProcessor")
    index.write_text(json.dumps(json.loads(told), indent=2))


def tokenizer(words=WORDS):
    from transformers import T5Tokenizer

    letters = [(letter, -3.0) for letter in "▁abcdefghijklmnopqrstuvwxyz"]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *letters]
    return T5Tokenizer(vocab=vocabulary, extra_ids=0, model_max_length=words)


def t5():
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(T5Config(vocab_size=32, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2))


def umt5():
    from transformers import UMT5Config, UMT5EncoderModel

    return UMT5EncoderModel(UMT5Config(vocab_size=32, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2))


def ltx():
    from diffusers import (
        AutoencoderKLLTXVideo,
        FlowMatchEulerDiscreteScheduler,
        LTXPipeline,
        LTXVideoTransformer3DModel,
    )

    blocks = (16, 16, 16, 16)
    vae = AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=blocks,
        decoder_block_out_channels=blocks,
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
    )
    transformer = LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        num_attention_heads=2,
        attention_head_dim=16,
        cross_attention_dim=32,
        num_layers=1,
        caption_channels=16,
    )
    return LTXPipeline(FlowMatchEulerDiscreteScheduler(shift=2.0), vae, t5(), tokenizer(128), transformer)


def wan_text():
    from diffusers import WanPipeline

    return WanPipeline(tokenizer(), umt5(), wan_vae(), unipc(3.0), wan_transformer(16, 16))


def wan_image():
    """The 1.3B and the 14B differ in sizes alone: a picture's latents, a mask, and what CLIP sees in it."""
    from diffusers import WanImageToVideoPipeline
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

    eye = CLIPVisionConfig(
        hidden_size=16,
        projection_dim=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        intermediate_size=16,
        patch_size=16,
    )
    return WanImageToVideoPipeline(
        tokenizer(),
        umt5(),
        wan_vae(),
        unipc(3.0),
        image_processor=CLIPImageProcessor(crop_size=32, size=32),
        image_encoder=CLIPVisionModel(eye),
        transformer=wan_transformer(36, 16, image_dim=16, added_kv_proj_dim=24),
    )


def wan_both():
    from diffusers import AutoencoderKLWan, WanPipeline

    vae = AutoencoderKLWan(
        base_dim=8,
        decoder_base_dim=8,
        z_dim=48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
    )
    return WanPipeline(tokenizer(), umt5(), vae, unipc(5.0), wan_transformer(48, 48), expand_timesteps=True)


def wan_vae():
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(
        base_dim=8,
        z_dim=16,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )


def wan_transformer(channels_in, channels_out, **more):
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=channels_in,
        out_channels=channels_out,
        text_dim=16,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
        **more,
    )


def unipc(shift):
    from diffusers import UniPCMultistepScheduler

    return UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=shift
    )


def cogvideox():
    from diffusers import (
        AutoencoderKLCogVideoX,
        CogVideoXDDIMScheduler,
        CogVideoXPipeline,
        CogVideoXTransformer3DModel,
    )

    vae = AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
    )
    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=4,
        out_channels=4,
        time_embed_dim=2,
        text_embed_dim=16,
        num_layers=1,
        sample_width=8,
        sample_height=8,
        sample_frames=9,
        max_text_seq_length=226,
        use_rotary_positional_embeddings=True,
    )
    scheduler = CogVideoXDDIMScheduler(
        prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"
    )
    return CogVideoXPipeline(tokenizer(226), t5(), vae, transformer, scheduler)


def hunyuan():
    from diffusers import (
        AutoencoderKLHunyuanVideo15,
        FlowMatchEulerDiscreteScheduler,
        HunyuanVideo15Pipeline,
        HunyuanVideo15Transformer3DModel,
    )
    from diffusers.guiders import ClassifierFreeGuidance
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import (
        ByT5Tokenizer,
        Qwen2_5_VLTextModel,
        Qwen2Tokenizer,
        T5Config,
        T5EncoderModel,
    )
    from transformers.models.qwen2_5_vl.configuration_qwen2_5_vl import Qwen2_5_VLTextConfig

    letters = {letter: number for number, letter in enumerate(sorted(ByteLevel.alphabet()))}
    tokens = Qwen2Tokenizer(vocab=letters | {"<|endoftext|>": len(letters)}, merges=[], model_max_length=2000)
    tokens.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}{% endfor %}"
    text = Qwen2_5_VLTextConfig(
        vocab_size=len(letters) + 8,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=2,
        rope_scaling={"type": "default", "mrope_section": [1, 1, 2], "rope_type": "default"},
    )
    glyphs = T5Config(vocab_size=400, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    vae = AutoencoderKLHunyuanVideo15(latent_channels=4, block_out_channels=(16,) * 5, layers_per_block=1)
    transformer = HunyuanVideo15Transformer3DModel(
        in_channels=9,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=16,
        num_layers=1,
        num_refiner_layers=1,
        mlp_ratio=2.0,
        text_embed_dim=16,
        text_embed_2_dim=16,
        image_embed_dim=16,
        rope_axes_dim=(4, 6, 6),
        target_size=16,
        task_type="t2v",
    )
    return HunyuanVideo15Pipeline(
        Qwen2_5_VLTextModel(text),
        tokens,
        transformer,
        vae,
        FlowMatchEulerDiscreteScheduler(shift=7.0),
        T5EncoderModel(glyphs),
        ByT5Tokenizer(),
        ClassifierFreeGuidance(),
    )


PIPELINES = {
    "hunyuan-1.5": hunyuan,
    "wan-2.1-1.3b": wan_text,
    "wan-2.1-fun-1.3b": wan_image,
    "wan-2.1-i2v-14b": wan_image,
    "wan-2.2-5b": wan_both,
    "ltx-video": ltx,
    "cogvideox-5b": cogvideox,
}
