"""
What a pose detector would find in latents: a small network that names the joints and the body parts of a figure, learned on true pictures
and frozen from then on. Where it finds less in what the denoiser makes than in the truth, there is something that colours hardly tell:
a hand before hair, an arm that is still on the wall, a mouth without which left and right change places (compare ControlNet++, Li et al.
2024). It is thrown away after training.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from data import JOINTS, LABELS
from latents import PATCH
from networks import LATENT_CHANNELS
from run import averaged


def block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), nn.GroupNorm(8, outputs), nn.SiLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1), nn.GroupNorm(8, outputs), nn.SiLU(),
    )


class Finder(nn.Module):
    """A little U of convolutions; sees latents [B, C, h, w] and nothing else."""

    def __init__(self, width: int = 48):
        super().__init__()
        self.first = block(LATENT_CHANNELS, width)
        self.down = nn.ModuleList([block(width, 2 * width, 2), block(2 * width, 2 * width, 2), block(2 * width, 2 * width, 2)])
        self.up = nn.ModuleList([block(4 * width, 2 * width), block(4 * width, 2 * width), block(3 * width, width)])
        self.joints = nn.Conv2d(width, JOINTS, 1)
        self.parts = nn.Conv2d(width, LABELS * PATCH**2, 1)

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Log probabilities: of the cell that each joint is in [B, J, h * w], and of every pixel's part [B, L, H, W]."""
        with torch.autocast(latents.device.type, torch.bfloat16):
            h = self.first(latents.contiguous(memory_format=torch.channels_last))
            skips = []
            for down in self.down:
                skips.append(h)
                h = down(h)
            for up in self.up:
                h = up(torch.cat([F.interpolate(h, scale_factor=2.0), skips.pop()], 1))
            joints, parts = self.joints(h), F.pixel_shuffle(self.parts(h), PATCH)
        return joints.float().flatten(2).log_softmax(2), parts.float().log_softmax(1)


def missed(finder: Finder, own: Tensor, truth: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """
    How much less is found in latents `own` than in `truth` [B, C, h, w]: the divergence of joints, and that of parts by how much each
    cell counts [B, 1, h, w].
    """
    with torch.no_grad():
        true_joints, true_parts = finder(truth)
    joints, parts = finder(own)
    lost = F.kl_div(joints, true_joints, reduction="none", log_target=True).sum(2).mean()
    mistaken = F.kl_div(parts, true_parts, reduction="none", log_target=True).sum(1, keepdim=True)
    return lost, (F.avg_pool2d(mistaken, PATCH) * weight).mean()


def trained_finder(folder: str) -> Finder:
    """The averaged finder of a folder of runs, frozen."""
    finder = Finder()
    finder.load_state_dict(averaged(folder, "finder", "finder"))
    return finder.requires_grad_(False)
