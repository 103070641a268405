"""
Cross normalisation against a zero convolution and plain addition (Fig. 3 of the paper), on the frozen base.

The same control module, subset, data, noise and learning rate for all three; plain addition is scaled so that its first
features change the state as much as cross normalisation's do. Finished runs (method and seed) are skipped.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from data import BACKGROUND, Cast
from layout.inject import ZeroConv, cross_norm, plain
from networks import SIGMA_MAX, SIGMA_MIN, UNET, Condition, Conditioner, denoising_loss, on_device, pose_features, predict
from noise import euler, karras
from optimizer import Optimizer
from run import arguments, prepare
from stages import Subset, load_control, settled, unet_before

METHODS = ("cross", "zero", "plain")


class Plain(nn.Module):
    """Plain addition at a strength that is set by the first state and features it sees."""

    def __init__(self):
        super().__init__()
        self.strength: float | None = None

    def forward(self, h: Tensor, features: Tensor, scale) -> Tensor:
        if self.strength is None:
            self.strength = float(0.2 * h.detach().float().std() / features.detach().float().std())
        return plain(h, features, self.strength * scale)


class Cross(nn.Module):
    def forward(self, h: Tensor, features: Tensor, scale) -> Tensor:
        return cross_norm(h, features, scale)


def injection(method: str) -> nn.Module:
    return {"cross": Cross, "plain": Plain, "zero": lambda: ZeroConv(UNET["block_out_channels"][0])}[method]()


@torch.no_grad()
def silhouette_overlap(ask, conditioner: Conditioner, held: Cast, members: int, steps: int) -> float:
    """
    Mean intersection over union of drawn and true silhouettes: pixels that differ from the empty scene, which is the
    median of what a member's frames show of it. Two frames of each member.
    """
    scores = []
    components, encoder = conditioner.components, conditioner.encoder
    rgb, pose, part, *_ = held.shards[0]
    for member in range(members):
        shown = np.where(part[member][..., None] == BACKGROUND, rgb[member].astype(np.float32), np.nan)
        empty = torch.from_numpy(np.nan_to_num(np.nanmedian(shown, 0), nan=127.0)).permute(2, 0, 1) / 255
        reference = torch.from_numpy(rgb[member, :1].copy()).permute(0, 3, 1, 2).float() / 255
        poses = torch.from_numpy(pose[member, 1:3].copy()).permute(0, 3, 1, 2).float() / 255
        latents = components.encode(reference).expand(2, -1, -1, -1)
        condition = Condition(latents, encoder(reference).float().expand(2, -1), torch.tensor([[6.0, 127.0, 0.02]]).expand(2, -1))
        start = torch.randn(latents.shape, generator=torch.Generator().manual_seed(member))
        out = components.decode(euler(lambda x, s: ask(x, s, condition, poses), start, karras(steps, SIGMA_MIN, SIGMA_MAX)))
        found = (out.clamp(0, 1) - empty).abs().mean(1) > 0.08
        true = torch.from_numpy(part[member, 1:3] != BACKGROUND)
        scores.append(float(((found & true).sum((1, 2)) / (found | true).sum((1, 2)).clamp_min(1)).mean()))
    return float(np.mean(scores))


def run_one(method: str, seed: int, args, stills: Cast, held: Cast, device) -> dict:
    torch.manual_seed(seed)
    conditioner = Conditioner(args.out, device)
    unet = on_device(unet_before(args.out, "control"), device)
    control = on_device(settled(load_control(args.out, "reader")), device)
    # The last layer starts anew, or the head start would favour whichever way uses it as it is.
    control.mid_convs[1].requires_grad_(True).reset_parameters()
    combine = injection(method)
    optimizer = Optimizer([Subset(unet), control, combine], args.lr, args.steps, warmup=10)

    def ask(scaled, sigma, condition, poses):
        return predict(unet, scaled, sigma, condition, 1, temporal=False, control=control(poses, poses.new_zeros(1)),
                       combine=lambda h, f: combine(h, f, 1.0))

    curve, recent = [], []
    for step in range(args.steps + 1):
        if step % args.every == 0:
            overlap = silhouette_overlap(ask, conditioner, held, args.members, 4)
            curve.append({"step": step, "loss": float(np.mean(recent)) if recent else None, "overlap": round(overlap, 4)})
            print(method, seed, curve[-1], flush=True)
            recent = []
        if step == args.steps:
            break
        batch = stills.sample(np.random.default_rng([seed, step]), args.batch).to(device)
        torch.manual_seed(1000 * seed + step)
        condition, kept = conditioner(batch, draws=2)
        kept = kept[:, None, None, None]
        loss, _ = denoising_loss(unet, conditioner.components, batch, condition, 1, 1.2, 1.2, temporal=False,
                                 control=pose_features(control, batch.poses), combine=lambda h, f: combine(h, f, kept))
        loss.backward()
        optimizer.step(step)
        recent.append(float(loss.detach()))
    return {"method": method, "seed": seed, "curve": curve}


def main() -> None:
    parser = arguments(__doc__, steps=200, batch=6, lr=2e-3)
    parser.add_argument("--held", required=True, help="folder of held-out stills")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--every", type=int, default=25)
    parser.add_argument("--members", type=int, default=12)
    args = parser.parse_args()
    device = prepare(args)
    stills, held = Cast(args.data, "stills"), Cast(args.held, "stills")
    folder = Path(args.out) / "injection"
    folder.mkdir(exist_ok=True)
    for seed in range(1, args.seeds + 1):
        for method in METHODS:
            path = folder / f"{method}-{seed}.json"
            if not path.exists():
                path.write_text(json.dumps(run_one(method, seed, args, stills, held, device)))


if __name__ == "__main__":
    main()
