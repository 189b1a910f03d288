"""Methods are told apart by colour and shape together, in figures and in what names them on the page."""

import re

from harness.report.figures.svg import MARKERS, series_color, series_marker
from harness.report.page import templates

SHAPES = dict(zip("●■▲◆▼✚✖★", MARKERS, strict=True))


def test_no_two_of_many_methods_look_alike_and_the_page_shows_the_shapes_of_the_figures():
    key = templates().from_string('{% from "macros.html" import key %}{{ key(index, "m") }}')
    shown = set()
    for index in range(len(MARKERS) ** 2):
        shape, series = re.search(r'data-mark="(.)".*--series-(\d)', key.render(index=index)).groups()
        assert SHAPES[shape] == series_marker(index)
        assert series_color(index) == f"#0{series}0{series}10"
        shown.add((series, shape))
    assert len(shown) == len(MARKERS) ** 2
