"""The published noise schedule: variance exploding, v-prediction (Karras et al. 2022; Stable Video Diffusion)."""

from __future__ import annotations

from typing import Callable

import torch
from torch import Tensor


def column(sigma: Tensor) -> Tensor:
    return sigma[:, None, None, None]


def noisy(x: Tensor, noise: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor]:
    """Scaled noisy latents as the UNet sees them, and the v it is to predict. x, noise [N, C, h, w], sigma [N]."""
    s = column(sigma)
    size = (s * s + 1).sqrt()
    return (x + s * noise) / size, (noise - s * x) / size


def denoised(v: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
    """The clean latents that `v` means for unscaled noisy latents x."""
    s = column(sigma)
    return x / (s * s + 1) - v * s / (s * s + 1).sqrt()


def karras(steps: int, low: float, high: float, rho: float = 7.0) -> Tensor:
    """Noise levels from high to low, then 0: [steps + 1]."""
    ramp = torch.linspace(0, 1, steps)
    sigmas = (high ** (1 / rho) + ramp * (low ** (1 / rho) - high ** (1 / rho))) ** rho
    return torch.cat([sigmas, torch.zeros(1)])


@torch.no_grad()
def euler(predict: Callable[[Tensor, Tensor], Tensor], start: Tensor, sigmas: Tensor) -> Tensor:
    """
    Euler's method from unit noise `start` [N, C, h, w]. `predict(scaled latents, sigma [N])` -> v.
    """
    x = start * (sigmas[0] ** 2 + 1).sqrt()
    for sigma, following in zip(sigmas[:-1], sigmas[1:]):
        level = sigma.expand(len(x))
        clean = denoised(predict(x / (sigma**2 + 1).sqrt(), level), x, level)
        x = x + (x - clean) / sigma * (following - sigma)
    return x
