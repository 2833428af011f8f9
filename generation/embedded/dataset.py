"""Renders training scenes to latents on disk, in shards that training picks up as they appear."""

import json
import os

import numpy as np
import torch

from . import vae as autoencoder
from .captions import is_held_out
from .scenes import Scene, random_scene, render

SHARD = 100  # clips


def training_scene(rng):
    """A random scene whose combination of attributes is not held out."""
    while is_held_out(scene := random_scene(rng)):
        pass
    return scene


def render_clips(count, seed):
    """`count` clips for fitting the autoencoder: uint8 (count, 25, 128, 128, 3)."""
    rng = np.random.default_rng((seed, 0))
    return np.stack([render(training_scene(rng)) for _ in range(count)])


def write_shards(vae, folder, shards, seed):
    """Renders and encodes each shard number in `shards` that is not there yet."""
    torch.set_num_threads(1)
    for number in shards:
        path = folder / f"{number:05d}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng((seed, number + 1))
        scenes = [training_scene(rng) for _ in range(SHARD)]
        coarse, fine = [], []
        for scene in scenes:
            video = autoencoder.to_tensor(render(scene)[None])
            fine.append(autoencoder.coefficients(vae, video, autoencoder.LEVELS - 1).half().numpy())
            coarse.append(autoencoder.coefficients(vae, video, autoencoder.LEVELS).half().numpy())
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        with draft.open("wb") as file:
            words = json.dumps([scene.to_json() for scene in scenes])
            np.savez(file, latents=np.concatenate(coarse), fine=np.concatenate(fine), scenes=words)
        draft.rename(path)


class Shards:
    """All clips rendered so far: `latents` float32 (n, RANK, 4, 4, 4) and `scenes`; `refresh` looks for new ones."""

    def __init__(self, folder):
        self.folder, self.seen, self.latents, self.scenes = folder, set(), None, []

    def refresh(self):
        for path in sorted(self.folder.glob("*.npz")):
            if path.name in self.seen:
                continue
            with np.load(path) as shard:
                latents = torch.from_numpy(shard["latents"]).float()
                self.scenes += [Scene(**item) for item in json.loads(str(shard["scenes"]))]
            self.latents = latents if self.latents is None else torch.cat([self.latents, latents])
            self.seen.add(path.name)
        return len(self.scenes)

    def fine(self, names):
        """The decoder's targets, one level finer than the latents, of the named shards."""
        return torch.cat([torch.from_numpy(np.load(self.folder / name)["fine"]) for name in names])
