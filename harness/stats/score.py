"""Every metric of every evaluation, from the stored logits and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from harness import plugins
from harness.metrics._contract import Metric
from harness.stats.logits import CELL, Predictions, from_frame, members
from harness.stats.temperature import cooled
from harness.tables.schema import METRICS

RECALL = "recall"
"""The metric that has a row per class instead of one row for all classes (whose class is the empty string)."""

SCALED = ("brier", "classwise_ece", "ece", "nll")
"""Metrics that are measured again after temperature scaling; the others only look at the order of logits."""

SUFFIX = "_scaled"
"""Ends the name of a metric that is measured after temperature scaling."""

TEMPERATURE = "temperature"
"""The row that holds a network's temperature, beside the metrics of the validation clips that it is fitted on."""


def score(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Every metric of a predictions data frame, in the METRICS schema.

    Args:
        predictions: rows of the predictions table; labels index ``classes``.
        classes: the class names, in label order.

    Returns:
        One row per trial, selection, split, perturbation, severity, repeat and metric, with an empty class; and one
        row per class that occurs in the labels for ``recall``, with that class's number of clips.
    """
    if predictions.empty:
        return pd.DataFrame(columns=METRICS.schema.names)
    return score_matrix(from_frame(predictions), classes)


def score_matrix(
    predictions: Predictions, classes: Sequence[str], temperatures: Mapping[str, float] = MappingProxyType({})
) -> pd.DataFrame:
    """As ``score``, for logits that are a matrix already.

    With a temperature for a selection there is also a row for each of ``SCALED`` under the name ``ece_scaled`` and so
    on: the metric of the logits divided by it.
    """
    metrics = known_metrics()
    keys = ["trial_id", *CELL]
    labels = predictions.rows["label"].to_numpy().astype(np.int64)
    rows: list[dict[str, Any]] = []
    for key, own in members(predictions.rows, keys).items():
        cell = dict(zip(keys, key, strict=True))
        logits, truth = predictions.logits[own], labels[own]
        rows.extend({**cell, **row} for row in _cell_rows(logits, truth, classes, metrics))
        if cell["selection"] in temperatures:
            scaled = _scaled_rows(logits, truth, temperatures[cell["selection"]], metrics)
            rows.extend({**cell, **row} for row in scaled)
    return pd.DataFrame(rows, columns=METRICS.schema.names)


@cache
def known_metrics() -> dict[str, Metric]:
    """Every metric file, loaded once per process."""
    return {name: plugins.load("metric", name) for name in plugins.names("metric")}


def _scaled_rows(
    logits: Float[np.ndarray, "n k"], labels: Int[np.ndarray, " n"], temperature: float, metrics: dict[str, Metric]
) -> Iterator[dict[str, Any]]:
    scaled = cooled(logits, temperature)
    for name in SCALED:
        value = metrics[name].compute(scaled, labels)
        yield {"metric": f"{name}{SUFFIX}", "class": "", "value": value, "num_clips": len(labels)}


def _cell_rows(
    logits: Float[np.ndarray, "n k"],
    labels: Int[np.ndarray, " n"],
    classes: Sequence[str],
    metrics: dict[str, Metric],
) -> Iterator[dict[str, Any]]:
    for name, metric in metrics.items():
        yield {"metric": name, "class": "", "value": metric.compute(logits, labels), "num_clips": len(labels)}
    correct = logits.argmax(axis=1) == labels
    for index in np.unique(labels):
        own = correct[labels == index]
        yield {"metric": RECALL, "class": classes[index], "value": float(own.mean()), "num_clips": len(own)}
