"""
Stage 0b: the image encoder learns to name a character's traits (colours, sizes, styles) from a picture, before anything
uses its embedding. Cheap, and the denoiser then finds in the embedding what it needs.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from data import Cast
from networks import ImageEncoder, on_device
from optimizer import Optimizer
from run import Run, arguments, prepare


#: Where the colours of skin, hair, iris, lips, clothes, shoes and hat are among the traits (samples/cast/member.ts).
COLOURS = slice(30, 60)


def trait_loss(found: Tensor, truth: Tensor) -> Tensor:
    """Squared error of traits [B, K]; what is seen in every picture, the colours, counts most."""
    weight = torch.full_like(truth[0], 0.3)
    weight[COLOURS] = 10
    return ((found.float() - truth).square().mean(0) * weight).mean()


def main() -> None:
    parser = arguments(__doc__, steps=4000, batch=32, lr=2e-3)
    args = parser.parse_args()
    device = prepare(args)
    stills = Cast(args.data, "stills")
    spread = torch.from_numpy(np.concatenate([shard[3] for shard in stills.shards])).var(0)
    encoder = on_device(ImageEncoder(stills.shards[0][3].shape[1]), device)
    run = Run("encoder", args, {"encoder": encoder}, Optimizer([encoder], args.lr, args.steps), 0.99)

    def loss_of(batch):
        batch = batch.to(device)
        with torch.autocast(device.type, torch.bfloat16):
            traits = encoder.traits(encoder(batch.reference))
        error = (traits.float() - batch.traits).square().mean(0)
        return {"loss": trait_loss(traits, batch.traits), "colours": (error[COLOURS].sum() / spread[COLOURS].sum()).detach(),
                "rest": (error[COLOURS.stop :].sum() / spread[COLOURS.stop :].sum()).detach()}

    run.train(lambda rng: stills.sample(rng, args.batch, pose=False), loss_of)


if __name__ == "__main__":
    main()
