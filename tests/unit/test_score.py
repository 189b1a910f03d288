"""Scores come from stored logits, cell by cell."""

import numpy as np
import pandas as pd
import pytest
from fabricated_run import CLASSES, Fabrication, prediction_rows
from sklearn.metrics import balanced_accuracy_score, recall_score

from harness import plugins
from harness.stats.score import RECALL, score
from harness.tables.schema import METRICS, predictions
from harness.tables.store import read, to_arrow, write

FABRICATION = Fabrication(perturbations=("gaussian_noise",), severities=(3,))


@pytest.fixture(scope="module")
def rows():
    return prediction_rows(FABRICATION, "hdf", 1, 0, "0123")


def test_every_cell_and_metric_has_one_row_and_every_class_its_recall(rows):
    scored = score(rows, CLASSES)
    overall = scored[scored["class"] == ""]
    assert len(overall) == 2 * len(plugins.names("metric"))
    assert (scored[scored["metric"] == RECALL].groupby("perturbation")["class"].nunique() == len(CLASSES)).all()
    to_arrow(scored, METRICS)


def test_scores_agree_with_scikit_learn(rows):
    scored = score(rows, CLASSES).set_index(["perturbation", "metric", "class"])["value"]
    for name, own in rows.groupby("perturbation"):
        named = np.stack(own["logits"].to_list()).argmax(axis=1)
        assert scored[name, "uar", ""] == pytest.approx(balanced_accuracy_score(own["label"], named))
        recalls = recall_score(own["label"], named, average=None)
        assert [scored[name, RECALL, label] for label in CLASSES] == pytest.approx(recalls.tolist())


def test_the_order_of_rows_does_not_matter(rows):
    shuffled = rows.sample(frac=1, random_state=np.random.default_rng(0))
    pd.testing.assert_frame_equal(score(shuffled, CLASSES), score(rows, CLASSES))


def test_a_table_read_back_scores_the_same(rows, tmp_path):
    write(rows, predictions(len(CLASSES)), tmp_path / "p.parquet")
    back = read(tmp_path / "p.parquet", predictions(len(CLASSES)))
    pd.testing.assert_frame_equal(score(back, CLASSES), score(rows, CLASSES), check_dtype=False)


def test_no_predictions_give_no_scores(rows):
    assert score(rows.iloc[:0], CLASSES).empty
