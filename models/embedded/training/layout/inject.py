"""Ways to bring control features [N, C, hc, wc] into the state h [N, C, h, w]. The published one is `cross_norm`."""

from __future__ import annotations

from typing import Tuple, Union

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Published strength of the control, on top of the caller's scale.
STRENGTH = 0.2


def cross_norm(h: Tensor, features: Tensor, scale: Union[float, Tensor] = 1.0) -> Tensor:
    """
    The features take the mean and (unbiased) standard deviation of the state, picture by picture, are pooled to its size
    and added. `scale` broadcasts to [N, 1, 1, 1].
    """
    with torch.autocast(h.device.type, enabled=False):
        mean_h, deviation_h = _statistics(h)
        mean_c, deviation_c = _statistics(features)
        # Averages keep the normalisation, which is affine: pooling first leaves less to normalise.
        pooled = F.adaptive_avg_pool2d(features.float(), h.shape[2:])
        normal = (pooled - mean_c) * (deviation_h / (deviation_c + 1e-5)) + mean_h
        return h + (STRENGTH * scale * normal).to(h.dtype)


def plain(h: Tensor, features: Tensor, scale: Union[float, Tensor] = 1.0) -> Tensor:
    """Pooled and added as they are."""
    return h + (scale * F.adaptive_avg_pool2d(features, h.shape[2:])).to(h.dtype)


class ZeroConv(nn.Module):
    """Pooled, through a 1x1 convolution that starts as zero, added (as in ControlNet)."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)

    def forward(self, h: Tensor, features: Tensor, scale: Union[float, Tensor] = 1.0) -> Tensor:
        return plain(h, self.conv(features), scale)


def _statistics(x: Tensor) -> Tuple[Tensor, Tensor]:
    """Mean and unbiased standard deviation of each sample, [N, 1, 1, 1], in float32."""
    x = x.float()
    return x.mean(dim=(1, 2, 3), keepdim=True), x.std(dim=(1, 2, 3), keepdim=True)
