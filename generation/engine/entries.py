"""The models that sorahub knows, one entry each; rules that hold for all of them are catalog.py's.

A further model is one more entry: the classes of its pipelines, its rules as the sources of those classes have them,
and where its weights are published. A VAE of a kind that latents.py doesn't know yet needs a line there before clips
can be seen forming. LTX2Pipeline returns sound beside the frames, which the encoder takes, but diffusion.py stops a
pipeline before its VAE and would have to fetch it.

Memory: where a source is named, as published; else reckoned from the sizes of a model's parts, and not measured.
"""

from __future__ import annotations

import os
from pathlib import Path

from .model import IMAGE, TEXT, License, Limits, Model, Needs, Size
from .weights import Hub

PROJECT = Path(__file__).resolve().parents[2]
EMBEDDED_WEIGHTS = PROJECT / "generation" / "embedded" / "weights"


def _weights(model_id: str) -> Path:
    """Where an operator puts a model's weights: a folder of its name."""
    root = (
        os.environ.get("SORAHUB_WEIGHTS")
        or Path(os.environ.get("SORAHUB_VAR") or PROJECT / "var") / "weights"
    )
    return Path(root) / model_id


APACHE = License("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0")

EMBEDDED = Model(
    id="embedded",
    name="Sorahub Mini",
    # From a picture: tried with its own frames, with scenes like those it learned from, and with photographs.
    summary="A small model for trying the site: simple things that move in simple places, in tiny pictures. "
    "It carries on from a picture of its own; of any other, what the words don’t say is soon lost.",
    license=APACHE,
    memory="Under 1 GB of main memory, no GPU needed",
    sizes=(Size(128, 128),),
    size_multiple=32,
    frame_step=8,
    lengths={2: 25},
    fps=12.5,
    steps=Limits(1, 50, 16),
    guidance=Limits(1.0, 10.0, 3.0),
    abilities=frozenset({TEXT, IMAGE}),
    engine="diffusion",
    pipelines={TEXT: "LTXPipeline", IMAGE: "LTXImageToVideoPipeline"},
    weights=Path(os.environ.get("SORAHUB_EMBEDDED_WEIGHTS") or EMBEDDED_WEIGHTS),
    call={"frame_rate": 25},  # what its position encoding was trained with, whatever the playback
    step_seconds=0.5,
    load_seconds=120,
)

