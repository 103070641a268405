"""
Compares these networks with what the published code computed with small random weights.

    python check_layout.py MODEL CASES [--overlay FILE]

MODEL is a model folder in the published layout, CASES a folder of recordings (unet_a.safetensors, ...); in this
repository test/fixtures/model and test/fixtures/modules. Prints the largest difference and the relative L2 distance of
every recorded output; exits with 1 where the latter is above 2e-5.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Dict, Iterator, Tuple

import torch
from safetensors.torch import load_file
from torch import Tensor

from layout.clip import CLIPVisionModelWithProjection, clip_pixels
from layout.inject import cross_norm
from layout.save import load_controlnext, load_network
from layout.unet import UNetSpatioTemporalConditionModel, init_temporal_identity
from layout.vae import AutoencoderKLTemporalDecoder
from layout.vae import init_temporal_identity as init_vae_temporal_identity

Result = Tuple[str, Tensor, Tensor]


def unet_results(model: Path, cases: Path, overlay: Path) -> Iterator[Result]:
    unet = load_network(UNetSpatioTemporalConditionModel, model / "unet")
    base = {name: x.clone() for name, x in unet.state_dict().items()}
    over = {**base, **{name: x.float() for name, x in load_file(str(overlay)).items()}}
    for name, case in recordings(cases, "unet_[abc]"):
        frames = case["sample"].shape[1]
        inputs = (
            case["sample"].flatten(0, 1),
            case["timestep"],
            case["encoder_hidden_states"],
            case["added_time_ids"],
            frames,
        )
        for prefix, weights in (("", base), ("overlay_", over)):
            unet.load_state_dict(weights)
            for output, scale in (("plain", None), ("control", case["control_scale"]), ("control_scale1", 1.0)):
                if f"{prefix}out_{output}" not in case:
                    continue
                control = None if scale is None else case["control"]
                out = unet(*inputs, control=control, combine=lambda h, c: cross_norm(h, c, scale))
                yield f"{name} {prefix}out_{output}", out, case[f"{prefix}out_{output}"].flatten(0, 1)
        # Not recorded: rows of a batch do not see each other, and identity means identity.
        unet.load_state_dict(base)
        count = inputs[2].shape[0]
        times = torch.linspace(-1, 1, count)
        together = unet(inputs[0], times, *inputs[2:])
        for row in range(count):
            part = slice(row * frames, (row + 1) * frames)
            alone = unet(inputs[0][part], times[row : row + 1], inputs[2][row : row + 1], inputs[3][row : row + 1], frames)
            yield f"{name} row {row} alone", together[part], alone
        init_temporal_identity(unet)
        yield f"{name} temporal identity", unet(*inputs), unet(*inputs, temporal=False)


def controlnext_results(model: Path, cases: Path) -> Iterator[Result]:
    network = load_controlnext(model / "controlnext.safetensors")
    for name, case in recordings(cases, "controlnext_[abc]"):
        pose = ((2 * (case["pose_u8"].float() / 255) - 1) + 1) / 2
        for i in range(3):
            if f"output_{i}" in case:
                out = network(pose.flatten(0, 1).permute(0, 3, 1, 2), case[f"timestep_{i}"])
                yield f"{name} output_{i}", out, case[f"output_{i}"]


def vae_results(model: Path, cases: Path) -> Iterator[Result]:
    vae = load_network(AutoencoderKLTemporalDecoder, model / "vae")
    for name, case in recordings(cases, "vae_encode_*"):
        pictures = case["pixels"] if "pixels" in case else 2 * (case["image_u8"].permute(0, 3, 1, 2) / 255) - 1
        yield f"{name} mode", vae.encode_mode(pictures), case["mode"]
    # Recorded in chunks of 2, 5 and 2 frames; b has the latents of a, and may hold frames 1 and 2 alone.
    latents = torch.empty(0)
    for name, case in recordings(cases, "vae_decode_*"):
        if "latents" in case:
            latents = case["latents"].flatten(0, 1) / vae.config["scaling_factor"]
        parts = latents.split(5 if name.endswith("b") else 2)
        decoded = torch.cat([vae.decode(part, len(part)) for part in parts])
        if "decoded" in case:
            yield f"{name} decoded", decoded, case["decoded"]
        else:
            yield f"{name} decoded, frames 1 and 2", decoded[1:3], case["decoded_1_2"]
    init_vae_temporal_identity(vae)
    yield "vae temporal identity", vae.decode(latents, len(latents)), vae.decode(latents, 1, temporal=False)


def clip_results(model: Path, cases: Path) -> Iterator[Result]:
    clip = load_network(CLIPVisionModelWithProjection, model / "image_encoder")
    for name, case in recordings(cases, "clip_*"):
        expected = case["image_embeddings"][-1]
        if "pixel_values" in case:
            yield f"{name} embedding", clip(case["pixel_values"]), expected
        if "image_u8" in case:
            picture = case["image_u8"].reshape(case["image_u8"].shape[-3:]).permute(2, 0, 1)[None] / 255
        elif name in FORMULA_SIZES:
            picture = formula_picture(*FORMULA_SIZES[name])
        else:
            continue
        pixels = clip_pixels(picture)
        if "pixel_values" in case:
            yield f"{name} pixel values", pixels, case["pixel_values"]
        yield f"{name} embedding of the picture", clip(pixels), expected


#: Rows and columns of the pictures that are not stored.
FORMULA_SIZES = {"clip_a": (1024, 576), "clip_c": (320, 512)}


def formula_picture(rows: int, columns: int) -> Tensor:
    """The recordings' picture by formula, [1, 3, rows, columns] in 0..1."""
    y, x, c = torch.meshgrid(torch.arange(rows), torch.arange(columns), torch.arange(3), indexing="ij")
    ramps = x * (c + 1) // 4 + y * (3 - c) // 5 + x * y // (61 + 20 * c)
    levels = (ramps + (x // 24 + y // 40) % 2 * 70 + 31 * c) % 256
    return levels.permute(2, 0, 1)[None] / 255


def recordings(cases: Path, pattern: str) -> Iterator[Tuple[str, Dict[str, Tensor]]]:
    for path in sorted(cases.glob(f"{pattern}.safetensors")):
        yield path.stem, load_file(str(path))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("model", type=Path)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--overlay", type=Path, help="default: unet_overlay.fp16.safetensors of the model")
    args = parser.parse_args()
    overlay = args.overlay or args.model / "unet_overlay.fp16.safetensors"
    worst = 0.0
    with torch.no_grad():
        for results in (
            unet_results(args.model, args.cases, overlay),
            controlnext_results(args.model, args.cases),
            vae_results(args.model, args.cases),
            clip_results(args.model, args.cases),
        ):
            for name, got, expected in results:
                if got.numel() != expected.numel():
                    raise ValueError(f"{name}: {tuple(got.shape)} instead of {tuple(expected.shape)}")
                difference = (got - expected.reshape(got.shape)).double()
                relative = float(difference.norm() / expected.double().norm())
                worst = max(worst, relative)
                print(f"{name:34} largest {float(difference.abs().max()):.1e}  relative {relative:.1e}")
    return 0 if worst <= 2e-5 else 1


if __name__ == "__main__":
    sys.exit(main())
