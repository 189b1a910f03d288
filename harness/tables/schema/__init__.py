"""Every column of every table, once. Each table has a version, a key, and columns that vary between identical runs."""

from harness.tables.schema.of_studies import CALIBRATION, IMPORTANCE, METRICS, ROBUSTNESS, SCORES, SEARCH, TRIALS
from harness.tables.schema.of_trials import (
    AUDIT,
    EPOCHS,
    FINGERPRINT_VALUES,
    FINGERPRINTS,
    FRAMES,
    features,
    predictions,
)
from harness.tables.schema.table import VERSION, Table

__all__ = [
    "AUDIT",
    "CALIBRATION",
    "EPOCHS",
    "FINGERPRINTS",
    "FINGERPRINT_VALUES",
    "FRAMES",
    "IMPORTANCE",
    "METRICS",
    "ROBUSTNESS",
    "SCORES",
    "SEARCH",
    "TRIALS",
    "VERSION",
    "Table",
    "features",
    "predictions",
]
