"""Expected calibration error of the predicted class, with equal-mass bins."""

import numpy as np
from numpy.typing import NDArray

from harness.metrics._contract import Metric
from harness.metrics._probabilities import calibration_error, probabilities, require_clips


def expected_calibration_error(logits: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """How far the confidence in the predicted class is from its accuracy, on average over clips; 0 to 1."""
    require_clips(labels)
    chances = probabilities(logits)
    return calibration_error(chances.max(axis=1), chances.argmax(axis=1) == labels)


ece = Metric(
    title="ECE",
    source="Guo et al., ICML 2017, equation 3, with the equal-mass bins of Nixon et al. 2019",
    higher_is_better=False,
    compute=expected_calibration_error,
)
