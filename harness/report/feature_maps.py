"""Maps of what networks make of clean test clips: pooled features brought down to two dimensions."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from harness.report.study_results import StudyResults
from harness.seeds import derive
from harness.spec.trial import CLEAN
from harness.stats.logits import read_predictions
from harness.tables.store import read_columns

SAMPLE = 500
"""Clips drawn at most, so that the page stays small; the same ones for every method."""

MANY = 12
"""More domains or groups than this are not told apart by colour: the largest seven are, the others are one."""


class Coloring(NamedTuple):
    """What points are coloured by: each point's position in ``names``, and how nearest neighbours agree on it.

    ``agreement`` is the share of clips whose nearest neighbour among the features has the same name, ``chance`` that
    share for neighbours drawn at random.
    """

    title: str
    names: list[str]
    codes: Int[np.ndarray, " n"]
    agreement: float
    chance: float


class FeatureMap(NamedTuple):
    """One network's clips in two dimensions, each axis scaled to run from 0 to 1.

    ``explained`` is the share of the variance along each axis, for PCA alone.
    """

    method: str
    fold: int
    seed: int
    clips: int
    of: int
    projections: dict[str, Float[np.ndarray, "n 2"]]
    explained: tuple[float, float]
    colorings: list[Coloring]


class Labelled(NamedTuple):
    """Features of a sample of clips with what is known of them, and the number of clips sampled from."""

    features: Float[np.ndarray, "n d"]
    rows: pd.DataFrame
    of: int


def feature_maps(results: StudyResults) -> list[FeatureMap]:
    """A map of each method's first network whose features are stored; all of one fold and seed where they can be."""
    return [one for method in results.outcomes.methods for one in _map(results, method)]


def tsne_is_possible() -> bool:
    """Whether scikit-learn, an extra, is installed."""
    return find_spec("sklearn") is not None


def principal_components(features: Float[np.ndarray, "n d"]) -> tuple[Float[np.ndarray, "n 2"], tuple[float, float]]:
    """The first two principal components and the shares of variance they hold; the largest loading is positive."""
    centered = features - features.mean(axis=0)
    left, scale, right = np.linalg.svd(centered, full_matrices=False)
    signs = np.sign(right[np.arange(2), np.abs(right[:2]).argmax(axis=1)])
    total = float((scale**2).sum())
    shares = scale[:2] ** 2 / total if total > 0 else np.zeros(2)
    return left[:, :2] * scale[:2] * signs, (float(shares[0]), float(shares[1]))


def stochastic_neighbors(features: Float[np.ndarray, "n d"], seed: int) -> Float[np.ndarray, "n 2"]:
    """t-SNE from the principal components (van der Maaten & Hinton, JMLR 2008; start: Kobak & Linderman 2021)."""
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(features) - 1) / 3)
    return np.asarray(TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(features))


def coloring(title: str, values: Sequence[str], nearest: Int[np.ndarray, " n"]) -> Coloring:
    """A colouring by name; rare names of many become one, after agreement was measured."""
    texts = np.array([str(value) for value in values])
    names, codes, counts = np.unique(texts, return_inverse=True, return_counts=True)
    agreement = float((codes == codes[nearest]).mean())
    chance = float((counts * (counts - 1)).sum() / (len(texts) * (len(texts) - 1)))
    if len(names) > MANY:
        kept = sorted(names[np.argsort(-counts, kind="stable")[:7]].tolist())
        texts = np.where(np.isin(texts, kept), texts, "others")
        names = np.array([*kept, "others"])
        codes = np.array([names.tolist().index(text) for text in texts])
    return Coloring(title, names.tolist(), codes, agreement, chance)


def _map(results: StudyResults, method: str) -> Iterator[FeatureMap]:
    own = results.confirmed[results.confirmed["method"] == method].sort_values(["seed", "fold"])
    for row in own.to_dict("records"):
        if results.units[row["trial_id"]].features.exists():
            yield _mapped(results, method, row)
            return


def _mapped(results: StudyResults, method: str, row: dict) -> FeatureMap:
    sample = _sample(results, row["trial_id"])
    points, explained = principal_components(sample.features)
    projections = {"PCA": _unit(points)}
    if tsne_is_possible():
        projections["t-SNE"] = _unit(stochastic_neighbors(sample.features, derive("t-SNE") % 2**32))
    nearest = _nearest(sample.features)
    classes = [results.outcomes.classes[label] for label in sample.rows["label"]]
    colorings = [coloring("class", classes, nearest)]
    for title in ("domain", "group"):
        values = sample.rows[title].fillna("").astype(str).tolist()
        if 1 < len(set(values)) < len(values):
            colorings.append(coloring(title, values, nearest))
            break
    return FeatureMap(
        method=method,
        fold=int(row["fold"]),
        seed=int(row["seed"]),
        clips=len(sample.rows),
        of=sample.of,
        projections=projections,
        explained=explained,
        colorings=colorings,
    )


def _sample(results: StudyResults, trial_id: str) -> Labelled:
    """The clips whose names have the smallest hashes, so that every method shows the same ones."""
    unit = results.units[trial_id]
    stored = read_columns(unit.features, ["clip_id", "features"])
    known = _clean_rows(results, trial_id)
    frame = stored[stored["clip_id"].isin(set(known.index))]
    order = sorted(frame.index, key=lambda index: derive("map", str(frame.loc[index, "clip_id"])))[:SAMPLE]
    kept = frame.loc[sorted(order)]
    features = np.stack(kept["features"].to_list()).astype(np.float64)
    return Labelled(features, known.loc[kept["clip_id"]].reset_index(), len(stored))


def _clean_rows(results: StudyResults, trial_id: str) -> pd.DataFrame:
    """Label, group and domain of a trial's clean test clips, by clip."""
    for path in results.units[trial_id].test_predictions(results.suite.version):
        rows = read_predictions(path, len(results.outcomes.classes)).rows
        clean = rows[(rows["perturbation"] == CLEAN) & (rows["split"] == "test")]
        if len(clean):
            frame = clean[["clip_id", "label", "group", "domain"]].astype({"clip_id": str}).drop_duplicates("clip_id")
            return frame.set_index("clip_id")
    return pd.DataFrame(columns=["label", "group", "domain"])


def _nearest(features: Float[np.ndarray, "n d"]) -> Int[np.ndarray, " n"]:
    """The position of each clip's nearest other clip, by Euclidean distance of features."""
    squares = (features**2).sum(axis=1)
    distances = squares[:, None] + squares[None] - 2 * features @ features.T
    np.fill_diagonal(distances, np.inf)
    return np.asarray(distances.argmin(axis=1))


def _unit(points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
    """Points moved and scaled into the unit square, both axes by one factor, so that shapes are kept."""
    low, high = points.min(axis=0), points.max(axis=0)
    width = float((high - low).max()) or 1.0
    return np.asarray((points - (low + high) / 2) / width + 0.5)
