"""Every column of every table, once. Each table has a version, a key, and columns that vary between identical runs."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

VERSION = 3
"""Written into every file. A changed schema raises it once per release and adds a step to ``migrations.py``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table's explicit Arrow schema.

    Attributes:
        name: names the files.
        schema: columns with types; no other column may be written or read.
        key: columns that together name one row; rows are sorted by them.
        volatile: columns (times, hosts) that may differ between two runs of the same study.
    """

    name: str
    schema: pa.Schema
    key: tuple[str, ...]
    volatile: tuple[str, ...] = ()


def predictions(num_classes: int) -> Table:
    """Logits, a row per clip and condition, for a data set of ``num_classes`` classes."""
    return Table(
        name="predictions",
        key=("trial_id", "selection", "split", "perturbation", "severity", "repeat", "clip_id"),
        schema=pa.schema(
            [
                ("trial_id", pa.string()),
                ("selection", pa.string()),
                ("split", pa.string()),
                ("perturbation", pa.string()),
                ("severity", pa.float32()),
                ("repeat", pa.int16()),
                ("clip_id", pa.string()),
                ("group", pa.string()),
                ("domain", pa.string()),
                ("label", pa.int16()),
                ("logits", pa.list_(pa.float32(), num_classes)),
            ]
        ),
    )


EPOCHS = Table(
    name="epochs",
    key=("trial_id", "epoch"),
    volatile=("seconds",),
    schema=pa.schema(
        [
            ("trial_id", pa.string()),
            ("epoch", pa.int32()),
            ("train_loss", pa.float64()),
            ("train_parts", pa.map_(pa.string(), pa.float64())),
            ("train_war", pa.float64()),
            ("val_war", pa.float64()),
            ("val_uar", pa.float64()),
            ("val_loss", pa.float64()),
            ("learning_rate", pa.float64()),
            ("gradient_norm", pa.float64()),
            ("seconds", pa.float64()),
        ]
    ),
)

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

AUDIT = Table(
    name="audit",
    key=("trial_id", "epoch"),
    schema=pa.schema(
        [("trial_id", pa.string()), ("epoch", pa.int32()), ("test_war", pa.float64()), ("test_uar", pa.float64())]
    ),
)
"""Clean test accuracy after every epoch: what a search on the test fold would have seen. Selection never reads it."""


FRAMES = Table(
    name="frames",
    key=("fold", "seed", "split", "epoch", "clip_id"),
    schema=pa.schema(
        [
            ("fold", pa.int16()),
            ("seed", pa.int64()),
            ("split", pa.string()),
            ("epoch", pa.int32()),
            ("batch", pa.int32()),
            ("clip_id", pa.string()),
            ("stored_frames", pa.list_(pa.int32())),
            ("source_frames", pa.list_(pa.int32())),
        ]
    ),
)
"""The frames that a training reads of each clip in each epoch (0 for validation and test clips), in reading order:
their numbers among the packed frames and in the clip's own video, counted from 0."""


def features(num_features: int) -> Table:
    """Pooled features of the clean test clips at the selected epoch."""
    return Table(
        name="features",
        key=("trial_id", "clip_id"),
        schema=pa.schema(
            [
                ("trial_id", pa.string()),
                ("clip_id", pa.string()),
                ("features", pa.list_(pa.float32(), num_features)),
            ]
        ),
    )


FINGERPRINT_VALUES = 96
"""Means over 2 x 4 x 4 blocks of a clip (time, height, width) for each of three channels."""

FINGERPRINTS = Table(
    name="fingerprints",
    key=("perturbation", "severity", "repeat", "clip_id"),
    schema=pa.schema(
        [
            ("perturbation", pa.string()),
            ("severity", pa.float32()),
            ("repeat", pa.int16()),
            ("clip_id", pa.string()),
            ("values", pa.list_(pa.float32(), FINGERPRINT_VALUES)),
        ]
    ),
)
"""What a few test clips looked like under each condition, in 8-bit levels, so that entries can be told apart whose
perturbations differ. Equal within one level on CPU and CUDA."""

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

SEARCH = Table(
    name="search",
    key=("method", "configuration"),
    schema=pa.schema(
        [
            ("method", pa.string()),
            ("configuration", pa.int32()),
            ("round", pa.int32()),
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
