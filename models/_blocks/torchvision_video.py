"""Torchvision's video networks under the common contract."""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from models._blocks.model import ClipShape, Output
from models._blocks.normalise import KINETICS_RESNET, ClipNormalise, Statistics, as_volume

RESNET_EXAMPLES = (ClipShape(2, 32), ClipShape(3, 48))
"""Shapes small enough to test networks that have no smaller version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOptions:
    """The network is as torchvision builds it."""


class TorchvisionVideo(nn.Module):
    """A torchvision network without its classifier, between normalisation and a new linear classifier."""

    def __init__(self, encoder: nn.Module, num_features: int, num_classes: int, statistics: Statistics) -> None:
        super().__init__()
        self.normalise = ClipNormalise(statistics)
        self.encoder = encoder
        self.classifier = nn.Linear(num_features, num_classes)

    def forward(self, clips: Float[Tensor, "b t 3 h w"]) -> Output:
        """Logits and the pooled feature."""
        features = self.encoder(as_volume(self.normalise(clips)))
        return Output(self.classifier(features), features)


def video_resnet(builder: Callable[..., nn.Module]) -> Callable[[NoOptions, int, ClipShape], TorchvisionVideo]:
    """How to build one of torchvision's video ResNets, which take clips of any shape, with fresh weights."""

    def build(config: NoOptions, num_classes: int, shape: ClipShape) -> TorchvisionVideo:
        encoder = builder(weights=None)
        num_features = encoder.get_parameter("fc.weight").shape[1]
        encoder.fc = nn.Identity()
        return TorchvisionVideo(encoder, num_features, num_classes, KINETICS_RESNET)

    return build
