"""
Stage 5: the VAE's decoder learns what to make of the denoiser's own latents.

It was trained on exact latents with a little noise. What a denoiser leaves behind is of another kind: eyes that are two pale spots, a
hand without fingers. Faces are much alike, so a decoder that has seen such latents beside the true pictures knows what is meant.
Half of the crops are decoded from exact latents, so that it stays a decoder of pictures. The encoder is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from critic import Critic, Judged, evened
from data import FACE, Cast
from latents import PATCH, PatchComponents
from layout.inject import cross_norm
from layout.vae import AutoencoderKLTemporalDecoder
from networks import CLIP, HEIGHT, LATENT_CHANNELS, SIGMA_MAX, SIGMA_MIN, VAE, WIDTH, Conditioner, on_device, part_weights, pose_features, predict
from noise import euler, karras
from own_samples import SAMPLING_STEPS
from run import Run, arguments, averaged, prepare
from optimizer import Optimizer
from stages import load_control, unet_after
from train_vae import picture_loss

#: Of a crop, in pixels: a head and what is near it.
CROP = 64


@dataclass
class Pairs:
    """Latents as the denoiser makes them, beside the truth: pictures and labels as bytes."""

    own: Tensor  # [N, C, h, w]
    truth: Tensor  # [N, 3, H, W] uint8
    poses: Tensor  # [N, 3, H, W] uint8
    parts: Tensor  # [N, H, W] uint8
    embedding: Tensor  # [N, D]

    @staticmethod
    def load(path: Path) -> "Pairs":
        return Pairs(**torch.load(path, weights_only=True))


@torch.no_grad()
def sample_pairs(cast: Cast, out: str, count: int, seed: int, device: torch.device, batch: int = 16) -> Pairs:
    """What the averaged control run makes of `count` skeletons of the training data."""
    conditioner = Conditioner(out, device)
    unet, control = on_device(unet_after(out, "control"), device), on_device(load_control(out, "control"), device)
    made: list[Pairs] = []
    for at in range(0, count, batch):
        given = cast.sample(np.random.default_rng([seed, at]), batch).to(device)
        condition, features = conditioner.whole(given), pose_features(control, given.poses)

        def ask(scaled: Tensor, sigma: Tensor) -> Tensor:
            with torch.autocast(device.type, torch.bfloat16):
                return predict(unet, scaled.contiguous(memory_format=torch.channels_last), sigma, condition, 1, temporal=False,
                               control=features, combine=cross_norm).float()

        start = torch.randn(batch, LATENT_CHANNELS, HEIGHT // PATCH, WIDTH // PATCH, device=device)
        own = euler(ask, start, karras(SAMPLING_STEPS, SIGMA_MIN, SIGMA_MAX).to(device))
        made.append(Pairs(own, *((x * 255).round().byte() for x in (given.frames, given.poses)), given.parts.byte(),
                          condition.embedding))
    return Pairs(**{name: torch.cat([getattr(pairs, name) for pairs in made]).cpu() for name in vars(made[0])})


def crops(pairs: Pairs, rng: np.random.Generator, count: int) -> tuple[Tensor, ...]:
    """`count` crops, three of four about a head: own latents, truth, poses (0..1), parts, embedding."""
    taken = []
    for n in rng.integers(len(pairs.own), size=count):
        heads = (pairs.parts[n] == FACE).nonzero().float()
        if len(heads) and rng.random() < 0.75:
            middle = heads.mean(0).numpy() + rng.normal(0, CROP / 8, 2)
        else:
            middle = rng.random(2) * (HEIGHT, WIDTH)
        top, left = (int(np.clip(m - CROP / 2, 0, size - CROP)) // PATCH for m, size in zip(middle, (HEIGHT, WIDTH)))
        cells = (..., slice(top, top + CROP // PATCH), slice(left, left + CROP // PATCH))
        pixels = (..., slice(top * PATCH, top * PATCH + CROP), slice(left * PATCH, left * PATCH + CROP))
        taken.append((pairs.own[n][cells], pairs.truth[n][pixels], pairs.poses[n][pixels], pairs.parts[n][pixels], pairs.embedding[n]))
    own, truth, poses, parts, embedding = (torch.stack(each) for each in zip(*taken))
    return own, truth.float() / 255, poses.float() / 255, parts.long(), embedding


def main() -> None:
    parser = arguments(__doc__, steps=1000, batch=8, lr=5e-4)
    parser.add_argument("--pairs", type=int, default=1536)
    parser.add_argument("--critic", type=float, default=0.7, help="how much a critic of details counts")
    args = parser.parse_args()
    device = prepare(args)
    path = Path(args.out) / "own.pt"
    if not path.exists():
        torch.save(vars(sample_pairs(Cast(args.data, "stills"), args.out, args.pairs, args.seed, device)), path)
    pairs = Pairs.load(path)
    components = PatchComponents.load(f"{args.out}/components.safetensors")
    vae = AutoencoderKLTemporalDecoder(VAE)
    vae.load_state_dict(averaged(args.out, "vae", "vae"))
    vae.requires_grad_(False)
    for name, p in vae.decoder.named_parameters():
        p.requires_grad_(not ("temporal" in name or "time_mixer" in name or "time_conv_out" in name))
    vae = on_device(vae, device)
    judged = Judged(on_device(Critic(3 * PATCH**2, CLIP["projection_dim"]), device))
    run = Run("decoder", args, {"vae": vae}, Optimizer([vae], args.lr, args.steps), 0.995, under_way={"critic": judged})

    def loss_of(batch):
        own, truth, poses, parts, embedding = (x.to(device) for x in batch)
        given = torch.cat([own, components.encode(truth)])
        with torch.autocast(device.type, torch.bfloat16):
            out = vae.decode(given.contiguous(memory_format=torch.channels_last), 1, temporal=False).float()
        guessed, exact = out.chunk(2)
        weight = part_weights(parts, 1)
        guess = picture_loss(guessed, truth * 2 - 1, weight)
        known = picture_loss(exact, truth * 2 - 1, weight)
        patches, true_patches = F.pixel_unshuffle(guessed, PATCH), F.pixel_unshuffle(truth * 2 - 1, PATCH)
        counts = torch.zeros(len(own), device=device)
        opinion, doubt = judged.loss(patches, true_patches, poses, embedding, counts, part_weights(parts, PATCH))
        pull = evened(guess, opinion, guessed, torch.ones_like(counts))
        loss = guess + known + args.critic * judged.trust * pull * opinion
        return {"loss": loss, "guess": guess, "known": known, "opinion": opinion, "doubt": doubt}

    run.train(lambda rng: crops(pairs, rng, args.batch), loss_of)


if __name__ == "__main__":
    main()
