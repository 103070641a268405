"""Collects the averaged weights of all stages into a model folder in the published layout."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from layout.save import SCHEDULER, save_bundle
from layout.vae import AutoencoderKLTemporalDecoder
from networks import SIGMA_MAX, SIGMA_MIN, VAE, trained_encoder
from run import averaged
from stages import Subset, load_base, load_control, load_subset

UNUSED = (".attn2.to_q.", ".attn2.to_k.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True, help="folder of the runs")
    parser.add_argument("--bundle", required=True, help="folder to write")
    args = parser.parse_args()

    unet = load_base(args.out)
    if (Path(args.out) / "motion.pt").exists():
        load_subset(unet, args.out, "motion")
    with torch.no_grad():
        for name, p in unet.named_parameters():
            if any(mark in name for mark in UNUSED):
                p.zero_()
    base = {name: value.clone() for name, value in unet.state_dict().items()}

    last = "video" if (Path(args.out) / "video.pt").exists() else "control"
    load_subset(unet, args.out, last)
    overlay = {name: value.detach().clone() for name, value in Subset(unet).named().items()}
    unet.load_state_dict(base)

    control = load_control(args.out, last)
    vae = AutoencoderKLTemporalDecoder(VAE)
    vae.load_state_dict(averaged(args.out, "decoder" if (Path(args.out) / "decoder.pt").exists() else "vae", "vae"))
    encoder = trained_encoder(args.out).clip

    scheduler = {**SCHEDULER, "sigma_max": SIGMA_MAX, "sigma_min": SIGMA_MIN}
    save_bundle(args.bundle, unet=unet, vae=vae, image_encoder=encoder, controlnext=control, overlay=overlay,
                scheduler=scheduler)
    counts = {"unet": sum(v.numel() for v in base.values()), "overlay": sum(v.numel() for v in overlay.values()),
              "controlnext": sum(p.numel() for p in control.parameters()),
              "vae": sum(p.numel() for p in vae.parameters()), "image encoder": sum(p.numel() for p in encoder.parameters())}
    print(counts, {str(p.relative_to(args.bundle)): p.stat().st_size for p in Path(args.bundle).rglob("*.safetensors")})


if __name__ == "__main__":
    main()
