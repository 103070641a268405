"""The finder (finder.py) learns to name joints and parts in true pictures: sharp or blurred, with and without noise, mirrored or not."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from data import FLIPPED, Batch, Cast
from finder import Finder
from latents import PATCH, PatchComponents
from networks import HEIGHT, WIDTH, on_device
from optimizer import Optimizer
from run import Run, arguments, prepare

#: Deviation, in cells, of the blot that stands for a joint.
BLOT = 0.7
#: How much a mistaken pixel counts, by its part.
BALANCE = (0.5, 1.0, 1.0, 2.0, 3.0, 1.0)


def blots(joints: Tensor) -> Tensor:
    """Probabilities of the cells around joints [B, J, 2] in 0..1: [B, J, h * w]."""
    height, width = HEIGHT // PATCH, WIDTH // PATCH
    x = torch.arange(width, device=joints.device) + 0.5 - joints[..., :1] * width
    y = torch.arange(height, device=joints.device) + 0.5 - joints[..., 1:] * height
    near = -(x.square()[..., None, :] + y.square()[..., :, None]) / (2 * BLOT**2)
    return near.flatten(2).softmax(2)


def blurred(pictures: Tensor) -> Tensor:
    """Each as sharp as it was, or mixed with its own mean over 3 or 5 pixels."""
    share = torch.rand(2, len(pictures), 1, 1, 1, device=pictures.device) * 2 - 1
    for size, part in zip((3, 5), share.clamp_min(0)):
        mean = F.avg_pool2d(F.pad(pictures, (size // 2,) * 4, mode="replicate"), size, 1)
        pictures = pictures + part * (mean - pictures)
    return pictures


def mirrored(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Frames, joints and parts, half of them seen in a mirror."""
    flip = torch.rand(len(batch.frames), device=batch.frames.device) < 0.5
    frames = torch.where(flip[:, None, None, None], batch.frames.flip(3), batch.frames)
    other = batch.joints[:, FLIPPED] * batch.joints.new_tensor([-1.0, 1.0]) + batch.joints.new_tensor([1.0, 0.0])
    return frames, torch.where(flip[:, None, None], other, batch.joints), torch.where(flip[:, None, None], batch.parts.flip(2), batch.parts)


def main() -> None:
    args = arguments(__doc__, steps=2000, batch=12, lr=2e-3).parse_args()
    device = prepare(args)
    stills = Cast(args.data, "stills", 0.2)
    components = PatchComponents.load(f"{args.out}/components.safetensors")
    finder = on_device(Finder(), device)
    run = Run("finder", args, {"finder": finder}, Optimizer([finder], args.lr, args.steps), 0.99)
    balance = torch.tensor(BALANCE, device=device)

    def loss_of(batch):
        frames, joints, parts = mirrored(batch.to(device))
        latents = components.encode(blurred(frames))
        level = (torch.rand(len(latents), 1, 1, 1, device=device) * 0.8 - 0.3).clamp_min(0)
        found, named = finder(latents + level * torch.randn_like(latents))
        inside = ((joints > 0) & (joints < 1)).all(2)
        wanted = blots(joints)
        lost = (F.kl_div(found, wanted.clamp_min(1e-9).log(), reduction="none", log_target=True).sum(2) * inside).mean()
        mistaken = F.nll_loss(named, parts, weight=balance)
        return {"loss": lost + 3 * mistaken, "lost": lost, "mistaken": mistaken}

    run.train(lambda rng: stills.sample(rng, args.batch), loss_of)


if __name__ == "__main__":
    main()
