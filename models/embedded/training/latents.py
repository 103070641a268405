"""
What the latents are: principal components of 4x4 patches.

The denoiser is trained on exact components, which cost nothing to compute; the VAE's encoder learns to find them and
its decoder to undo them, beside the denoiser's training and independent of it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

PATCH = 4


class PatchComponents:
    """Linear map between pictures and latents. `mean` [48], `basis` [48, C], `scale` [C]."""

    def __init__(self, mean: Tensor, basis: Tensor, scale: Tensor):
        self.mean, self.basis, self.scale = mean, basis, scale

    @staticmethod
    def fit(pictures: Tensor, channels: int, flatten: float = 0.5) -> "PatchComponents":
        """
        pictures [N, 3, H, W] in 0..1. Components are scaled to standard deviations s^(1 - flatten) relative to the first,
        so that details are not drowned by noise long before colours are, and to a total variance of 1 a channel.
        """
        patches = F.pixel_unshuffle(pictures * 2 - 1, PATCH).permute(0, 2, 3, 1).reshape(-1, 3 * PATCH**2).double()
        mean = patches.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov((patches - mean).T))
        deviations = values.flip(0)[:channels].clamp_min(1e-9).sqrt()
        basis = vectors.flip(1)[:, :channels]
        wanted = (deviations / deviations[0]) ** (1 - flatten)
        wanted = wanted / wanted.square().mean().sqrt()
        return PatchComponents(mean.float(), basis.float(), (wanted / deviations).float())

    def encode(self, pictures: Tensor) -> Tensor:
        """[N, 3, H, W] in 0..1 -> [N, C, H / 4, W / 4]."""
        patches = F.pixel_unshuffle(pictures * 2 - 1, PATCH)
        return torch.einsum("nphw,pc->nchw", patches - self.mean[:, None, None], self.basis * self.scale)

    def decode(self, latents: Tensor) -> Tensor:
        """The linear inverse: what a picture looks like without the learned decoder."""
        patches = torch.einsum("nchw,pc->nphw", latents, self.basis / self.scale)
        return (F.pixel_shuffle(patches + self.mean[:, None, None], PATCH) + 1) / 2

    def weight(self) -> Tensor:
        """
        How much the error of each channel counts, [C, 1, 1], 1 on average: half way (in logarithms) between errors of latents
        and errors of pixels, where colours count far more than texture.
        """
        return (self.scale.reciprocal() / self.scale.reciprocal().mean())[:, None, None]

    def save(self, path: str) -> None:
        save_file({"mean": self.mean, "basis": self.basis.contiguous(), "scale": self.scale}, path)

    @staticmethod
    def load(path: str) -> "PatchComponents":
        state = load_file(path)
        return PatchComponents(state["mean"], state["basis"], state["scale"])


def psnr(a: Tensor, b: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of pictures in 0..1."""
    return float(-10 * torch.log10((a.clamp(0, 1) - b).square().mean()))
