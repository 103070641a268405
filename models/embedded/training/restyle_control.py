"""
A control module that reads skeletons of one style learns to say the same of skeletons of another.

Both folders hold the same characters and poses. Beside the old module's features, a linear head on the new ones must name the body
part at every second pixel, as in `train_reader.py`, so that what the new style shows better is kept. Wants `control` trained further
afterwards.
"""

from __future__ import annotations

import numpy as np
import torch

from data import Cast
from networks import on_device, pose_features
from optimizer import Optimizer
from run import Run, arguments, averaged, prepare
from stages import load_control
from train_reader import naming_head, naming_loss, pooled


def main() -> None:
    parser = arguments(__doc__, steps=300, batch=8, lr=2e-3)
    parser.add_argument("--before", required=True, help="folder of shards in the style that `control` in --out can read")
    parser.add_argument("--naming", type=float, default=0.2, help="how much naming body parts counts")
    args = parser.parse_args()
    device = prepare(args)
    known, new = Cast(args.before, "stills"), Cast(args.data, "stills")
    teacher = on_device(load_control(args.out, "control"), device).requires_grad_(False)
    control = on_device(load_control(args.out, "control"), device)
    for p in control.mid_convs[1].parameters():
        p.requires_grad_(False)  # speaks in the channels that the base left free, and nowhere else
    head = naming_head().to(device)
    run = Run("restyled", args, {"control": control, "head": head}, Optimizer([control, head], args.lr, args.steps), 0.99)

    def loss_of(pair):
        batch, poses = pair
        batch = batch.to(device)
        with torch.no_grad():
            wanted = pooled(pose_features(teacher, poses.to(device)).float(), batch.parts)
        features = pooled(pose_features(control, batch.poses).float(), batch.parts)
        naming = naming_loss(head, features, batch.parts)
        likeness = (features - wanted).square().mean() / wanted.var()
        return {"loss": likeness + args.naming * naming, "likeness": likeness, "naming": naming}

    def sample(rng: np.random.Generator):
        same = np.random.default_rng(rng.integers(2**32))
        twin = np.random.default_rng()
        twin.bit_generator.state = same.bit_generator.state
        return new.sample(same, args.batch), known.sample(twin, args.batch).poses

    run.train(sample, loss_of)
    control_run = torch.load(f"{args.out}/control.pt", map_location="cpu", weights_only=True)
    average = {"subset": control_run["average"]["subset"], "control": averaged(args.out, "restyled", "control")}
    torch.save({"average": average}, f"{args.out}/control.pt")


if __name__ == "__main__":
    main()
