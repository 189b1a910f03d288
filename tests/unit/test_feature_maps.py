"""Maps of features: principal components as scikit-learn has them, neighbours counted in all dimensions."""

import re

import numpy as np
import pytest
from fabricated_run import Fabrication, fabricate
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from harness.report import feature_maps as maps
from harness.report.build import build
from harness.report.feature_maps import coloring, feature_maps, principal_components
from harness.report.figures.maps import MOVES, NAME_HEIGHT, draw_map
from harness.report.study_results import read_results

STORED = Fabrication(clips=60, perturbations=(), folds=(1, 2), features=12)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return fabricate(tmp_path_factory.mktemp("runs"), STORED)


@pytest.fixture(scope="module")
def found(run):
    return feature_maps(read_results(run))


def test_principal_components_are_those_of_scikit_learn_up_to_sign():
    features = np.random.default_rng(0).normal(size=(40, 9)) * np.arange(1, 10)
    points, shares = principal_components(features)
    reference = PCA(n_components=2, svd_solver="full").fit(features)
    np.testing.assert_allclose(np.abs(points), np.abs(reference.transform(features)), atol=1e-9)
    np.testing.assert_allclose(shares, reference.explained_variance_ratio_)


def test_the_sign_of_a_component_does_not_depend_on_the_order_of_clips():
    features = np.random.default_rng(1).normal(size=(30, 5)) * np.arange(1, 6)
    order = np.random.default_rng(2).permutation(30)
    np.testing.assert_allclose(principal_components(features[order])[0], principal_components(features)[0][order])


def test_features_without_variance_are_one_point():
    points, shares = principal_components(np.ones((5, 3)))
    np.testing.assert_allclose(points, 0, atol=1e-12)
    assert shares == (0.0, 0.0)


def test_all_methods_show_the_same_fold_and_scaled_points(found):
    assert [one.method for one in found] == ["hdf", "x3d", "resnet18_lstm"]
    assert {(one.fold, one.seed, one.clips, one.of) for one in found} == {(1, 0, 60, 60)}
    for one in found:
        assert set(one.projections) == {"PCA", "t-SNE"}
        for points in one.projections.values():
            assert points.min() >= -1e-9
            assert points.max() <= 1 + 1e-9
            assert np.ptp(points, axis=0).max() == pytest.approx(1)


def test_agreement_of_neighbours_is_counted_as_scikit_learn_finds_them(run, found):
    import pandas as pd

    results = read_results(run)
    fold = results.outcomes.folds[0]
    trial = next(one for one in fold.runs if one.method == "hdf")
    stored = pd.read_parquet(results.units[trial.trial_id].features).set_index("clip_id").loc[fold.clip_ids]
    features = np.stack(stored["features"].to_list()).astype(float)
    _, near = NearestNeighbors(n_neighbors=2).fit(features).kneighbors(features)
    expected = (fold.labels[near[:, 1]] == fold.labels).mean()
    by_class = found[0].colorings[0]
    assert by_class.agreement == pytest.approx(expected)
    assert by_class.title == "class"


def test_chance_agreement_is_that_of_random_neighbours():
    one = coloring("class", ["a", "a", "b", "b"], np.array([1, 0, 3, 2]))
    assert (one.agreement, one.chance) == (1.0, pytest.approx(1 / 3))


def test_of_many_groups_the_largest_are_named_and_the_others_are_one():
    values = [f"g{index:02d}" for index in range(20) for _ in range(1 + (index < 7))]
    one = coloring("group", values, np.zeros(len(values), dtype=int))
    assert one.names == [*(f"g{index:02d}" for index in range(7)), "others"]
    assert [one.names[code] for code in one.codes[-3:]] == ["others"] * 3


def test_a_drawing_has_a_dot_for_every_clip(found):
    for one in found[0].colorings:
        assert draw_map(found[0], "PCA", one).count("h0") == 60


def test_a_large_test_fold_is_sampled_alike_for_every_method_and_says_so(run, monkeypatch):
    monkeypatch.setattr(maps, "SAMPLE", 25)
    results = read_results(run)
    samples = [maps._sample(results, one.trial_id).rows["clip_id"].tolist() for one in results.outcomes.folds[0].runs]
    assert len(samples[0]) == 25
    assert samples.count(samples[0]) == len(samples)
    assert "a sample of 25 of 60 clips" in build(run, replicates=20).html_path.read_text()


def test_without_scikit_learn_the_page_says_how_to_get_the_other_map(run, monkeypatch):
    monkeypatch.setattr(maps, "tsne_is_possible", lambda: False)
    page = build(run, replicates=20).html_path.read_text()
    assert "t-SNE needs scikit-learn" in page
    assert "How networks arrange the clips" in page


def test_a_study_that_stored_no_features_has_no_map(tmp_path):
    plain = Fabrication(clips=30, perturbations=(), folds=(1,))
    assert "How networks arrange" not in build(fabricate(tmp_path, plain), replicates=20).html_path.read_text()


def names_at(info, places, names):
    """Where each name of a map stands."""
    codes = np.arange(len(names))
    own = coloring("class", names, np.roll(codes, 1))
    drawn = draw_map(info._replace(projections={"PCA": np.array(places)}), "PCA", own)
    return {name: (int(x), int(y)) for x, y, name in re.findall(r'<text [^>]*x="(\d+)" y="(\d+)">(\w+)<', drawn)}


def test_names_that_would_lie_on_each_other_are_moved_apart(found):
    apart = names_at(found[0], [[0.1, 0.1], [0.9, 0.9]], ["Happy", "Sad"])
    here = names_at(found[0], [[0.5, 0.5]] * 3, ["Angry", "Happy", "Sad"])
    assert len(apart) == 2
    assert len({x for x, _ in here.values()}) == 1
    heights = sorted(y for _, y in here.values())
    assert len(heights) == 3
    assert np.diff(heights).min() >= NAME_HEIGHT


def test_names_for_which_there_is_no_place_are_left_to_the_legend(found):
    assert len(names_at(found[0], [[0.5, 0.5]] * 9, [f"class{index}" for index in range(9)])) == len(MOVES)
