"""Rightly named clips counted by resampled unit and class, so that replicates are matrix products."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int

from harness.seeds import derive
from harness.stats.outcomes import FoldOutcomes
from harness.stats.products import product


class Cell(NamedTuple):
    """One class's clips in a stratum: the units they belong to, how many in each, how many of them rightly named."""

    label: int
    units: Int[np.ndarray, " u"]
    clips: Float32[np.ndarray, " u"]
    hits: Float32[np.ndarray, "u rc"]


class Stratum(NamedTuple):
    """Units (clips of a fold and class, or groups of a fold) that are resampled among each other."""

    num_units: int
    cells: tuple[Cell, ...]

    @property
    def stretch(self) -> float:
        """What a resample's distance from the observed counts is multiplied by: sqrt(n / (n - 1)) for n units.

        A bootstrap of n units has (n - 1) / n of the variance of a mean over n units, which matters in a fold with two
        clips of a class; stretched, it has all of it (Rao & Wu, JASA 1988, section 2). A single unit shows no variance.
        """
        return _stretch(self.num_units)


class FoldTable(NamedTuple):
    """The counts of a fold.

    ``columns`` holds, per method, the positions of its columns (its seeds, or one column in which they are summed);
    ``share`` is what one count of a column adds to the mean over seeds and repeats.
    """

    methods: tuple[str, ...]
    strata: tuple[Stratum, ...]
    columns: tuple[Int[np.ndarray, " s"], ...]
    share: Float[np.ndarray, " r"]


class Weights(NamedTuple):
    """How often each unit (per stratum) and each column is drawn in each of b replicates."""

    units: tuple[Float32[np.ndarray, "b _u"], ...]
    columns: Float[np.ndarray, "b r"]


class Counts(NamedTuple):
    """Weighted hits and clips by class."""

    hits: Float[np.ndarray, "k b m c"]
    clips: Float[np.ndarray, "k b"]


def fold_table(
    fold: FoldOutcomes,
    methods: Sequence[str],
    measure: Bool[np.ndarray, "r c q n"],
    *,
    by_seed: bool,
    by_group: bool,
) -> FoldTable:
    """Count a measure's hits. All counts are whole numbers below 2^24, hence exact in single precision."""
    hits = measure.sum(axis=2, dtype=np.float32)
    repeats = measure.shape[2]
    owned = [fold.runs_of(method) for method in methods]
    if by_seed:
        columns = tuple(owned)
        share = np.zeros(len(fold.runs))
        for own in owned:
            share[own] = 1 / (len(own) * repeats)
    else:
        hits = np.stack([hits[own].sum(axis=0) for own in owned])
        columns = tuple(np.array([index]) for index in range(len(owned)))
        share = np.array([1 / (len(own) * repeats) for own in owned])
    rows = np.ascontiguousarray(hits.reshape(-1, len(fold.labels)).T)
    strata = _group_strata(fold, rows) if by_group else _clip_strata(fold, rows)
    return FoldTable(tuple(methods), strata, columns, share)


def _clip_strata(fold: FoldOutcomes, rows: Float32[np.ndarray, "n rc"]) -> tuple[Stratum, ...]:
    """A stratum per class, in which every clip is a unit."""
    strata = []
    for label in np.unique(fold.labels):
        own = rows[fold.labels == label]
        cell = Cell(int(label), np.arange(len(own)), np.ones(len(own), dtype=np.float32), own)
        strata.append(Stratum(len(own), (cell,)))
    return tuple(strata)


def _group_strata(fold: FoldOutcomes, rows: Float32[np.ndarray, "n rc"]) -> tuple[Stratum, ...]:
    """One stratum, in which every group is a unit that carries its clips of all classes."""
    names, group = np.unique(fold.groups.astype(str), return_inverse=True)
    cells = []
    for label in np.unique(fold.labels):
        own = np.flatnonzero(fold.labels == label)
        own = own[np.argsort(group[own], kind="stable")]
        units, starts, clips = np.unique(group[own], return_index=True, return_counts=True)
        cells.append(Cell(int(label), units, clips.astype(np.float32), np.add.reduceat(rows[own], starts, axis=0)))
    return (Stratum(len(names), tuple(cells)),)


def no_resampling(table: FoldTable) -> Weights:
    """Every unit and column once: the observed counts."""
    units = tuple(np.ones((1, stratum.num_units), dtype=np.float32) for stratum in table.strata)
    return Weights(units, table.share[None, :])


def draw_weights(table: FoldTable, rows: int, name: tuple[int, int, int], *, paired_seeds: bool) -> Weights:
    """Multinomial weights of ``rows`` replicates; clips and each method's seeds have generators of their own.

    So the resampled clips are the same whichever methods are compared, and adding a method moves no other's interval.
    Seed weights w are stretched like the counts of a stratum, to 1 + sqrt(S / (S - 1)) (w - 1).
    """
    generator = np.random.default_rng(derive("clips", *name))
    units = tuple(_multinomial(generator, rows, stratum.num_units) for stratum in table.strata)
    columns = np.empty((rows, len(table.share)))
    for method, own in zip(table.methods, table.columns, strict=True):
        drawn = np.random.default_rng(derive("seeds", "all" if paired_seeds else method, *name))
        weights = _multinomial(drawn, rows, len(own)).astype(np.float64)
        columns[:, own] = table.share[own] * (1 + _stretch(len(own)) * (weights - 1))
    return Weights(units, columns)


def _multinomial(generator: np.random.Generator, rows: int, size: int) -> Float32[np.ndarray, "b u"]:
    """How often each of ``size`` units occurs among ``size`` draws with replacement, ``rows`` times."""
    drawn = generator.integers(size, size=(rows, size), dtype=np.int64)
    drawn += np.arange(rows)[:, None] * size
    return np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size).astype(np.float32)


def _stretch(units: int) -> float:
    return float(np.sqrt(units / (units - 1))) if units > 1 else 0.0


def weighted_counts(table: FoldTable, weights: Weights, num_classes: int) -> Counts:
    """Hits and clips of each class under the weights, stretched away from the observed ones."""
    rows = len(weights.columns)
    num_conditions = table.strata[0].cells[0].hits.shape[1] // len(table.share)
    counted = np.zeros((num_classes, rows, len(table.share) * num_conditions))
    clips = np.zeros((num_classes, rows))
    for stratum, drawn in zip(table.strata, weights.units, strict=True):
        for cell in stratum.cells:
            own = drawn if len(cell.units) == stratum.num_units else drawn[:, cell.units]
            for kept, measured in ((counted, cell.hits), (clips, cell.clips)):
                observed = measured.sum(axis=0, dtype=np.float64)
                kept[cell.label] += observed + stratum.stretch * (product(own, measured) - observed)
    return Counts(_by_method(table, counted.reshape(num_classes, rows, -1, num_conditions), weights.columns), clips)


def _by_method(
    table: FoldTable, counted: Float[np.ndarray, "k b r c"], columns: Float[np.ndarray, "b r"]
) -> Float[np.ndarray, "k b m c"]:
    """Weighted sums over each method's columns; with one column a method, only a scaling."""
    if all(len(own) == 1 for own in table.columns):
        counted *= columns[:, :, None]
        return counted
    parts = [np.einsum("kbsc,bs->kbc", counted[:, :, own], columns[:, own]) for own in table.columns]
    return np.stack(parts, axis=2)
