"""What a stage starts from, and which of the UNet's weights it trains."""

from __future__ import annotations

import torch
from torch import nn

from free_channels import free_channels, into_free_channels
from layout.controlnext import ControlNeXtSDVModel
from layout.unet import UNetSpatioTemporalConditionModel, temporal_parameters
from networks import UNET
from run import averaged

#: Parts of the UNet whose spatial layers are fine-tuned: those that see the reference first, those that see the control first, and
#: those that paint.
LEARNABLE = ("conv_in.", "down_blocks.0.", "down_blocks.1.", "up_blocks.1.", "up_blocks.2.")
LAST = "up_blocks.2."
#: Parts of the control module that are not trained further: they cost most and can read skeletons already.
SETTLED = ("embedding.", "down_res.0.", "down_sample.0.", "mid_convs.1.")
#: The stages whose subsets a stage starts from, on top of the base.
BEFORE = {"motion": (), "control": (), "video": ("motion", "control")}


def choose_learnable(unet: nn.Module, stage: str) -> None:
    """
    Freezes all of the UNet but what a stage trains. `motion`: every temporal branch. `control`: the spatial layers of the
    subset. `video`: those and the temporal resnets of the block that paints last.
    """
    in_time = {name for name, _ in temporal_parameters(unet.requires_grad_(True))}
    # Queries and keys for a single token are never computed, and have no gradient.
    unused = (".attn2.to_q.", ".attn2.to_k.", "transformer_blocks.0.norm2.")
    for name, p in unet.named_parameters():
        if name in in_time:
            wanted = stage == "motion" or (stage == "video" and name.startswith(LAST))
        else:
            wanted = stage != "motion" and name.startswith(LEARNABLE)
        p.requires_grad_(wanted and not any(mark in name for mark in unused))


class Subset(nn.Module):
    """The learnable tensors of a UNet, alone: what checkpoints and averages of a fine-tuning run hold."""

    def __init__(self, unet: nn.Module):
        super().__init__()
        self.names = [name for name, p in unet.named_parameters() if p.requires_grad]
        parameters = dict(unet.named_parameters())
        self.values = nn.ParameterList([parameters[name] for name in self.names])

    def named(self) -> dict[str, torch.Tensor]:
        return {name: value for name, value in zip(self.names, self.values)}


def load_subset(unet: nn.Module, folder: str, stage: str) -> None:
    """Replaces the tensors that `stage` trained."""
    choose_learnable(unet, stage)
    Subset(unet).load_state_dict(averaged(folder, stage, "subset"))


def load_base(folder: str) -> UNetSpatioTemporalConditionModel:
    unet = UNetSpatioTemporalConditionModel(UNET)
    unet.load_state_dict(averaged(folder, "base", "unet"))
    return unet


def unet_before(folder: str, stage: str) -> UNetSpatioTemporalConditionModel:
    """The UNet as `stage` finds it, with only what the stage trains learnable."""
    unet = load_base(folder)
    for earlier in BEFORE[stage]:
        load_subset(unet, folder, earlier)
    choose_learnable(unet, stage)
    return unet


def unet_after(folder: str, stage: str) -> UNetSpatioTemporalConditionModel:
    unet = unet_before(folder, stage)
    load_subset(unet, folder, stage)
    return unet.requires_grad_(False)


def timeless(control: ControlNeXtSDVModel) -> ControlNeXtSDVModel:
    """
    Takes the noise level's influence away for good, so that features of a frame can be computed once for all steps of
    sampling.
    """
    for resnet in control.down_res:
        nn.init.zeros_(resnet.time_emb_proj.weight)
        resnet.time_emb_proj.requires_grad_(False)
    control.time_embedding.requires_grad_(False)
    return control


def load_control(folder: str, run: str) -> ControlNeXtSDVModel:
    control = ControlNeXtSDVModel(UNET["block_out_channels"][0])
    control.load_state_dict(averaged(folder, run, "control"))
    return timeless(control)


def settled(control: ControlNeXtSDVModel) -> ControlNeXtSDVModel:
    """With only what the control and video stages train learnable."""
    for name, p in control.named_parameters():
        if name.startswith(SETTLED):
            p.requires_grad_(False)
    return control


def reader_for(folder: str, unet: nn.Module) -> ControlNeXtSDVModel:
    """The module that learned to read skeletons, its features turned into the channels that the base left free."""
    control = load_control(folder, "reader")
    channels = free_channels(unet.state_dict())
    if len(channels):
        with torch.no_grad():
            into_free_channels(control.state_dict(), channels)
    return settled(control)
