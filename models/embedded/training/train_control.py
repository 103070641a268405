"""
Stage 3b: ControlNeXt. The base UNet is frozen but for a small subset; the control module and the subset learn to follow
skeletons, joined by cross normalisation.

`--own` (3d): half of what is learned from is the model's own sampling. `--critic` (3e): that, and a critic of its details. `--finder`
(3f): that, and what a pose detector would miss.
"""

from __future__ import annotations

import torch

from critic import Critic, Judged, evened, matters
from data import Cast
from finder import missed, trained_finder
from free_channels import keep_clear
from latents import PATCH
from layout.inject import cross_norm
from networks import (CLIP, HEIGHT, LATENT_CHANNELS, SIGMA_MAX, SIGMA_MIN, WIDTH, Conditioner, denoising_loss, on_device, part_weights,
                      pose_features)
from optimizer import Optimizer
from own_samples import SAMPLING_STEPS, OwnSamples, mending_loss
from run import Run, arguments, prepare
from stages import Subset, reader_for, unet_before


def main() -> None:
    parser = arguments(__doc__, steps=4000, batch=8, lr=2e-3)
    parser.add_argument("--draws", type=int, default=2, help="noise levels for each frame; they share the control features")
    parser.add_argument("--noise", type=float, default=1.5, help="mean of the logarithm of noise levels")
    parser.add_argument("--own", action="store_true", help="the first draw is the model's own sampling (own_samples.py)")
    parser.add_argument("--critic", type=float, default=0.0, help="with --own: how much a critic of details counts (critic.py)")
    parser.add_argument("--finder", type=float, default=0.0, help="with --own: how much a joint that is not found counts (finder.py)")
    parser.add_argument("--turned", type=float, default=0.0, help="share of poses seen from the side beside those by chance")
    args = parser.parse_args()
    device = prepare(args)
    stills = Cast(args.data, "stills", args.turned)
    conditioner = Conditioner(args.out, device)
    components = conditioner.components
    unet = on_device(unet_before(args.out, "control"), device)
    keep_clear(unet, readers=False)
    control = on_device(reader_for(args.out, unet), device)
    subset = Subset(unet)
    print(f"{sum(p.numel() for p in unet.parameters())} parameters in the UNet, "
          f"{sum(p.numel() for p in subset.parameters())} of them learn, "
          f"{sum(p.numel() for p in control.parameters())} in the control module", flush=True)
    own = OwnSamples(SAMPLING_STEPS, SIGMA_MIN, SIGMA_MAX) if args.own else None
    judged = Judged(on_device(Critic(LATENT_CHANNELS, CLIP["projection_dim"]), device)) if args.critic else None
    finder = on_device(trained_finder(args.out), device) if args.finder else None
    run = Run("control", args, {"subset": subset, "control": control}, Optimizer([subset, control], args.lr, args.steps),
              under_way={key: value for key, value in (("own", own), ("critic", judged)) if value})

    def standard(batch, features, draws):
        condition, strength = conditioner(batch, draws=draws)
        return denoising_loss(unet, components, batch, condition, 1, args.noise, 1.2, temporal=False, control=features,
                              combine=lambda h, f: cross_norm(h, f, strength[:, None, None, None]))

    def loss_alone(batch):
        batch = batch.to(device)
        loss, parts = standard(batch, pose_features(control, batch.poses), args.draws)
        return {"loss": loss, **parts}

    def loss_with_own(fresh):
        fresh = fresh.to(device)
        batch = own.add(fresh, torch.randn(len(fresh.frames), LATENT_CHANNELS, HEIGHT // PATCH, WIDTH // PATCH, device=device))
        features = pose_features(control, batch.poses)
        known, parts = standard(batch.every(2), features[::2], 1)
        condition = conditioner.whole(batch)
        clean, sigma = own.step(unet, condition, temporal=False, control=features, combine=cross_norm)
        truth, weight = components.encode(batch.frames), part_weights(batch.parts, PATCH)
        mending = mending_loss(clean, truth, weight * components.weight())
        loss, parts = known + mending, {"standard": known, "own": mending, "last": mending_loss(clean[:2], truth[:2], 1.0), **parts}
        if finder:
            joints, named = missed(finder, clean, truth, weight)
            loss = loss + args.finder * (joints + named)
            parts = {**parts, "joints": joints, "named": named}
        if judged:
            opinion, doubt = judged.loss(clean, truth, batch.poses, condition.embedding, sigma, weight)
            loss = loss + args.critic * judged.trust * evened(mending, opinion, clean, matters(sigma)) * opinion
            parts = {**parts, "opinion": opinion, "doubt": doubt}
        return {"loss": loss, **parts}

    fresh = args.batch // SAMPLING_STEPS if own else args.batch
    run.train(lambda rng: stills.sample(rng, fresh), loss_with_own if own else loss_alone)


if __name__ == "__main__":
    main()
