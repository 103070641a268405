"""VAE of Stable Video Diffusion: an image encoder, and a decoder whose residual blocks also look along time."""

from __future__ import annotations

from typing import Any, Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import (
    Downsample,
    GroupNorm,
    Resnet,
    SpatioTemporalResnet,
    TemporalConv,
    Upsample,
    frames_as_rows,
    rows_as_frames,
)
from .transformer import SelfAttention

#: Epsilon of every norm but those of the temporal residual blocks.
EPS = 1e-6
TEMPORAL_EPS = 1e-5


class PixelAttention(SelfAttention):
    """Attention of one head among the pixels of a frame, as a residual. [N, C, H, W] -> the same."""

    def __init__(self, channels: int):
        super().__init__(channels, 1, bias=True)
        self.group_norm = GroupNorm(32, channels, EPS)

    def forward(self, x: Tensor) -> Tensor:
        samples, channels, height, width = x.shape
        tokens = self.group_norm(x).permute(0, 2, 3, 1).reshape(samples, height * width, channels)
        mixed = super().forward(tokens)
        return mixed.reshape(samples, height, width, channels).permute(0, 3, 1, 2) + x


class EncoderBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, layers: int, last: bool):
        super().__init__()
        self.resnets = nn.ModuleList(Resnet(outputs if i else inputs, outputs, EPS) for i in range(layers))
        if not last:
            self.downsamplers = nn.ModuleList([Downsample(outputs, right_bottom=True)])

    def forward(self, h: Tensor) -> Tensor:
        for resnet in self.resnets:
            h = resnet(h)
        return self.downsamplers[0](h) if hasattr(self, "downsamplers") else h


class EncoderMidBlock(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.attentions = nn.ModuleList([PixelAttention(channels)])
        self.resnets = nn.ModuleList(Resnet(channels, channels, EPS) for _ in range(2))

    def forward(self, h: Tensor) -> Tensor:
        return self.resnets[1](self.attentions[0](self.resnets[0](h)))


class Encoder(nn.Module):
    """[N, 3, H, W] -> mean and log variance of the latents, [N, 2 L, h, w]."""

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        widths = list(config["block_out_channels"])
        self.conv_in = nn.Conv2d(config["in_channels"], widths[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(
            EncoderBlock(widths[max(i - 1, 0)], width, config["layers_per_block"], i == len(widths) - 1)
            for i, width in enumerate(widths)
        )
        self.mid_block = EncoderMidBlock(widths[-1])
        self.conv_norm_out = GroupNorm(32, widths[-1], EPS)
        self.conv_out = nn.Conv2d(widths[-1], 2 * config["latent_channels"], 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_in(x)
        for block in self.down_blocks:
            h = block(h)
        return self.conv_out(F.silu(self.conv_norm_out(self.mid_block(h))))


def _video_resnet(inputs: int, outputs: int) -> SpatioTemporalResnet:
    """The decoder's blends give the temporal branch the share that the UNet's give the spatial one."""
    return SpatioTemporalResnet(inputs, outputs, EPS, temporal_eps=TEMPORAL_EPS, switched=True)


class DecoderMidBlock(nn.Module):
    """
    As published: residual blocks are paired with attentions, of which there is one, so of more than two blocks only two
    ever run, and with one block the attention does not.
    """

    def __init__(self, channels: int, layers: int):
        super().__init__()
        self.attentions = nn.ModuleList([PixelAttention(channels).requires_grad_(layers > 1)])
        self.resnets = nn.ModuleList(_video_resnet(channels, channels).requires_grad_(i < 2) for i in range(layers))

    def forward(self, h: Tensor, frames: int, temporal: bool) -> Tensor:
        h = self.resnets[0](h, frames, temporal=temporal)
        if len(self.resnets) > 1:
            h = self.resnets[1](self.attentions[0](h), frames, temporal=temporal)
        return h


class DecoderBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, layers: int, last: bool):
        super().__init__()
        self.resnets = nn.ModuleList(_video_resnet(outputs if i else inputs, outputs) for i in range(layers))
        if not last:
            self.upsamplers = nn.ModuleList([Upsample(outputs)])

    def forward(self, h: Tensor, frames: int, temporal: bool) -> Tensor:
        for resnet in self.resnets:
            h = resnet(h, frames, temporal=temporal)
        return self.upsamplers[0](h) if hasattr(self, "upsamplers") else h


class TemporalDecoder(nn.Module):
    """[B * F, L, h, w] -> [B * F, 3, H, W]."""

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        widths = list(reversed(config["block_out_channels"]))
        layers = config["layers_per_block"]
        self.conv_in = nn.Conv2d(config["latent_channels"], widths[0], 3, padding=1)
        self.mid_block = DecoderMidBlock(widths[0], layers)
        self.up_blocks = nn.ModuleList(
            DecoderBlock(widths[max(i - 1, 0)], width, layers + 1, i == len(widths) - 1)
            for i, width in enumerate(widths)
        )
        self.conv_norm_out = GroupNorm(32, widths[-1], EPS)
        self.conv_out = nn.Conv2d(widths[-1], config["out_channels"], 3, padding=1)
        self.time_conv_out = TemporalConv(config["out_channels"], config["out_channels"])

    def forward(self, z: Tensor, frames: int, temporal: bool = True) -> Tensor:
        h = self.mid_block(self.conv_in(z), frames, temporal)
        for block in self.up_blocks:
            h = block(h, frames, temporal)
        h = self.conv_out(F.silu(self.conv_norm_out(h)))
        if not temporal:
            return h
        return rows_as_frames(self.time_conv_out(frames_as_rows(h, frames)), h.shape[2], h.shape[3])


class AutoencoderKLTemporalDecoder(nn.Module):
    """Pictures to latents and back. `config`: the keys of the published `vae/config.json`."""

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        self.config = dict(config)
        moments = 2 * config["latent_channels"]
        self.encoder = Encoder(config)
        self.decoder = TemporalDecoder(config)
        self.quant_conv = nn.Conv2d(moments, moments, 1)

    def encode_moments(self, x: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] in -1..1 -> mean and log variance [N, 2 L, h, w], not scaled."""
        return self.quant_conv(self.encoder(x))

    def encode_mode(self, x: Tensor) -> Tensor:
        """Pictures [N, 3, H, W] in -1..1 -> mean of their latents [N, L, h, w], not scaled."""
        return self.encode_moments(x)[:, : self.config["latent_channels"]]

    def decode(self, z: Tensor, frames: int, temporal: bool = True) -> Tensor:
        """
        Latents [B * F, L, h, w], divided by the scaling factor -> frames [B * F, 3, H, W] about -1..1. `temporal=False`
        leaves out everything along time, which changes nothing while it is the identity.
        """
        return self.decoder(z, frames, temporal)


def init_temporal_identity(model: AutoencoderKLTemporalDecoder) -> None:
    """Makes every temporal part of the decoder exactly the identity, whatever the mix factors."""
    for module in model.decoder.modules():
        if isinstance(module, SpatioTemporalResnet):
            nn.init.zeros_(module.temporal_res_block.conv2.weight)
            nn.init.zeros_(module.temporal_res_block.conv2.bias)
    out = model.decoder.time_conv_out
    nn.init.zeros_(out.bias)
    # The middle frame of three, each channel from itself.
    nn.init.dirac_(out.weight)
