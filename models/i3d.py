"""I3D: Inception-v1 inflated to three dimensions (Carreira and Zisserman, CVPR 2017)."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from models._blocks.model import ClipShape, Model, Output
from models._blocks.normalise import SYMMETRIC, ClipNormalise, as_volume
from models._blocks.pooling import MaxPool3d


class Branches(NamedTuple):
    """Channels of an inception module: 1x1x1; narrow and 3x3x3; narrow and 3x3x3; pooled and 1x1x1."""

    direct: int
    narrow_a: int
    wide_a: int
    narrow_b: int
    wide_b: int
    pooled: int


STAGE_3 = (Branches(64, 96, 128, 16, 32, 32), Branches(128, 128, 192, 32, 96, 64))
STAGE_4 = (
    Branches(192, 96, 208, 16, 48, 64),
    Branches(160, 112, 224, 24, 64, 64),
    Branches(128, 128, 256, 24, 64, 64),
    Branches(112, 144, 288, 32, 64, 64),
    Branches(256, 160, 320, 32, 128, 128),
)
STAGE_5 = (Branches(256, 160, 320, 32, 128, 128), Branches(384, 192, 384, 48, 128, 128))
"""Table 1 of Szegedy et al., Going Deeper with Convolutions, CVPR 2015."""

STEM = (64, 64, 192)
"""Channels of the three convolutions before the first inception module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class I3dConfig:
    """The network's size.

    Attributes:
        width: factor on all channel counts.
        dropout: probability before the classifier.
    """

    width: float = 1.0
    dropout: float = 0.5


class SamePool(nn.Module):
    """A max pool with zero padding, unevenly if need be, such that sides are divided by the stride and rounded up."""

    def __init__(self, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.pool = MaxPool3d(kernel, stride)

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c s i j"]:
        """The pooled volume. Inputs are not negative, so that zeros do not win."""
        pooled: Tensor = self.pool(same_padded(volume, self.kernel, self.stride))
        return pooled


class Unit(nn.Module):
    """Convolution with the same padding, batch normalisation, ReLU."""

    def __init__(self, channels: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(channels, outputs, kernel, stride, bias=False)
        self.norm = nn.BatchNorm3d(outputs, eps=1e-3, momentum=0.01)

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d s i j"]:
        """The unit's feature map: all three sides divided by the stride and rounded up."""
        kernel, stride = self.convolution.kernel_size, self.convolution.stride
        return torch.relu(self.norm(self.convolution(same_padded(volume, kernel, stride))))


class Inception(nn.Module):
    """Four branches side by side."""

    def __init__(self, channels: int, branches: Branches) -> None:
        super().__init__()
        self.direct = Unit(channels, branches.direct, 1)
        self.first = nn.Sequential(Unit(channels, branches.narrow_a, 1), Unit(branches.narrow_a, branches.wide_a, 3))
        self.second = nn.Sequential(Unit(channels, branches.narrow_b, 1), Unit(branches.narrow_b, branches.wide_b, 3))
        self.pooled = nn.Sequential(SamePool((3, 3, 3), (1, 1, 1)), Unit(channels, branches.pooled, 1))

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t h w"]:
        """All branches' channels."""
        return torch.cat([self.direct(volume), self.first(volume), self.second(volume), self.pooled(volume)], dim=1)


class I3d(nn.Module):
    """Stem, nine inception modules in three stages, average pool, dropout, linear classifier."""

    def __init__(self, config: I3dConfig, num_classes: int, shape: ClipShape) -> None:
        super().__init__()
        first, second, third = (_scaled(channels, config.width) for channels in STEM)
        self.normalise = ClipNormalise(SYMMETRIC)
        layers: list[nn.Module] = [
            Unit(3, first, 7, 2),
            SamePool((1, 3, 3), (1, 2, 2)),
            Unit(first, second, 1),
            Unit(second, third, 3),
        ]
        channels = third
        pools = (SamePool((1, 3, 3), (1, 2, 2)), SamePool((3, 3, 3), (2, 2, 2)), SamePool((2, 2, 2), (2, 2, 2)))
        for pool, stage in zip(pools, (STAGE_3, STAGE_4, STAGE_5), strict=True):
            layers.append(pool)
            for branches in stage:
                scaled = Branches(*(_scaled(count, config.width) for count in branches))
                layers.append(Inception(channels, scaled))
                channels = scaled.direct + scaled.wide_a + scaled.wide_b + scaled.pooled
        self.layers = nn.Sequential(*layers)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, clips: Float[Tensor, "b t 3 h w"]) -> Output:
        """Logits and the pooled feature."""
        features = self.layers(as_volume(self.normalise(clips))).mean(dim=(2, 3, 4))
        return Output(self.classifier(self.dropout(features)), features)


def same_padded(
    volume: Float[Tensor, "b c t h w"], kernel: tuple[int, ...], stride: tuple[int, ...]
) -> Float[Tensor, "b c s i j"]:
    """The volume with as many zeros as make a window fit ceil(side / stride) times, the odd one behind."""
    padding: list[int] = []
    for side, window, step in zip(reversed(volume.shape[2:]), reversed(kernel), reversed(stride), strict=True):
        missing = max(window - (side % step or step), 0)
        padding += [missing // 2, missing - missing // 2]
    return functional.pad(volume, padding) if any(padding) else volume


def _scaled(channels: int, width: float) -> int:
    """A channel count at a width, at least one."""
    return max(1, round(channels * width))


i3d = Model(
    title="I3D",
    paper="Carreira and Zisserman. Quo Vadis, Action Recognition? A New Model and the Kinetics Dataset. CVPR 2017.",
    licence="Apache-2.0",
    config=I3dConfig,
    build=I3d,
    verified="12,294,439 parameters and 27.79 G multiply-accumulates at 16x224x224, as the DFEW authors' code has.",
    input=ClipShape(16, 224),
    small={"width": 0.125},
    examples=(ClipShape(4, 64), ClipShape(10, 64)),
)
