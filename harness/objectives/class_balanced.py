"""Cross-entropy weighted by the inverse effective number of clips per class (Cui et al., CVPR 2019)."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.objectives._targets import class_balanced_weights, targets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassBalancedOptions:
    """How strongly frequent classes are weighted down.

    Attributes:
        beta: 0 weights all classes alike, towards 1 by inverse frequency; 0.9999 is the paper's choice for long tails.
    """

    beta: float = 0.9999


class ClassBalanced(nn.Module):
    """Mean over clips of the class's weight times the cross-entropy."""

    weights: Tensor

    def __init__(self, weights: Float[Tensor, " k"]) -> None:
        super().__init__()
        self.register_buffer("weights", weights, persistent=False)

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The loss, with plain cross-entropy as a part."""
        each = -targets_of(labels, state, logits) * logits.log_softmax(dim=1)
        return LossParts((each * self.weights).sum(dim=1).mean(), {"cross_entropy": each.sum(dim=1).mean().detach()})


def _build(options: ClassBalancedOptions, data: TrainingData) -> ClassBalanced:
    return ClassBalanced(class_balanced_weights(data.class_counts, options.beta))


class_balanced = Objective(
    title="Class-balanced cross-entropy",
    paper="Cui et al. Class-Balanced Loss Based on Effective Number of Samples. CVPR 2019, section 4.",
    options=ClassBalancedOptions,
    build=_build,
    takes_distributions=True,
)
