"""
Stage 1b: makes room for control in the base.

Cross normalisation adds control at a fifth of the state's strength, into the same channels. Where the state itself is
silent, the group normalisation that follows (groups of two channels) brings control up to full strength. So the channels
of the state after down block 0 that matter least are cleared, with what reads them; `train_base.py --free` then mends what
that broke. Raising nothing but a few hundred zeros, this leaves a valid UNet.
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor, nn

FREE = 24
DOWN = "down_blocks.0.downsamplers.0.conv"
READER = "down_blocks.1.resnets.0.spatial_res_block"


def free_channels(unet: dict[str, Tensor]) -> Tensor:
    """Indices of the cleared channels: both of each pair that a group norm treats together."""
    silent = unet[f"{DOWN}.weight"].flatten(1).abs().sum(1) == 0
    return torch.nonzero(silent).flatten()


def clear(unet: dict[str, Tensor]) -> None:
    """Clears the `FREE` channels that down block 1 reads least."""
    gain = unet[f"{READER}.norm1.weight"].abs()
    read = unet[f"{READER}.conv1.weight"].square().sum((0, 2, 3)).sqrt() * gain
    passed = unet[f"{READER}.conv_shortcut.weight"].square().sum((0, 2, 3)).sqrt()
    passed = passed * unet[f"{DOWN}.weight"].flatten(1).norm(dim=1)
    use = (read / read.mean() + passed / passed.mean()).view(-1, 2).sum(1)
    pairs = use.argsort()[: FREE // 2]
    channels = torch.stack([2 * pairs, 2 * pairs + 1], 1).flatten()
    for name in (f"{DOWN}.weight", f"{DOWN}.bias", f"{READER}.norm1.bias"):
        unet[name][channels] = 0
    unet[f"{READER}.norm1.weight"][channels] = 1
    for name in ("conv1", "conv_shortcut"):
        unet[f"{READER}.{name}.weight"][:, channels] = 0


def keep_clear(unet: nn.Module, readers: bool) -> None:
    """In training: no gradient reaches what makes the cleared channels, nor (`readers`) what reads them."""
    parameters = dict(unet.named_parameters())
    channels = free_channels(parameters)

    def stop(name: str, axis: int) -> None:
        p = parameters[name]
        mask = torch.ones(p.shape[axis], device=p.device).index_fill_(0, channels, 0)
        p.register_hook(lambda grad: grad * mask.view([-1 if i == axis else 1 for i in range(p.ndim)]))

    makers = (f"{DOWN}.weight", f"{DOWN}.bias")
    for name in (*makers, f"{READER}.norm1.weight", f"{READER}.norm1.bias") if readers else makers:
        stop(name, 0)
    for name in ("conv1", "conv_shortcut") if readers else ():
        stop(f"{READER}.{name}.weight", 1)


def into_free_channels(control: dict[str, Tensor], channels: Tensor) -> None:
    """Turns a control module's features so that all they say is said in `channels`: principal directions of its last layer."""
    weight, bias = control["mid_convs.1.weight"], control["mid_convs.1.bias"]
    matrix = weight.flatten(1)
    _, _, directions = torch.linalg.svd(matrix, full_matrices=False)
    turned = torch.zeros_like(matrix)
    turned[channels] = directions[: len(channels)] * matrix.norm() / len(channels) ** 0.5
    weight.copy_(turned.view_as(weight))
    bias.zero_()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    average = torch.load(f"{args.out}/base.pt", map_location="cpu", weights_only=True)["average"]
    clear(average["unet"])
    torch.save({"average": average}, f"{args.out}/base.pt")
    print("cleared:", free_channels(average["unet"]).tolist())


if __name__ == "__main__":
    main()
