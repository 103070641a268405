"""
Stage 3a: the control module learns to read skeleton pictures, before it controls anything.

A linear head on its features must name the body part at every second pixel. That teaches in minutes what gradients that
come through a frozen denoiser teach in hours; the head is thrown away.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from data import LABELS, Cast
from layout.controlnext import ControlNeXtSDVModel
from networks import UNET, on_device, pose_features
from optimizer import Optimizer
from run import Run, arguments, prepare
from stages import timeless


def main() -> None:
    args = arguments(__doc__, steps=800, batch=8, lr=2e-3).parse_args()
    device = prepare(args)
    stills = Cast(args.data, "stills")
    width = UNET["block_out_channels"][0]
    control = on_device(timeless(ControlNeXtSDVModel(width)), device)
    head = nn.Conv2d(width, LABELS * 16, 1).to(device)
    run = Run("reader", args, {"control": control, "head": head}, Optimizer([control, head], args.lr, args.steps), 0.99)
    balance = torch.tensor([0.3, 1.0, 1.0, 1.0, 2.0, 1.0], device=device)

    def loss_of(batch):
        batch = batch.to(device)
        features = pose_features(control, batch.poses)
        with torch.autocast(device.type, torch.bfloat16):
            # Pooled to the UNet's cells just as when they are injected.
            features = F.adaptive_avg_pool2d(features, (batch.parts.shape[1] // 8, batch.parts.shape[2] // 8))
            scores = F.pixel_shuffle(head(features), 4).float()
        loss = F.cross_entropy(scores, batch.parts[:, 1::2, 1::2], weight=balance)
        return {"loss": loss}

    run.train(lambda rng: stills.sample(rng, args.batch), loss_of)


if __name__ == "__main__":
    main()
