"""
Makes a folder of runs from a shipped bundle, so that training can go on from it without the original checkpoints.

Averages become the weights; optimizers start anew (delete nothing: a stage that finds only averages begins at step 0 from
them). The head that reads traits is not shipped and starts anew too.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from shutil import copy

import torch
from safetensors.torch import load_file

from layout.unet import UNetSpatioTemporalConditionModel
from networks import UNET
from stages import Subset, choose_learnable


def named(unet: UNetSpatioTemporalConditionModel, values: dict[str, torch.Tensor], stage: str) -> dict[str, torch.Tensor]:
    """A subset's state, its values from `values` where they are there, else from the UNet."""
    choose_learnable(unet, stage)
    subset = Subset(unet)
    state = {name: values.get(name, p.detach()) for name, p in subset.named().items()}
    return {f"values.{i}": state[name].float() for i, name in enumerate(subset.names)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    bundle, out = Path(args.bundle), Path(args.out)
    out.mkdir(parents=True, exist_ok=True)

    def load(name: str) -> dict[str, torch.Tensor]:
        return {key: value.float() for key, value in load_file(bundle / name).items()}

    base, overlay = load("unet/diffusion_pytorch_model.safetensors"), load("unet_overlay.safetensors")
    clip = {f"clip.{key}": value for key, value in load("image_encoder/model.safetensors").items()}
    control = load("controlnext.safetensors")
    unet = UNetSpatioTemporalConditionModel(UNET)
    unet.load_state_dict(base)
    runs = {
        "base": {"unet": base, "encoder": clip},
        "motion": {"subset": named(unet, {}, "motion")},
        "control": {"subset": named(unet, overlay, "control"), "control": control},
        "video": {"subset": named(unet, overlay, "video"), "control": control},
        "reader": {"control": control},
        "vae": {"vae": load("vae/diffusion_pytorch_model.safetensors")},
    }
    copy(Path(__file__).with_name("components.safetensors"), out)
    for name, average in runs.items():
        torch.save({"average": average}, out / f"{name}.pt")


if __name__ == "__main__":
    main()
