"""
The model's own way through sampling, to be trained on.

Training shows a denoiser true pictures under noise. Sampling shows it what it made itself of much more noise: a hat that is not there,
an arm where the reference had it. At low noise such a thing looks like truth, so it stays. Here every step of training is a step of
sampling too: the prediction that is being trained moves its own state on to the next noise level, where the target is the true picture
again. That costs nothing besides, since no step is taken for the sake of sampling alone (compare Ross et al. 2011, DAgger).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from data import Batch
from networks import Condition, predict
from noise import column, denoised, karras

#: Of sampling, as the model's card recommends.
SAMPLING_STEPS = 6
#: Errors of latents above this count by their size, below it by their square: a mixture of all that could be right never pays.
ROUND = 0.2


@dataclass
class Walk:
    """Pictures under way from pure noise: states x [b, C, h, w] before the step from `sigmas[k]` to `sigmas[k + 1]`."""

    batch: Batch
    x: Tensor
    sigmas: Tensor


class OwnSamples:
    """
    `steps` groups of pictures, each a step of sampling further than the one after it. A step of training adds a group, moves all on
    by one level, and lets the one that arrived go. Several such rows take turns, so that neighbouring steps see other pictures.
    """

    def __init__(self, steps: int, low: float, high: float, rows: int = 8):
        self.steps, self.range = steps, (low, high)
        self.rows: list[list[Walk]] = [[] for _ in range(rows)]
        self.turn = 0

    @property
    def walks(self) -> list[Walk]:
        """The row whose turn it is."""
        return self.rows[self.turn]

    def add(self, batch: Batch, start: Tensor) -> Batch:
        """
        The next row's turn, with a new group from unit noise `start` [b, C, h, w]; returns all of its B pictures that are under way, the
        furthest first.
        """
        self.turn = (self.turn + 1) % len(self.rows)
        if len(self.walks) == self.steps:
            self.walks.pop(0)
        sigmas = jittered(self.steps, *self.range).to(start.device)
        self.walks.append(Walk(batch, start * (sigmas[0] ** 2 + 1).sqrt(), sigmas))
        return Batch.joined([walk.batch for walk in self.walks])

    def levels(self, shift: int) -> Tensor:
        """Noise levels of all pictures, `shift` steps from now: [B]."""
        last = len(self.walks) - 1
        return torch.cat([walk.sigmas[last - k + shift].expand(len(walk.x)) for k, walk in enumerate(self.walks)])

    def step(self, unet, condition: Condition, **options) -> tuple[Tensor, Tensor]:
        """Moves all on. Returns the clean latents [B, C, h, w] that are predicted, and at which noise levels [B]."""
        x, sigma = torch.cat([walk.x for walk in self.walks]), self.levels(0)
        scaled = x / column(sigma.square() + 1).sqrt()
        with torch.autocast(x.device.type, torch.bfloat16):
            v = predict(unet, scaled.contiguous(memory_format=torch.channels_last), sigma, condition, 1, **options)
        clean = denoised(v.float(), x, sigma)
        moved = x + (x - clean.detach()) * column((self.levels(1) - sigma) / sigma)
        for walk, following in zip(self.walks, moved.split([len(walk.x) for walk in self.walks])):
            walk.x = following
        return clean, sigma

    def state_dict(self) -> dict[str, Any]:
        rows = [[{"batch": vars(walk.batch), "x": walk.x, "sigmas": walk.sigmas} for walk in row] for row in self.rows]
        return {"rows": rows, "turn": self.turn}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows = [[Walk(Batch(**walk["batch"]), walk["x"], walk["sigmas"]) for walk in row] for row in state["rows"]]
        self.turn = state["turn"]


def mending_loss(clean: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Weighted pseudo-Huber error of the predicted clean latents, a scalar."""
    error = ((clean - truth).square() + ROUND**2).sqrt() - ROUND
    return (error * weight).mean()


def jittered(steps: int, low: float, high: float) -> Tensor:
    """Levels of a sampling from high to low, those between moved by up to two fifths of the way to their neighbours: [steps + 1]."""
    sigmas = karras(steps, low, high)
    share = torch.rand(steps - 2) * 0.8 - 0.4
    inner = sigmas[1:-2].log()
    before, after = sigmas[:-3].log(), sigmas[2:-1].log()
    moved = inner + torch.where(share > 0, (after - inner) * share, (inner - before) * share)
    return torch.cat([sigmas[:1], moved.exp(), sigmas[-2:]])
