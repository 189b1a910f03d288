"""HDF, the heterogeneity-aware distributional framework: X3D with time-frequency attention after each stage.

Source: Cui et al., ACM MM 2025 (arXiv 2507.15765), architecture figure. Its label of stage 4's input (H/8) contradicts
the X3D trunk that it names; the trunk's H/16 is kept.
"""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from models._blocks.checkpoint_keys import x3d_trunk_key
from models._blocks.classifier import ClassifierKind, build_classifier
from models._blocks.dam import DAM, DamConfig
from models._blocks.model import ClipShape, Model, Output
from models._blocks.normalise import KINETICS_X3D, ClipNormalise, as_volume
from models._blocks.x3d_trunk import X3DTrunk, initialise_as_slowfast


@dataclass(frozen=True, slots=True, kw_only=True)
class HDFConfig:
    """The trunk's size and the attention's switches.

    Attributes:
        width: channel multiplier of X3D's trunk.
        depth: block multiplier of X3D's trunk.
        bottleneck: channels inside a block per channel outside it.
        temporal: gate frames.
        frequency: gate pixels. With both off the network is X3D's trunk under HDF's head.
        difference: what the temporal gate takes differences of: channel ``bins`` (as released) or ``frames``.
        classifier: ``linear``, or ``cosine`` for margin losses (``ldam_drw``).
        init: ``pytorch`` keeps the library's defaults; ``slowfast`` is X3D's Kinetics recipe.
    """

    width: float = 2.0
    depth: float = 2.2
    bottleneck: float = 2.25
    temporal: bool = True
    frequency: bool = True
    difference: Literal["bins", "frames"] = "bins"
    classifier: ClassifierKind = "linear"
    init: Literal["pytorch", "slowfast"] = "pytorch"


class HDF(nn.Module):
    """Stem, four pairs of stage and attention, global average pool, linear classifier."""

    def __init__(self, config: HDFConfig, num_classes: int, frames: int) -> None:
        super().__init__()
        self.normalise = ClipNormalise(KINETICS_X3D)
        self.trunk = X3DTrunk(config.width, config.depth, config.bottleneck)
        self.classifier = build_classifier(config.classifier, self.trunk.channels[-1], num_classes)
        if config.init == "slowfast":
            initialise_as_slowfast(self)
        switches = DamConfig(temporal=config.temporal, frequency=config.frequency, difference=config.difference)
        acts = config.temporal or config.frequency
        self.attention = nn.ModuleList(DAM(frames, switches) if acts else nn.Identity() for _ in self.trunk.stages)

    def forward(self, clips: Float[Tensor, "b t 3 h w"]) -> Output:
        """Logits and the pooled feature (192 numbers at width 2), which the contrastive loss reads."""
        volume = self.trunk.stem(as_volume(self.normalise(clips)))
        for stage, attention in zip(self.trunk.stages, self.attention, strict=True):
            volume = attention(stage(volume))
        features = volume.mean(dim=(2, 3, 4))
        return Output(self.classifier(features), features)


def _build(config: HDFConfig, num_classes: int, shape: ClipShape) -> HDF:
    return HDF(config, num_classes, shape.frames)


hdf = Model(
    title="HDF",
    paper=(
        "Cui et al. Learning from Heterogeneity: Generalizing Dynamic Facial Expression Recognition via "
        "Distributionally Robust Optimization. ACM MM 2025."
    ),
    licence="none given",
    config=HDFConfig,
    build=_build,
    verified=(
        "Trunk against pytorchvideo; attention against the released order of operations written out directly, with the "
        "filter bank repeated over channels; 4,237 parameters per attention module at 16 frames."
    ),
    checkpoint_key=x3d_trunk_key,
    fresh=("classifier.", "attention."),
    small={"width": 0.5, "depth": 0.2},
)
