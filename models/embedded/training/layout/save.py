"""Writes networks as a model folder in the published layout, and reads them back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Type, TypeVar, Union

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from .clip import MEAN, STD, CLIPVisionModelWithProjection
from .controlnext import ControlNeXtSDVModel
from .unet import UNetSpatioTemporalConditionModel
from .vae import AutoencoderKLTemporalDecoder

DIFFUSERS_VERSION = "0.30.0"

MODEL_INDEX: Dict[str, Any] = {
    "_class_name": "StableVideoDiffusionPipeline",
    "_diffusers_version": DIFFUSERS_VERSION,
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "unet": ["diffusers", "UNetSpatioTemporalConditionModel"],
    "vae": ["diffusers", "AutoencoderKLTemporalDecoder"],
}

#: As published; `sigma_max` and `sigma_min` may be set to what the model was trained on.
SCHEDULER: Dict[str, Any] = {
    "_class_name": "EulerDiscreteScheduler",
    "_diffusers_version": DIFFUSERS_VERSION,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "interpolation_type": "linear",
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "set_alpha_to_one": False,
    "sigma_max": 700.0,
    "sigma_min": 0.002,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "timestep_spacing": "leading",
    "timestep_type": "continuous",
    "trained_betas": None,
    "use_karras_sigmas": True,
}

PREPROCESSOR: Dict[str, Any] = {
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "feature_extractor_type": "CLIPFeatureExtractor",
    "image_mean": list(MEAN),
    "image_processor_type": "CLIPImageProcessor",
    "image_std": list(STD),
    "resample": 3,
    "rescale_factor": 1 / 255,
    "size": {"shortest_edge": 224},
}

SUMS = "SHA256SUMS"

Network = TypeVar("Network", UNetSpatioTemporalConditionModel, AutoencoderKLTemporalDecoder, CLIPVisionModelWithProjection)


def save_bundle(
    folder: Union[str, Path],
    *,
    unet: UNetSpatioTemporalConditionModel,
    vae: AutoencoderKLTemporalDecoder,
    image_encoder: CLIPVisionModelWithProjection,
    controlnext: ControlNeXtSDVModel,
    overlay: Optional[Mapping[str, Tensor]] = None,
    scheduler: Mapping[str, Any] = SCHEDULER,
) -> None:
    """
    Writes a whole model folder, weights as float16, with a SHA256SUMS of them. `overlay`: tensors laid over the
    UNet's, by the UNet's names. Raises ValueError where a weight does not fit into float16 or is not a number, or where
    the overlay is not part of the UNet.
    """
    root = Path(folder)
    save_json(root / "model_index.json", MODEL_INDEX)
    save_json(root / "scheduler" / "scheduler_config.json", scheduler)
    save_json(root / "feature_extractor" / "preprocessor_config.json", PREPROCESSOR)
    save_json(
        root / "unet" / "config.json",
        {"_class_name": "UNetSpatioTemporalConditionModel", "_diffusers_version": DIFFUSERS_VERSION, **unet.config},
    )
    save_json(
        root / "vae" / "config.json",
        {"_class_name": "AutoencoderKLTemporalDecoder", "_diffusers_version": DIFFUSERS_VERSION, **vae.config},
    )
    save_json(
        root / "image_encoder" / "config.json",
        {
            "architectures": ["CLIPVisionModelWithProjection"],
            "model_type": "clip_vision_model",
            "num_channels": 3,
            "torch_dtype": "float16",
            **image_encoder.config,
        },
    )
    save_half(root / "unet" / "diffusion_pytorch_model.safetensors", unet.state_dict())
    save_half(root / "vae" / "diffusion_pytorch_model.safetensors", vae.state_dict())
    save_half(root / "image_encoder" / "model.safetensors", image_encoder.state_dict())
    save_half(root / "controlnext.safetensors", controlnext.state_dict())
    if overlay:
        base = unet.state_dict()
        foreign = [name for name, x in overlay.items() if name not in base or base[name].shape != x.shape]
        if foreign:
            raise ValueError(f"not tensors of the UNet: {', '.join(foreign[:5])}")
        save_half(root / "unet_overlay.safetensors", overlay)
    save_sums(root)


def save_half(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Writes tensors as float16 safetensors; ValueError names those that do not fit."""
    halves = {name: x.detach().to("cpu", torch.float16).contiguous() for name, x in tensors.items()}
    bad = [name for name, half in halves.items() if not bool(torch.isfinite(half).all())]
    if bad:
        raise ValueError(f"{path.name}: not finite in float16: {', '.join(bad[:5])}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(save(halves, metadata={"format": "pt"}))


def save_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def save_sums(root: Path) -> None:
    """SHA256SUMS of all that belongs to the model below `root`, in the form `sha256sum --check` reads: not of how it was trained."""
    files = sorted(p for p in root.rglob("*") if p.suffix in (".json", ".safetensors") and "training" not in p.relative_to(root).parts)
    lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(root).as_posix()}\n" for p in files]
    (root / SUMS).write_text("".join(lines), encoding="utf-8")


def load_network(kind: Type[Network], folder: Union[str, Path]) -> Network:
    """A UNet, VAE or image encoder from its folder of a model, strictly, as float32."""
    root = Path(folder)
    network = kind(json.loads((root / "config.json").read_text(encoding="utf-8")))
    (weights,) = root.glob("*.safetensors")
    load_strictly(network, weights)
    return network


def load_controlnext(path: Union[str, Path], padding: int = 0) -> ControlNeXtSDVModel:
    tensors = load_file(str(path))
    network = ControlNeXtSDVModel(tensors["mid_convs.1.weight"].shape[0], padding)
    load_strictly(network, path)
    return network


def load_strictly(network: nn.Module, path: Union[str, Path]) -> None:
    network.load_state_dict({name: x.float() for name, x in load_file(str(path)).items()}, strict=True)
