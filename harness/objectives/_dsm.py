"""What DSM as drawn and DSM as released share: three terms, and the sum that is minimised.

Source: Cui et al., ACM MM 2025 (arXiv 2507.15765), architecture figure; the released code sums the same terms.
"""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from harness.objectives._contract import LossParts


class Terms(NamedTuple):
    """The loss's terms.

    Attributes:
        cross_entropy: L_CE, of logits against labels.
        contrast: L_DSC, between clips of one class and all others.
        trace: L_IB, how far the features are spread.
    """

    cross_entropy: Float[Tensor, ""]
    contrast: Float[Tensor, ""]
    trace: Float[Tensor, ""]

    def summed(
        self, scale_ce: Float[Tensor, ""] | float, scale_sc: Float[Tensor, ""] | float, ib_coefficient: float
    ) -> LossParts:
        """``lambda_CE L_CE + lambda_SC (L_DSC + ib L_IB)``, with the three terms unscaled as parts."""
        loss = scale_ce * self.cross_entropy + scale_sc * (self.contrast + ib_coefficient * self.trace)
        return LossParts(loss, {name: term.detach() for name, term in self._asdict().items()})
