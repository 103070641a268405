"""UNet of Stable Video Diffusion."""

from __future__ import annotations

from typing import Any, Callable, List, Mapping, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import Downsample, GroupNorm, SpatioTemporalResnet, TimestepEmbedding, Upsample, sinusoids
from .inject import cross_norm
from .transformer import SpatioTemporalTransformer

Combine = Callable[[Tensor, Tensor], Tensor]


class DownBlock(nn.Module):
    def __init__(
        self, inputs: int, outputs: int, layers: int, embedding: int, transformer: Optional[Mapping[str, int]], last: bool
    ):
        super().__init__()
        # diffusers builds the block without attention with a coarser epsilon than the others.
        eps = 1e-5 if transformer is None else 1e-6
        self.resnets = nn.ModuleList(
            SpatioTemporalResnet(outputs if i else inputs, outputs, eps, embedding) for i in range(layers)
        )
        if transformer is not None:
            self.attentions = nn.ModuleList(SpatioTemporalTransformer(outputs, **transformer) for _ in range(layers))
        if not last:
            self.downsamplers = nn.ModuleList([Downsample(outputs)])

    def forward(
        self, h: Tensor, frames: int, embedding: Tensor, context: Tensor, temporal: bool
    ) -> Tuple[Tensor, List[Tensor]]:
        """The state after the block, and after each of its layers (the skips)."""
        skips = []
        for i, resnet in enumerate(self.resnets):
            h = resnet(h, frames, embedding, temporal)
            if hasattr(self, "attentions"):
                h = self.attentions[i](h, frames, context, temporal)
            skips.append(h)
        if hasattr(self, "downsamplers"):
            h = self.downsamplers[0](h)
            skips.append(h)
        return h, skips


class MidBlock(nn.Module):
    def __init__(self, channels: int, embedding: int, transformer: Mapping[str, int]):
        super().__init__()
        self.resnets = nn.ModuleList(SpatioTemporalResnet(channels, channels, 1e-5, embedding) for _ in range(2))
        self.attentions = nn.ModuleList([SpatioTemporalTransformer(channels, **transformer)])

    def forward(self, h: Tensor, frames: int, embedding: Tensor, context: Tensor, temporal: bool) -> Tensor:
        h = self.resnets[0](h, frames, embedding, temporal)
        h = self.attentions[0](h, frames, context, temporal)
        return self.resnets[1](h, frames, embedding, temporal)


class UpBlock(nn.Module):
    def __init__(
        self,
        inputs: int,
        skips: List[int],
        outputs: int,
        embedding: int,
        transformer: Optional[Mapping[str, int]],
        last: bool,
    ):
        """`skips`: channels of the skips it takes, in the order it takes them."""
        super().__init__()
        self.resnets = nn.ModuleList(
            SpatioTemporalResnet((outputs if i else inputs) + skip, outputs, 1e-6, embedding)
            for i, skip in enumerate(skips)
        )
        if transformer is not None:
            self.attentions = nn.ModuleList(SpatioTemporalTransformer(outputs, **transformer) for _ in skips)
        if not last:
            self.upsamplers = nn.ModuleList([Upsample(outputs)])

    def forward(
        self, h: Tensor, skips: List[Tensor], frames: int, embedding: Tensor, context: Tensor, temporal: bool
    ) -> Tensor:
        """Takes its skips from the end of `skips`."""
        for i, resnet in enumerate(self.resnets):
            h = resnet(torch.cat([h, skips.pop()], dim=1), frames, embedding, temporal)
            if hasattr(self, "attentions"):
                h = self.attentions[i](h, frames, context, temporal)
        return self.upsamplers[0](h) if hasattr(self, "upsamplers") else h


