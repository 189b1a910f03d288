"""X3D, expanded along width and depth (Feichtenhofer, CVPR 2020, arXiv 2004.04730)."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models._blocks.checkpoint_keys import x3d_key
from models._blocks.classifier import ClassifierKind, build_classifier
from models._blocks.model import ClipShape, Model, Output
from models._blocks.normalise import KINETICS_X3D, ClipNormalise, as_volume
from models._blocks.x3d_convolutions import PointwiseConv3d
from models._blocks.x3d_trunk import X3DTrunk, initialise_as_slowfast


@dataclass(frozen=True, slots=True, kw_only=True)
class X3DConfig:
    """Expansion factors of the paper's table 1.

    XS, S and M are one network (width 2, depth 2.2) that differ in the clips they are given: 4, 13 and 16 frames. L is
    ``depth: 5.0``. Widths and depths down to 0.5 and 0.2 give networks small enough for a CPU.

    Attributes:
        width: channel multiplier of the 12-24-48-96 base.
        depth: block multiplier of the 1-2-5-3 base.
        bottleneck: channels inside a block per channel outside it.
        head_width: features that the classifier reads.
        dropout: probability before the classifier.
        classifier: ``linear``, or ``cosine`` for margin losses (``ldam_drw``).
        init: ``pytorch`` keeps the library's defaults, as pytorchvideo does; ``slowfast`` is the Kinetics recipe.
    """

    width: float = 2.0
    depth: float = 2.2
    bottleneck: float = 2.25
    head_width: int = 2048
    dropout: float = 0.5
    classifier: ClassifierKind = "linear"
    init: Literal["pytorch", "slowfast"] = "pytorch"


class X3D(nn.Module):
    """X3D trunk and head: widen, pool over the clip, project to the feature vector, classify.

    The pool adapts to the clip; on a clip whose sides are multiples of 32 it equals pytorchvideo's fixed window.
    """

    def __init__(self, config: X3DConfig, num_classes: int) -> None:
        super().__init__()
        self.normalise = ClipNormalise(KINETICS_X3D)
        self.trunk = X3DTrunk(config.width, config.depth, config.bottleneck)
        self.widen = nn.Sequential(
            PointwiseConv3d(self.trunk.channels[-1], self.trunk.inner),
            nn.BatchNorm3d(self.trunk.inner),
            nn.ReLU(inplace=True),
        )
        self.project = nn.Linear(self.trunk.inner, config.head_width, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = build_classifier(config.classifier, config.head_width, num_classes)
        if config.init == "slowfast":
            initialise_as_slowfast(self)

    def forward(self, clips: Float[Tensor, "b t 3 h w"]) -> Output:
        """Logits and the feature vector before dropout."""
        volume = self.trunk(as_volume(self.normalise(clips)))
        features = torch.relu(self.project(self.widen(volume).mean(dim=(2, 3, 4))))
        return Output(self.classifier(self.dropout(features)), features)


def _build(config: X3DConfig, num_classes: int, shape: ClipShape) -> X3D:
    return X3D(config, num_classes)


x3d = Model(
    title="X3D",
    paper="Feichtenhofer. X3D: Expanding Architectures for Efficient Video Recognition. CVPR 2020.",
    licence="Apache-2.0",
    config=X3DConfig,
    build=_build,
    verified="Outputs within 1e-5 of pytorchvideo's XS, S, M and L with its weights copied over; parameter counts.",
    checkpoint_key=x3d_key,
    small={"width": 0.5, "depth": 0.2, "head_width": 64},
)
