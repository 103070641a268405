"""The networks of the bundle: their configs, and how the denoiser is asked."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from data import Batch
from latents import PATCH, PatchComponents
from layout.clip import CLIPVisionModelWithProjection, clip_pixels
from layout.controlnext import ControlNeXtSDVModel
from layout.unet import UNetSpatioTemporalConditionModel
from noise import noisy
from run import averaged

WIDTH, HEIGHT = 128, 192
LATENT_CHANNELS = 8
#: Noise levels that sampling runs over; training draws from a wider range.
SIGMA_MIN, SIGMA_MAX = 0.2, 20.0

UNET = {
    "block_out_channels": [64, 128, 128],
    "down_block_types": ["DownBlockSpatioTemporal", "CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"],
    "up_block_types": ["UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal", "UpBlockSpatioTemporal"],
    "layers_per_block": 1,
    "num_attention_heads": [2, 4, 4],
    "transformer_layers_per_block": 1,
    "cross_attention_dim": 128,
    "addition_time_embed_dim": 32,
    "projection_class_embeddings_input_dim": 96,
    "in_channels": 2 * LATENT_CHANNELS,
    "out_channels": LATENT_CHANNELS,
    "num_frames": 16,
    "sample_size": HEIGHT // PATCH,
}
VAE = {
    "block_out_channels": [64, 64, 128],
    "down_block_types": ["DownEncoderBlock2D"] * 3,
    "layers_per_block": 1,
    "latent_channels": LATENT_CHANNELS,
    "in_channels": 3,
    "out_channels": 3,
    "scaling_factor": 1.0,
    "sample_size": HEIGHT,
}
CLIP = {
    "hidden_size": 128,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "patch_size": 16,
    "image_size": 224,
    "num_channels": 3,
    "projection_dim": 128,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
}


def on_device(network: nn.Module, device: torch.device) -> nn.Module:
    """Moves a network, with the weights of 2-D convolutions in channels-last order (faster on every device)."""
    network = network.to(device)
    for p in network.parameters():
        if p.ndim == 4:
            p.data = p.data.contiguous(memory_format=torch.channels_last)
    return network


class ImageEncoder(nn.Module):
    """CLIP-style encoder, and in training a linear head that must read a character's traits off the embedding."""

    def __init__(self, traits: int):
        super().__init__()
        self.clip = CLIPVisionModelWithProjection(CLIP)
        self.traits = nn.Linear(CLIP["projection_dim"], traits)

    def forward(self, pictures: Tensor) -> Tensor:
        """[B, 3, H, W] in 0..1 -> [B, D]."""
        return self.clip(clip_pixels(pictures))


def trained_encoder(folder: str) -> ImageEncoder:
    """The image encoder of the base run, to be used as it is (its head for traits is left out)."""
    encoder = ImageEncoder(1)
    state = averaged(folder, "base", "encoder")
    encoder.clip.load_state_dict({key[len("clip.") :]: value for key, value in state.items() if key.startswith("clip.")})
    return encoder.requires_grad_(False)


@dataclass
class Condition:
    """What the denoiser knows of `B` clips of `F` frames."""

    latents: Tensor  # of the reference, [B, C, h, w]
    embedding: Tensor  # [B, D]
    ids: Tensor  # [B, 3]

    def dropped(self, rng_all: Tensor, rng_embedding: Tensor, rng_latents: Tensor) -> "Condition":
        """Conditions taken away from some of the clips (masks [B], True: dropped), for guidance without a classifier."""
        latents = self.latents * ~(rng_all | rng_latents)[:, None, None, None]
        embedding = self.embedding * ~(rng_all | rng_embedding)[:, None]
        return Condition(latents, embedding, self.ids)


def random_ids(batch: int, device: torch.device) -> Tensor:
    """fps id, motion bucket and noise level: of no meaning here, so any value has to do."""
    low = torch.tensor([1.0, 1.0, 0.0], device=device)
    high = torch.tensor([30.0, 255.0, 0.1], device=device)
    return low + (high - low) * torch.rand(batch, 3, device=device)


class Conditioner:
    """What the denoiser is to know of the references of a batch, by the image encoder of the base run as it is."""

    def __init__(self, folder: str, device: torch.device):
        self.components = PatchComponents.load(f"{folder}/components.safetensors")
        self.encoder = on_device(trained_encoder(folder), device)

    def __call__(self, batch: Batch, draws: int = 1) -> tuple[Condition, Tensor]:
        """As `drop_randomly`, for every one of `draws` noise levels: [draws * B]."""
        return drop_randomly(self.whole(batch, draws))

    def whole(self, batch: Batch, draws: int = 1) -> Condition:
        """With nothing dropped."""
        with torch.no_grad(), torch.autocast(batch.reference.device.type, torch.bfloat16):
            embedding = self.encoder(batch.reference)
        return condition_of(batch.reference, self.components, embedding, draws)


