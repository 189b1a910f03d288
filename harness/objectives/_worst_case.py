"""What robust objectives share that reweight a batch: losses per clip, and a worst mean in place of the plain one."""

from collections.abc import Callable

from jaxtyping import Float, Int
from torch import Tensor, nn

from harness.objectives._contract import LossParts, TrainState
from harness.objectives._targets import cross_entropies, targets_of


class WorstCase(nn.Module):
    """The largest mean of the clips' cross-entropies, ``max_q sum_i q_i loss_i``, over weights q that sum to 1.

    Source: Levy et al., NeurIPS 2020, equation 1, whose losses differ in the set of weights alone.

    Args:
        worst_mean: the largest mean over one set, with parts of its own, if any, from losses ``Float[Tensor, " b"]``.
        label_smoothing: of each clip's cross-entropy.
    """

    def __init__(self, worst_mean: Callable[[Tensor], LossParts], label_smoothing: float) -> None:
        super().__init__()
        self.worst_mean, self.label_smoothing = worst_mean, label_smoothing

    def forward(
        self, logits: Float[Tensor, "b k"], features: Float[Tensor, "b d"], labels: Int[Tensor, " b"], state: TrainState
    ) -> LossParts:
        """The loss, with the plain mean as a part before those of the worst one."""
        losses = cross_entropies(logits, targets_of(labels, state, logits), self.label_smoothing)
        worst = self.worst_mean(losses)
        return LossParts(worst.loss, {"cross_entropy": losses.mean().detach(), **worst.parts})
