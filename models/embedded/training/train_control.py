"""
Stage 3b: ControlNeXt. The base UNet is frozen but for a small subset; the control module and the subset learn to follow
skeletons, joined by cross normalisation.
"""

from __future__ import annotations

from data import Cast
from layout.inject import cross_norm
from networks import Conditioner, denoising_loss, on_device, pose_features
from optimizer import Optimizer
from run import Run, arguments, prepare
from stages import Subset, reader_for, unet_before


def main() -> None:
    parser = arguments(__doc__, steps=4000, batch=8, lr=2e-3)
    parser.add_argument("--draws", type=int, default=2, help="noise levels for each frame; they share the control features")
    parser.add_argument("--noise", type=float, default=1.5, help="mean of the logarithm of noise levels")
    args = parser.parse_args()
    device = prepare(args)
    stills = Cast(args.data, "stills")
    conditioner = Conditioner(args.out, device)
    unet = on_device(unet_before(args.out, "control"), device)
    control = on_device(reader_for(args.out, unet), device)
    subset = Subset(unet)
    print(f"{sum(p.numel() for p in unet.parameters())} parameters in the UNet, "
          f"{sum(p.numel() for p in subset.parameters())} of them learn, "
          f"{sum(p.numel() for p in control.parameters())} in the control module", flush=True)
    run = Run("control", args, {"subset": subset, "control": control}, Optimizer([subset, control], args.lr, args.steps))

    def loss_of(batch):
        batch = batch.to(device)
        condition, strength = conditioner(batch, draws=args.draws)
        loss, parts = denoising_loss(unet, conditioner.components, batch, condition, 1, args.noise, 1.2, temporal=False,
                                     control=pose_features(control, batch.poses),
                                     combine=lambda h, f: cross_norm(h, f, strength[:, None, None, None]))
        return {"loss": loss, **parts}

    run.train(lambda rng: stills.sample(rng, args.batch), loss_of)


if __name__ == "__main__":
    main()
