"""Attention over the pixels of a frame, then over time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import AlphaBlender, GroupNorm, LayerNorm, TimestepEmbedding, sinusoids


def attend(q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
    """Multi-head attention of [N, T, C] tensors -> [N, T, C]."""
    q, k, v = (x.unflatten(2, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    if hasattr(F, "scaled_dot_product_attention"):
        mixed = F.scaled_dot_product_attention(q, k, v)
    else:
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        mixed = torch.softmax(scores, dim=-1).to(v.dtype) @ v
    return mixed.transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """[N, T, C] -> the same; biases on q, k, v only where asked for (VAE)."""

    def __init__(self, channels: int, heads: int, bias: bool = False):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(channels, channels, bias=bias)
        self.to_k = nn.Linear(channels, channels, bias=bias)
        self.to_v = nn.Linear(channels, channels, bias=bias)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x: Tensor) -> Tensor:
        return self.to_out[0](attend(self.to_q(x), self.to_k(x), self.to_v(x), self.heads))


class SingleTokenAttention(nn.Module):
    """
    Cross-attention to a context of one token. The softmax over one key is 1, so every query gets to_out(to_v(context));
    queries and keys are in the checkpoint but are neither computed nor trained.
    """

    def __init__(self, channels: int, context_width: int):
        super().__init__()
        self.to_q = nn.Linear(channels, channels, bias=False).requires_grad_(False)
        self.to_k = nn.Linear(context_width, channels, bias=False).requires_grad_(False)
        self.to_v = nn.Linear(context_width, channels, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, context: Tensor) -> Tensor:
        """[B, 1, D] -> [B, 1, C]."""
        return self.to_out[0](self.to_v(context))


class Geglu(nn.Module):
    """Linear layer to twice the width; one half gates the other through exact GELU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.proj = nn.Linear(inputs, outputs * 2)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """GEGLU with four times the width inside. The published layout keeps a dropout layer at index 1."""

    def __init__(self, channels: int):
        super().__init__()
        self.net = nn.Sequential(Geglu(channels, channels * 4), nn.Identity(), nn.Linear(channels * 4, channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class TransformerBlock(nn.Module):
    """Attention among tokens, to the context, feed-forward. [N, T, C], context [B, 1, D]."""

    def __init__(self, channels: int, heads: int, context_width: int):
        super().__init__()
        self.norm1 = LayerNorm(channels)
        self.attn1 = SelfAttention(channels, heads)
        # Norm of the queries of attn2, which are never computed.
        self.norm2 = LayerNorm(channels).requires_grad_(False)
        self.attn2 = SingleTokenAttention(channels, context_width)
        self.norm3 = LayerNorm(channels)
        self.ff = FeedForward(channels)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        h = x + self.attn1(self.norm1(x))
        rows = self.attn2(context).to(h.dtype)
        h = (h.reshape(rows.shape[0], -1, h.shape[-1]) + rows).reshape(h.shape)
        return h + self.ff(self.norm3(h))


class TemporalTransformerBlock(TransformerBlock):
    """The same along time, for every pixel on its own, after a feed-forward layer of its own. [B, F, H * W, C]."""

    def __init__(self, channels: int, heads: int, context_width: int):
        super().__init__(channels, heads, context_width)
        self.norm_in = LayerNorm(channels)
        self.ff_in = FeedForward(channels)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        batch, frames, pixels, channels = x.shape
        h = x.transpose(1, 2).reshape(batch * pixels, frames, channels)
        h = h + self.ff_in(self.norm_in(h))
        h = super().forward(h, context)
        return h.reshape(batch, pixels, frames, channels).transpose(1, 2)


class SpatioTemporalTransformer(nn.Module):
    """Transformers over pixels and over frames in turns, blended, as a residual. [B * F, C, H, W] -> the same."""

    def __init__(self, channels: int, heads: int, layers: int, context_width: int):
        super().__init__()
        self.norm = GroupNorm(32, channels, 1e-6)
        self.proj_in = nn.Linear(channels, channels)
        self.transformer_blocks = nn.ModuleList(
            TransformerBlock(channels, heads, context_width) for _ in range(layers)
        )
        self.temporal_transformer_blocks = nn.ModuleList(
            TemporalTransformerBlock(channels, heads, context_width) for _ in range(layers)
        )
        self.time_pos_embed = TimestepEmbedding(channels, channels * 4, channels)
        self.time_mixer = AlphaBlender()
        self.proj_out = nn.Linear(channels, channels)

    def forward(self, x: Tensor, frames: int, context: Tensor, temporal: bool = True) -> Tensor:
        samples, channels, height, width = x.shape
        h = self.proj_in(self.norm(x).permute(0, 2, 3, 1).reshape(samples, height * width, channels))
        if temporal:
            places = sinusoids(torch.arange(frames, device=x.device), channels)
            position = self.time_pos_embed(places).to(h.dtype)[None, :, None]
        for spatial_block, temporal_block in zip(self.transformer_blocks, self.temporal_transformer_blocks):
            h = spatial_block(h, context)
            if temporal:
                video = h.reshape(samples // frames, frames, height * width, channels)
                mixed = temporal_block(video + position, context)
                # a s + (1 - a) t, written so that it is exactly s where t is.
                h = (video + self.time_mixer.temporal_share() * (mixed - video)).reshape(h.shape)
        return self.proj_out(h).reshape(samples, height, width, channels).permute(0, 3, 1, 2) + x
