"""Tables of one training: what lies in a trial's folder, and the frames that it reads."""

from __future__ import annotations

import pyarrow as pa

from harness.tables.schema.table import Table


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

AUDIT = Table(
    name="audit",
    key=("trial_id", "epoch"),
    schema=pa.schema(
        [("trial_id", pa.string()), ("epoch", pa.int32()), ("test_war", pa.float64()), ("test_uar", pa.float64())]
    ),
)
"""Clean test accuracy after every epoch: what a search on the test fold would have seen. Selection never reads it."""


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
