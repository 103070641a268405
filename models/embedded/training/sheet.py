"""
A look at how far training is: animates characters of held-out shards and writes a contact sheet.

Rows: reference, then the frames' skeletons, outputs and truths. Prints the foreground's and the whole picture's PSNR.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from PIL import Image

from data import BACKGROUND, Cast
from latents import PatchComponents, psnr
from layout.inject import cross_norm
from layout.vae import AutoencoderKLTemporalDecoder
from networks import SIGMA_MAX, SIGMA_MIN, VAE, Condition, predict, trained_encoder
from noise import euler, karras
from run import averaged
from stages import load_control, unet_after


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="held-out shards")
    parser.add_argument("--out", required=True)
    parser.add_argument("--run", default="control")
    parser.add_argument("--file", default="sheet.png")
    parser.add_argument("--kind", default="stills")
    parser.add_argument("--members", type=int, default=6)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--top", type=float, default=SIGMA_MAX, help="highest noise level")
    parser.add_argument("--vae", action="store_true", help="decode by the learned decoder instead of linearly")
    args = parser.parse_args()
    cast = Cast(args.data, args.kind)
    temporal = args.run == "video"
    frames = 8
    components = PatchComponents.load(f"{args.out}/components.safetensors")
    unet = unet_after(args.out, args.run)
    encoder = trained_encoder(args.out)
    control = load_control(args.out, args.run)
    vae = AutoencoderKLTemporalDecoder(VAE)
    if args.vae:
        vae.load_state_dict(averaged(args.out, "vae", "vae"))
    rows, foreground, whole = [], [], []
    for member in range(args.members):
        rgb, pose, part, *_ = cast.shards[0]
        reference = torch.from_numpy(rgb[member, :1].copy()).permute(0, 3, 1, 2).float() / 255
        truth = torch.from_numpy(rgb[member, 1 : frames + 1].copy()).permute(0, 3, 1, 2).float() / 255
        poses = torch.from_numpy(pose[member, 1 : frames + 1].copy()).permute(0, 3, 1, 2).float() / 255
        latents = vae.encode_mode(reference * 2 - 1) if args.vae else components.encode(reference)
        clips = 1 if temporal else frames
        condition = Condition(
            latents.expand(clips, -1, -1, -1),
            encoder(reference).expand(clips, -1),
            torch.tensor([[6.0, 127.0, 0.02]]).expand(clips, -1),
        )

        features = control(poses, torch.zeros(1))

        def ask(scaled, sigma):
            return predict(unet, scaled, sigma[:clips], condition, frames // clips, temporal=temporal,
                           control=features, combine=lambda h, f: cross_norm(h, f, 1.0))

        start = torch.randn(frames, *latents.shape[1:], generator=torch.Generator().manual_seed(member))
        z = euler(ask, start, karras(args.steps, SIGMA_MIN, args.top))
        out = (vae.decode(z, frames, temporal=temporal) + 1) / 2 if args.vae else components.decode(z)
        out = out.clamp(0, 1)
        mask = torch.from_numpy(part[member, 1 : frames + 1] != BACKGROUND)
        error = (out - truth).square().mean(1)
        foreground.append(float(-10 * torch.log10(error[mask].mean())))
        whole.append(psnr(out, truth))
        for strip in (poses, out, truth):
            head = reference[0] if strip is truth else torch.full_like(reference[0], 0.15)
            rows.append(torch.cat([head, *strip], 2))
    print(f"foreground {np.mean(foreground):.2f} dB, whole {np.mean(whole):.2f} dB", flush=True)
    picture = (torch.cat(rows, 1).permute(1, 2, 0) * 255).round().byte().numpy()
    Image.fromarray(picture).save(args.file)


if __name__ == "__main__":
    main()
