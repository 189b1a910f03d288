"""The X3D convolutional trunk: stem and four residual stages.

Source: Feichtenhofer, X3D: Expanding Architectures for Efficient Video Recognition, CVPR 2020 (arXiv 2004.04730), table
1, with the details of facebookresearch/pytorchvideo's ``create_x3d`` (checked against it in tests/unit/test_x3d.py).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models._blocks.x3d_convolutions import (
    DepthwiseConv3d,
    PointwiseConv3d,
    SpatialConv3d,
    TemporalDepthwiseConv3d,
)

STEM_CHANNELS = 12
"""Stem channels at width 1; stages have 1, 2, 4 and 8 times as many."""

STAGE_DEPTHS = (1, 2, 5, 3)
"""Blocks per stage at depth 1."""

SQUEEZE_RATIO = 1 / 16
"""Share of channels kept by squeeze-and-excitation, in every second block."""


def round_channels(channels: float) -> int:
    """A channel count made divisible by 8, at least 8, and never more than a tenth below what was asked."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


class SqueezeExcitation(nn.Module):
    """Channel gates from the clip average (Hu et al., Squeeze-and-Excitation Networks, CVPR 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        squeezed = round_channels(channels * SQUEEZE_RATIO)
        self.squeeze = nn.Linear(channels, squeezed)
        self.excite = nn.Linear(squeezed, channels)

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c t h w"]:
        """The volume, each channel scaled by its gate in (0, 1)."""
        gates = torch.sigmoid(self.excite(torch.relu(self.squeeze(volume.mean(dim=(2, 3, 4))))))
        return volume * gates[:, :, None, None, None]


class Bottleneck(nn.Module):
    """Widen, filter each channel in space and time, gate, narrow; added to the shortcut.

    The shortcut of a strided block is a 1x1x1 convolution; it is batch-normalised only where widths change, as in
    pytorchvideo (SlowFast's implementation always normalises it).
    """

    def __init__(self, channels_in: int, channels: int, inner: int, *, stride: int, gated: bool) -> None:
        super().__init__()
        self.widen = nn.Sequential(PointwiseConv3d(channels_in, inner), nn.BatchNorm3d(inner), nn.ReLU(inplace=True))
        self.filter = nn.Sequential(DepthwiseConv3d(inner, 3, stride), nn.BatchNorm3d(inner))
        self.gate = SqueezeExcitation(inner) if gated else nn.Identity()
        self.swish = nn.SiLU(inplace=True)
        self.narrow = nn.Sequential(PointwiseConv3d(inner, channels), nn.BatchNorm3d(channels))
        self.shortcut = _shortcut(channels_in, channels, stride)

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t i j"]:
        """The block's feature map; spatial sides are divided by the stride and rounded up."""
        branch = self.narrow(self.swish(self.gate(self.filter(self.widen(volume)))))
        return torch.relu(self.shortcut(volume) + branch)


class X3DTrunk(nn.Module):
    """Stem and stages. All frames are kept; every stage and the stem halve the spatial sides.

    Attributes:
        channels: of the four stages' outputs (24, 48, 96, 192 at width 2).
        inner: widened channels of the last stage's blocks (432 at width 2 and bottleneck 2.25).
    """

    def __init__(self, width: float, depth: float, bottleneck: float) -> None:
        super().__init__()
        narrow = [STEM_CHANNELS]
        for _ in STAGE_DEPTHS[1:]:
            narrow.append(round_channels(2.0 * narrow[-1]))
        self.channels = tuple(round_channels(channels * width) for channels in narrow)
        self.inner = int(bottleneck * self.channels[-1])
        stem = round_channels(STEM_CHANNELS * width)
        self.stem = nn.Sequential(
            SpatialConv3d(3, stem, 3, stride=2),
            TemporalDepthwiseConv3d(stem, 5),
            nn.BatchNorm3d(stem),
            nn.ReLU(inplace=True),
        )
        inputs = (stem, *self.channels[:-1])
        self.stages = nn.ModuleList(
            _stage(channels_in, channels, int(bottleneck * channels), math.ceil(depth * blocks))
            for channels_in, channels, blocks in zip(inputs, self.channels, STAGE_DEPTHS, strict=True)
        )

    def forward(self, volume: Float[Tensor, "b 3 t h w"]) -> Float[Tensor, "b c t i j"]:
        """The last stage's feature map: spatial sides divided by 32, rounded up at each halving."""
        volume = self.stem(volume)
        for stage in self.stages:
            volume = stage(volume)
        return volume


def initialise_as_slowfast(network: nn.Module) -> None:
    """SlowFast's recipe for training from scratch, in place of PyTorch's defaults that pytorchvideo keeps.

    He initialisation of convolutions over the outgoing fan (He et al., ICCV 2015), each block's last batch
    normalisation starting at zero (Goyal et al., arXiv 1706.02677), linear layers from N(0, 0.01).
    """
    for module in network.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for block in (module for module in network.modules() if isinstance(module, Bottleneck)):
        block.narrow[1].apply(_zero_scale)


def _zero_scale(norm: nn.Module) -> None:
    """Start a batch normalisation at zero, so that its block starts as its shortcut."""
    if isinstance(norm, nn.BatchNorm3d):
        nn.init.zeros_(norm.weight)


def _stage(channels_in: int, channels: int, inner: int, blocks: int) -> nn.Sequential:
    """Residual blocks, the first one strided, every second one (from the first) gated."""
    return nn.Sequential(
        *(
            Bottleneck(
                channels_in if index == 0 else channels,
                channels,
                inner,
                stride=2 if index == 0 else 1,
                gated=index % 2 == 0,
            )
            for index in range(blocks)
        )
    )


def _shortcut(channels_in: int, channels: int, stride: int) -> nn.Module:
    """The path around a block."""
    if channels_in == channels and stride == 1:
        return nn.Identity()
    projection = PointwiseConv3d(channels_in, channels, stride)
    if channels_in == channels:
        return nn.Sequential(projection)
    return nn.Sequential(projection, nn.BatchNorm3d(channels))