def condition_of(reference: Tensor, components: PatchComponents, embedding: Tensor, draws: int = 1) -> Condition:
    """The reference's latents with a little noise, as published."""
    latents = components.encode(reference).repeat(draws, 1, 1, 1)
    latents = latents + 0.05 * torch.randn_like(latents)
    return Condition(latents, embedding.float().repeat(draws, 1), random_ids(len(latents), reference.device))


def pose_features(control: ControlNeXtSDVModel, poses: Tensor) -> Tensor:
    """Control features [N, ...] of skeleton pictures, of a module that ignores the noise level."""
    with torch.autocast(poses.device.type, torch.bfloat16):
        return control(poses.contiguous(memory_format=torch.channels_last), poses.new_zeros(1))


def drop_randomly(condition: Condition) -> tuple[Condition, Tensor]:
    """Also says how much control each clip is left with, [B]: none where everything is dropped, as published guidance has it."""
    chance = torch.rand(3, len(condition.embedding), device=condition.embedding.device)
    everything = chance[0] < 0.05
    return condition.dropped(everything, chance[1] < 0.03, chance[2] < 0.03), 1.0 - everything.float()


def predict(unet: UNetSpatioTemporalConditionModel, scaled: Tensor, sigma: Tensor, condition: Condition, frames: int,
            **options) -> Tensor:
    """v of scaled noisy latents [B * F, C, h, w]; sigma [B]."""
    images = condition.latents.repeat_interleave(frames, 0)
    return unet(torch.cat([scaled, images], 1), 0.25 * sigma.log(), condition.embedding[:, None], condition.ids, frames,
                **options)


def draw_sigma(batch: int, mean: float, deviation: float, device: torch.device) -> Tensor:
    return (mean + deviation * torch.randn(batch, device=device)).exp().clamp(0.01, 60.0)


def clip_noise(like: Tensor, frames: int) -> Tensor:
    """Noise [B * F, ...]; half of the clips have one noise for all frames, since sampling may start from either."""
    noise = torch.randn_like(like).unflatten(0, (-1, frames))
    shared = torch.rand(len(noise), device=like.device) < 0.5
    return torch.where(shared[:, None, None, None, None], noise[:, :1], noise).flatten(0, 1)


def part_weights(parts: Tensor, factor: int) -> Tensor:
    """How much each cell counts: people more than walls, hands more, faces most. [N, H, W] -> [N, 1, H / f, W / f]."""
    weight = torch.tensor([1.0, 1.6, 2.5, 6.0, 4.0, 2.0], device=parts.device)[parts]
    return F.avg_pool2d(weight[:, None], factor)


def denoising_loss(unet, components: PatchComponents, batch: Batch, condition: Condition, frames: int, mean: float,
                   deviation: float, control: Tensor | None = None, **options) -> tuple[Tensor, dict[str, Tensor]]:
    """
    Weighted mean squared error of v, and its parts by noise level for the log. A condition for several draws of the noise
    level [draws * B] has every frame, with its control features [B * F, ...], used as often.
    """
    draws = len(condition.embedding) // len(batch.reference)
    clean = components.encode(batch.frames).repeat(draws, 1, 1, 1)
    weight = part_weights(batch.parts, PATCH).repeat(draws, 1, 1, 1) * components.weight()
    clips = len(condition.embedding)
    sigma = draw_sigma(clips, mean, deviation, clean.device)
    scaled, target = noisy(clean, clip_noise(clean, frames), sigma.repeat_interleave(frames))
    with torch.autocast(clean.device.type, torch.bfloat16):
        if control is not None:
            options["control"] = torch.cat([control] * draws)
        v = predict(unet, scaled.contiguous(memory_format=torch.channels_last), sigma, condition, frames, **options)
    error = ((v.float() - target).square() * weight).mean((1, 2, 3))
    error = error.view(clips, frames).mean(1)
    return error.mean(), levels(error.detach(), sigma)


def levels(error: Tensor, sigma: Tensor) -> dict[str, Tensor]:
    """Error of the samples above noise level 3 and below 0.5, relative to how many there are."""
    high, low = sigma > 3, sigma < 0.5
    return {"high": (error * high).sum() / high.sum().clamp_min(1), "low": (error * low).sum() / low.sum().clamp_min(1)}
