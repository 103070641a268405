"""
Stage 1: an image model of the cast, without any pose. Trains the UNet's spatial layers and the image encoder.

The temporal branches stay the identity and are not computed.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from data import Cast
from latents import PatchComponents
from layout.unet import UNetSpatioTemporalConditionModel, init_temporal_identity, temporal_parameters
from networks import UNET, Condition, ImageEncoder, denoising_loss, drop_randomly, on_device, random_ids
from optimizer import Optimizer
from run import Run, arguments, prepare


def main() -> None:
    args = arguments(__doc__, steps=6000, batch=16, lr=3e-3).parse_args()
    device = prepare(args)
    stills = Cast(args.data, "stills")
    components = PatchComponents.load(f"{args.out}/components.safetensors")
    unet = UNetSpatioTemporalConditionModel(UNET)
    init_temporal_identity(unet)
    for _, p in temporal_parameters(unet):
        p.requires_grad_(False)
    unet = on_device(unet, device)
    encoder = ImageEncoder(stills.shards[0][3].shape[1]).to(device)
    optimizer = Optimizer([unet, encoder], args.lr, args.steps)
    run = Run("base", args, {"unet": unet, "encoder": encoder}, optimizer)

    def loss_of(step, rng):
        batch = stills.sample(rng, args.batch, pose=False).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            embedding = encoder(batch.reference)
            traits = F.mse_loss(encoder.traits(embedding).float(), batch.traits)
        latents = components.encode(batch.reference)
        latents = latents + 0.05 * torch.randn_like(latents)
        condition, _ = drop_randomly(Condition(latents, embedding.float(), random_ids(args.batch, device)))
        loss, parts = denoising_loss(unet, components, batch, condition, 1, -0.2, 1.3, temporal=False)
        return {"loss": loss + 0.5 * traits, "v": loss, "traits": traits, **parts}

    run.train(loss_of)


if __name__ == "__main__":
    main()