WAN_T2V = Model(
    id="wan-2.1-1.3b",
    name="Wan 2.1 (1.3B)",
    summary="Five seconds in 480p from words alone, and modest in what it needs.",
    license=APACHE,
    memory="20 GB of GPU memory, or 13 GB with parts coming and going",
    needs=Needs(whole=20, least=13),
    sizes=(Size(832, 480), Size(480, 832)),
    size_multiple=16,
    frame_step=4,
    lengths={5: 81, 3: 49, 2: 33},
    fps=16,
    steps=Limits(4, 80, 50),
    guidance=Limits(1.0, 12.0, 5.0),
    engine="diffusion",
    pipelines={TEXT: "WanPipeline"},
    dtype="bfloat16",
    dtypes={"vae": "float32"},  # diffusers' notes on Wan: its decoder loses quality otherwise
    weights=_weights("wan-2.1-1.3b"),
    hub=Hub("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "0fad780a534b6463e45facd96134c9f345acfa5b"),
    step_seconds=0.3,  # twice the model card's four minutes on an RTX 4090
    load_seconds=900,
)

# The Wan team has said since 2025 that it would publish a 1.3B model for pictures, and hasn't: its I2V weights are
# 14B alone. The 1.3B ones are another team's (Wan2.1-Fun-V1.1-1.3B-InP of alibaba-pai, Apache-2.0), trained on from
# Wan 2.1 in the architecture of the 14B, and published for diffusers by a third party, whose conversion it is.
WAN_I2V_SMALL = Model(
    id="wan-2.1-fun-1.3b",
    name="Wan 2.1 Fun (1.3B)",
    summary="Brings a picture to life for three seconds in 480p. A smaller relative of Wan’s own model for "
    "pictures, by another team.",
    license=APACHE,
    memory="22 GB of GPU memory, or 13 GB with parts coming and going",
    needs=Needs(whole=22, least=13),
    sizes=(Size(832, 480), Size(480, 832)),
    size_multiple=16,
    frame_step=4,
    lengths={3: 49, 5: 81, 2: 33},  # 49 is what its card recommends
    fps=16,
    steps=Limits(4, 80, 50),
    guidance=Limits(1.0, 12.0, 5.0),
    abilities=frozenset({IMAGE}),
    engine="diffusion",
    pipelines={IMAGE: "WanImageToVideoPipeline"},
    dtype="bfloat16",
    dtypes={"vae": "float32", "image_encoder": "float32"},
    weights=_weights("wan-2.1-fun-1.3b"),
    hub=Hub("engineerA314/Wan2.1-Fun-V1.1-1.3B-InP-Diffusers", "beb31fe89ad993aefdc7b8d2c961c86821748d48"),
    step_seconds=0.35,
    load_seconds=900,
)

WAN_I2V = Model(
    id="wan-2.1-i2v-14b",
    name="Wan 2.1 for pictures (14B)",
    summary="Brings a picture to life for five seconds in 480p. Large and slow.",
    license=APACHE,
    memory="55 GB of GPU memory, or 40 GB with parts coming and going",
    needs=Needs(whole=55, least=40),
    sizes=(Size(832, 480), Size(480, 832)),
    size_multiple=16,
    frame_step=4,
    lengths={5: 81, 3: 49},
    fps=16,
    steps=Limits(4, 80, 50),
    guidance=Limits(1.0, 12.0, 5.0),
    abilities=frozenset({IMAGE}),
    engine="diffusion",
    pipelines={IMAGE: "WanImageToVideoPipeline"},
    dtype="bfloat16",
    dtypes={"vae": "float32", "image_encoder": "float32"},
    weights=_weights("wan-2.1-i2v-14b"),
    hub=Hub("Wan-AI/Wan2.1-I2V-14B-480P-Diffusers", "b184e23a8a16b20f108f727c902e769e873ffc73"),
    step_seconds=2.0,
    load_seconds=1800,
)

WAN_TI2V = Model(
    id="wan-2.2-5b",
    name="Wan 2.2 (5B)",
    summary="Five seconds in 720p, from words or from a picture.",
    license=APACHE,
    memory="40 GB of GPU memory, or 24 GB with parts coming and going",  # 24: its card
    needs=Needs(whole=40, least=24),
    sizes=(Size(1280, 704), Size(704, 1280)),
    size_multiple=32,  # its VAE makes 16 pixels one, and the transformer takes them by two
    frame_step=4,
    lengths={5: 121, 3: 73, 2: 49},
    fps=24,
    steps=Limits(4, 80, 50),
    guidance=Limits(1.0, 12.0, 5.0),
    abilities=frozenset({TEXT, IMAGE}),
    engine="diffusion",
    pipelines={TEXT: "WanPipeline", IMAGE: "WanImageToVideoPipeline"},
    dtype="bfloat16",
    dtypes={"vae": "float32"},
    weights=_weights("wan-2.2-5b"),
    hub=Hub("Wan-AI/Wan2.2-TI2V-5B-Diffusers", "b8fff7315c768468a5333511427288870b2e9635"),
    step_seconds=0.2,  # twice its card's nine minutes on an RTX 4090
    load_seconds=900,
)

LTX = Model(
    id="ltx-video",
    name="LTX-Video (2B)",
    summary="The fast one, from words or from a picture, up to ten seconds.",
    license=License(
        "LTX-Video Open Weights (OpenRAIL-M)",
        "https://huggingface.co/Lightricks/LTX-Video/blob/main/License.txt",
    ),
    memory="24 GB of GPU memory, or 12 GB with parts coming and going",
    needs=Needs(whole=24, least=12),
    sizes=(Size(768, 512), Size(512, 768), Size(1216, 704), Size(704, 1216)),
    size_multiple=32,
    frame_step=8,
    lengths={5: 121, 3: 73, 10: 241},
    fps=24,
    steps=Limits(4, 80, 50),
    guidance=Limits(1.0, 10.0, 3.0),
    abilities=frozenset({TEXT, IMAGE}),
    engine="diffusion",
    pipelines={TEXT: "LTXPipeline", IMAGE: "LTXImageToVideoPipeline"},
    dtype="bfloat16",
    call={"frame_rate": 24},
    weights=_weights("ltx-video"),
    hub=Hub("Lightricks/LTX-Video", "8984fa25007f376c1a299016d0957a37a2f797bb"),
    step_seconds=0.02,
    load_seconds=600,
)

COGVIDEOX = Model(
    id="cogvideox-5b",
    name="CogVideoX (5B)",
    summary="Six seconds from words alone, eight pictures a second.",
    license=License(
        "The CogVideoX License",
        "https://huggingface.co/zai-org/CogVideoX-5b/blob/main/LICENSE",
        asks="Free for research. Commercial use needs a registration with the licensor, and its free license ends "
        "at a million visits a month. The license can be revoked.",
    ),
    memory="30 GB of GPU memory, or 18 GB with parts coming and going",
    needs=Needs(whole=30, least=18),
    sizes=(Size(720, 480),),
    size_multiple=16,
    frame_step=8,
    lengths={6: 49},
    fps=8,
    steps=Limits(4, 80, 50),
    guidance=Limits(1.0, 12.0, 6.0),
    engine="diffusion",
    pipelines={TEXT: "CogVideoXPipeline"},
    dtype="bfloat16",
    tiled=True,  # whole, the decoder alone takes more than all else
    weights=_weights("cogvideox-5b"),
    hub=Hub("zai-org/CogVideoX-5b", "8d6ea3f817438460b25595a120f109b88d5fdfad"),
    step_seconds=0.3,
    load_seconds=900,
)

HUNYUAN = Model(
    id="hunyuan-1.5",
    name="HunyuanVideo 1.5",
    summary="Five seconds in 480p from words alone.",
    license=License(
        "Tencent Hunyuan Community License",
        "https://huggingface.co/tencent/HunyuanVideo-1.5/blob/main/LICENSE",
        asks="It does not apply in the European Union, the United Kingdom and South Korea: there, nobody may use this "
        "model. From 100 million monthly users on, it needs a license of its own, and what it makes may not "
        "improve other models.",
    ),
    memory="45 GB of GPU memory, or 20 GB with parts coming and going",
    needs=Needs(whole=45, least=20),
    sizes=(Size(832, 480), Size(480, 832)),
    size_multiple=16,
    frame_step=4,
    lengths={5: 121, 3: 73},
    fps=24,
    steps=Limits(4, 80, 50),
    guidance=Limits(1.0, 12.0, 6.0),
    engine="diffusion",
    pipelines={TEXT: "HunyuanVideo15Pipeline"},
    callbacks=False,
    dtype="bfloat16",
    tiled=True,  # as its card does
    weights=_weights("hunyuan-1.5"),
    hub=Hub(
        "hunyuanvideo-community/HunyuanVideo-1.5-Diffusers-480p_t2v",
        "286be7ce72277246578a3e3cc2487e95ddae5bcf",
    ),
    step_seconds=0.5,
    load_seconds=900,
)

TESTCARD = Model(
    id="testcard",
    name="Test card",
    summary="Color bars that move, for tests: nothing is learned and nothing is drawn from the prompt.",
    license=APACHE,
    memory="Next to none",
    hidden=True,
    sizes=(Size(128, 128), Size(192, 128)),
    size_multiple=2,
    frame_step=1,
    lengths={1: 12, 2: 24},
    fps=12,
    steps=Limits(1, 50, 8),
    guidance=Limits(1.0, 10.0, 3.0),
    abilities=frozenset({TEXT, IMAGE}),
    engine="testcard",
    pinned_revision="1",
    step_seconds=0.1,
    load_seconds=60,
)

# The first that is here is what a form begins with.
ALL = (WAN_TI2V, WAN_T2V, LTX, COGVIDEOX, HUNYUAN, WAN_I2V_SMALL, WAN_I2V, EMBEDDED, TESTCARD)
