"""Which methods no other beats in cost and score at once."""

from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from harness.report.figures.cost_plots import CostPlot, CostPoint, cost_plots, draw_cost_plot, pareto
from harness.report.sections.cost import CostRow


def points(*pairs):
    return [
        CostPoint(f"m{index}", index, float(cost), float(score), 0.0, 100.0)
        for index, (cost, score) in enumerate(pairs)
    ]


PAIRS = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=8)


@given(PAIRS)
def test_the_front_is_never_empty_and_rises_with_cost(pairs):
    found = {one.method: one for one in points(*pairs)}
    front = [found[name] for name in pareto(points(*pairs))]
    assert front
    for cheaper, dearer in pairwise(front):
        assert (cheaper.cost, cheaper.score) == (dearer.cost, dearer.score) or cheaper.score < dearer.score


@given(PAIRS)
def test_whatever_is_not_on_the_front_is_beaten_by_one_that_is(pairs):
    every = points(*pairs)
    front = [one for one in every if one.method in pareto(every)]
    for one in every:
        if one not in front:
            assert any(other.cost <= one.cost and other.score >= one.score and other != one for other in front)


def test_a_cost_that_is_known_of_one_method_only_is_not_drawn():
    rows = [
        CostRow(name, 2, 3.0 * scale, None if name == "b" else 0.2, 10.0 * scale, 500.0, 0)
        for scale, name in enumerate(("a", "b"), 1)
    ]
    board = pd.DataFrame({"method": ["a", "b"], "uar_clean": [0.6, 0.7], "tie": ["a", "b"]})
    board["uar_clean_low"], board["uar_clean_high"] = board["uar_clean"] - 0.1, board["uar_clean"] + 0.1
    plots = cost_plots(rows, board)
    assert [one.measure for one in plots] == ["parameters_m", "seconds", "peak_memory_mb"]
    assert plots[0].front == ["a", "b"]
    assert plots[2].front == ["b"]
    drawing = draw_cost_plot(plots[2])
    assert "alike for all" in drawing
    assert "Not beaten: b." in drawing
    np.testing.assert_allclose([one.low for one in plots[0].points], [50, 60])


def title_of(*points, of_process=False):
    """What a plot of costs, scores and ties says."""
    made = [CostPoint(f"m{n}", n, cost, score, 0.0, 100.0, ties) for n, (cost, score, ties) in enumerate(points)]
    return draw_cost_plot(CostPlot("peak_memory_mb", made, pareto(made), of_process))


def test_only_a_method_that_is_ahead_of_every_other_leads():
    assert "m0 leads" in title_of((1000.0, 60.0, "a"), (2000.0, 50.0, "b"))
    assert "m0 leads" in title_of((1000.0, 60.0, "a"), (2000.0, 50.0, "a"))
    assert "alike for all" in title_of((1341.0, 60.0, "a"), (1344.0, 50.0, "b"))
    small = title_of((1000.0, 60.0, "a"), (1010.0, 59.0, "a"), (2000.0, 50.0, "b"))
    assert "differences are small" in small
    assert "leads" not in small


def test_memory_of_a_process_makes_no_method_lead():
    drawn = title_of((1000.0, 60.0, "a"), (2000.0, 50.0, "b"), of_process=True)
    assert "leads" not in drawn
    assert "Memory: that of the process" in drawn
