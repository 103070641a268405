"""
The VAE: an encoder that finds the patch components, a decoder that undoes them.

Each learns on its own, on crops at first: the encoder by regression, the decoder from exact components with a little
noise (what the denoiser leaves behind) to pictures, with weight on faces and hands and on edges.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from data import Cast
from latents import PATCH, PatchComponents, psnr
from layout.vae import AutoencoderKLTemporalDecoder, init_temporal_identity
from networks import HEIGHT, VAE, WIDTH, on_device, part_weights
from optimizer import Optimizer
from run import Run, arguments, prepare


def gradients(x: Tensor) -> tuple[Tensor, Tensor]:
    return x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]


def picture_loss(out: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Absolute and squared errors and errors of gradients; all in -1..1."""
    edges = sum(F.l1_loss(a, b) for a, b in zip(gradients(out), gradients(truth)))
    error = out - truth
    return (error.abs() * weight).mean() + 2 * (error.square() * weight).mean() + 0.5 * edges


def main() -> None:
    parser = arguments(__doc__, steps=3000, batch=4, lr=2e-3)
    args = parser.parse_args()
    device = prepare(args)
    stills = Cast(args.data, "stills")
    components = PatchComponents.load(f"{args.out}/components.safetensors")
    vae = AutoencoderKLTemporalDecoder(VAE)
    init_temporal_identity(vae)
    for name, p in vae.named_parameters():
        if "temporal" in name or "time_mixer" in name or "time_conv_out" in name:
            p.requires_grad_(False)
    vae = on_device(vae, device)
    optimizer = Optimizer([vae], args.lr, args.steps)
    run = Run("vae", args, {"vae": vae}, optimizer)

    def loss_of(batch):
        batch = batch.to(device)
        truth, parts = batch.frames, batch.parts
        chance, row, column, noise = torch.rand(4).tolist()
        if chance < 0.7:
            # Half the height and width, anywhere.
            top = int(row * (HEIGHT // 2 // PATCH + 1)) * PATCH
            left = int(column * (WIDTH // 2 // PATCH + 1)) * PATCH
            window = (..., slice(top, top + HEIGHT // 2), slice(left, left + WIDTH // 2))
            truth, parts = truth[window], parts[window]
        latents = components.encode(truth)
        given = latents + 0.15 * noise * torch.randn_like(latents)
        with torch.autocast(device.type, torch.bfloat16):
            found = vae.encode_mode((truth * 2 - 1).contiguous(memory_format=torch.channels_last))
            out = vae.decode(given.contiguous(memory_format=torch.channels_last), 1, temporal=False)
        encoding = F.mse_loss(found.float(), latents)
        drawing = picture_loss(out.float(), truth * 2 - 1, part_weights(parts, 1))
        return {"loss": encoding + drawing, "encoding": encoding, "drawing": drawing}

    @torch.no_grad()
    def look(step):
        import numpy as np

        truth = stills.sample(np.random.default_rng(99), 16, pose=False).frames.to(device)
        kept = {k: v.clone() for k, v in vae.state_dict().items()}
        vae.load_state_dict(run.average.values["vae"])
        round_trip = vae.decode(vae.encode_mode(truth * 2 - 1), 1, temporal=False)
        exact = vae.decode(components.encode(truth), 1, temporal=False)
        print(f"vae step {step}: there and back {psnr((round_trip + 1) / 2, truth):.2f} dB, "
              f"decoder alone {psnr((exact + 1) / 2, truth):.2f} dB", flush=True)
        vae.load_state_dict(kept)

    run.train(lambda rng: stills.sample(rng, args.batch, pose=False), loss_of, look=look)


if __name__ == "__main__":
    main()
