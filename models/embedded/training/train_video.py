"""
Temporal stages, on clips.

`--stage motion` (2): the base UNet's temporal branches learn how the cast moves, without any pose; all else is frozen.
`--stage video` (4): control module, subset and the last temporal resnets together learn to follow clips of skeletons.
"""

from __future__ import annotations

from data import Cast
from layout.inject import cross_norm
from networks import Conditioner, denoising_loss, on_device, pose_features
from optimizer import Optimizer
from run import Run, arguments, prepare
from stages import Subset, load_control, settled, unet_before


def main() -> None:
    parser = arguments(__doc__, steps=800, batch=2, lr=1e-3)
    parser.add_argument("--stage", choices=("motion", "video"), required=True)
    parser.add_argument("--frames", type=int, default=8)
    args = parser.parse_args()
    device = prepare(args)
    clips = Cast(args.data, "clips")
    conditioner = Conditioner(args.out, device)
    unet = on_device(unet_before(args.out, args.stage), device)
    modules = {"subset": Subset(unet)}
    if args.stage == "video":
        modules["control"] = on_device(settled(load_control(args.out, "control")), device)
    run = Run(args.stage, args, modules, Optimizer(modules.values(), args.lr, args.steps), 0.99)

    def loss_of(batch):
        batch = batch.to(device)
        condition, strength = conditioner(batch)
        options = {}
        if args.stage == "video":
            strength = strength.repeat_interleave(args.frames)[:, None, None, None]
            options = {"control": pose_features(modules["control"], batch.poses),
                       "combine": lambda h, f: cross_norm(h, f, strength)}
        loss, parts = denoising_loss(unet, conditioner.components, batch, condition, args.frames, 0.5, 1.5, **options)
        return {"loss": loss, **parts}

    run.train(lambda rng: clips.sample(rng, args.batch, args.frames, pose=args.stage == "video"), loss_of, save=100)


if __name__ == "__main__":
    main()
