"""ControlNeXt-SVD v2: pose pictures to features that are added to the UNet's state once."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import Downsample, GroupNorm, Resnet, TimestepEmbedding, sinusoids

TIMESTEP_WIDTH = 128


class ControlNeXtSDVModel(nn.Module):
    """
    `channels`: width of the features, the UNet's block_out_channels[0]. `padding`: zeros around the second and third
    convolution; none in the published inference code, which is what runs here.
    """

    def __init__(self, channels: int, padding: int = 0):
        super().__init__()
        self.time_embedding = TimestepEmbedding(TIMESTEP_WIDTH, 256)
        self.embedding = nn.Sequential(
            nn.Conv2d(3, 64, 3, stride=2, padding=1),
            GroupNorm(2, 64),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=padding),
            GroupNorm(2, 64),
            nn.ReLU(),
            nn.Conv2d(64, 128, 3, padding=padding),
            GroupNorm(2, 128),
            nn.ReLU(),
        )
        self.down_res = nn.ModuleList(
            [Resnet(128, 128, 1e-6, 256, groups=4), Resnet(128, 256, 1e-6, 256, groups=8)]
        )
        self.down_sample = nn.ModuleList([Downsample(128), Downsample(256)])
        self.mid_convs = nn.ModuleList(
            [
                nn.Sequential(
                    nn.Conv2d(256, 256, 3, padding=1),
                    nn.ReLU(),
                    GroupNorm(8, 256),
                    nn.Conv2d(256, 256, 3, padding=1),
                    GroupNorm(8, 256),
                ),
                nn.Conv2d(256, channels, 1),
            ]
        )

    def forward(self, pose: Tensor, timestep: Tensor) -> Tensor:
        """
        pose [B * F, 3, H, W] in 0..1, timestep [B] or [1] (0.25 ln sigma) -> features [B * F, C, h, w], h about H / 8
        (15 of 128, 71 of 576).
        """
        embedding = F.silu(self.time_embedding(sinusoids(timestep, TIMESTEP_WIDTH)))
        h = self.embedding(pose)
        for resnet, downsample in zip(self.down_res, self.down_sample):
            h = downsample(resnet(h, embedding))
        return self.mid_convs[1](self.mid_convs[0](h) + h)
