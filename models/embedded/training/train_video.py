"""
Temporal stages, on clips.

`--stage motion` (2): the base UNet's temporal branches learn how the cast moves, without any pose; all else is frozen.
`--stage video` (4): control module, subset and temporal branches together learn to follow clips of skeletons.
"""

from __future__ import annotations

import torch

from data import Batch, Cast
from latents import PatchComponents
from layout.controlnext import ControlNeXtSDVModel
from layout.inject import cross_norm
from layout.unet import UNetSpatioTemporalConditionModel
from networks import UNET, Condition, denoising_loss, drop_randomly, on_device, random_ids, trained_encoder
from optimizer import Optimizer
from run import Run, arguments, averaged, prepare
from train_control import SETTLED, Subset, choose_learnable
from train_reader import timeless


def main() -> None:
    parser = arguments(__doc__, steps=800, batch=2, lr=1e-3)
    parser.add_argument("--stage", choices=("motion", "video"), required=True)
    parser.add_argument("--frames", type=int, default=8)
    args = parser.parse_args()
    device = prepare(args)
    clips = Cast(args.data, "clips")
    components = PatchComponents.load(f"{args.out}/components.safetensors")
    unet = UNetSpatioTemporalConditionModel(UNET)
    unet.load_state_dict(averaged(args.out, "base", "unet"))
    encoder = on_device(trained_encoder(args.out), device)
    control = None
    if args.stage == "motion":
        choose_learnable(unet, "motion")
        subset = Subset(unet)
        modules = {"subset": subset}
    else:
        choose_learnable(unet, "motion")
        Subset(unet).load_state_dict(averaged(args.out, "motion", "subset"))
        choose_learnable(unet, "control")
        Subset(unet).load_state_dict(averaged(args.out, "control", "subset"))
        control = ControlNeXtSDVModel(UNET["block_out_channels"][0])
        control.load_state_dict(averaged(args.out, "control", "control"))
        for name, p in control.named_parameters():
            p.requires_grad_(not name.startswith(SETTLED))
        control = on_device(timeless(control), device)
        choose_learnable(unet, "video")
        subset = Subset(unet)
        modules = {"subset": subset, "control": control}
    unet = on_device(unet, device)
    run = Run(args.stage, args, modules, Optimizer(modules.values(), args.lr, args.steps), 0.99)

    def loss_of(step, rng):
        batch: Batch = clips.sample(rng, args.batch, args.frames, pose=control is not None).to(device)
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
            embedding = encoder(batch.reference)
        latents = components.encode(batch.reference)
        latents = latents + 0.05 * torch.randn_like(latents)
        condition, scale = drop_randomly(Condition(latents, embedding.float(), random_ids(args.batch, device)))
        options = {}
        if control is not None:
            scale = scale.repeat_interleave(args.frames)[:, None, None, None]
            poses = batch.poses.contiguous(memory_format=torch.channels_last)
            options = {"control": lambda t: control(poses, t), "combine": lambda h, f: cross_norm(h, f, scale)}
        loss, parts = denoising_loss(unet, components, batch, condition, args.frames, 0.3, 1.4, **options)
        return {"loss": loss, **parts}

    run.train(loss_of, save=100)


if __name__ == "__main__":
    main()
