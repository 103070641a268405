"""
Stage 3a: the control module learns to read skeleton pictures, before it controls anything.

A linear head on its features must name the body part at every second pixel. That teaches in minutes what gradients that
come through a frozen denoiser teach in hours; the head is thrown away.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from data import LABELS, Cast
from layout.controlnext import ControlNeXtSDVModel
from networks import UNET, on_device, pose_features
from optimizer import Optimizer
from run import Run, arguments, prepare
from stages import timeless


#: How much each part counts in naming.
BALANCE = (0.3, 1.0, 1.0, 1.0, 2.0, 1.0)


def naming_head() -> nn.Conv2d:
    """From control features to scores of the parts at every second pixel."""
    return nn.Conv2d(UNET["block_out_channels"][0], LABELS * 16, 1)


def pooled(features: Tensor, parts: Tensor) -> Tensor:
    """To the UNet's cells [B, C, H / 8, W / 8], just as when they are injected."""
    return F.adaptive_avg_pool2d(features, (parts.shape[1] // 8, parts.shape[2] // 8))


def naming_loss(head: nn.Conv2d, features: Tensor, parts: Tensor) -> Tensor:
    """Cross entropy of the parts [B, H, W] named from pooled features."""
    with torch.autocast(parts.device.type, torch.bfloat16):
        scores = F.pixel_shuffle(head(features), 4).float()
    return F.cross_entropy(scores, parts[:, 1::2, 1::2], weight=torch.tensor(BALANCE, device=parts.device))


def main() -> None:
    args = arguments(__doc__, steps=800, batch=8, lr=2e-3).parse_args()
    device = prepare(args)
    stills = Cast(args.data, "stills")
    control = on_device(timeless(ControlNeXtSDVModel(UNET["block_out_channels"][0])), device)
    head = naming_head().to(device)
    run = Run("reader", args, {"control": control, "head": head}, Optimizer([control, head], args.lr, args.steps), 0.99)

    def loss_of(batch):
        batch = batch.to(device)
        return {"loss": naming_loss(head, pooled(pose_features(control, batch.poses), batch.parts), batch.parts)}

    run.train(lambda rng: stills.sample(rng, args.batch), loss_of)


if __name__ == "__main__":
    main()
