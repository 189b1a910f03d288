"""Long names of methods in figures."""

import re
import string

import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

from harness.report.figures.forest import NAME_WIDTH, draw_forest, forest
from harness.report.figures.svg import on_lines

NAMES = st.text(string.ascii_letters + string.digits + "_-.", min_size=1, max_size=90)


@given(NAMES, st.integers(3, 40))
@example("hdf_without_sharpness_and_with_everything_else", 12)
def test_lines_are_short_and_together_the_name(name, width):
    lines = on_lines(name, width).split("\n")
    assert "".join(lines) == name
    assert all(0 < len(line) <= width for line in lines)


def test_a_long_name_leaves_a_forest_plot_as_wide_as_a_short_one_of_one_line():
    def left(name):
        frame = pd.DataFrame({"method": [name], "uar": [0.5], "uar_low": [0.4], "uar_high": [0.6]})
        text = draw_forest(forest(frame, "uar", "UAR", (name,)))
        return min(float(x) for x in re.findall(r'<path d="M ([\d.]+) [^"]*" clip-path', text))

    assert left("a" * 3 * NAME_WIDTH) <= left("a" * NAME_WIDTH) + 1
