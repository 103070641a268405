"""
Stage 3b: ControlNeXt. The base UNet is frozen but for a small subset; the control module and the subset learn to follow
skeletons, joined by cross normalisation.
"""

from __future__ import annotations

import torch

from data import Cast
from free_channels import free_channels, into_free_channels
from latents import PatchComponents
from layout.controlnext import ControlNeXtSDVModel
from layout.inject import cross_norm
from layout.unet import UNetSpatioTemporalConditionModel, temporal_parameters
from networks import UNET, Condition, denoising_loss, drop_randomly, on_device, random_ids, trained_encoder
from optimizer import Optimizer
from run import Run, arguments, averaged, prepare
from train_reader import timeless

#: Blocks of the UNet whose spatial layers are fine-tuned: the one that sees the control first, and those that paint.
LEARNABLE = ("down_blocks.1.", "mid_block.", "up_blocks.2.")
#: Parts of the control module that are not trained further: they cost most and can read skeletons already.
SETTLED = ("embedding.", "down_res.0.", "down_sample.0.", "mid_convs.1.")


def choose_learnable(unet: torch.nn.Module, stage: str) -> int:
    """
    Freezes all of the UNet but what a stage trains; returns how many parameters that is. `motion`: every temporal branch.
    `control`: the spatial layers of the subset. `video`: those and the subset's temporal resnets.
    """
    count = 0
    in_time = {name for name, _ in temporal_parameters(unet.requires_grad_(True))}
    # Queries and keys for a single token are never computed, and have no gradient.
    unused = (".attn2.to_q.", ".attn2.to_k.", "transformer_blocks.0.norm2.")
    for name, p in unet.named_parameters():
        if name in in_time:
            wanted = stage == "motion" or (stage == "video" and name.startswith(LEARNABLE) and ".resnets." in name)
        else:
            wanted = stage != "motion" and name.startswith(LEARNABLE)
        p.requires_grad_(wanted and not any(mark in name for mark in unused))
        count += p.numel() if p.requires_grad else 0
    return count


class Subset(torch.nn.Module):
    """The learnable tensors of a UNet, alone: what checkpoints and averages of a fine-tuning run hold."""

    def __init__(self, unet: torch.nn.Module):
        super().__init__()
        self.names = [name for name, p in unet.named_parameters() if p.requires_grad]
        parameters = dict(unet.named_parameters())
        self.values = torch.nn.ParameterList([parameters[name] for name in self.names])

    def named(self) -> dict[str, torch.Tensor]:
        return {name: value for name, value in zip(self.names, self.values)}


def main() -> None:
    parser = arguments(__doc__, steps=4000, batch=12, lr=2e-3)
    parser.add_argument("--reader", default="reader", help="run whose control module is taken; empty: a fresh one")
    args = parser.parse_args()
    device = prepare(args)
    stills = Cast(args.data, "stills")
    components = PatchComponents.load(f"{args.out}/components.safetensors")
    unet = UNetSpatioTemporalConditionModel(UNET)
    unet.load_state_dict(averaged(args.out, "base", "unet"))
    learnable = choose_learnable(unet, "control")
    unet = on_device(unet, device)
    encoder = on_device(trained_encoder(args.out), device)
    control = ControlNeXtSDVModel(UNET["block_out_channels"][0])
    if args.reader:
        weights = averaged(args.out, args.reader, "control")
        channels = free_channels(unet.state_dict())
        if len(channels):
            into_free_channels(weights, channels)
        control.load_state_dict(weights)
        for name, p in control.named_parameters():
            p.requires_grad_(not name.startswith(SETTLED))
    control = on_device(timeless(control), device)
    subset = Subset(unet)
    print(f"{sum(p.numel() for p in unet.parameters())} parameters in the UNet, {learnable} of them learn, "
          f"{sum(p.numel() for p in control.parameters())} in the control module", flush=True)
    run = Run("control", args, {"subset": subset, "control": control}, Optimizer([subset, control], args.lr, args.steps))

    def loss_of(step, rng):
        batch = stills.sample(rng, args.batch).to(device)
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
            embedding = encoder(batch.reference)
        latents = components.encode(batch.reference)
        latents = latents + 0.05 * torch.randn_like(latents)
        condition, scale = drop_randomly(Condition(latents, embedding.float(), random_ids(args.batch, device)))
        scale = scale[:, None, None, None]
        poses = batch.poses.contiguous(memory_format=torch.channels_last)
        loss, parts = denoising_loss(unet, components, batch, condition, 1, 1.0, 1.3, temporal=False,
                                     control=lambda t: control(poses, t), combine=lambda h, f: cross_norm(h, f, scale))
        return {"loss": loss, **parts}

    run.train(loss_of)


if __name__ == "__main__":
    main()
