"""Tables of one study: its trials and its searches, and what the report makes of them."""

import pyarrow as pa

from harness.tables.schema.table import Table

TRIALS = Table(
    name="trials",
    key=("method", "phase", "configuration", "fold", "seed"),
    volatile=("seconds", "peak_memory_mb", "device", "versions", "git_commit", "created_at"),
    schema=pa.schema(
        [
            ("study", pa.string()),
            ("method", pa.string()),
            ("phase", pa.string()),
            ("configuration", pa.int32()),
            ("chosen", pa.bool_()),
            ("dataset", pa.string()),
            ("fold", pa.int32()),
            ("seed", pa.int64()),
            ("trial_id", pa.string()),
            ("status", pa.string()),
            ("error", pa.string()),
            ("recipe", pa.string()),
            ("searched", pa.string()),
            ("selected_epoch", pa.int32()),
            ("val_war", pa.float64()),
            ("val_uar", pa.float64()),
            ("parameters", pa.int64()),
            ("macs", pa.int64()),
            ("seconds", pa.float64()),
            ("peak_memory_mb", pa.float64()),
            ("device", pa.string()),
            ("versions", pa.string()),
            ("git_commit", pa.string()),
            ("created_at", pa.timestamp("us", tz="UTC")),
        ]
    ),
)

SEARCH = Table(
    name="search",
    key=("method", "configuration"),
    schema=pa.schema(
        [
            ("method", pa.string()),
            ("configuration", pa.int32()),
            ("known", pa.int32()),
            ("origin", pa.string()),
            ("values", pa.string()),
            ("status", pa.string()),
            ("reason", pa.string()),
            ("folds", pa.list_(pa.int32())),
            ("scores", pa.list_(pa.float64())),
            ("halts", pa.map_(pa.int32(), pa.float64())),
            ("score", pa.float64()),
            ("estimate", pa.float64()),
            ("objectives", pa.map_(pa.string(), pa.float64())),
            ("front", pa.bool_()),
            ("chosen", pa.bool_()),
            ("cost", pa.float64()),
        ]
    ),
)
"""Every configuration that a search tried, and what became of it (docs/search.md). ``scores`` stand beside ``folds``,
the order in which they are trained; null where a fold was not trained to its end."""

IMPORTANCE = Table(
    name="importance",
    key=("method", "parameter"),
    schema=pa.schema(
        [
            ("method", pa.string()),
            ("parameter", pa.string()),
            ("importance", pa.float64()),
            ("evaluator", pa.string()),
            ("num_configurations", pa.int64()),
        ]
    ),
)
"""What share of a search's success each searched parameter explains, and by which measure; shares sum to one."""

METRICS = Table(
    name="metrics",
    key=("trial_id", "selection", "split", "perturbation", "severity", "repeat", "metric", "class"),
    schema=pa.schema(
        [
            ("trial_id", pa.string()),
            ("selection", pa.string()),
            ("split", pa.string()),
            ("perturbation", pa.string()),
            ("severity", pa.float32()),
            ("repeat", pa.int16()),
            ("metric", pa.string()),
            ("class", pa.string()),
            ("value", pa.float64()),
            ("num_clips", pa.int64()),
        ]
    ),
)

SCORES = Table(
    name="scores",
    key=("method", "selection", "scope", "metric"),
    schema=pa.schema(
        [
            ("method", pa.string()),
            ("selection", pa.string()),
            ("scope", pa.string()),
            ("metric", pa.string()),
            ("value", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("covers", pa.string()),
            ("num_clips", pa.int64()),
            ("num_runs", pa.int64()),
            ("rank_low", pa.float64()),
            ("rank_high", pa.float64()),
            ("probability_first", pa.float64()),
        ]
    ),
)
"""One number of the report per method, selection rule (``selections.RULES``), scope (``clean``, ``perturbed``,
``order``, ``family:noise``, ``fog-3``) and metric, with its 95 % interval and what it covers."""

ROBUSTNESS = Table(
    name="robustness",
    key=("method", "selection", "metric", "measure"),
    schema=pa.schema(
        [
            ("method", pa.string()),
            ("selection", pa.string()),
            ("metric", pa.string()),
            ("measure", pa.string()),
            ("value", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("covers", pa.string()),
        ]
    ),
)
"""One measure of robustness per method (``docs/statistics.md``), in its UAR and its WAR form (``metric``), with its
95 % interval."""

CALIBRATION = Table(
    name="calibration",
    key=("method", "selection", "metric"),
    schema=pa.schema(
        [
            ("method", pa.string()),
            ("selection", pa.string()),
            ("metric", pa.string()),
            ("value", pa.float64()),
            ("low", pa.float64()),
            ("high", pa.float64()),
            ("scaled", pa.float64()),
            ("scaled_low", pa.float64()),
            ("scaled_high", pa.float64()),
            ("temperature", pa.float64()),
            ("num_clips", pa.int64()),
            ("num_runs", pa.int64()),
        ]
    ),
)
"""Calibration on clean test clips as trained (``value``) and after temperature scaling (``scaled``), with 95 %
intervals; ``temperature`` is the mean over a method's networks, each fitted on its own clean validation clips."""
