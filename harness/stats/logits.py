"""Stored logits as one matrix, without a Python object per clip."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from jaxtyping import Float, Int

from harness.tables.schema import predictions
from harness.tables.store import read_arrow

CELL = ("selection", "split", "perturbation", "severity", "repeat")
"""The columns that, within a trial, name one evaluation over all clips."""


class Predictions(NamedTuple):
    """Every column of a predictions table but the logits, and the logits as a matrix with the same rows.

    Texts may be categories, so that a file of a million rows needs no million strings.
    """

    rows: pd.DataFrame
    logits: Float[np.ndarray, "n k"]


def read_predictions(path: Path, num_classes: int) -> Predictions:
    """One predictions file, its texts as categories.

    Raises:
        HarnessError: if it is missing, unreadable, or made for another number of classes.
    """
    found = read_arrow(path, predictions(num_classes), dictionaries=True)
    return Predictions(found.drop_columns("logits").to_pandas(), _matrix(found.column("logits"), num_classes))


def from_frame(frame: pd.DataFrame) -> Predictions:
    """A predictions data frame whose ``logits`` column holds one array per row."""
    return Predictions(frame.drop(columns="logits"), np.stack(frame["logits"].to_list()).astype(np.float32))


def members(rows: pd.DataFrame, keys: list[str]) -> dict[tuple[Any, ...], Int[np.ndarray, " _n"]]:
    """Which rows belong to each combination of key values, sorted by key; rows keep their order."""
    if rows.empty:
        return {}
    columns = [coded(rows[key]) for key in keys]
    place = np.zeros(len(rows), dtype=np.int64)
    for column in columns:
        place = place * len(column.values) + column.codes
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    return {
        tuple(column.values[column.codes[own[0]]] for column in columns): own for own in np.split(order, starts[1:])
    }


class Coded(NamedTuple):
    """A column as its sorted distinct values and, for each row, the position of its value among them."""

    values: np.ndarray
    codes: Int[np.ndarray, " n"]


def coded(column: pd.Series) -> Coded:
    """A column without missing values, as codes in the order of its values."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = column.cat.categories.to_numpy(dtype=object)
        order = np.argsort(categories.astype(str), kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return Coded(categories[order], rank[column.cat.codes.to_numpy()])
    codes, values = pd.factorize(column, sort=True)
    return Coded(np.asarray(values), codes)


def _matrix(column: pa.ChunkedArray, num_classes: int) -> Float[np.ndarray, "n k"]:
    values: Float[np.ndarray, " nk"] = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return values.reshape(-1, num_classes)
