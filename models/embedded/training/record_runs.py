"""
Whole runs by these networks, sampled as the published pipeline samples: recorded for `npm run parity`, or compared with
runs that are recorded already.

    python record_runs.py MODEL --to FOLDER --data HELD     runs of a held-out character; --small: one that tests can keep
    python record_runs.py MODEL --like FOLDER               exits with 1 where FOLDER/e2e has it differently

The second, with the model of recordings of the published implementation, says that this is the published loop; the first
and `npm run parity -- FOLDER --model MODEL`, that pantomime makes the same frames of a bundle as PyTorch does.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from data import Cast, picture
from layout.clip import CLIPVisionModelWithProjection, clip_pixels
from layout.inject import cross_norm
from layout.save import load_controlnext, load_network
from layout.unet import UNetSpatioTemporalConditionModel
from layout.vae import AutoencoderKLTemporalDecoder
from noise import denoised, karras

#: What the published pipeline says of every video, whatever it is asked for: frames per second, motion, noise level.
ADDED_TIME_IDS = torch.tensor([[6.0, 128.0, 0.02]])

#: Recorded runs of a bundle: one window with guidance that changes nothing, three windows with a ramp of it, the base alone.
CASES: dict[str, dict[str, Any]] = {
    "one_window": {"num_frames": 12, "frames_per_batch": 12, "overlap": 4, "max_guidance_scale": 1.0, "unet_overlay": True},
    "windows": {"num_frames": 16, "frames_per_batch": 8, "overlap": 3, "max_guidance_scale": 2.0, "unet_overlay": True},
    "base": {"num_frames": 8, "frames_per_batch": 8, "overlap": 2, "max_guidance_scale": 1.0, "unet_overlay": False},
}

#: With --small, at half the height and width: two windows with guidance.
SMALL_CASES: dict[str, dict[str, Any]] = {
    "small": {"num_frames": 6, "frames_per_batch": 4, "overlap": 2, "max_guidance_scale": 2.0, "unet_overlay": True,
              "num_inference_steps": 2},
}

#: Names of the overlay, of which the first that is there counts.
OVERLAYS = ("unet_overlay.safetensors", "unet_overlay.fp16.safetensors")

#: Relative L2 distances below which two runs are the same, as `npm run parity` has them; levels by which frames may differ.
SAME, SAME_LEVELS = 5e-4, 2


class Model:
    """A model folder in the published layout, read strictly."""

    def __init__(self, folder: Path):
        self.unet = load_network(UNetSpatioTemporalConditionModel, folder / "unet")
        self.base = {name: x.clone() for name, x in self.unet.state_dict().items()}
        overlay = next(path for path in (folder / name for name in OVERLAYS) if path.exists())
        self.overlay = {name: x.float() for name, x in load_file(str(overlay)).items()}
        self.vae = load_network(AutoencoderKLTemporalDecoder, folder / "vae")
        self.clip = load_network(CLIPVisionModelWithProjection, folder / "image_encoder")
        self.control = load_controlnext(folder / "controlnext.safetensors")
        self.scheduler = json.loads((folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8"))

    @torch.no_grad()
    def run(self, case: Mapping[str, Any], inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The outputs of a run, by the recordings' names and in their shapes; rows of a guidance batch without it first."""
        self.unet.load_state_dict({**self.base, **self.overlay} if case["unet_overlay"] else self.base)
        count, chunk = case["num_frames"], min(case["frames_per_batch"], case["num_frames"])
        reference, poses = picture(inputs["ref_image"][None].numpy()), picture(inputs["pose_frames"][:count].numpy())
        embedding = self.clip(clip_pixels(reference))
        latents = self.vae.encode_mode(2 * reference - 1 + case["noise_aug_strength"] * inputs["aug_noise"])
        branches = torch.tensor([0.0, 1.0] if case["max_guidance_scale"] >= 1 else [1.0])
        guidance = torch.linspace(case["min_guidance_scale"], case["max_guidance_scale"], chunk)[:, None, None, None]
        sigmas = karras(case["num_inference_steps"], self.scheduler["sigma_min"], self.scheduler["sigma_max"])
        embeddings, images = branches[:, None, None] * embedding, branches[:, None, None, None] * latents
        out = {"image_embeddings": embeddings, "image_latents": images, "sigmas": sigmas}

        def predict(x: Tensor, skeletons: Tensor, sigma: Tensor) -> Tensor:
            timestep = 0.25 * sigma.log()[None]
            scaled = (x / (sigma**2 + 1).sqrt()).repeat(len(branches), 1, 1, 1)
            strength = branches.repeat_interleave(chunk)[:, None, None, None]
            v = self.unet(
                torch.cat([scaled, images.repeat_interleave(chunk, 0)], 1), timestep, embeddings,
                ADDED_TIME_IDS.expand(len(branches), -1), chunk,
                control=self.control(skeletons, timestep).repeat(len(branches), 1, 1, 1),
                combine=lambda h, c: cross_norm(h, c, strength),
            )
            if len(branches) == 1:
                return v
            without, given = v.chunk(2)
            return without + guidance * (given - without)

        x = inputs["init_latents"][0, :count] * (sigmas[0] ** 2 + 1).sqrt()
        for step, (sigma, following) in enumerate(zip(sigmas[:-1], sigmas[1:])):
            total, times = torch.zeros_like(x), torch.zeros(count, 1, 1, 1)
            for start in range(0, count - case["overlap"], chunk - case["overlap"]):
                start = min(start, count - chunk)
                window = x[start : start + chunk]
                # Every window's first slot is shown the reference's skeleton; of later windows it is thrown away.
                skeletons = torch.cat([poses[:1], poses[start + 1 : start + chunk]])
                clean = denoised(predict(window, skeletons, sigma), window, sigma.expand(chunk))
                first = 1 if start else 0
                total[start + first : start + chunk] += (window + (window - clean) / sigma * (following - sigma))[first:]
                times[start + first : start + chunk] += 1
            x = total / times
            out[f"latents_step_{step}"] = x[None]
        if case["has_frames"]:
            parts = (x / self.vae.config["scaling_factor"]).split(case["decode_chunk_size"])
            pictures = torch.cat([self.vae.decode(part, len(part)) for part in parts])
            levels = ((pictures / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
            out["frames"] = levels.permute(0, 2, 3, 1)
        return out


def record(model: Model, held: str, to: Path, small: bool) -> None:
    cases, size = (SMALL_CASES, halved) if small else (CASES, torch.tensor)
    rgb, skeletons, *_ = Cast(held, "clips").shards[0]
    count = max(case["num_frames"] for case in cases.values())
    reference, poses = size(rgb[0, :1].copy()), size(skeletons[0, :count].copy())
    height, width = poses.shape[1:3]
    scale = 2 ** (len(model.vae.config["block_out_channels"]) - 1)
    random = torch.Generator().manual_seed(0)
    inputs = {
        "ref_image": reference[0],
        "pose_frames": poses,
        "init_latents": torch.randn(1, count, model.vae.config["latent_channels"], height // scale, width // scale,
                                    generator=random),
        "aug_noise": torch.randn(1, 3, height, width, generator=random),
    }
    (to / "e2e").mkdir(parents=True, exist_ok=True)
    save_file(inputs, str(to / "e2e" / "character.safetensors"))
    index: dict[str, Any] = {"character": {"kind": "inputs"}}
    for name, special in cases.items():
        case = {"kind": "case", "inputs": "character", "height": height, "width": width, "num_inference_steps": 6,
                "min_guidance_scale": 1.0, "decode_chunk_size": 4, "noise_aug_strength": 0.02, "has_frames": True, **special}
        outputs = {key: x.contiguous() for key, x in model.run(case, inputs).items()}
        save_file(outputs, str(to / "e2e" / f"{name}.safetensors"))
        index[name] = case
        print(f"recorded {name}", flush=True)
    (to / "e2e" / "index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def halved(pixels: np.ndarray) -> Tensor:
    """uint8 [N, H, W, 3] -> uint8 [N, H / 2, W / 2, 3]."""
    return (F.avg_pool2d(picture(pixels), 2) * 255).round().byte().permute(0, 2, 3, 1).contiguous()


def compare(model: Model, folder: Path) -> bool:
    """Whether the recorded runs come out the same; prints the distance of every output."""
    index, same = json.loads((folder / "index.json").read_text(encoding="utf-8")), True
    for name, case in index.items():
        if case["kind"] != "case":
            continue
        recorded = load_file(str(folder / f"{name}.safetensors"))
        for key, x in model.run(case, load_file(str(folder / f"{case['inputs']}.safetensors"))).items():
            difference = (x.double() - recorded[key].double().reshape(x.shape)).abs()
            relative = float(difference.norm() / recorded[key].double().norm())
            fits = float(difference.max()) <= SAME_LEVELS if key == "frames" else relative <= SAME
            same &= fits
            print(f"{name:12} {key:18} largest {float(difference.max()):.1e}  relative {relative:.1e}{'' if fits else '  DIFFERS'}")
    return same


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--like", type=Path, help="folder with e2e/, as recorded")
    parser.add_argument("--to", type=Path, help="folder to write e2e/ to")
    parser.add_argument("--data", help="held-out shards of clips, with --to")
    parser.add_argument("--small", action="store_true", help="with --to: one small run")
    args = parser.parse_args()
    if bool(args.like) == bool(args.to) or bool(args.to) != bool(args.data):
        parser.error("either --like FOLDER, or --to FOLDER and --data HELD")
    model = Model(args.model)
    if args.like:
        return 0 if compare(model, args.like / "e2e") else 1
    record(model, args.data, args.to, args.small)
    return 0


if __name__ == "__main__":
    sys.exit(main())
