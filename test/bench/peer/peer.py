"""
The published denoising step in PyTorch (eager, float32), to be timed beside ours.

Optional: `npm run bench -- --only peer --python PATH` starts it. PATH is a Python 3.9 or newer with `torch` (2.0 or newer; a CPU build
will do), `numpy` and `safetensors`. It reads the same weight files and inputs as our step, and does what the published code does:
two guidance branches, the control module on both of them in every step, cross-attention computed as written.

    python peer.py FOLDER THREADS

FOLDER holds unet.json (config), unet.safetensors, controlnext.safetensors and inputs.safetensors (inputs of our step by name, and our
`prediction`). One JSON object a line: first what is running and how far its prediction is from ours, then, for each line on stdin,
the seconds that the named thing took (`step`, `plain`: without control, `control`: the module alone, `matrix`: products of 2048x2048).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Callable, Dict

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "models" / "embedded" / "training"))

from layout.controlnext import ControlNeXtSDVModel  # noqa: E402
from layout.inject import STRENGTH  # noqa: E402
from layout.save import load_strictly  # noqa: E402
from layout.transformer import TransformerBlock, attend  # noqa: E402
from layout.unet import UNetSpatioTemporalConditionModel  # noqa: E402


def published_block(self: TransformerBlock, x: Tensor, context: Tensor) -> Tensor:
    """
    A transformer block as diffusers has it. `layout` takes the cross-attention to one token for the constant that it is; the
    published code computes queries, keys and a softmax over one value for every token.
    """
    h = x + self.attn1(self.norm1(x))
    cross = self.attn2
    tokens = context.repeat_interleave(h.shape[0] // context.shape[0], dim=0)
    mixed = attend(cross.to_q(self.norm2(h)), cross.to_k(tokens), cross.to_v(tokens), self.attn1.heads)
    h = h + cross.to_out[0](mixed)
    return h + self.ff(self.norm3(h))


def published_cross_norm(h: Tensor, control: Tensor, scale: Tensor) -> Tensor:
    """Normalised at the control's own size, then pooled."""
    mean_h, deviation_h = h.mean(dim=(1, 2, 3), keepdim=True), h.std(dim=(1, 2, 3), keepdim=True)
    mean_c, deviation_c = control.mean(dim=(1, 2, 3), keepdim=True), control.std(dim=(1, 2, 3), keepdim=True)
    normal = (control - mean_c) * (deviation_h / (deviation_c + 1e-5)) + mean_h
    return h + STRENGTH * scale * F.adaptive_avg_pool2d(normal, h.shape[2:])


def tasks(folder: Path) -> Dict[str, Callable[[], Tensor]]:
    inputs = load_file(str(folder / "inputs.safetensors"))
    unet = UNetSpatioTemporalConditionModel(json.loads((folder / "unet.json").read_text(encoding="utf-8"))).eval()
    load_strictly(unet, folder / "unet.safetensors")
    control = ControlNeXtSDVModel(unet.conv_in.out_channels).eval()
    load_strictly(control, folder / "controlnext.safetensors")

    latents, sigma = inputs["latents"], inputs["sigma"]
    frames = latents.shape[0]
    timestep = inputs["timestep"].expand(2)
    ids = inputs["added_time_ids"].reshape(1, 3).expand(2, 3)
    context = torch.cat([torch.zeros_like(inputs["image_embeds"]), inputs["image_embeds"]])
    picture = inputs["image_latents"].expand(frames, -1, -1, -1)
    pictures = torch.cat([torch.zeros_like(picture), picture])
    # As our step reads them, so that both see the same numbers.
    pose = ((inputs["control"].permute(0, 3, 1, 2).float() / 255) * 2 - 1 + 1) / 2
    poses = torch.cat([pose, pose])
    scale = torch.cat([torch.zeros(frames), inputs["control_scale"].expand(frames)]).reshape(-1, 1, 1, 1)
    guidance = inputs["guidance"].reshape(-1, 1, 1, 1)

    def module() -> Tensor:
        return control(poses, timestep[:1])

    def denoise(features: Tensor | None) -> Tensor:
        scaled = latents / (sigma**2 + 1) ** 0.5
        sample = torch.cat([torch.cat([scaled, scaled]), pictures], dim=1)

        def combine(h: Tensor, c: Tensor) -> Tensor:
            return published_cross_norm(h, c, scale)

        uncond, cond = unet(sample, timestep, context, ids, frames, features, combine).chunk(2)
        return uncond + guidance * (cond - uncond)

    side = 2048
    matrix = torch.rand(side, side) / side

    def products() -> Tensor:
        x = matrix
        for _ in range(4):
            x = x @ matrix
        return x

    return {
        "step": lambda: denoise(module()),
        "plain": lambda: denoise(None),
        "control": module,
        "matrix": products,
    }


def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(int(sys.argv[2]))
    TransformerBlock.forward = published_block  # type: ignore[method-assign]
    known = tasks(folder)
    ours = load_file(str(folder / "inputs.safetensors"))["prediction"].double()
    theirs = known["step"]().double()
    difference = (ours - theirs).abs()
    tell(
        {
            "torch": torch.__version__,
            "maxDifference": float(difference.max()),
            "relativeL2": float((ours - theirs).norm() / theirs.norm()),
            "largest": float(theirs.abs().max()),
        }
    )
    for line in sys.stdin:
        begun = time.perf_counter()
        known[line.strip()]()
        tell({"seconds": time.perf_counter() - begun})


def tell(value: object) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    with torch.no_grad():
        main()
