"""What the methods cost: parameters, time and memory beside accuracy."""

from typing import NamedTuple

import pandas as pd

from harness.report.study_results import StudyResults


class CostRow(NamedTuple):
    """One method; what was not recorded is None.

    Trainings compared, parameters in millions, multiply-accumulates of a clip in billions, mean seconds and peak memory
    in MB of a training, and trials searched.
    """

    method: str
    trainings: int
    parameters_m: float | None
    macs_g: float | None
    seconds: float | None
    peak_memory_mb: float | None
    searched: int


def cost_rows(results: StudyResults) -> list[CostRow]:
    """Every compared method."""
    searched = results.trials[results.trials["phase"] == "search"].groupby("method")["trial_id"].nunique()
    rows = []
    for method in results.outcomes.methods:
        own = results.confirmed[results.confirmed["method"] == method]
        rows.append(
            CostRow(
                method=method,
                trainings=len(own),
                parameters_m=_mean(own["parameters"] / 1e6),
                macs_g=_mean(own["macs"] / 1e9),
                seconds=_mean(own["seconds"]),
                peak_memory_mb=_mean(own["peak_memory_mb"]),
                searched=int(searched.get(method, 0)),
            )
        )
    return rows


def _mean(values: pd.Series) -> float | None:
    known = values.dropna()
    return float(known.mean()) if len(known) else None
