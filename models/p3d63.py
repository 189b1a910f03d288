"""P3D-63: pseudo-3D residual blocks in three arrangements (Qiu et al., ICCV 2017)."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models._blocks.model import ClipShape, Model, Output
from models._blocks.normalise import IMAGENET, ClipNormalise, as_volume
from models._blocks.pooling import MaxPool3d

EXPANSION = 4
"""Outer channels per inner channel of a block."""

Arrangement = Literal["serial", "parallel", "both", "flat"]
"""P3D-A, P3D-B, P3D-C, and the two-dimensional block of the last stage."""

IN_TURN: tuple[Arrangement, ...] = ("serial", "parallel", "both")
"""Arrangements of successive blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class P3dConfig:
    """The network's size.

    Attributes:
        width: channels of the stem.
        blocks: of the four stages; 3, 4, 6, 3 is P3D-63.
        dropout: probability before the classifier.
    """

    width: int = 64
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    dropout: float = 0.5


class PseudoBlock(nn.Module):
    """A bottleneck whose 3x3x3 convolution is a spatial and a temporal one."""

    def __init__(self, channels: int, planes: int, stride: int, arrangement: Arrangement) -> None:
        super().__init__()
        outputs = EXPANSION * planes
        self.arrangement = arrangement
        self.narrow = _unit(channels, planes, 1, (1, stride, stride))
        self.spatial = _unit(planes, planes, (1, 3, 3))
        self.temporal = None if arrangement == "flat" else _unit(planes, planes, (3, 1, 1))
        self.widen = nn.Sequential(nn.Conv3d(planes, outputs, 1, bias=False), nn.BatchNorm3d(outputs))
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels != outputs:
            projection = nn.Conv3d(channels, outputs, 1, (1, stride, stride), bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm3d(outputs))

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t i j"]:
        """The block's feature map; frames are kept, sides divided by the stride and rounded up."""
        narrow = self.narrow(volume)
        branch = self.spatial(narrow)
        if self.temporal is not None:
            filtered = self.temporal(narrow if self.arrangement == "parallel" else branch)
            branch = filtered if self.arrangement == "serial" else branch + filtered
        return torch.relu(self.widen(branch) + self.shortcut(volume))


class P3d(nn.Module):
    """Stem, three pseudo-3D stages with the arrangements in turn, a two-dimensional stage, pool, classifier.

    The stem's pool and a pool after each of the first three stages halve the frames, so that a clip has 16 or more.
    """

    def __init__(self, config: P3dConfig, num_classes: int, shape: ClipShape) -> None:
        super().__init__()
        if shape.frames < 16:
            raise ValueError(f"P3D halves frames four times; {shape.frames} frames are fewer than 16")
        self.normalise = ClipNormalise(IMAGENET)
        self.stem = nn.Sequential(
            *_unit(3, config.width, (1, 7, 7), (1, 2, 2)), MaxPool3d((2, 3, 3), 2, padding=(0, 1, 1))
        )
        stages: list[nn.Module] = []
        channels = config.width
        for index, blocks in enumerate(config.blocks):
            planes = config.width * 2**index
            for position in range(blocks):
                arrangement = "flat" if index == 3 else IN_TURN[(sum(config.blocks[:index]) + position) % 3]
                stages.append(PseudoBlock(channels, planes, 2 if index and not position else 1, arrangement))
                channels = EXPANSION * planes
            if index < 3:
                stages.append(MaxPool3d((2, 1, 1)))
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, clips: Float[Tensor, "b t 3 h w"]) -> Output:
        """Logits and the pooled feature."""
        features = self.stages(self.stem(as_volume(self.normalise(clips)))).mean(dim=(2, 3, 4))
        return Output(self.classifier(self.dropout(features)), features)


def _unit(
    channels: int, outputs: int, kernel: int | tuple[int, int, int], stride: int | tuple[int, int, int] = 1
) -> nn.Sequential:
    """Convolution with padding of half the kernel, normalisation, ReLU."""
    time, height, width = (kernel, kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (time // 2, height // 2, width // 2)
    convolution = nn.Conv3d(channels, outputs, (time, height, width), stride, padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm3d(outputs), nn.ReLU(inplace=True))


p3d63 = Model(
    title="P3D-63",
    paper="Qiu et al. Learning Spatio-Temporal Representation with Pseudo-3D Residual Networks. ICCV 2017.",
    licence="none given (DFEW authors' version)",
    config=P3dConfig,
    build=P3d,
    verified="24,939,975 parameters and 8.44 G multiply-accumulates at 16x160x160, as the DFEW authors' code has.",
    input=ClipShape(16, 160),
    small={"width": 8, "blocks": (1, 1, 1, 1)},
    examples=(ClipShape(16, 64), ClipShape(32, 48)),
)
