"""
Gives the reference's details a way into the network.

Trained without poses, the base let only the coarsest three of the reference's eight channels through its first convolution
(two thirds of the others' variance could not be read off its output): a denoiser that does not know where anybody stands has little
use for details of another pose. Control has. So the whole reference is added to the first convolution's output, along the directions in
which that output varies least: what reads it hardly notices, and what is trained from here on finds all of it there.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from data import Cast
from latents import PatchComponents
from networks import LATENT_CHANNELS
from noise import noisy
from stages import Subset, load_subset, unet_before

#: Standard deviation of each channel of the reference along its direction; that of an output channel is about 1.
STRENGTH = 0.5


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True, help="folder of the runs; its control.pt gets new averages to start from")
    args = parser.parse_args()
    torch.manual_seed(1)
    batch = Cast(args.data, "stills").sample(np.random.default_rng(1), 64, pose=False)
    components = PatchComponents.load(f"{args.out}/components.safetensors")
    unet = unet_before(args.out, "control")
    load_subset(unet, args.out, "control")

    reference, clean = components.encode(batch.reference), components.encode(batch.frames)
    levels = torch.tensor([0.2, 1.0, 4.0, 20.0]).repeat(len(clean) // 4)
    state, _ = noisy(clean, torch.randn_like(clean), levels)
    seen = unet.conv_in(torch.cat([state, reference], 1)).transpose(0, 1).flatten(1)
    _, directions = torch.linalg.eigh(torch.cov(seen))
    quietest = directions[:, :LATENT_CHANNELS]
    unet.conv_in.weight[:, LATENT_CHANNELS:, 1, 1] += quietest * (STRENGTH / reference.std((0, 2, 3)))

    path = f"{args.out}/control.pt"
    average = torch.load(path, map_location="cpu", weights_only=True)["average"]
    torch.save({"average": {**average, "subset": Subset(unet).state_dict()}}, path)


if __name__ == "__main__":
    main()
