"""Cross-entropy of logits raised by the classes' log priors, so that rare classes must win by more."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.objectives._contract import LossParts, Objective, TrainingData, TrainState
from harness.objectives._targets import cross_entropies, log_priors, targets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LogitAdjustedOptions:
    """How much of the prior is added.

    Attributes:
        tau: factor on the log priors; 1 makes balanced accuracy the target.
        label_smoothing: share of each target spread over all classes.
    """

    tau: float = 1.0
    label_smoothing: float = 0.0


class LogitAdjusted(nn.Module):
    """Cross-entropy of ``logits + tau log prior``; the network is tested on its logits as they are."""

    shift: Tensor

    def __init__(self, shift: Float[Tensor, " k"], label_smoothing: float) -> None:
        super().__init__()
        self.register_buffer("shift", shift, persistent=False)
        self.label_smoothing = label_smoothing

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The loss, with plain cross-entropy as a part."""
        targets = targets_of(labels, state, logits)
        loss = cross_entropies(logits + self.shift, targets, self.label_smoothing).mean()
        return LossParts(loss, {"cross_entropy": cross_entropies(logits, targets).mean().detach()})


def _build(options: LogitAdjustedOptions, data: TrainingData) -> LogitAdjusted:
    return LogitAdjusted(options.tau * log_priors(data.class_counts), options.label_smoothing)


logit_adjusted = Objective(
    title="Logit-adjusted cross-entropy",
    paper="Menon et al. Long-Tail Learning via Logit Adjustment. ICLR 2021, logit-adjusted softmax cross-entropy.",
    options=LogitAdjustedOptions,
    build=_build,
    takes_distributions=True,
)
