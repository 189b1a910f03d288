"""Stored logits as one matrix, without a Python object per clip."""

from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float, Int

from harness.tables.schema import predictions
from harness.tables.store import read_arrow

CELL = ("selection", "split", "perturbation", "severity", "repeat")
"""The columns that, within a trial, name one evaluation over all clips."""


class Predictions(NamedTuple):
    """Every column of a predictions table but the logits, and the logits as a matrix with the same rows."""

    rows: pd.DataFrame
    logits: Float[np.ndarray, "n k"]


def read_predictions(path: Path, num_classes: int) -> Predictions:
    """One predictions file.

    Raises:
        HarnessError: if it is missing, unreadable, or made for another number of classes.
    """
    found = read_arrow(path, predictions(num_classes))
    return Predictions(found.drop_columns("logits").to_pandas(), _matrix(found.column("logits"), num_classes))


def from_frame(frame: pd.DataFrame) -> Predictions:
    """A predictions data frame whose ``logits`` column holds one array per row."""
    return Predictions(frame.drop(columns="logits"), np.stack(frame["logits"].to_list()).astype(np.float32))


def members(rows: pd.DataFrame, keys: list[str]) -> dict[tuple[Any, ...], Int[np.ndarray, " _n"]]:
    """Which rows belong to each combination of key values, sorted by key."""
    return cast(dict[tuple[Any, ...], Int[np.ndarray, " _n"]], rows.groupby(keys, sort=True, observed=True).indices)


def _matrix(column: pa.ChunkedArray, num_classes: int) -> Float[np.ndarray, "n k"]:
    values: Float[np.ndarray, " nk"] = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return values.reshape(-1, num_classes)
