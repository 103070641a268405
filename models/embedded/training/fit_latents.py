"""Stage 0: principal components of the cast's patches, the denoiser's latents."""

from __future__ import annotations

import argparse

import numpy as np

from data import Cast
from latents import PatchComponents, psnr
from networks import LATENT_CHANNELS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    stills = Cast(args.data, "stills")
    pictures = stills.sample(np.random.default_rng(0), 600, pose=False).frames
    fresh = stills.sample(np.random.default_rng(1), 100, pose=False).frames
    for channels in (4, 6, 8, 12):
        components = PatchComponents.fit(pictures, channels)
        print(f"{channels} components: {psnr(components.decode(components.encode(fresh)), fresh):.2f} dB", flush=True)
    components = PatchComponents.fit(pictures, LATENT_CHANNELS)
    print("deviation of each latent channel:", components.encode(fresh).std((0, 2, 3)))
    components.save(f"{args.out}/components.safetensors")


if __name__ == "__main__":
    main()
