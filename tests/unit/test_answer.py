"""The answer in words claims what the intervals support and nothing more."""

import numpy as np
import pandas as pd

from harness.report.leaderboard import Scoped
from harness.report.sections.answer import Changes, changes
from harness.report.sections.answer import answer as whole_answer


def board(*rows):
    """Rows of method, letters, clean, perturbed and order UAR; intervals of three points to each side."""
    frame = pd.DataFrame(rows, columns=["method", "tie", "uar_clean", "uar_perturbed", "uar_order"])
    for column in ("uar_clean", "uar_perturbed", "uar_order"):
        frame[f"{column}_low"], frame[f"{column}_high"] = frame[column] - 0.03, frame[column] + 0.03
    return frame


def answer(frame, chance=None, tied=(), width=0.01):
    """The answer where every loss is known to so much on each side."""
    losses = {
        scope: {
            row["method"]: tuple(row["uar_clean"] - row[f"uar_{scope}"] + side for side in (0, -width, width))
            for row in frame.to_dict("records")
        }
        for scope in ("perturbed", "order")
    }
    return whole_answer(frame, Changes(losses, frozenset(tied)), chance)


def test_a_clear_winner_is_called_one():
    text = answer(board(("hdf", "a", 0.7, 0.6, 0.5), ("x3d", "b", 0.5, 0.4, 0.45)))
    assert "hdf reaches a UAR of 70.0 % (95 % interval 67.0 to 73.0), ahead of every other method" in text
    assert "it holds the highest mean, 60.0 % (95 % interval 57.0 to 63.0), " in text
    assert "10.0 points below its clean score (95 % interval 9.0 to 11.0)." in text
    assert "hdf loses 20.0 points (95 % interval 19.0 to 21.0) and x3d loses 5.0 points (95 % interval 4.0" in text
    assert "most" not in text


def test_methods_that_tie_with_the_first_are_named():
    rows = (("a", "a", 0.7, 0.5, 0.5), ("b", "ab", 0.69, 0.6, 0.5), ("c", "b", 0.6, 0.5, 0.5))
    text = answer(board(*rows))
    assert "cannot tell it apart from b." in text
    assert "b holds the highest mean" in text
    assert "from any other method" in answer(board(*((*row[:1], "a", *row[2:]) for row in rows)))


def test_the_highest_under_perturbation_is_not_put_above_those_that_it_cannot_be_told_from():
    rows = board(("a", "a", 0.7, 0.5, 0.5), ("b", "ab", 0.69, 0.6, 0.5), ("c", "b", 0.6, 0.5, 0.5))
    assert "b holds the highest mean" in answer(rows, tied=("b",))
    assert "It cannot be told apart from a there." in answer(rows, tied=("a", "b"))
    assert "It cannot be told apart from any other method there." in answer(rows, tied=("a", "b", "c"))


def test_where_nothing_is_known_to_change_nothing_is_lost():
    text = answer(board(("a", "a", 0.5, 0.5, 0.5), ("b", "a", 0.5, 0.505, 0.505)))
    assert "b holds the highest mean" in text
    assert "not told apart from its clean score (+0.5 points, 95 % interval -0.5 to +1.5)" in text
    assert "no method's score is known to change (at its least certain: " in text


def test_a_single_method_is_compared_with_none():
    text = answer(board(("a", "a", 0.5, 0.4, 0.3)))
    assert "apart" not in text
    assert "a loses 20.0 points (95 % interval 19.0 to 21.0)." in text
    assert "its score is not known to change (+0.5 points" in answer(board(("a", "a", 0.5, 0.4, 0.505)))


def test_a_gain_without_order_is_called_a_gain_and_what_may_be_nothing_is_not_named():
    text = answer(board(("a", "a", 0.5, 0.5, 0.4), ("b", "a", 0.5, 0.5, 0.52), ("c", "a", 0.5, 0.5, 0.495)))
    assert "a loses 10.0 points (95 % interval 9.0 to 11.0) and b gains 2.0 points (95 % interval 1.0 to 3.0)" in text
    assert text.endswith("; no other score is known to change.")


def test_many_methods_that_lose_are_counted_with_the_extremes():
    text = answer(board(*((f"m{index}", "a", 0.5, 0.5, 0.5 - 0.02 * index) for index in range(1, 6))))
    assert "5 of the methods lose, from 2.0 points (95 % interval 1.0 to 3.0) to 10.0 points (95 % interval" in text


def test_losses_are_paired_differences_of_the_replicates():
    shared = np.random.default_rng(0).normal(0, 0.1, size=(500, 1))
    clean = Scoped(np.array([0.6, 0.5]), np.array([0.6, 0.5]) + shared)
    order = Scoped(np.array([0.5, 0.5]), np.array([0.5, 0.5]) + shared)
    found = changes({("clean", "uar"): clean, ("order", "uar"): order, ("perturbed", "uar"): order}, ("a", "b"))
    np.testing.assert_allclose(found.losses["order"]["a"], 0.1)
    np.testing.assert_allclose(found.losses["order"]["b"], 0, atol=1e-12)
    assert found.tied == {"a", "b"}


def test_scores_that_reach_down_to_chance_are_said_to():
    rows = (("a", "a", 0.16, 0.15, 0.15), ("b", "a", 0.14, 0.15, 0.15))
    assert "No method is shown to be better than chance (14.3 %)." in answer(board(*rows), 1 / 7)
    assert "chance" not in answer(board(("a", "a", 0.3, 0.2, 0.2), *rows[1:]), 1 / 7)
    assert "It is not shown to be better than chance" in answer(board(rows[0]), 1 / 7)
    assert "chance" not in answer(board(*rows))
