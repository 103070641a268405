"""Blocks that the UNet, the VAE and ControlNeXt share. Frames of one video are neighbours: [B * F, C, H, W]."""

from __future__ import annotations

import math
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: CUDA kernels of nearest-neighbour upsampling for bfloat16 came with torch 2.1.
NEAREST_IN_BFLOAT16 = tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 1)


class GroupNorm(nn.GroupNorm):
    """Group normalisation in the dtype of its input: autocast would take the state through float32 and back."""

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() and self.weight.requires_grad and not x.requires_grad:
            # torch 2.13 writes a gradient of the input that nobody asked for, to nowhere (bfloat16, channels last, CPU).
            x = x.detach().requires_grad_()
        with torch.autocast(x.device.type, enabled=False):
            return F.group_norm(x, self.num_groups, self.weight.to(x.dtype), self.bias.to(x.dtype), self.eps)


class LayerNorm(nn.LayerNorm):
    """Normalisation of the last axis in the dtype of its input."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return F.layer_norm(x, self.normalized_shape, self.weight.to(x.dtype), self.bias.to(x.dtype), self.eps)


def sinusoids(x: Tensor, width: int) -> Tensor:
    """[N] -> [N, width]: cosines, then sines, of x times exp(-ln(10000) k / (width / 2)); float32."""
    half = width // 2
    exponents = -math.log(10000) * torch.arange(half, dtype=torch.float32, device=x.device)
    angles = x.float()[:, None] * torch.exp(exponents / half)[None]
    return torch.cat([angles.cos(), angles.sin()], dim=1)


class TimestepEmbedding(nn.Module):
    """Two linear layers with SiLU in between, [N, I] -> [N, O]. Small, and kept out of autocast for its precision."""

    def __init__(self, inputs: int, hidden: int, outputs: Optional[int] = None):
        super().__init__()
        self.linear_1 = nn.Linear(inputs, hidden)
        self.linear_2 = nn.Linear(hidden, hidden if outputs is None else outputs)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return self.linear_2(F.silu(self.linear_1(x.to(self.linear_1.weight.dtype))))


class Downsample(nn.Module):
    """Halves rows and columns: 3x3 convolution with stride 2; zeros on all sides, or right and bottom only."""

    def __init__(self, channels: int, right_bottom: bool = False):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=0 if right_bottom else 1)
        self.right_bottom = right_bottom

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)) if self.right_bottom else x)


class Upsample(nn.Module):
    """Doubles rows and columns: nearest neighbour, then a 3x3 convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        source = x.float() if x.is_cuda and not NEAREST_IN_BFLOAT16 else x
        return self.conv(F.interpolate(source, scale_factor=2.0, mode="nearest").to(x.dtype))


class Resnet(nn.Module):
    """(norm, SiLU, conv) twice with a time embedding added in between, as a residual. [N, I, H, W] -> [N, O, H, W]."""

    def __init__(self, inputs: int, outputs: int, eps: float, embedding: Optional[int] = None, groups: int = 32):
        super().__init__()
        self.norm1 = GroupNorm(groups, inputs, eps)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        if embedding is not None:
            self.time_emb_proj = nn.Linear(embedding, outputs)
        self.norm2 = GroupNorm(groups, outputs, eps)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        if inputs != outputs:
            self.conv_shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor, embedding: Optional[Tensor] = None) -> Tensor:
        """`embedding` [B, D] has been through SiLU; sample n belongs to row n // (N / B)."""
        h = self.conv1(F.silu(self.norm1(x)))
        if embedding is not None:
            shift = self.time_emb_proj(embedding).to(h.dtype)
            if shift.shape[0] not in (1, h.shape[0]):
                shift = shift.repeat_interleave(h.shape[0] // shift.shape[0], dim=0)
            h = h + shift[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x)


class TemporalConv(nn.Conv3d):
    """
    Convolution of three frames, kernel (3, 1, 1), zeros before the first and after the last frame. Works on
    [B, C, F, H * W] as a 2-D convolution, which costs nothing to get to from channels_last.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, (3, 1, 1), padding=(1, 0, 0))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight[..., 0], self.bias, padding=(1, 0))


def frames_as_rows(x: Tensor, frames: int) -> Tensor:
    """[B * F, C, H, W] -> [B, C, F, H * W]; a view where x is channels_last."""
    samples, channels, height, width = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(samples // frames, frames, height * width, channels)
    return rows.permute(0, 3, 1, 2)


def rows_as_frames(x: Tensor, height: int, width: int) -> Tensor:
    """[B, C, F, H * W] -> [B * F, C, H, W]."""
    batch, channels, frames, _ = x.shape
    return x.permute(0, 2, 3, 1).reshape(batch * frames, height, width, channels).permute(0, 3, 1, 2)


class AlphaBlender(nn.Module):
    """Learned blend of a spatial and a temporal branch; the VAE decoder has the two the other way round (`switched`)."""

    def __init__(self, switched: bool = False):
        super().__init__()
        self.mix_factor = nn.Parameter(torch.tensor([0.5]))
        self.switched = switched

    def temporal_share(self) -> Tensor:
        """Weight of the temporal branch, a scalar tensor: without dimensions it does not widen what it multiplies."""
        alpha = torch.sigmoid(self.mix_factor)[0]
        return alpha if self.switched else 1 - alpha


class TemporalResnet(nn.Module):
    """Residual block along time; its norms see all frames of a video together. Works on [B, C, F, H * W]."""

    def __init__(self, channels: int, eps: float, embedding: Optional[int] = None):
        super().__init__()
        self.norm1 = GroupNorm(32, channels, eps)
        self.conv1 = TemporalConv(channels, channels)
        if embedding is not None:
            self.time_emb_proj = nn.Linear(embedding, channels)
        self.norm2 = GroupNorm(32, channels, eps)
        self.conv2 = TemporalConv(channels, channels)

    def residual(self, x: Tensor, embedding: Optional[Tensor] = None) -> Tensor:
        """What the block adds to x; `embedding` [1 or B, D] has been through SiLU."""
        h = self.conv1(F.silu(self.norm1(x)))
        if embedding is not None:
            h = h + self.time_emb_proj(embedding).to(h.dtype)[:, :, None, None]
        return self.conv2(F.silu(self.norm2(h)))


class SpatioTemporalResnet(nn.Module):
    """A residual block per frame, then one along time, blended. [B * F, I, H, W] -> [B * F, O, H, W]."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        eps: float,
        embedding: Optional[int] = None,
        temporal_eps: Optional[float] = None,
        switched: bool = False,
    ):
        super().__init__()
        self.spatial_res_block = Resnet(inputs, outputs, eps, embedding)
        self.temporal_res_block = TemporalResnet(outputs, eps if temporal_eps is None else temporal_eps, embedding)
        self.time_mixer = AlphaBlender(switched)

    def forward(self, x: Tensor, frames: int, embedding: Optional[Tensor] = None, temporal: bool = True) -> Tensor:
        h = self.spatial_res_block(x, embedding)
        if not temporal:
            return h
        residual = self.temporal_res_block.residual(frames_as_rows(h, frames), embedding)
        return h + self.time_mixer.temporal_share() * rows_as_frames(residual, h.shape[2], h.shape[3])