class UNetSpatioTemporalConditionModel(nn.Module):
    """`config`: the keys of the published `unet/config.json`."""

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        self.config = dict(config)
        widths = list(config["block_out_channels"])
        levels = len(widths)
        layers = _per_level(config.get("layers_per_block", 2), levels)
        heads = _per_level(config["num_attention_heads"], levels)
        depths = _per_level(config.get("transformer_layers_per_block", 1), levels)
        contexts = _per_level(config["cross_attention_dim"], levels)
        embedding = widths[0] * 4

        def transformer(i: int) -> Mapping[str, int]:
            return {"heads": heads[i], "layers": depths[i], "context_width": contexts[i]}

        self.conv_in = nn.Conv2d(config["in_channels"], widths[0], 3, padding=1)
        self.time_embedding = TimestepEmbedding(widths[0], embedding)
        self.add_embedding = TimestepEmbedding(config["projection_class_embeddings_input_dim"], embedding)

        skips = [widths[0]]
        self.down_blocks = nn.ModuleList()
        for i, kind in enumerate(config["down_block_types"]):
            last = i == levels - 1
            attends = transformer(i) if kind.startswith("CrossAttn") else None
            block = DownBlock(widths[max(i - 1, 0)], widths[i], layers[i], embedding, attends, last)
            self.down_blocks.append(block)
            skips += [widths[i]] * (layers[i] + (0 if last else 1))
        self.mid_block = MidBlock(widths[-1], embedding, transformer(levels - 1))
        self.up_blocks = nn.ModuleList()
        for place, kind in enumerate(config["up_block_types"]):
            i = levels - 1 - place
            taken = [skips.pop() for _ in range(layers[i] + 1)]
            attends = transformer(i) if kind.startswith("CrossAttn") else None
            block = UpBlock(widths[min(i + 1, levels - 1)], taken, widths[i], embedding, attends, i == 0)
            self.up_blocks.append(block)
        self.conv_norm_out = GroupNorm(32, widths[0], 1e-5)
        self.conv_out = nn.Conv2d(widths[0], config["out_channels"], 3, padding=1)

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor,
        context: Tensor,
        added_time_ids: Tensor,
        frames: int,
        control: Optional[Tensor] = None,
        combine: Optional[Combine] = None,
        temporal: bool = True,
    ) -> Tensor:
        """
        v-prediction [B * F, out, h, w] of scaled latents and image latents `sample` [B * F, in, h, w].

        `timestep` [B] or [1] is 0.25 ln(sigma), `context` [B, 1, D] the image embedding, `added_time_ids` [B, 3] or
        [1, 3]. `combine(h, control)` changes the state that goes from down block 0 to down block 1 (cross normalisation
        when left out); the skips do not see it. `temporal=False` leaves out every temporal branch, which changes
        nothing while they are the identity.
        """
        rows = added_time_ids.shape[0]
        ids = sinusoids(added_time_ids.reshape(-1), self.config["addition_time_embed_dim"]).reshape(rows, -1)
        time = self.time_embedding(sinusoids(timestep, self.conv_in.out_channels))
        embedding = F.silu(time + self.add_embedding(ids))

        h = self.conv_in(sample)
        skips = [h]
        for i, block in enumerate(self.down_blocks):
            h, taken = block(h, frames, embedding, context, temporal)
            skips += taken
            if i == 0 and control is not None:
                h = (combine or cross_norm)(h, control)
        h = self.mid_block(h, frames, embedding, context, temporal)
        for block in self.up_blocks:
            h = block(h, skips, frames, embedding, context, temporal)
        return self.conv_out(F.silu(self.conv_norm_out(h)))


def init_temporal_identity(model: nn.Module) -> None:
    """
    Makes every temporal branch of a UNet exactly the identity, whatever its mix factor: the residual of a temporal resnet
    becomes zero, and a temporal transformer returns what it is given (no position, no residuals), so that blending it
    with the spatial branch changes nothing. Only last layers are zeroed: each still gets a gradient.
    """
    for module in model.modules():
        if isinstance(module, SpatioTemporalResnet):
            _zero(module.temporal_res_block.conv2)
        if isinstance(module, SpatioTemporalTransformer):
            _zero(module.time_pos_embed.linear_2)
            for block in module.temporal_transformer_blocks:
                for last in (block.ff_in.net[2], block.attn1.to_out[0], block.attn2.to_out[0], block.ff.net[2]):
                    _zero(last)


def temporal_parameters(model: nn.Module) -> List[Tuple[str, nn.Parameter]]:
    """Names and parameters of the temporal branches (with their mix factors) that can be trained."""
    marks = ("temporal_res_block.", "temporal_transformer_blocks.", "time_pos_embed.", "time_mixer.", "time_conv_out.")
    named = model.named_parameters()
    return [(name, p) for name, p in named if p.requires_grad and any(mark in name for mark in marks)]


def _zero(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def _per_level(value: Any, levels: int) -> List[int]:
    return list(value) if isinstance(value, (list, tuple)) else [value] * levels
