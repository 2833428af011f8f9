"""Trains the embedded model from nothing: scenes, autoencoder, denoiser, decoder.

`python -m generation.embedded.train --out DIR --minutes N` resumes where it was interrupted.
"""

import argparse
import multiprocessing
import random
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKLLTXVideo

from . import dataset, decoder, network, preview, text
from . import vae as autoencoder
from .captions import caption

BATCH = 32
RATE_MUON, RATE_ADAM = 3e-3, 3e-3
WARM_UP = 50  # steps
EMA = 0.998
UPRIGHT = 2.0  # how much oftener scenes that move up or down are shown: they're learned last
DROP = 0.1  # captions left empty, for classifier-free guidance
FIT_CLIPS = 300  # for the PCA
SAVE_EVERY = 120  # seconds
DECODER_SHARE = 0.4  # of the denoiser's minutes, on top


def main():
    options = _options()
    torch.set_num_threads(options.threads)
    out = Path(options.out)
    (out / "shards").mkdir(parents=True, exist_ok=True)
    vae = prepare(out, options.seed)
    renderer = multiprocessing.get_context("spawn").Process(
        target=_render, args=(out, options.shards, options.seed), daemon=True
    )
    renderer.start()
    Training(out, vae, options).run()
    renderer.kill()
    if options.minutes:
        decoder.train(out, options.minutes * DECODER_SHARE * 60)
        Training(out, vae, options).save()  # once more, now with the trained decoder
        preview.fit(out / "weights")


def prepare(out, seed):
    """The autoencoder with its PCA, fitted once and kept in out/vae0."""
    if not (out / "vae0").exists():
        vae = autoencoder.empty()
        autoencoder.fit_encoder(vae, dataset.render_clips(FIT_CLIPS, seed))
        vae.save_pretrained(out / "vae0")
    return AutoencoderKLLTXVideo.from_pretrained(out / "vae0").requires_grad_(False)


def _render(out, shards, seed):
    vae = AutoencoderKLLTXVideo.from_pretrained(out / "vae0").requires_grad_(False)
    dataset.write_shards(vae, out / "shards", range(shards), seed)


