"""Class-wise expected calibration error: every class's probability is judged, not only the largest."""

import numpy as np
from numpy.typing import NDArray

from harness.metrics._contract import Metric
from harness.metrics._probabilities import calibration_error, probabilities, require_clips


def classwise_calibration_error(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Mean over classes of the calibration error of p(class) as a forecast of that class; 0 to 1."""
    require_clips(labels)
    chances = probabilities(logits)
    errors = [calibration_error(chances[:, index], labels == index) for index in range(chances.shape[1])]
    return float(np.mean(errors))


classwise_ece = Metric(
    title="Class-wise ECE",
    source="Kull et al., NeurIPS 2019, equation 2, with the equal-mass bins of Nixon et al. 2019",
    higher_is_better=False,
    compute=classwise_calibration_error,
)
