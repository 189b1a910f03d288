"""The answer in words claims what the intervals support and nothing more."""

import pandas as pd

from harness.report.sections.answer import answer


def board(*rows):
    """Rows of method, letters, clean, perturbed and order UAR; intervals of three points to each side."""
    frame = pd.DataFrame(rows, columns=["method", "tie", "uar_clean", "uar_perturbed", "uar_order"])
    for column in ("uar_clean", "uar_perturbed", "uar_order"):
        frame[f"{column}_low"], frame[f"{column}_high"] = frame[column] - 0.03, frame[column] + 0.03
    return frame


def test_a_clear_winner_is_called_one():
    text = answer(board(("hdf", "a", 0.7, 0.6, 0.5), ("x3d", "b", 0.5, 0.4, 0.45)))
    assert "hdf reaches a UAR of 70.0 % (95 % interval 67.0 to 73.0), ahead of every other method" in text
    assert "it holds the highest mean, 60.0 % (95 % interval 57.0 to 63.0), 10.0 points below its clean score" in text
    assert "hdf loses most (20.0 points) and x3d least (5.0)" in text


def test_methods_that_tie_with_the_first_are_named():
    rows = (("a", "a", 0.7, 0.5, 0.5), ("b", "ab", 0.69, 0.6, 0.5), ("c", "b", 0.6, 0.5, 0.5))
    text = answer(board(*rows))
    assert "cannot tell it apart from b." in text
    assert "b holds the highest mean" in text
    assert "from any other method" in answer(board(*((*row[:1], "a", *row[2:]) for row in rows)))


def test_where_nothing_changes_nothing_is_lost():
    text = answer(board(("a", "a", 0.5, 0.5, 0.5), ("b", "a", 0.5, 0.5, 0.5)))
    assert "the same as its clean score" in text
    assert "Without the order of frames no score changes." in text


def test_a_single_method_is_compared_with_none():
    text = answer(board(("a", "a", 0.5, 0.4, 0.3)))
    assert "apart" not in text
    assert "it loses 20.0 points" in text


def test_a_gain_without_order_is_called_a_gain():
    text = answer(board(("a", "a", 0.5, 0.5, 0.4), ("b", "a", 0.5, 0.5, 0.52)))
    assert "a loses most (10.0 points) and b gains 2.0." in text
    text = answer(board(("a", "a", 0.5, 0.5, 0.51), ("b", "a", 0.5, 0.5, 0.52)))
    assert "no method loses; b gains most (2.0 points)" in text


def test_scores_that_reach_down_to_chance_are_said_to():
    rows = (("a", "a", 0.16, 0.15, 0.15), ("b", "a", 0.14, 0.15, 0.15))
    assert "No method is shown to be better than chance (14.3 %)." in answer(board(*rows), 1 / 7)
    assert "chance" not in answer(board(("a", "a", 0.3, 0.2, 0.2), *rows[1:]), 1 / 7)
    assert "It is not shown to be better than chance" in answer(board(rows[0]), 1 / 7)
    assert "chance" not in answer(board(*rows))