class Training:
    """Flow matching on cached latents, with captions said anew at each step. Resumes from out/state.pt."""

    def __init__(self, out, vae, options):
        self.out, self.vae, self.options = out, vae, options
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(options.seed)
        self.tokenizer = text.tokenizer()
        self.models = torch.nn.ModuleDict(
            {"transformer": network.transformer(), "encoder": text.encoder(len(self.tokenizer))}
        ).to(self.device)
        self.average = {k: v.detach().clone() for k, v in self.models.state_dict().items()}
        self.optimizers = self._optimizers()
        self.step, self.spent, self.rng = 0, 0.0, random.Random(options.seed)
        self.shards = dataset.Shards(out / "shards")
        self._resume()

    def _optimizers(self):
        matrices, rest = [], []
        for name, p in self.models.named_parameters():
            blocks = "_blocks." in name or "encoder.encoder.block" in name
            chosen = blocks and p.ndim == 2 and not any(word in name for word in ("table", "bias"))
            (matrices if chosen else rest).append(p)
        muon = network.Muon(matrices, lr=RATE_MUON)
        adam = torch.optim.AdamW(rest, lr=RATE_ADAM, betas=(0.9, 0.98), weight_decay=0.0)
        for optimizer, rate in ((muon, RATE_MUON), (adam, RATE_ADAM)):
            optimizer.param_groups[0]["full"] = rate
        return muon, adam

    def run(self):
        while self.shards.refresh() < 5 * dataset.SHARD:
            time.sleep(2)
        self._normalize()
        begun, saved, loss_mean = time.time() - self.spent, time.time(), None
        while self.spent < self.options.minutes * 60:
            loss = self._train_step()
            loss_mean = loss if loss_mean is None else 0.98 * loss_mean + 0.02 * loss
            self.spent = time.time() - begun
            if self.step % 25 == 0:
                clips = self.shards.refresh()
                print(
                    f"step {self.step} {self.spent / 60:.1f} min loss {loss_mean:.4f} clips {clips}",
                    flush=True,
                )
            if time.time() - saved > SAVE_EVERY:
                self.save()
                saved = time.time()
        self.save()

    def _normalize(self):
        """Writes the latents' mean and deviation into the VAE's buffers, where the pipeline looks for them."""
        stats = self.out / "stats.pt"
        if not stats.exists():
            flat = self.shards.latents.movedim(1, -1).flatten(0, 3)
            torch.save((flat.mean(0), flat.std(0)), stats)
        mean, deviation = torch.load(stats)
        self.vae.latents_mean.copy_(mean)
        self.vae.latents_std.copy_(deviation)
        # Components that move more of the picture count more, gently.
        self.weight = (deviation**0.5 / (deviation**0.5).mean()).to(self.device)

    def _train_step(self):
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["full"] * self._schedule()
        clips, ids, mask = self._batch()
        sigma = torch.sigmoid(0.7 + 1.2 * torch.randn(len(clips), device=self.device))
        noise = torch.randn_like(clips)
        noisy = torch.lerp(clips, noise, sigma[:, None, None])
        guess = network.predict(self.models["transformer"], self.models["encoder"], ids, mask, noisy, sigma)
        loss = ((guess - (noise - clips)).pow(2) * self.weight).mean()
        self.models.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.models.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        text.shut_far(self.models["encoder"])
        self.step += 1
        keep = min(EMA, (self.step + 1) / (self.step + 10))
        for name, value in self.models.state_dict().items():
            self.average[name].lerp_(value, 1 - keep)
        return loss.item()

    def _schedule(self):
        progress = self.spent / (self.options.minutes * 60)
        decay = 1.0 if progress < 0.5 else max(2 * (1 - progress), 0.01)
        return min(1.0, (self.step + 1) / WARM_UP) * decay

    def _batch(self):
        """Packed, normalized latents (n, 64, RANK), token ids and their mask."""
        odds = [UPRIGHT if scene.motion in ("up", "down", "bounce") else 1.0 for scene in self.shards.scenes]
        picked = self.rng.choices(range(len(odds)), weights=odds, k=BATCH)
        latents = self.shards.latents[picked]
        shape = (1, -1, 1, 1, 1)
        latents = (latents - self.vae.latents_mean.view(shape)) / self.vae.latents_std.view(shape)
        words = [self._words(self.shards.scenes[i]) for i in picked]
        tokens = self.tokenizer(
            words, padding="max_length", max_length=text.LENGTH, truncation=True, return_tensors="pt"
        )
        packed = latents.movedim(1, -1).flatten(1, 3)
        return packed.to(self.device), tokens.input_ids.to(self.device), tokens.attention_mask.to(self.device)

    def _words(self, scene):
        return "" if self.rng.random() < DROP else caption(scene, self.rng)

    def save(self):
        """The resumable state, and the averaged weights in final form under out/weights."""
        state = {
            "models": self.models.state_dict(),
            "average": self.average,
            "step": self.step,
            "spent": self.spent,
            "rng": self.rng.getstate(),
            "torch": torch.get_rng_state(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        torch.save(state, self.out / "state.tmp")
        (self.out / "state.tmp").rename(self.out / "state.pt")
        export(self.out, self.average, self.tokenizer)

    def _resume(self):
        path = self.out / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=False, map_location=self.device)
        self.models.load_state_dict(state["models"])
        self.average, self.step, self.spent = state["average"], state["step"], state["spent"]
        self.rng.setstate(state["rng"])
        torch.set_rng_state(state["torch"].cpu())
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)


def export(out, average, tokenizer):
    """Writes the pipeline's directory out/weights from the averaged weights and the best autoencoder so far."""
    vae = AutoencoderKLLTXVideo.from_pretrained(out / ("vae1" if (out / "vae1").exists() else "vae0"))
    vae.register_to_config(_name_or_path="")  # where it was trained is nobody's business
    mean, deviation = torch.load(out / "stats.pt")
    vae.latents_mean.copy_(mean)
    vae.latents_std.copy_(deviation)
    models = torch.nn.ModuleDict(
        {"transformer": network.transformer(), "encoder": text.encoder(len(tokenizer))}
    )
    models.load_state_dict({name: value.cpu() for name, value in average.items()})
    network.save(out / "weights", vae, models["transformer"].eval(), models["encoder"].eval(), tokenizer)


def _options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, help="folder for latents, state and weights")
    parser.add_argument("--minutes", type=float, required=True, help="the denoiser's time; 0 only exports")
    parser.add_argument(
        "--shards", type=int, default=60, help=f"how many times {dataset.SHARD} clips to render"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
