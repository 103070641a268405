"""
Puts a further trained image encoder under a base that learned with an earlier one.

The earlier embedding is, up to its errors, a linear function of a character's traits. That function is fitted, and the
new encoder's projection becomes its own traits under that function: the base is told the same things in the same words,
with fewer mistakes.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import Tensor

from data import Cast
from networks import ImageEncoder
from run import averaged

PICTURES = 1500


def linear_fit(inputs: Tensor, outputs: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """Matrix [O, I] and offset [O] that take `inputs` [N, I] closest to `outputs` [N, O]."""
    x = torch.cat([inputs, torch.ones(len(inputs), 1)], 1).double()
    solution = torch.linalg.solve(x.T @ x + ridge * torch.eye(x.shape[1], dtype=torch.float64), x.T @ outputs.double())
    return solution[:-1].T.float(), solution[-1].float()


@torch.no_grad()
def graft(old: ImageEncoder, new: ImageEncoder, pictures: Tensor, traits: Tensor) -> float:
    """Changes `new` in place; returns how much of the old embedding's variance the new one shares."""
    known = torch.cat([old(part) for part in pictures.split(100)])
    matrix, offset = linear_fit(traits, known, 0.1)
    projection = new.clip.visual_projection.weight
    projection.copy_(matrix @ new.traits.weight @ projection)
    # The projection has no bias: what it would be goes into the norm before it.
    constant = matrix @ new.traits.bias + offset
    shift = torch.linalg.lstsq(projection.double(), constant.double()[:, None], driver="gelsd", rcond=1e-4).solution[:, 0]
    new.clip.vision_model.post_layernorm.bias.add_(shift.float())
    told = torch.cat([new(part) for part in pictures.split(100)])
    weight, bias = linear_fit(told, traits, 1e-3)
    new.traits.weight.copy_(weight)
    new.traits.bias.copy_(bias)
    return 1 - float((told - known).square().sum() / (known - known.mean(0)).square().sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    batch = Cast(args.data, "stills").sample(np.random.default_rng(5), PICTURES, pose=False)
    old, new = (ImageEncoder(batch.traits.shape[1]) for _ in range(2))
    state = {"unet": averaged(args.out, "base", "unet"), "encoder": averaged(args.out, "base", "encoder")}
    old.load_state_dict(state["encoder"])
    new.load_state_dict(averaged(args.out, "encoder", "encoder"))
    print(f"shared with the old embedding: {graft(old, new, batch.reference, batch.traits):.3f}")
    torch.save({"average": {**state, "encoder": new.state_dict()}}, f"{args.out}/base.pt")


if __name__ == "__main__":
    main()
