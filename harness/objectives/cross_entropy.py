"""Cross-entropy with label smoothing: the loss that every other one is compared with."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.objectives._targets import mean_cross_entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossEntropyOptions:
    """How certain the targets are.

    Attributes:
        label_smoothing: share of each target spread evenly over all classes, 0 to 1 (0.1 in M3DFEL's recipe).
    """

    label_smoothing: float = 0.1


class CrossEntropy(nn.Module):
    """Mean cross-entropy; per-clip class probabilities take the place of labels where the state has them."""

    def __init__(self, label_smoothing: float) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The loss, which is its own only part."""
        loss = mean_cross_entropy(logits, labels, state, self.label_smoothing)
        return LossParts(loss, {"cross_entropy": loss.detach()})


def _build(options: CrossEntropyOptions, data: TrainingData) -> CrossEntropy:
    return CrossEntropy(options.label_smoothing)


cross_entropy = Objective(
    title="Cross-entropy",
    paper="Szegedy et al. Rethinking the Inception Architecture for Computer Vision. CVPR 2016, section 7.",
    options=CrossEntropyOptions,
    build=_build,
    takes_distributions=True,
)
