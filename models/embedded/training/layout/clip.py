"""Vision transformer of CLIP with projection, and the published preparation of its input."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .transformer import attend

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


class Embeddings(nn.Module):
    """Pictures [N, 3, S, S] -> tokens [N, 1 + patches, C], class token first."""

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        width, patch = config["hidden_size"], config["patch_size"]
        patches = (config["image_size"] // patch) ** 2
        self.class_embedding = nn.Parameter(torch.randn(width) * 0.02)
        self.patch_embedding = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.position_embedding = nn.Embedding(patches + 1, width)
        nn.init.normal_(self.position_embedding.weight, std=0.02)

    def forward(self, pixels: Tensor) -> Tensor:
        patches = self.patch_embedding(pixels).flatten(2).transpose(1, 2)
        first = self.class_embedding.to(patches.dtype).expand(patches.shape[0], 1, -1)
        return torch.cat([first, patches], dim=1) + self.position_embedding.weight


class Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.out_proj(attend(self.q_proj(x), self.k_proj(x), self.v_proj(x), self.heads))


class Mlp(nn.Module):
    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        self.fc1 = nn.Linear(config["hidden_size"], config["intermediate_size"])
        self.fc2 = nn.Linear(config["intermediate_size"], config["hidden_size"])
        self.exact = config.get("hidden_act", "quick_gelu") == "gelu"

    def forward(self, x: Tensor) -> Tensor:
        h = self.fc1(x)
        return self.fc2(F.gelu(h) if self.exact else h * torch.sigmoid(1.702 * h))


class EncoderLayer(nn.Module):
    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        width, eps = config["hidden_size"], config.get("layer_norm_eps", 1e-5)
        self.self_attn = Attention(width, config["num_attention_heads"])
        self.layer_norm1 = nn.LayerNorm(width, eps)
        self.mlp = Mlp(config)
        self.layer_norm2 = nn.LayerNorm(width, eps)

    def forward(self, x: Tensor) -> Tensor:
        h = x + self.self_attn(self.layer_norm1(x))
        return h + self.mlp(self.layer_norm2(h))


class Encoder(nn.Module):
    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config["num_hidden_layers"]))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


class VisionModel(nn.Module):
    """[N, 3, S, S] -> normalised class token [N, C]. `pre_layrnorm` is spelt so in the checkpoints."""

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        width, eps = config["hidden_size"], config.get("layer_norm_eps", 1e-5)
        self.embeddings = Embeddings(config)
        self.pre_layrnorm = nn.LayerNorm(width, eps)
        self.encoder = Encoder(config)
        self.post_layernorm = nn.LayerNorm(width, eps)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.post_layernorm(self.encoder(self.pre_layrnorm(self.embeddings(pixels)))[:, 0])


class CLIPVisionModelWithProjection(nn.Module):
    """`config`: the keys of the published `image_encoder/config.json`."""

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        self.config = dict(config)
        self.vision_model = VisionModel(config)
        self.visual_projection = nn.Linear(config["hidden_size"], config["projection_dim"], bias=False)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Normalised pixels [N, 3, S, S] -> embeddings [N, D]."""
        return self.visual_projection(self.vision_model(pixel_values))


@torch.no_grad()
def clip_pixels(rgb: Tensor, size: int = 224, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> Tensor:
    """
    Pictures [N, 3, H, W] in 0..1 -> the encoder's input [N, 3, size, size]. The antialiased resize of the published
    pipeline: a Gaussian blur on -1..1, then bicubic with corners aligned, not clamped; then mean and deviation. The
    picture is stretched to a square, not cropped.
    """
    rows, columns = (_resize(side, size).to(rgb.device) for side in rgb.shape[2:])
    x = rows @ (rgb.float() * 2 - 1).contiguous() @ columns.T
    centre, deviation = (torch.tensor(values).to(x)[:, None, None] for values in (mean, std))
    return ((x + 1) / 2 - centre) / deviation


@lru_cache(maxsize=16)
def _resize(length: int, size: int) -> Tensor:
    """Blur and bicubic interpolation along one axis, as a matrix [size, length]."""
    kernel = _gaussian(length / size).float()
    x = torch.eye(length)[None, None]
    x = F.pad(x, (0, 0) + (len(kernel) // 2,) * 2, mode="reflect")
    x = F.conv2d(x, kernel[None, None, :, None])
    return F.interpolate(x, size=(size, length), mode="bicubic", align_corners=True)[0, 0]


def _gaussian(factor: float) -> Tensor:
    """Gaussian at whole offsets, normalised, for reducing by `factor`; odd length."""
    sigma = max((factor - 1) / 2, 0.001)
    length = int(max(4 * sigma, 3)) | 1
    offsets = torch.arange(length, dtype=torch.float64) - length // 2
    weights = torch.exp(-(offsets**2) / (2 * sigma**2))
    return weights / weights.sum()
