"""Muon for matrices and convolutions, AdamW for the rest, behind one step()."""

from __future__ import annotations

import math
from typing import Iterable

import torch
from torch import Tensor, nn


def orthogonal(updates: Tensor, steps: int = 5) -> Tensor:
    """
    Nearest semi-orthogonal matrices of [N, R, C], roughly, by a quintic Newton-Schulz iteration (Jordan et al. 2024, Muon).
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = updates.bfloat16()
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return (x.mT if tall else x).to(updates.dtype)


class Muon(torch.optim.Optimizer):
    """
    Momentum, made orthogonal; scaled so that Adam's learning rates fit (Liu et al. 2025). Matrices of one shape go through
    the iteration together, which saves most of its time.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.0):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    by_shape.setdefault(p.flatten(1).shape, []).append(p)
            for shape, parameters in by_shape.items():
                scale = 0.2 * math.sqrt(max(shape))
                updates = torch.stack([self.update(p, group["momentum"]) for p in parameters])
                for p, update in zip(parameters, orthogonal(updates)):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(update.view_as(p), alpha=-group["lr"] * scale)

    def update(self, p: Tensor, momentum: float) -> Tensor:
        state = self.state[p]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(p)
        average = state["momentum"].lerp_(p.grad, 1 - momentum)
        return p.grad.lerp(average, momentum).flatten(1)


class Optimizer:
    """`matrices` learn by Muon, all other parameters by AdamW; cosine decay after a linear warm-up."""

    def __init__(self, modules: Iterable[nn.Module], lr: float, steps: int, warmup: int = 50, weight_decay: float = 0.01):
        matrices, others = [], []
        for module in modules:
            for name, p in module.named_parameters():
                if p.requires_grad:
                    (matrices if p.ndim >= 2 and min(p.flatten(1).shape) >= 16 else others).append(p)
        self.parts = [
            Muon(matrices, lr, weight_decay=weight_decay),
            torch.optim.AdamW(others, lr=lr * 0.5, betas=(0.9, 0.99), weight_decay=0.0),
        ]
        self.parameters = matrices + others
        self.base = [[group["lr"] for group in part.param_groups] for part in self.parts]
        self.steps, self.warmup = steps, warmup

    def share(self, step: int) -> float:
        """Of the full learning rate."""
        ramp = min(1.0, (step + 1) / self.warmup)
        return ramp * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / self.steps))))

    def step(self, step: int, clip: float = 1.0) -> None:
        nn.utils.clip_grad_norm_(self.parameters, clip)
        for part, base in zip(self.parts, self.base):
            for group, lr in zip(part.param_groups, base):
                group["lr"] = lr * self.share(step)
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict]:
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, state: list[dict]) -> None:
        for part, values in zip(self.parts, state):
            part.load_state_dict(values)
