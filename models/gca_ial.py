"""GCA+IAL: global convolution attention on frames, dynamic-static fusion, temporal transformer (Li et al., AAAI 2023).

Its intensity-aware loss is ``harness/objectives/ial.py``.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from models._blocks.model import ClipShape, Model, Output
from models._blocks.normalise import UNIT, ClipNormalise
from models._blocks.resnet2d import initialise_convolutions, residual_stage
from models._blocks.transformer import PositionedTransformer, TransformerSize

SQUEEZE = 16
"""Channels per channel of the gate's narrow layer."""

FLOOR = 1e-5
"""Keeps the geometric mean of two gates differentiable at zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GcaIalConfig:
    """The network's size.

    Attributes:
        width: channels of the stem; the gated stages have twice and four times as many. A multiple of 8.
    """

    width: int = 64


class Gated(NamedTuple):
    """Feature maps of frames, and the auxiliary scores of clips."""

    maps: Float[Tensor, "n c h w"]
    auxiliary: Float[Tensor, "b k"] | None


class GatedBlock(nn.Module):
    """A strided residual block whose channels are gated by a convolution of the full map and by its clip average.

    Attributes:
        judge: the auxiliary classifier, two bias-free layers on the clip's average descriptor, if asked for.
    """

    def __init__(self, channels: int, side: int, frames: int, num_classes: int | None) -> None:
        super().__init__()
        outputs = 2 * channels
        self.frames = frames
        self.branch = nn.Sequential(
            nn.Conv2d(channels, outputs, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = nn.Sequential(nn.Conv2d(channels, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs))
        self.describe = nn.Conv2d(outputs, outputs, side, groups=outputs, bias=False)
        self.squeeze = nn.Linear(outputs, outputs // SQUEEZE, bias=False)
        self.excite = nn.Linear(outputs // SQUEEZE, outputs, bias=False)
        self.judge = None
        if num_classes is not None:
            self.judge = nn.Sequential(
                nn.Linear(outputs, 2 * outputs, bias=False), nn.Linear(2 * outputs, num_classes, bias=False)
            )

    def forward(self, maps: Float[Tensor, "n c h w"]) -> Gated:
        """Maps of half the side, and the auxiliary scores."""
        branch = self.branch(maps)
        described = self.describe(branch).flatten(1)
        gates = 2 * torch.sigmoid(self.excite(torch.relu(self.squeeze(described)))).unflatten(0, (-1, self.frames))
        gates = torch.sqrt(gates * gates.mean(dim=1, keepdim=True) + FLOOR).flatten(0, 1)
        gated = torch.relu(branch * gates[:, :, None, None] + self.shortcut(maps))
        auxiliary = self.judge(described.unflatten(0, (-1, self.frames)).mean(dim=1)) if self.judge else None
        return Gated(gated, auxiliary)


class DynamicStaticFusion(nn.Module):
    """Frame differences through residual blocks, plus the frames themselves through a transformer over patches."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.dynamic = residual_stage(BasicBlock, channels, channels, blocks=3, stride=2)
        self.embed = nn.Sequential(
            nn.Conv2d(channels, channels, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
        )
        size = TransformerSize(layers=2, heads=4, head=channels // 8, hidden=channels)
        self.static = PositionedTransformer(side * side, channels, size)

    def forward(self, maps: Float[Tensor, "b t c h w"]) -> Float[Tensor, "b s d"]:
        """One flattened map for every pair of neighbouring frames."""
        dynamic: Tensor = self.dynamic(maps.diff(dim=1).flatten(0, 1))
        patches = self.static(self.embed(maps[:, :-1].flatten(0, 1)).flatten(2).transpose(1, 2))
        fused = dynamic.flatten(1) + patches.transpose(1, 2).flatten(1)
        pairs: Tensor = fused.unflatten(0, (len(maps), -1))
        return pairs


class GcaIal(nn.Module):
    """Stem, one residual block, two gated blocks, fusion, a transformer over frame pairs, their mean, classifier.

    The released code carries 285,504 parameters that do not reach its loss (attention and classifiers of blocks that
    do not use them, a position too many); they are left out.
    """

    def __init__(self, config: GcaIalConfig, num_classes: int, shape: ClipShape) -> None:
        super().__init__()
        if config.width % 8 or shape.frames < 2:
            raise ValueError(f"needs two frames and a width in steps of 8, not {shape.frames} and {config.width}")
        width, channels = config.width, 4 * config.width
        sides = [-(-shape.size // stride) for stride in (8, 16, 32)]
        self.normalise = ClipNormalise(UNIT)
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
            BasicBlock(width, width),
        )
        self.lower = GatedBlock(width, sides[0], shape.frames, num_classes)
        self.upper = GatedBlock(2 * width, sides[1], shape.frames, None)
        self.fusion = DynamicStaticFusion(channels, sides[2])
        num_features = channels * sides[2] ** 2
        size = TransformerSize(layers=2, heads=4, head=channels // 8, hidden=2 * channels)
        self.temporal = PositionedTransformer(shape.frames - 1, num_features, size)
        self.classifier = nn.Linear(num_features, num_classes)
        initialise_convolutions(self)

    def forward(self, clips: Float[Tensor, "b t 3 h w"]) -> Output:
        """Logits, the mean over frame pairs, and the lower gated block's scores."""
        frames = self.normalise(clips).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        maps, auxiliary = self.lower(self.stem(frames))
        maps = self.upper(maps).maps.unflatten(0, clips.shape[:2])
        features = self.temporal(self.fusion(maps)).mean(dim=1)
        return Output(self.classifier(features), features, auxiliary)


gca_ial = Model(
    title="GCA+IAL",
    paper="Li et al. Intensity-Aware Loss for Dynamic Facial Expression Recognition in the Wild. AAAI 2023.",
    licence="MIT",
    config=GcaIalConfig,
    build=GcaIal,
    verified=(
        "19,083,527 parameters with the released code's 285,504 unused ones counted in; 5.62 G multiply-accumulates at "
        "16x112x112, to which the released code adds 0.32 G by computing each transformer branch twice."
    ),
    small={"width": 8},
)
