"""
A critic for the last noise levels: a small convolution network that learns to tell true latents from the model's own, and what the model
must therefore do to look true. A squared error alone is least where everything that could be right is mixed, which looks blurred
(compare Isola et al. 2017; Sauer et al. 2023 for diffusion models). It is thrown away after training.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from latents import PATCH


class Critic(nn.Module):
    """Judges patches of latents [B, C, h, w], knowing the skeleton picture [B, 3, H, W] and the reference's embedding [B, D]."""

    def __init__(self, channels: int, embedding: int, width: int = 64):
        super().__init__()
        seen = channels + 3 * PATCH**2
        self.reference = nn.Linear(embedding, width)
        self.layers = nn.ModuleList(spectral_norm(layer) for layer in (
            nn.Conv2d(seen, width, 3, padding=1),
            nn.Conv2d(width, width, 3, padding=1),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.Conv2d(2 * width, 2 * width, 3, padding=1),
        ))
        self.verdict = spectral_norm(nn.Conv2d(2 * width, 1, 3, padding=1))

    def forward(self, latents: Tensor, poses: Tensor, embedding: Tensor) -> list[Tensor]:
        """What every layer sees, and last the verdict [B, 1, h / 2, w / 2]: high for true."""
        seen = []
        with torch.autocast(latents.device.type, torch.bfloat16):
            h = torch.cat([latents, F.pixel_unshuffle(poses, PATCH)], 1).contiguous(memory_format=torch.channels_last)
            for index, layer in enumerate(self.layers):
                h = layer(h)
                if index == 0:
                    h = h + self.reference(embedding)[:, :, None, None].to(h.dtype)
                h = F.leaky_relu(h, 0.2)
                seen.append(h.float())
            return [*seen, self.verdict(h).float()]


def matters(sigma: Tensor) -> Tensor:
    """Where details are decided, [B] in 0..1: below a noise level of 1.5 or so. Above it, a mixture is the right answer."""
    return 1 / (1 + (sigma / 1.5) ** 4)


def evened(loss: Tensor, opinion: Tensor, own: Tensor, counts: Tensor) -> Tensor:
    """The factor that makes the opinion pull as hard as the loss at `own` [B, C, h, w], where it counts [B] (compare Esser et al. 2020)."""
    pulls = [torch.autograd.grad(each, own, retain_graph=True)[0] * counts[:, None, None, None] for each in (loss, opinion)]
    return (pulls[0].norm() / (pulls[1].norm() + 1e-8)).clamp_max(100.0).detach()


class Judged:
    """The critic in training beside the model: a step of its own, then what it thinks of the model."""

    def __init__(self, critic: Critic, lr: float = 4e-4, patience: int = 100):
        self.critic = critic
        self.optimizer = torch.optim.Adam(critic.parameters(), lr=lr, betas=(0.5, 0.99))
        self.patience, self.steps = patience, 0

    def loss(self, own: Tensor, truth: Tensor, poses: Tensor, embedding: Tensor, sigma: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """
        For latents `own` and `truth` [B, C, h, w] and how much each cell counts [B, 1, h, w]: the model's loss, and the critic's.
        """
        counts = F.avg_pool2d(weight, 2) * matters(sigma)[:, None, None, None]
        self.critic.requires_grad_(True)
        *_, true = self.critic(truth, poses, embedding)
        *_, false = self.critic(own.detach(), poses, embedding)
        doubt = (counts * (F.relu(1 - true) + F.relu(1 + false))).mean()
        self.optimizer.zero_grad(set_to_none=True)
        doubt.backward()
        self.optimizer.step()
        self.critic.requires_grad_(False)
        self.steps += 1
        with torch.no_grad():
            *layers, _ = self.critic(truth, poses, embedding)
        *mine, verdict = self.critic(own, poses, embedding)
        alike = sum((F.avg_pool2d(weight, own.shape[2] // a.shape[2]) * matters(sigma)[:, None, None, None] * (a - b).abs()).mean()
                    for a, b in zip(mine, layers))
        return 10 * alike - (counts * verdict).mean(), doubt.detach()

    @property
    def trust(self) -> float:
        """What its opinion is worth: nothing at first, all after twice its patience."""
        return min(1.0, max(0.0, self.steps / self.patience - 1))

    def state_dict(self) -> dict[str, Any]:
        return {"critic": self.critic.state_dict(), "optimizer": self.optimizer.state_dict(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.critic.load_state_dict(state["critic"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.steps = state["steps"]
