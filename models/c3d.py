"""C3D with batch normalisation, as the DFEW authors train it (Tran et al., ICCV 2015)."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from models._blocks.model import ClipShape, Model, Output
from models._blocks.normalise import UNIT, ClipNormalise, as_volume
from models._blocks.pooling import MaxPool3d

STAGES = ((1,), (2,), (4, 4), (8, 8), (8, 8))
"""Channels of each stage's convolutions, in units of the width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class C3dConfig:
    """The network's size.

    Attributes:
        width: channels of the first convolution.
        hidden: units of the two fully connected layers.
        dropout: probability after each of them.
    """

    width: int = 64
    hidden: int = 4096
    dropout: float = 0.5


class C3d(nn.Module):
    """Eight 3x3x3 convolutions in five pooled stages, two wide layers, a linear classifier.

    The first pool keeps all frames, the other four halve them, so that a clip has 16 frames or more.
    """

    def __init__(self, config: C3dConfig, num_classes: int, shape: ClipShape) -> None:
        super().__init__()
        if shape.frames < 16 or shape.size < 16:
            raise ValueError(
                f"C3D halves frames and sides four times, and {shape.frames} frames of {shape.size} pixels are too few"
            )
        self.normalise = ClipNormalise(UNIT)
        self.stages = nn.Sequential(*_stages(config.width))
        flattened = 8 * config.width * (shape.frames // 16) * _last_side(shape.size) ** 2
        self.wide = nn.Sequential(
            nn.Linear(flattened, config.hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
        )
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(config.hidden, num_classes)

    def forward(self, clips: Float[Tensor, "b t 3 h w"]) -> Output:
        """Logits and the second wide layer."""
        features = self.wide(self.stages(as_volume(self.normalise(clips))).flatten(1))
        return Output(self.classifier(self.dropout(features)), features)


def _stages(width: int) -> list[nn.Module]:
    """Convolutions, normalisations and pools in order; the last pool pads sides by one."""
    layers: list[nn.Module] = []
    channels = 3
    for index, stage in enumerate(STAGES):
        for outputs in stage:
            layers += [nn.Conv3d(channels, outputs * width, 3, padding=1), nn.BatchNorm3d(outputs * width), nn.ReLU()]
            channels = outputs * width
        window = (1, 2, 2) if index == 0 else (2, 2, 2)
        layers.append(MaxPool3d(window, window, padding=(0, 1, 1) if index == 4 else 0))
    return layers


def _last_side(size: int) -> int:
    """Side of the last pool's maps: four halvings, and one with a border."""
    return size // 16 // 2 + 1


c3d = Model(
    title="C3D",
    paper="Tran et al. Learning Spatiotemporal Features with 3D Convolutional Networks. ICCV 2015.",
    licence="none given (DFEW authors' version)",
    config=C3dConfig,
    build=C3d,
    verified="78,029,959 parameters and 38.55 G multiply-accumulates at 16x112x112, as the DFEW authors' code has.",
    small={"width": 4, "hidden": 32},
    examples=(ClipShape(16, 32), ClipShape(16, 48)),
)
