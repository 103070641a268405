"""
Stage 1: an image model of the cast, without any pose. Trains the UNet's spatial layers and the image encoder.

The temporal branches stay the identity and are not computed.
"""

from __future__ import annotations

import torch

from data import Cast
from free_channels import keep_clear
from latents import PatchComponents
from layout.unet import UNetSpatioTemporalConditionModel, init_temporal_identity, temporal_parameters
from networks import UNET, ImageEncoder, condition_of, denoising_loss, drop_randomly, on_device
from optimizer import Optimizer
from run import Run, arguments, prepare
from train_encoder import trait_loss


def main() -> None:
    parser = arguments(__doc__, steps=6000, batch=16, lr=3e-3)
    parser.add_argument("--free", action="store_true", help="keep cleared channels of the state clear (free_channels.py)")
    parser.add_argument("--noise", type=float, default=-0.2, help="mean of the logarithm of noise levels")
    parser.add_argument("--settled-encoder", action="store_true", help="leave the image encoder as it is")
    args = parser.parse_args()
    device = prepare(args)
    stills = Cast(args.data, "stills")
    components = PatchComponents.load(f"{args.out}/components.safetensors")
    unet = UNetSpatioTemporalConditionModel(UNET)
    init_temporal_identity(unet)
    for _, p in temporal_parameters(unet):
        p.requires_grad_(False)
    unet = on_device(unet, device)
    encoder = ImageEncoder(stills.shards[0][3].shape[1]).to(device).requires_grad_(not args.settled_encoder)
    optimizer = Optimizer([unet, encoder], args.lr, args.steps)
    run = Run("base", args, {"unet": unet, "encoder": encoder}, optimizer)

    if args.free:
        keep_clear(unet, readers=True)

    def loss_of(batch):
        batch = batch.to(device)
        with torch.autocast(device.type, torch.bfloat16):
            embedding = encoder(batch.reference)
            traits = 0 if args.settled_encoder else trait_loss(encoder.traits(embedding), batch.traits)
        condition, _ = drop_randomly(condition_of(batch.reference, components, embedding))
        loss, parts = denoising_loss(unet, components, batch, condition, 1, args.noise, 1.4, temporal=False)
        return {"loss": loss + traits, "v": loss, **parts}

    run.train(lambda rng: stills.sample(rng, args.batch, pose=False), loss_of)


if __name__ == "__main__":
    main()
